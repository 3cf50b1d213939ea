//! The command line as a user meets it, with the real program.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says so when it is skipped"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use launchready::clock::{Clock as _, SystemClock};
use launchready_checks::registry;
use launchready_lab::{Lab, LabOptions, World};
use serde_json::Value;
use tempfile::TempDir;

/// What a command said, and how it ended.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

/// The program, with nothing of this machine's settings in its environment.
fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_launchready"));
    command.current_dir(folder).stdin(Stdio::null());
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "RUST_LOG"] {
        command.env_remove(name);
    }
    command
}

fn ended(output: std::process::Output) -> Said {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(!err.contains("panicked"), "{err}");
    Said { code: output.status.code(), out, err }
}

fn say_in(folder: &Path, arguments: &[&str]) -> Said {
    ended(program(folder).args(arguments).output().unwrap())
}

fn say(arguments: &[&str]) -> Said {
    say_in(tempfile::tempdir().unwrap().path(), arguments)
}

/// One message on standard error that holds all of `words`, nothing else, and exit code 2.
#[track_caller]
fn refused(said: &Said, words: &[&str]) {
    assert_eq!(said.code, Some(2), "{said:?}");
    assert_eq!(said.out, "", "{said:?}");
    assert!(said.err.starts_with("error: "), "{said:?}");
    assert_eq!(said.err.matches("\nerror: ").count(), 0, "{said:?}");
    assert!(!said.err.contains('\x1b'), "{said:?}");
    for word in words {
        assert!(said.err.contains(word), "{word:?} is missing in: {}", said.err);
    }
}

/// Nothing but these files is in a folder.
#[track_caller]
fn holds_only(folder: &Path, names: &[&str]) {
    let mut found: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, names);
}

const TWO: &str = "[[project]]\nname = \"harbor\"\ndomain = \"harbor.example\"\n\
                   [[project]]\nname = \"cove\"\ndomain = \"cove.example\"\n";

fn with_config(text: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("launchready.toml"), text).unwrap();
    folder
}

/// The healthy world, for as long as this process lives.
fn lab() -> &'static str {
    static CONFIG: OnceLock<String> = OnceLock::new();
    CONFIG.get_or_init(|| {
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let folder = tempfile::tempdir().unwrap();
                let options = LabOptions {
                    now: SystemClock.now(),
                    delay: Duration::ZERO,
                    speed: 1.0,
                    dir: folder.path().to_owned(),
                };
                let lab = Lab::start(&World::load("healthy").unwrap(), options).await.unwrap();
                sender.send(lab.config_toml()).unwrap();
                std::future::pending::<()>().await;
            });
        });
        receiver.recv().unwrap()
    })
}

#[test]
fn every_error_of_a_config_is_told_at_once_with_its_line() {
    let text = "[network]\nresolver = [\"1.1.1.1\"]\nallow_private = \"yes\"\n\n[[project]]\n\
                name = \"harbor\"\ndomian = \"harbor.example\"\n\n[checks.domain-registration]\n\
                critical = \"two weeks\"\n[checks.mail-sfp]\n";
    let folder = with_config(text);
    for arguments in [&["audit"][..], &["config", "check"], &["config", "show"]] {
        let words = [
            "launchready.toml cannot be used",
            "line 2: network.resolver: unknown key; did you mean \"resolvers\"?",
            "line 3: network.allow_private",
            "line 7: project[0].domian: unknown key; did you mean \"domain\"?",
            "line 10: checks.domain-registration.critical",
            "did you mean \"mail-spf\"?",
        ];
        refused(&say_in(folder.path(), arguments), &words);
    }
    holds_only(folder.path(), &["launchready.toml"]);
}

#[test]
fn what_is_no_domain_is_answered_with_what_to_write() {
    for (given, remedy) in [
        ("203.0.113.7", "write the public domain"),
        ("[2001:db8::1]", "write the public domain"),
        ("https://harbor.example/pricing", "write only the name: harbor.example"),
        ("harbor.example:443", "write only the name: harbor.example"),
        ("founder@harbor.example", "the part after the @: harbor.example"),
        ("", "write a name such as shop.example"),
        (".", "write a name such as shop.example"),
        ("harbor", "such as harbor.com"),
        ("co.uk", "such as shop.co.uk"),
        ("harbor..example", "two dots in a row"),
        ("har bor.example", "it holds a blank"),
    ] {
        refused(&say(&["audit", given]), &[remedy]);
        refused(&say(&["check", "mail-spf", given]), &[remedy]);
    }
    let folder = with_config("");
    refused(&say_in(folder.path(), &["audit"]), &["holds no project", "[[project]]"]);
    refused(&say(&["audit"]), &["launchready audit shop.example", "--config FILE"]);
    refused(&say(&["audit", "--config", "gone.toml"]), &["gone.toml", "launchready init"]);
}

