//! `incidents`, `silence`, `waiver` and `backup` beside a running agent, and where there is none.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use launchready::clock::{Clock as _, SystemClock};
use launchready_lab::{Lab, LabOptions, World};
use serde_json::Value;
use tempfile::TempDir;

/// The longest that a test waits for something that has to happen.
const PATIENCE: Duration = Duration::from_mins(3);
/// The columns of a narrow terminal.
const WIDTH: usize = 80;

#[derive(Debug)]
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_launchready"));
    command.current_dir(folder).stdin(Stdio::null());
    command.env("USER", "founder").env_remove("SUDO_USER");
    command
}

fn say(folder: &Path, words: &str) -> Said {
    let words: Vec<&str> = words.split(' ').map(|word| word.trim_matches('\'')).collect();
    let output = program(folder).args(words).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// What a command prints that goes well.
#[track_caller]
fn good(folder: &Path, words: &str) -> String {
    let said = say(folder, words);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{words}: {said:?}");
    for line in said.out.lines().filter(|_| !words.contains("--json")) {
        assert!(line.chars().count() <= WIDTH, "{words}: {line}");
    }
    said.out
}

#[track_caller]
fn read(folder: &Path, words: &str) -> Value {
    serde_json::from_str(&good(folder, &format!("{words} --json"))).unwrap()
}

/// One error with exit code 2 that holds all of `parts`.
#[track_caller]
fn refused(folder: &Path, words: &str, parts: &[&str]) {
    let said = say(folder, words);
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{words}: {said:?}");
    assert!(said.err.starts_with("error: "), "{said:?}");
    for part in parts {
        assert!(said.err.contains(part), "{part:?} is missing in: {}", said.err);
    }
}

const HARBOR: &str = "[[project]]\nname = \"harbor\"\ndomain = \"harbor.example\"\n";

fn with_config(text: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("launchready.toml"), text).unwrap();
    folder
}

/// An agent in a process of its own, which ends with the test.
struct Agent(Child);

