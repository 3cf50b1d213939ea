//! Audits: what is printed where, the formats, files, folders and limits.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::missing::lacks;
use super::{
    Said, TWO, ended, harbor, holds_only, lab, program, refused, say, say_in, with_config,
};

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
        lacks("the rest of keys_of_a_folder", "git is not installed");
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
    let said =
        say_in(folder.path(), &["audit", "--format", "json", "--quiet", "--time-limit", "1ms"]);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.code, &report["verdict"]), (Some(3), &Value::from("no_go")), "{said:?}");
    let headline = report["verdict_reasons"][0].as_str().unwrap();
    assert!(headline.contains("from this machine: the time limit came first"), "{headline}");
    assert!(headline.contains("raise --time-limit"), "{headline}");
    let reasons: Vec<&str> =
        report["checks"].as_array().unwrap().iter().filter_map(|c| c["reason"].as_str()).collect();
    assert!(reasons.contains(&"the time limit came first: 1ms of the audit"), "{reasons:?}");
    // The lab's config holds the token, so that its proof is looked up first; it counts too.
    assert!(lab().contains("ownership = "));
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let resolver = silent.local_addr().unwrap().to_string();
    let said = say_in(
        folder.path(),
        &["audit", "--quiet", "--resolver", &resolver, "--time-limit", "1ms"],
    );
    assert_eq!(said.code, Some(3), "{said:?}");
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