#[test]
fn domains_are_read_as_people_write_them() {
    // One millisecond: the name is what is looked at here.
    for (given, name) in [
        ("Harbor.Example.", "harbor.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        (" shop.co.uk ", "shop.co.uk"),
    ] {
        let said = say(&[
            "audit",
            given,
            "--resolver",
            "127.0.0.1:9",
            "--time-limit",
            "1ms",
            "--format",
            "json",
            "--quiet",
        ]);
        let report: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(report["domain"], name, "{said:?}");
    }
}

#[test]
fn unknown_checks_and_findings_come_with_the_closest_known_one() {
    refused(&say(&["check", "mail-sfp", "harbor.example"]), &["did you mean \"mail-spf\"?"]);
    refused(&say(&["audit", "harbor.example", "--only", "mail-sfp"]), &["\"mail-spf\"?"]);
    refused(&say(&["audit", "harbor.example", "--skip", "mail-sfp"]), &["\"mail-spf\"?"]);
    refused(&say(&["audit", "harbor.example", "--only", "zz*"]), &["launchready explain"]);
    refused(&say(&["explain", "spf-misisng"]), &["did you mean \"spf-missing\"?"]);
    refused(&say(&["explain", "zzzz"]), &["launchready explain"]);
    refused(&say(&["check", "spf-missing", "harbor.example"]), &["a finding of mail-spf"]);
    refused(&say(&["check", "MAIL-SPF", "harbor.example"]), &["did you mean \"mail-spf\"?"]);
    refused(&say(&["check", "spf", "harbor.example"]), &["did you mean \"mail-spf\"?"]);
    refused(&say(&["audit", "harbor.example", "--only", "mail"]), &["mail-*"]);
    refused(&say(&["harbor.example"]), &["launchready audit harbor.example"]);
}

#[test]
fn a_file_that_cannot_be_written_is_told_before_anything_is_done() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "kept").unwrap();
    for path in ["gone/report.json", "file/report.json", "."] {
        let began = Instant::now();
        let arguments = ["audit", "harbor.example", "--resolver", "127.0.0.1:9", "--out", path];
        refused(&say_in(folder.path(), &arguments), &[path, "--out"]);
        let arguments =
            ["audit", "harbor.example", "--resolver", "127.0.0.1:9", "--save-baseline", path];
        refused(&say_in(folder.path(), &arguments), &[path, "--save-baseline"]);
        assert!(began.elapsed() < Duration::from_secs(5), "nothing was looked at");
    }
    let pdf = ["audit", "harbor.example", "--resolver", "127.0.0.1:9", "--out", "report.pdf"];
    refused(&say_in(folder.path(), &pdf), &["report.pdf", ".html", "--format"]);
    let arguments = [
        "audit",
        "harbor.example",
        "--resolver",
        "127.0.0.1:9",
        "--save-evidence",
        "file/evidence",
    ];
    refused(&say_in(folder.path(), &arguments), &["file/evidence", "write"]);
    let all = ["audit", "--all", "--out", "file/reports", "--config", "two.toml"];
    std::fs::write(folder.path().join("two.toml"), TWO).unwrap();
    refused(&say_in(folder.path(), &all), &["file/reports", "--out"]);
    holds_only(folder.path(), &["file", "two.toml"]);
    assert_eq!(std::fs::read_to_string(folder.path().join("file")).unwrap(), "kept");
}

#[test]
fn an_existing_report_is_untouched_when_the_audit_fails() {
    let folder = with_config(TWO);
    let report = folder.path().join("report.json");
    std::fs::write(&report, "the last one").unwrap();
    for wrong in [
        &["audit", "--out", "report.json"][..],
        &["audit", "--project", "bay", "--out", "report.json"],
        &["audit", "--project", "cove", "--only", "nope", "--out", "report.json"],
        &["audit", "--project", "cove", "--baseline", "gone.json", "--out", "report.json"],
        &["audit", "--from-evidence", "gone", "--out", "report.json"],
        &["audit", "cove.example", "--ca", "gone.pem", "--out", "report.json"],
    ] {
        refused(&say_in(folder.path(), wrong), &[]);
        assert_eq!(std::fs::read_to_string(&report).unwrap(), "the last one", "{wrong:?}");
    }
    holds_only(folder.path(), &["launchready.toml", "report.json"]);
}

#[test]
fn the_project_that_is_meant_has_to_be_clear() {
    let folder = with_config(TWO);
    let say = |arguments: &[&str]| say_in(folder.path(), arguments);
    refused(&say(&["audit"]), &["harbor, cove", "--project", "--all"]);
    refused(&say(&["check", "mail-spf"]), &["harbor, cove", "--project"]);
    refused(&say(&["audit", "--project", "bay"]), &["\"bay\"", "harbor, cove"]);
    refused(&say(&["audit", "--all"]), &["--out"]);
    refused(&say(&["audit", "--all", "--project", "cove", "--out", "x"]), &["--all", "--project"]);
    holds_only(folder.path(), &["launchready.toml"]);
}