impl Drop for Agent {
    fn drop(&mut self) {
        // It may have ended by itself; the test has failed by then.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn no_store_is_not_the_same_as_no_incident() {
    let folder = with_config(HARBOR);
    let here = folder.path();
    let wanted = ["no agent has run", "launchready agent --config launchready.toml"];
    for words in [
        "incidents list",
        "incidents ack inc_1",
        "silence list",
        "silence remove sil_1",
        "waiver list",
        "waiver remove wav_1",
        "backup copy.db",
    ] {
        refused(here, words, &wanted);
    }
    assert!(!here.join("launchready.db").exists() && !here.join("copy.db").exists());
    refused(here, "incidents list --config gone.toml", &["gone.toml", "launchready init"]);
    // What is accepted before the first look makes the store.
    let accepted = "waiver add --code csp-missing --by Ana --reason later --for 30d";
    let first = good(here, accepted);
    assert!(first.contains("accepts csp-missing of harbor\nuntil "));
    assert!(first.starts_with("no agent has run here yet") && first.contains("launchready.db"));
    assert!(good(here, accepted).starts_with("wav_"), "it is there by now");
    assert!(good(here, "waiver list").contains("never used"));
    // Nothing was looked at: that there is no incident would be no good news.
    for words in ["incidents list", "incidents list --all", "incidents list --json"] {
        refused(here, words, &["no agent has run", "no check has looked", "launchready agent"]);
    }
    assert_eq!(good(here, "silence list"), "nothing is muted\n");
}

#[test]
fn silences_and_waivers_are_added_listed_and_taken_away() {
    let folder = with_config(HARBOR);
    let here = folder.path();
    let muted = good(here, "silence add --for 2h --reason move --check mail-spf --by Ana");
    let remove = muted.lines().last().unwrap().strip_prefix("launchready ").unwrap();
    assert!(
        muted.contains(" mutes messages\nof all projects, mail-spf, all findings\nuntil "),
        "{muted}"
    );
    assert!(muted.contains("\nsil_") && muted.contains(" UTC; end it with\n"), "{muted}");
    let listed = good(here, "silence list");
    for part in ["all projects, mail-spf, all findings", "by Ana: move", " UTC\n"] {
        assert!(listed.contains(part), "{part}: {listed}");
    }
    let one = &read(here, "silence list")[0];
    assert_eq!((&one["check"], &one["project"]), (&"mail-spf".into(), &Value::Null));
    assert!(good(here, remove).contains("has ended"));
    assert_eq!(good(here, "silence list"), "nothing is muted\n");

    let words = "waiver add --code csp-missing --by '\tAna' --reason later\n --until 2099-03-01";
    let added = read(here, words);
    assert_eq!((&added["by"], &added["reason"]), (&"Ana".into(), &"later".into()));
    assert_eq!(
        (&added["project"], &added["until"]),
        (&"harbor".into(), &"2099-03-02T00:00:00Z".into())
    );
    let id = added["id"].as_str().unwrap();
    let listed = good(here, "waiver list");
    assert!(listed.contains("until the end of 2099-03-01 UTC\n"), "{listed}");
    let shown = good(here, "waiver add --code dmarc-missing --by A --reason b --until 2099-03-01");
    assert!(shown.contains("\nuntil the end of 2099-03-01 UTC; take it back with\n"), "{shown}");
    let other = shown.split_whitespace().next().unwrap();
    good(here, &format!("waiver remove {other}"));
    assert!(listed.contains(id) && listed.contains("csp-missing of every subject"), "{listed}");
    assert_eq!(read(here, &format!("waiver remove {id}"))["id"], id);
    assert_eq!(good(here, "waiver list"), "nothing is accepted\n");

    for (words, parts) in [
        (
            "silence remove sil_1",
            &["there is no silence \"sil_1\"", "launchready silence list"][..],
        ),
        ("waiver remove wav_1", &["there is no waiver", "launchready waiver list"]),
        ("incidents ack inc_1", &["there is no incident", "launchready incidents list"]),
        ("silence add --for 2h", &["--reason"]),
        ("silence add --for soon --reason move", &["soon", "90s"]),
        ("silence add --for 2h --reason move --check mail-sfp", &["did you mean \"mail-spf\"?"]),
        ("silence add --for 2h --reason move --project bay", &["\"bay\"", "harbor"]),
        ("waiver add --code csp-misisng --by A --reason b --for 1d", &["\"csp-missing\"?"]),
        ("waiver add --code csp-missing --by A --reason b", &["--until"]),
        (
            "waiver add --code csp-missing --by A --reason b --until 2020-01-01",
            &["the end of 2020-01-01 UTC is past"],
        ),
        ("waiver add --code csp-missing --by A --reason b --until soon", &["2027-03-01"]),
        (
            "waiver add --code csp-missing --by A --reason '\t' --for 1d",
            &["--reason: the reason is missing", "write in a sentence why"],
        ),
        (
            "waiver add --code csp-missing --by '' --reason b --for 1d",
            &["--by: the name is missing", "write who you are"],
        ),
        ("silence add --for 2h --reason '\t'", &["--reason: the reason is missing"]),
        ("silence add --for 2h --reason move --by '\t'", &["--by: the name is missing"]),
    ] {
        refused(here, words, parts);
    }
}

#[test]
fn a_store_is_carried_over_with_what_people_said_and_no_password_is_typed() {
    let folder = with_config(HARBOR);
    let here = folder.path();
    let move_it = "store migrate --to sqlite:new.db";
    refused(
        here,
        move_it,
        &["there is no file ", "launchready.db to carry over", "--from sqlite:/"],
    );
    refused(
        here,
        "store migrate --from sqlite:nosuch.db --to sqlite:new.db",
        &["there is no file /", "/nosuch.db to carry over"],
    );
    assert!(!here.join("nosuch.db").exists() && !here.join("new.db").exists());
    good(here, "silence add --for 2h --reason moving");
    let said = good(here, move_it);
    // Whatever the folder of the config is, this names the file.
    let to = format!("to    sqlite:{}\n", here.canonicalize().unwrap().join("new.db").display());
    for part in ["rows over and compared", "silence", "name the new store in the config", &to] {
        assert!(said.contains(part), "{part:?} is missing in: {said}");
    }
    std::fs::write(
        here.join("launchready.toml"),
        format!("[agent]\nstore = \"sqlite:new.db\"\n{HARBOR}"),
    )
    .unwrap();
    let silences = read(here, "silence list");
    assert_eq!(silences[0]["reason"], "moving");
    refused(here, &format!("{move_it} --from sqlite:launchready.db"), &["holds something already"]);
    refused(here, move_it, &["--to: it is the store that --from names"]);
    let said = say(here, "store migrate --to postgres://agent:hunter2@db.example/watch");
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("env:NAME") && !said.err.contains("hunter2"), "{}", said.err);
    refused(here, "store migrate --to env:NOBODY_SET_THIS", &["NOBODY_SET_THIS is not set"]);
    refused(here, "store migrate --to mysql://db", &["--to: ", "sqlite:", "postgres://"]);
    std::fs::write(here.join("address"), "sqlite:third.db\n").unwrap();
    let carried = read(here, "store migrate --from sqlite:new.db --to file:address");
    assert_eq!(carried["rows"]["silence"], 1);
    assert!(here.join("third.db").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_runs_is_asked_and_told_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let now = SystemClock.now();
    let options = LabOptions { now, delay: Duration::ZERO, speed: 1.0, dir: here.to_owned() };
    let lab = Lab::start(&World::load("broken").unwrap(), options).await.unwrap();
    let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = format!("{}\n[agent]\nlisten = \"{listen}\"\n", lab.config_toml());
    std::fs::write(here.join("launchready.toml"), config).unwrap();
    let log = std::fs::File::create(here.join("log")).unwrap();
    let agent = Agent(program(here).arg("agent").stderr(log).spawn().unwrap());

    let wanted = "registration-transfer-unlocked";
    let begun = Instant::now();
    let incident = loop {
        let said = say(here, "incidents list --json");
        let list: Value = serde_json::from_str(&said.out).unwrap_or_default();
        let all = list.as_array().cloned().unwrap_or_default();
        if let Some(one) = all.into_iter().find(|one| one["key"]["code"] == wanted) {
            break one;
        }
        let log = std::fs::read_to_string(here.join("log")).unwrap();
        assert!(begun.elapsed() < PATIENCE, "{wanted} does not open: {said:?} {log}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let id = incident["id"].as_str().unwrap();
    let listed = good(here, "incidents list --project harbor");
    assert!(listed.contains(&format!("{id}  warning   open          since ")), "{listed}");
    assert!(listed.contains("  harbor, domain-registration: "), "{listed}");
    let severities: Vec<&str> = listed
        .lines()
        .filter(|line| line.starts_with("inc_"))
        .map(|line| line.split_whitespace().nth(1).unwrap())
        .collect();
    let rank = |word: &&str| ["critical", "warning", "info"].iter().position(|one| one == word);
    assert!(severities.is_sorted_by_key(rank), "{severities:?}");

    let taken = good(here, &format!("incidents ack {id} --by Ana --note today"));
    assert!(taken.starts_with(&format!("Ana is on {id}; reminders stop\n")), "{taken}");
    assert!(good(here, "incidents list").contains("  Ana is on it: today\n"));
    refused(here, &format!("incidents ack {id} --by Ana"), &["Ana has been on it since 20"]);
    let over = good(here, &format!("incidents ack {id}"));
    let wanted = format!("founder is on {id}, taken over from Ana; reminders stop\n");
    assert!(over.starts_with(&wanted), "{over}");
    let nobody = program(here).args(["incidents", "ack", id]).env_remove("USER").output().unwrap();
    let said = String::from_utf8(nobody.stderr).unwrap();
    assert!(said.contains("say who you are with --by NAME"), "{said}");
    let over = read(here, &format!("incidents resolve {id} --by Ana"));
    assert_eq!((&over["state"], &over["resolved_by"]), (&"resolved".into(), &"Ana".into()));
    refused(here, &format!("incidents resolve {id}"), &["it is over already: Ana ended it at 20"]);
    assert!(good(here, "incidents list --all").contains("; Ana ended it\n"));

    assert_eq!(good(here, "backup copy.db"), "copied the store to copy.db\n");
    refused(here, "backup copy.db", &["copy.db exists already"]);
    drop(agent);
    // The copy is a store like any other.
    let copied = format!("{}\n[agent]\nstore = \"sqlite:copy.db\"\n", lab.config_toml());
    std::fs::write(here.join("copy.toml"), copied).unwrap();
    let all = read(here, "incidents list --all --config copy.toml");
    assert!(all.as_array().unwrap().iter().any(|one| one["id"] == *id));
    lab.stop().await;
}
