//! A first run, a second one, and what stands beside them.

use std::io::Write as _;
use std::process::{Command, Stdio};

use launchready_lab::World;

use crate::world::{network_of, start, typed};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_run_adds_what_is_new_and_keeps_every_byte() {
    let place = tempfile::tempdir().unwrap();
    let lab = start(&World::load("healthy").unwrap(), &place).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("launchready.toml");
    let mine = format!(
        "# my own words   \n[[project]]\nname = \"my shop\"\ndomain = \"harbor.example\"\nnot_used = [\"crm\"]\n\
         [project.stripe]\nkey = {{ env = \"MY_KEY\" }}   # do not touch\n\n# the network\n{}",
        network_of(&lab)
    );
    std::fs::write(&path, &mine).unwrap();
    let theirs = "# of the shop itself\nDATABASE_URL=\n";
    std::fs::write(folder.path().join(".env.example"), theirs).unwrap();
    let init = ["init", "harbor.example", "--yes"];
    let said = typed(folder.path(), &init, &[]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut rest = text.bytes();
    assert!(mine.bytes().all(|byte| rest.any(|other| other == byte)), "{text}");
    assert!(text.contains("key = { env = \"MY_KEY\" }   # do not touch"), "{text}");
    for added in ["project.supabase", "project.support", "project.hosting", "project.ownership"] {
        assert!(said.out.contains(added), "{added}: {}", said.out);
    }
    assert!(!text.contains("[project.crm]"), "{text}");
    assert!(said.out.contains("not_used names \"crm\", and HubSpot was seen"), "{}", said.out);
    assert!(said.out.contains("MY_SHOP_SUPABASE_TOKEN=''"), "{}", said.out);
    let env = std::fs::read_to_string(folder.path().join(".env.example")).unwrap();
    assert_eq!(env, theirs);
    let checked = typed(folder.path(), &["config", "check"], &[]).await;
    assert_eq!(checked.code, Some(0), "{checked:?}\n{text}");

    let again = typed(folder.path(), &init, &[]).await;
    assert!(again.out.contains("Nothing new"), "{}", again.out);
    let copy = "   cp .env.example .env\n";
    assert!(again.out.contains(copy), "the next line reads .env: {}", again.out);
    std::fs::write(folder.path().join(".env"), "MY_KEY='x'\n").unwrap();
    let filled = typed(folder.path(), &init, &[]).await;
    assert!(!filled.out.contains(copy), "what is filled in stays: {}", filled.out);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_network_of_the_command_line_stands_in_a_new_config() {
    let place = tempfile::tempdir().unwrap();
    let lab = start(&World::load("healthy").unwrap(), &place).await;
    let folder = tempfile::tempdir().unwrap();
    let ca = place.path().join("ca.pem").display().to_string();
    let mut arguments: Vec<String> =
        ["init", "harbor.example", "--yes", "--allow-private", "--ca", &ca, "--out", "shop.toml"]
            .map(str::to_owned)
            .into();
    for resolver in lab.resolvers() {
        arguments.extend(["--resolver".to_owned(), resolver.to_string()]);
    }
    for route in lab.routes() {
        arguments.extend(["--connect-to".to_owned(), format!("{}={}", route.from, route.to)]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let said = typed(folder.path(), &arguments, &[]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("launchready audit --config shop.toml"), "{}", said.out);
    let config = launchready::config::load(&folder.path().join("shop.toml")).unwrap();
    assert_eq!(config.network.resolvers, lab.resolvers());
    assert_eq!(config.network.connect_to.len(), lab.routes().len());
    assert!(config.network.allow_private);
    let project = &config.projects[0];
    let host = |label: &str| format!("{label}.harbor.example");
    assert_eq!(project.target.hosts, ["www", "app", "api", "docs", "status"].map(host));
    assert_eq!(project.target.mail.tools, ["google", "resend"]);
    assert_eq!(project.target.mail.selectors, ["google", "resend"]);
    assert_eq!(project.target.web.legal_pages, ["/privacy", "/terms", "/refunds"]);
    let hook = "https://api.harbor.example/functions/v1/stripe-webhook";
    assert_eq!(project.target.web.webhook_paths, [hook]);
    let checkout = "https://api.harbor.example/functions/v1/checkout";
    assert_eq!(project.target.web.functions, [checkout]);
    let wanted = ["stripe", "supabase", "database", "crm", "support"];
    assert_eq!(project.target.accounts.configured(), wanted);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let meta = std::fs::metadata(folder.path().join(".env.example")).unwrap();
        assert_eq!(meta.permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_is_asked_for_what_cannot_be_seen() {
    let place = tempfile::tempdir().unwrap();
    let lab = start(&World::load("healthy").unwrap(), &place).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("launchready.toml");
    std::fs::write(&path, network_of(&lab)).unwrap();
    let (at, program) = (folder.path().to_owned(), env!("CARGO_BIN_EXE_launchready"));
    // `script`, which every Debian has, is the terminal.
    let shown = tokio::task::spawn_blocking(move || {
        let mut child = Command::new("script")
            .args(["--quiet", "--return", "--command"])
            .arg(format!("{program} init harbor.example"))
            .arg("/dev/null")
            .current_dir(at)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let typed = "n8m\nn8n\nharbor-help\nanna@harbor.example\nhttps://flows.harbor.example\n";
        child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    });
    let shown = shown.await.unwrap();
    assert!(shown.contains("Which automation service do you use?"), "{shown}");
    assert!(shown.contains("did you mean \"n8n\"?"), "{shown}");
    assert!(!shown.contains("Which CRM"), "{shown}");
    let config = launchready::config::load(&path).unwrap();
    let tables = &config.projects[0].accounts.tables;
    let desk = tables.support.as_ref().unwrap();
    let said = (desk.subdomain.as_deref(), desk.user.as_deref());
    assert_eq!(said, (Some("harbor-help"), Some("anna@harbor.example")));
    let flows = tables.automation.as_ref().unwrap();
    assert_eq!(flows.api.as_deref(), Some("https://flows.harbor.example"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_with_signs_of_the_shell_comes_through_the_env_file_whole() {
    let place = tempfile::tempdir().unwrap();
    let lab = start(&World::load("healthy").unwrap(), &place).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("launchready.toml"), network_of(&lab)).unwrap();
    let said = typed(folder.path(), &["init", "harbor.example", "--yes"], &[]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    let example = std::fs::read_to_string(folder.path().join(".env.example")).unwrap();
    assert!(example.contains("keep the single quotes"), "{example}");
    let address = "postgres://lr:pa$$word@db.harbor.example/shop?sslmode=require&connect_timeout=5";
    let filled = example
        .replace("HARBOR_DATABASE_URL=''", &format!("HARBOR_DATABASE_URL='{address}'"))
        .replace("HARBOR_STRIPE_RESTRICTED_KEY=''", r"HARBOR_STRIPE_RESTRICTED_KEY='it'\''s'");
    assert!(filled.contains(address), "{example}");
    std::fs::write(folder.path().join(".env"), filled).unwrap();
    // The line that docs/start.md and init itself tell to type.
    let script = "set -a; . ./.env; set +a; env";
    let shell =
        Command::new("sh").args(["-c", script]).current_dir(folder.path()).output().unwrap();
    assert!(shell.status.success() && shell.stderr.is_empty(), "{shell:?}");
    let set = String::from_utf8(shell.stdout).unwrap();
    for line in
        [format!("HARBOR_DATABASE_URL={address}"), "HARBOR_STRIPE_RESTRICTED_KEY=it's".into()]
    {
        assert!(set.lines().any(|one| one == line), "{line} is missing in {set}");
    }
}