#[test]
fn wrong_settings_say_what_to_write() {
    let audit = |more: &[&str]| say(&[&["audit", "harbor.example"], more].concat());
    refused(&audit(&["--time-limit", "soon"]), &["soon", "90s"]);
    refused(&audit(&["--time-limit", "0s"]), &["longer than nothing"]);
    refused(&audit(&["--goal", "lunch"]), &["launch, paid-traffic, handover"]);
    refused(&audit(&["--resolver", "dns"]), &["1.1.1.1"]);
    refused(&audit(&["--connect-to", "harbor.example"]), &["FROM=TO"]);
    refused(&audit(&["--connect-to", "harbor.example:443=localhost"]), &["203.0.113.7:443"]);
    refused(&audit(&["--ca", "gone.pem"]), &["gone.pem"]);
    refused(&audit(&["--format", "yaml"]), &["json"]);
    refused(&audit(&["--baseline", "gone.json"]), &["--save-baseline"]);
    refused(&audit(&["--form", "json"]), &["--format"]);
    refused(&say(&["adit"]), &["audit"]);
    refused(&say(&["audit", "--domains", "gone.txt"]), &["gone.txt"]);
    refused(&say(&["audit", "--from-evidence", "gone"]), &["--save-evidence"]);
}

#[test]
fn a_bad_line_in_a_file_of_domains_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("names"), "# ours\nharbor.example\nfounder@cove.example\n")
        .unwrap();
    let said = say_in(folder.path(), &["audit", "--domains", "names"]);
    refused(&said, &["line 3", "cove.example"]);
}

