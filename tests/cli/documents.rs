//! What the program says of itself: the handbook, the config, completions, man pages and help.

use std::path::Path;
use std::process::Command;

use launchready_checks::registry;
use serde_json::Value;

use super::missing::lacks;
use super::{TWO, ended, program, refused, say, say_in, with_config};

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
        lacks("completions", &format!("{shell} is not installed"));
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
    let demo = say(&["demo", "--help"]).out;
    assert!(!demo.contains("--all"), "demo has no such option: {demo}");
    let diff = say(&["diff", "--help"]).out;
    assert!(diff.contains("<OLD.json> <NEW.json>..."), "{diff}");
    let bare = say(&[]);
    assert_eq!((bare.code, bare.out.as_str()), (Some(2), ""));
    assert!(bare.err.contains("Usage"), "{bare:?}");
    assert!(say(&["--version"]).out.starts_with("launchready "));
}