#[test]
fn the_handbook_is_in_the_program() {
    let list = say(&["explain"]);
    for line in list.out.lines() {
        assert!(line.chars().count() <= 80, "{line}");
        // Names and titles stand below each other, however long a name is.
        let (name, title) = line.trim_start().split_once(' ').unwrap_or((line, ""));
        if line.starts_with("  ") && registry::find(name).is_some() {
            let column = line.find(title.trim_start()).unwrap();
            assert_eq!(column, "  orders-orphaned-checkouts ".len(), "{line}");
        }
    }
    for plugin in registry::ALL {
        let meta = plugin.meta;
        assert!(list.out.contains(meta.id), "{}", meta.id);
        let page = say(&["explain", meta.id]);
        assert_eq!(page.code, Some(0), "{}", meta.id);
        // Every word of the page, without the marks of its source.
        let words = |text: &str| {
            let words = text.split_whitespace().map(|word| word.trim_matches(['═', '─', '#']));
            let words = words.filter(|word| !word.is_empty() && !word.starts_with("```"));
            words.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(words(&page.out), words(meta.doc), "{}", meta.id);
        assert!(!page.out.contains("## "), "{}", page.out);
    }
    let (_, spec) = registry::find_code("spf-missing").unwrap();
    let page = say(&["explain", "spf-missing"]);
    assert_eq!(page.code, Some(0));
    assert!(page.out.contains(spec.title) && page.out.contains("explain mail-spf"), "{}", page.out);
    for part in ["How to fix", "How to undo", "Options", "`void_lookups`"] {
        assert!(page.out.contains(part), "{}", page.out);
    }
    assert_eq!(page.err, "");
    for (topic, words) in [
        ("agent", &["systemd", "launchready backup", "public_url"][..]),
        ("alerts", &["confirmations", "launchready silence add", "flap_turns"]),
        ("metrics", &["launchready_check_status{project,check,target,status} (gauge)"]),
    ] {
        assert!(list.out.contains(&format!("\n  {topic} ")), "{}", list.out);
        let page = say(&["explain", topic]);
        assert_eq!((page.code, page.err.as_str()), (Some(0), ""), "{topic}");
        for word in words {
            assert!(page.out.contains(word), "{word} is missing in: {}", page.out);
        }
    }
    refused(&say(&["explain", "alrets"]), &["did you mean \"alerts\"?"]);
}

#[test]
fn configs_are_checked_shown_and_described() {
    let folder = with_config(TWO);
    let say = |arguments: &[&str]| say_in(folder.path(), arguments);
    let good = say(&["config", "check"]);
    assert_eq!(good.code, Some(0));
    assert!(good.out.contains("good") && good.out.contains("harbor, cove"), "{good:?}");
    let shown: Value = serde_json::from_str(&say(&["config", "show"]).out).unwrap();
    assert_eq!(shown[1]["target"]["domain"], "cove.example");
    assert_eq!(shown[0]["checks"].as_object().unwrap().len(), registry::ALL.len());
    let schema: Value = serde_json::from_str(&say(&["config", "schema"]).out).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let table: toml::Table = TWO.parse().unwrap();
    assert!(validator.is_valid(&serde_json::to_value(table).unwrap()));
    let example = say(&["config", "example"]);
    assert_eq!(example.code, Some(0));
    std::fs::write(folder.path().join("example.toml"), &example.out).unwrap();
    let read = say(&["config", "check", "--config", "example.toml"]);
    assert_eq!(read.code, Some(0), "{read:?}");
    assert_eq!(say(&["config", "check", "example.toml"]).out, read.out);
    refused(&say(&["config", "check", "gone.toml"]), &["gone.toml"]);
}

#[test]
fn the_check_of_a_config_says_what_an_audit_needs_and_whether_the_agent_would_start() {
    let alone = say_in(with_config(TWO).path(), &["config", "check"]);
    assert_eq!(alone.code, Some(0), "{alone:?}");
    assert!(alone.out.contains("agent: would start, with its page at http://127.0.0.1:9797/"));
    assert!(alone.out.contains("there is no [[channel]], so the agent tells nobody"), "{alone:?}");
    for line in alone.out.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    let text = format!(
        "[agent.auth]\npassword = {{ env = \"LAUNCHREADY_NO_SUCH_VARIABLE\" }}\n{TWO}\
         timezone = \"Europe/Berlin\"\npublic = true\n\
         [project.checks.mail-spf]\nschedule = \"0 7 * * 1-5\"\n\
         [[channel]]\nname = \"ops\"\nkind = \"slack\"\nurl = {{ file = \"gone\" }}\n"
    );
    let folder = with_config(&text);
    let say = |arguments: &[&str]| say_in(folder.path(), arguments);
    let check = say(&["config", "check"]);
    assert_eq!(check.code, Some(2), "{check:?}");
    assert!(check.out.contains("is good: harbor, cove"), "{check:?}");
    assert!(check.out.contains("launchready audit: needs nothing more; it reads no secret"));
    let lines: Vec<_> = check.err.lines().collect();
    assert_eq!(lines.len(), 3, "{check:?}");
    assert_eq!(lines[0], "error: the agent cannot start without these secrets:");
    let variable =
        "  line 2: agent.auth.password: the variable LAUNCHREADY_NO_SUCH_VARIABLE is not set";
    assert!(lines[1].starts_with(variable), "{check:?}");
    assert!(lines[2].starts_with("  line 16: channel[0].url: cannot read"), "{check:?}");
    let agent = say(&["agent"]);
    assert_eq!((agent.code, &agent.err), (Some(2), &check.err), "the agent says the same");
    for (text, part) in [
        ("[agent]\nlisten = \"0.0.0.0:9797\"\n", "anybody who reaches 0.0.0.0:9797"),
        ("[agent]\nstore = \"sqlite:gone/a.db\"\n", "cannot open the store gone/a.db"),
        ("[network]\nextra_roots = [\"launchready.toml\"]\n", "launchready.toml"),
    ] {
        let folder = with_config(&format!("{text}{TWO}"));
        let check = say_in(folder.path(), &["config", "check"]);
        assert_eq!(check.code, Some(2), "{check:?}");
        assert!(check.err.contains(part), "{check:?}");
        assert!(!check.out.contains("would start"), "{check:?}");
    }
    let shown: Value = serde_json::from_str(&say(&["config", "show"]).out).unwrap();
    assert_eq!(shown[0]["schedules"]["mail-spf"], serde_json::json!({"every": "1h"}));
    assert_eq!(shown[1]["schedules"]["mail-spf"], serde_json::json!({"schedule": "0 7 * * 1-5"}));
    assert_eq!(shown[1]["policy"]["timezone"], "Europe/Berlin");
    assert_eq!(
        (&shown[0]["public"], &shown[1]["public"]),
        (&Value::Bool(false), &Value::Bool(true))
    );
    let literal = with_config("[agent.auth]\npassword = \"hunter2-hunter2\"\n");
    let refused_as = say_in(literal.path(), &["audit"]);
    assert!(!format!("{refused_as:?}").contains("hunter2"), "{refused_as:?}");
    let words =
        ["line 2: agent.auth.password: a secret never stands in this file", "{ env = \"NAME\" }"];
    refused(&refused_as, &words);
}

/// A shell that reads a script without running it, or `None` where it is not installed.
fn is_read_by(shell: &str, script: &str) -> Option<bool> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("script");
    std::fs::write(&path, script).unwrap();
    let output = Command::new(shell).arg("-n").arg(&path).output();
    let Ok(output) = output else {
        #[allow(clippy::disallowed_methods, reason = "the runner says what must not be skipped")]
        let strict = std::env::var("LAUNCHREADY_TEST_REQUIRE").is_ok_and(|all| all == "all");
        assert!(!strict, "{shell} is not installed");
        println!("SKIPPED completions of {shell}: it is not installed");
        return None;
    };
    Some(output.status.success() && output.stderr.is_empty())
}

#[test]
fn completions_and_the_man_page_come_from_the_same_definitions() {
    for shell in ["bash", "zsh", "fish"] {
        let script = say(&["completions", shell]);
        assert_eq!((script.code, script.err.as_str()), (Some(0), ""), "{shell}");
        for word in ["audit", "from-evidence", "agent", "notify", "silence", "waiver", "backup"] {
            assert!(script.out.contains(word), "{word} is missing for {shell}");
        }
        assert_ne!(is_read_by(shell, &script.out), Some(false), "{shell}");
        // For --only and --skip; the first word of check and explain where the generator knows such words.
        for plugin in registry::ALL {
            assert!(script.out.contains(plugin.meta.id), "{} for {shell}", plugin.meta.id);
        }
        for word in ["spf-missing", "runbooks", "hubspot"] {
            assert!(shell == "fish" || script.out.contains(word), "{word} for {shell}");
        }
    }
    for command in ["audit", "check", "explain"] {
        let help = say(&[command, "--help"]).out;
        assert!(!help.contains("web-cors"), "the list is for shells: {help}");
    }
    refused(&say(&["completions", "cmd"]), &["bash"]);
    let page = say(&["man"]);
    assert_eq!(page.code, Some(0));
    assert!(page.out.contains(".TH"), "{}", page.out);
    for word in ["audit", "agent", "notify", "incidents", "silence", "waiver", "backup"] {
        assert!(page.out.contains(&format!("launchready\\-{word}(1)")), "{word}: {}", page.out);
    }
}

#[test]
fn every_man_page_that_another_one_names_is_written_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let said = say_in(folder.path(), &["man", "--out", "pages"]);
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (Some(0), "", ""));
    let pages = folder.path().join("pages");
    let mut named = 0;
    for entry in std::fs::read_dir(&pages).unwrap() {
        let page = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for name in page.lines().filter_map(|line| line.strip_suffix("(1)")) {
            let file = format!("{}.1", name.replace("\\-", "-"));
            assert!(pages.join(&file).is_file(), "{file} is named and missing");
            named += 1;
        }
    }
    assert!(named > 30, "only {named} pages are named");
    assert_eq!(say(&["man"]).out, std::fs::read_to_string(pages.join("launchready.1")).unwrap());
    std::fs::write(folder.path().join("file"), "").unwrap();
    let said = say_in(folder.path(), &["man", "--out", "file"]);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.err.contains("name a folder that you can write to"), "{said:?}");
}

#[test]
fn help_fits_into_a_terminal() {
    let commands = [
        &["--help"][..],
        &["audit", "--help"],
        &["check", "--help"],
        &["demo", "--help"],
        &["trace", "--help"],
        &["explain", "--help"],
        &["config", "--help"],
        &["config", "check", "--help"],
        &["completions", "--help"],
        &["agent", "--help"],
        &["notify", "--help"],
        &["notify", "test", "--help"],
        &["incidents", "--help"],
        &["incidents", "list", "--help"],
        &["incidents", "ack", "--help"],
        &["incidents", "resolve", "--help"],
        &["silence", "--help"],
        &["silence", "add", "--help"],
        &["waiver", "--help"],
        &["waiver", "add", "--help"],
        &["backup", "--help"],
    ];
    for arguments in commands {
        let output = program(Path::new(".")).args(arguments).output().unwrap();
        let said = ended(output);
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{arguments:?}");
        for line in said.out.lines() {
            assert!(line.chars().count() <= 80, "{arguments:?}: {line}");
        }
    }
    let bare = say(&[]);
    assert_eq!((bare.code, bare.out.as_str()), (Some(2), ""));
    assert!(bare.err.contains("Usage"), "{bare:?}");
    assert!(say(&["--version"]).out.starts_with("launchready "));
}

/// A folder with the config of the healthy world.
fn harbor() -> TempDir {
    with_config(lab())
}

#[test]
fn progress_is_on_standard_error_and_can_be_silenced() {
    let folder = harbor();
    let audit = |more: &[&str]| {
        say_in(folder.path(), &[&["audit", "--only", "mail-spf,mail-dmarc"], more].concat())
    };
    let plain = audit(&[]);
    assert!(plain.err.contains("running 2 checks") && plain.err.contains("mail-spf"), "{plain:?}");
    assert!(!plain.out.contains('\x1b') && !plain.err.contains('\x1b'), "{plain:?}");
    assert_eq!(audit(&["--quiet"]).err, "");
    let logged = audit(&["--log-format", "json"]);
    assert!(logged.err.lines().count() >= 3, "{logged:?}");
    for line in logged.err.lines() {
        let object: Value = serde_json::from_str(line).unwrap();
        assert!(object.is_object(), "{line}");
    }
    let wrong = audit(&["--log-format", "json", "--project", "bay"]);
    assert_eq!((wrong.code, wrong.out.as_str()), (Some(2), ""));
    for line in wrong.err.lines() {
        let object: Value = serde_json::from_str(line).unwrap();
        assert!(object.to_string().contains("bay"), "{line}");
    }
}

#[test]
fn colours_are_for_terminals_and_those_who_ask() {
    let folder = harbor();
    let audit = |settings: &[(&str, &str)]| {
        let mut command = program(folder.path());
        command.args(["audit", "--only", "mail-spf", "--quiet"]).envs(settings.iter().copied());
        ended(command.output().unwrap()).out
    };
    assert!(!audit(&[]).contains('\x1b'));
    assert!(audit(&[("CLICOLOR_FORCE", "1")]).contains('\x1b'));
    assert!(!audit(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]).contains('\x1b'));
}

#[test]
fn nagios_gets_one_line_and_its_own_exit_codes() {
    let folder = harbor();
    let check = |id: &str, more: &[&str]| {
        say_in(folder.path(), &[&["check", id, "--nagios"], more].concat())
    };
    for (id, more, code, word) in [
        ("domain-registration", &[][..], 0, "OK"),
        ("domain-registration", &["--config", "warning.toml"], 1, "WARNING"),
        ("domain-registration", &["--config", "critical.toml"], 2, "CRITICAL"),
        ("mail-spf", &["--time-limit", "1ms", "--resolver", "127.0.0.1:9"], 3, "UNKNOWN"),
    ] {
        let options = |text: &str| format!("{}\n[checks.domain-registration]\n{text}\n", lab());
        let write = |name: &str, text| std::fs::write(folder.path().join(name), text).unwrap();
        write("warning.toml", options("warning = \"1000d\""));
        write("critical.toml", options("warning = \"1000d\"\ncritical = \"999d\""));
        let said = check(id, more);
        assert_eq!(said.code, Some(code), "{said:?}");
        assert_eq!(said.err, "", "{said:?}");
        let line = said.out.strip_suffix('\n').unwrap();
        assert!(!line.contains('\n') && line.starts_with(&format!("{word} - {id}: ")), "{line}");
        let mut halves = line.split(" | ");
        let (_text, figures) = (halves.next(), halves.next());
        assert_eq!(halves.next(), None, "{line}");
        assert_eq!(figures.is_some(), code != 3, "{line}");
        for figure in figures.unwrap_or_default().split_whitespace() {
            // 'label'=value[unit];[warn];[crit], as the plugin guidelines have it.
            let (label, values) = figure.split_once('=').unwrap();
            assert!(label.starts_with('\'') && label.ends_with('\''), "{figure}");
            let parts: Vec<&str> = values.split(';').collect();
            assert_eq!(parts.len(), 3, "{figure}");
            let number = parts[0].trim_end_matches(char::is_alphabetic);
            assert!(number.parse::<f64>().is_ok(), "{figure}");
        }
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = harbor();
    for arguments in [
        &["explain"][..],
        &["config", "schema"],
        &["completions", "bash"],
        &["audit", "--only", "mail-*", "--quiet"],
    ] {
        let mut child = program(folder.path())
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The pipe is closed before the first byte is written, or after the first line.
        let mut first = String::new();
        let mut reader = BufReader::with_capacity(64, child.stdout.take().unwrap());
        if arguments[0] != "audit" {
            reader.read_line(&mut first).unwrap();
        }
        drop(reader);
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        let status = child.wait().unwrap();
        assert_eq!(said, "", "{arguments:?}");
        assert!(matches!(status.code(), Some(0 | 1)), "{arguments:?}: {status}");
    }
}

#[test]
fn stored_evidence_gives_the_same_report_byte_for_byte() {
    let folder = harbor();
    let audit = |more: &[&str]| {
        say_in(folder.path(), &[&["audit", "--format", "json", "--quiet"], more].concat())
    };
    let seen = audit(&["--save-evidence", "evidence"]);
    assert!(seen.out.contains("\"schema_version\""), "{seen:?}");
    let again = audit(&["--from-evidence", "evidence"]);
    assert_eq!((again.code, &again.out), (seen.code, &seen.out));
    let other = Command::new(env!("CARGO_BIN_EXE_launchready"))
        .args(["audit", "--format", "json", "--from-evidence"])
        .arg(folder.path().join("evidence"))
        .current_dir("/")
        .env("TZ", "Pacific/Chatham")
        .env("LC_ALL", "tr_TR.UTF-8")
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(other.stdout).unwrap(), seen.out);
    // A second audit leaves nothing of the first one behind.
    let fewer = audit(&["--save-evidence", "evidence", "--only", "mail-spf"]);
    assert_eq!(audit(&["--from-evidence", "evidence"]).out, fewer.out);
    let broken = folder.path().join("evidence/mail-spf.json");
    std::fs::write(&broken, "{").unwrap();
    refused(&audit(&["--from-evidence", "evidence"]), &["mail-spf.json", "no evidence"]);
}

#[test]
fn a_report_in_a_file_is_the_report_on_standard_output() {
    let folder = harbor();
    let judge = |more: &[&str]| {
        let arguments = ["audit", "--quiet", "--from-evidence", "evidence", "--format", "json"];
        say_in(folder.path(), &[&arguments, more].concat())
    };
    let arguments = ["audit", "--quiet", "--only", "mail-*", "--save-evidence", "evidence"];
    say_in(folder.path(), &arguments);
    let printed = judge(&[]);
    std::fs::write(folder.path().join("report.json"), "the last one").unwrap();
    let written = judge(&["--out", "report.json"]);
    assert_eq!((written.code, written.out.as_str(), written.err.as_str()), (printed.code, "", ""));
    assert_eq!(std::fs::read_to_string(folder.path().join("report.json")).unwrap(), printed.out);
    holds_only(folder.path(), &["evidence", "launchready.toml", "report.json"]);
    // The ending of the file decides, and the verdict is told on standard error.
    let arguments = ["audit", "--from-evidence", "evidence", "--goal", "handover", "--out"];
    for (name, start) in [
        ("report.html", "<!doctype html>"),
        ("report.md", "# harbor.example: "),
        ("report.JSON", "{"),
        ("report.sarif", "{\n  \"$schema\""),
        ("report.xml", "<?xml"),
        ("report.txt", "harbor.example "),
    ] {
        let said = say_in(folder.path(), &[&arguments[..], &[name]].concat());
        let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(text.starts_with(start), "{name}: {text}");
        assert!(text.contains("handover"), "{name} has the goal of the command line");
        assert_eq!(said.out, "");
        assert!(said.err.ends_with(&format!(". Report: {name}\n")), "{said:?}");
    }
}

#[test]
fn keys_of_a_folder_are_listed_with_the_exit_code_of_the_check() {
    let folder = tempfile::tempdir().unwrap();
    let git = |arguments: &[&str]| {
        Command::new("git")
            .args(["-c", "user.name=Harbor", "-c", "user.email=dev@harbor.example"])
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .is_ok_and(|output| output.status.success())
    };
    let check = |more: &[&str]| {
        say_in(folder.path(), &[&["check", "secrets-source", ".", "--quiet"], more].concat())
    };
    let lines = |said: &Said| -> Vec<Value> {
        said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let empty = check(&["--format", "jsonl"]);
    assert_eq!((empty.code, check(&[]).code), (Some(3), Some(3)), "{empty:?}");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    // A key in an environment file that git does not know is where it belongs.
    let key = format!("STRIPE_WEBHOOK_SECRET=whsec_{}\n", "Zk3PqLm8Tn2VbXc7Rw5YsGh1Jd9FaQe4");
    write(".env", &key);
    let at_home = check(&["--format", "jsonl"]);
    assert_eq!((at_home.code, check(&[]).code), (Some(0), Some(0)), "{at_home:?}");
    assert_eq!(lines(&at_home).len(), 1);
    if !git(&["init", "-q"]) {
        println!("SKIPPED the rest of keys_of_a_folder: no git");
        return;
    }
    write("pay.ts", &key);
    assert!(git(&["add", "pay.ts"]) && git(&["commit", "-qm", "One"]));
    write("pay.ts", "// clean\n");
    assert!(git(&["commit", "-qam", "Two"]));
    let past = check(&["--format", "jsonl"]);
    assert_eq!((past.code, check(&[]).code), (Some(1), Some(1)), "{past:?}");
    let [now, then] = &lines(&past)[..] else { panic!("{past:?}") };
    let keys = |row: &Value| row.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(keys(now), "file offset length kind");
    assert_eq!(keys(then), "file commit offset length kind");
    assert_eq!((&then["file"], then["commit"].as_str().unwrap().len()), (&"pay.ts".into(), 8));
}

#[test]
fn the_demo_names_commands_that_work_and_takes_a_goal() {
    let demo =
        |more: &[&str]| say(&[&["demo", "--once", "--quiet", "--only", "mail-spf"], more].concat());
    let broken = demo(&["--goal", "paid-traffic"]);
    assert!(broken.out.contains("goal paid-traffic"), "{broken:?}");
    assert!(broken.out.contains("Again  launchready demo --once --only mail-spf\n"), "{broken:?}");
    assert_eq!(demo(&["--scenario", "healthy"]).code, Some(0));
}

#[test]
fn the_demo_takes_what_makes_a_report_with_once_alone_and_refuses_what_it_cannot_do() {
    for options in [
        &["--out", "r.html"][..],
        &["--only", "mail-spf"],
        &["--skip", "mail-spf"],
        &["--format", "json"],
        &["--goal", "handover"],
        &["--fail-on", "warning"],
        &["--redact"],
        &["--time-limit", "5s"],
    ] {
        refused(&say(&[&["demo"][..], options].concat()), &["not provided", "--once"]);
    }
    let folder = tempfile::tempdir().unwrap();
    let said = say_in(folder.path(), &["demo", "--once", "--out", "report.foo"]);
    refused(&said, &["report.foo", "means no form of a report", "--format"]);
    holds_only(folder.path(), &[]);
    let said = say(&["demo", "--listen", "0.0.0.0:19999"]);
    refused(&said, &["has no password", "this machine only", "--listen 127.0.0.1:19999"]);
}

#[test]
fn a_config_without_a_channel_is_told_what_to_add() {
    let said = say_in(with_config(TWO).path(), &["notify", "test"]);
    refused(&said, &["no [[channel]]", "launchready config example", "launchready notify test"]);
}

#[test]
fn all_projects_are_written_into_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("launchready.toml"), TWO).unwrap();
    let said = say_in(
        folder.path(),
        &[
            "audit",
            "--all",
            "--out",
            "reports/new",
            "--format",
            "json",
            "--quiet",
            "--only",
            "mail-spf",
            "--resolver",
            "127.0.0.1:9",
            "--time-limit",
            "50ms",
        ],
    );
    assert_eq!((said.code, said.out.as_str()), (Some(3), ""), "nothing was seen: {said:?}");
    holds_only(&folder.path().join("reports/new"), &["cove.json", "harbor.json"]);
    let text = std::fs::read_to_string(folder.path().join("reports/new/cove.json")).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["project"], "cove");
}

#[test]
fn many_domains_are_one_report_a_line_in_their_order() {
    let folder = harbor();
    let config: toml::Table = lab().parse().unwrap();
    let resolver = config["network"]["resolvers"][0].as_str().unwrap().to_owned();
    let names = ["harbor.example", "gone.example", "cloudflare.com", "vercel-dns.com"];
    let mut child = program(folder.path())
        .args(["audit", "--domains", "-", "--only", "mail-spf", "--resolver", &resolver])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let list = format!("# ours\n\n{}\r\n", names.join(" # a remark\n"));
    child.stdin.take().unwrap().write_all(list.as_bytes()).unwrap();
    let said = ended(child.wait_with_output().unwrap());
    let domains: Vec<String> = said
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["domain"].as_str().unwrap().into())
        .collect();
    assert_eq!(domains, names, "{said:?}");
    // The network of the config is used, and another form is refused.
    std::fs::write(folder.path().join("names"), "harbor.example\n").unwrap();
    let arguments =
        ["audit", "--domains", "names", "--config", "launchready.toml", "--only", "mail-spf"];
    let said = say_in(folder.path(), &arguments);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(report["checks"][0]["status"], "pass", "{said:?}");
    let html = say_in(folder.path(), &[&arguments[..], &["--format", "html"]].concat());
    refused(&html, &["--domains", "JSON"]);
}

#[test]
fn a_time_limit_ends_an_audit_with_what_is_not_known() {
    let folder = harbor();
    let began = Instant::now();
    let said =
        say_in(folder.path(), &["audit", "--format", "json", "--quiet", "--time-limit", "1ms"]);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.code, &report["verdict"]), (Some(3), &Value::from("no_go")), "{said:?}");
    let headline = report["verdict_reasons"][0].as_str().unwrap();
    assert!(headline.contains("from this machine: the time limit came first"), "{headline}");
    assert!(headline.contains("raise --time-limit"), "{headline}");
    let reasons: Vec<&str> =
        report["checks"].as_array().unwrap().iter().filter_map(|c| c["reason"].as_str()).collect();
    assert!(reasons.contains(&"the time limit came first: 1ms of the audit"), "{reasons:?}");
    // The lab's config holds the token, so that its proof is looked up first.
    assert!(lab().contains("ownership = "));
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let resolver = silent.local_addr().unwrap().to_string();
    let began = Instant::now();
    let said = say_in(
        folder.path(),
        &["audit", "--quiet", "--resolver", &resolver, "--time-limit", "1ms"],
    );
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(began.elapsed() < Duration::from_secs(4), "the proof of ownership counts too");
}

#[test]
fn a_machine_that_cannot_look_is_no_no_go() {
    let dead = ["--resolver", "127.0.0.1:1", "--quiet"];
    let said = say(&[&["audit", "harbor.example"], &dead[..]].concat());
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.out.contains("  NOTHING IS KNOWN\n") && !said.out.contains("NO-GO"), "{said:?}");
    let text = said.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("from this machine: no resolver answered: 127.0.0.1:1; "), "{text}");
    assert!(text.contains("such as --resolver 1.1.1.1."), "{text}");
    assert!(!text.contains("network.resolvers"), "there is no config: {text}");
    let told = text.matches("no resolver answered").count();
    assert!(told <= 12, "told {told} times: {text}");
    let one = say(&[&["audit", "harbor.example", "--only", "mail-spf"], &dead[..]].concat());
    assert_eq!(one.code, Some(3), "{one:?}");
}

#[test]
fn the_command_that_looks_again_keeps_the_way_by_which_it_was_looked() {
    let folder = with_config(TWO);
    std::fs::rename(folder.path().join("launchready.toml"), folder.path().join("our shops.toml"))
        .unwrap();
    let way = [
        "--resolver",
        "127.0.0.1:9",
        "--connect-to",
        "*:443=127.0.0.1:9",
        "--allow-private",
        "--time-limit",
        "1ms",
        "--quiet",
        "--save-evidence",
        "seen",
    ];
    let again = |what: &[&str]| {
        say_in(folder.path(), &[&["audit", "--only", "mail-spf"], what, &way[..]].concat());
        let text = std::fs::read_to_string(folder.path().join("seen/audit.json")).unwrap();
        let record: Value = serde_json::from_str(&text).unwrap();
        record["recheck"].as_str().unwrap().to_owned()
    };
    let flags = "--resolver 127.0.0.1:9 --connect-to '*:443=127.0.0.1:9' --allow-private";
    assert_eq!(
        again(&["harbor.example"]),
        format!("launchready check {{id}} harbor.example {flags}")
    );
    assert_eq!(
        again(&["--config", "our shops.toml", "--project", "cove"]),
        format!("launchready check {{id}} --config 'our shops.toml' --project cove {flags}")
    );
}
