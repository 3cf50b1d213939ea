//! Scripts that hang, flood, fork or leave: each ends in time, and nothing of it is left.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use launchready::probe::CommandProbe;
use launchready_checks::contract::{AssessInput, Assessment, History, Status, Target};
use launchready_checks::probe::replay::{Replay, World};
use launchready_checks::probe::{AgentFault, Command, CommandCall, CommandEnd, ProbeError};
use launchready_checks::registry;
use serde_json::json;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// The longest that a test waits for processes to be gone.
const PATIENCE: Duration = Duration::from_mins(1);

/// A folder of scripts. Its name stands in the command line of everything that they start.
struct Scripts(TempDir);

impl Scripts {
    fn new() -> Self {
        Self(tempfile::Builder::new().prefix("launchready-plugin-").tempdir().unwrap())
    }

    fn mark(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    /// A script of the shell; `SLEEP` in it is a program that sleeps for long and bears the mark.
    fn write(&self, name: &str, text: &str) -> PathBuf {
        let sleeper = self.0.path().join("sleeper");
        if !sleeper.exists() {
            write(&sleeper, "#!/bin/sh\nwhile :; do sleep 0.2; done\n");
        }
        let path = self.0.path().join(name);
        let text = text.replace("SLEEP", &format!("/bin/sh {}", sleeper.display()));
        write(&path, &format!("#!/bin/sh\n{text}\n"));
        path
    }

    /// Waits until no process has the mark in its command line.
    async fn gone(&self, what: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.left().is_empty() {
            assert!(Instant::now() < deadline, "{what} leaves {:?}", self.left());
            sleep(Duration::from_millis(20)).await;
        }
    }

    fn left(&self) -> Vec<String> {
        let lines = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
            let line = std::fs::read(entry.path().join("cmdline")).ok()?;
            Some(String::from_utf8_lossy(&line).replace('\0', " "))
        });
        lines.filter(|line| line.contains(self.mark())).collect()
    }
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

async fn run(
    path: &Path,
    timeout_ms: u64,
) -> Result<launchready_checks::probe::CommandAnswer, ProbeError> {
    let call = CommandCall::new(vec![path.display().to_string()], timeout_ms);
    CommandProbe::default().run(call).await
}

const LONG: u64 = 60_000;

#[tokio::test]
async fn whatever_a_program_does_it_ends_and_leaves_nothing() {
    let scripts = Scripts::new();
    for (name, text, timeout_ms, wanted) in [
        ("hangs", "echo begun; SLEEP", 300, CommandEnd::TimedOut),
        (
            "ignores",
            "trap '' TERM INT HUP; echo begun; while :; do sleep 1; done",
            300,
            CommandEnd::TimedOut,
        ),
        (
            "floods",
            "while :; do echo 0123456789012345678901234567890123456789; done",
            LONG,
            CommandEnd::Flooded,
        ),
        ("complains", "while :; do echo 01234567890123456789 >&2; done", LONG, CommandEnd::Flooded),
        ("holds", "SLEEP & echo OK; exit 0", LONG, CommandEnd::LeftBehind(0)),
        (
            "lets_go",
            "SLEEP </dev/null >/dev/null 2>&1 & echo OK; exit 1",
            LONG,
            CommandEnd::LeftBehind(1),
        ),
        (
            "leaves",
            "setsid SLEEP </dev/null >/dev/null 2>&1 & echo OK; sleep 0.3; exit 0",
            LONG,
            CommandEnd::LeftBehind(0),
        ),
        (
            "leaves_and_hangs",
            "setsid SLEEP & setsid setsid SLEEP & SLEEP",
            500,
            CommandEnd::TimedOut,
        ),
        ("closes", "exec >&- 2>&-; SLEEP", 300, CommandEnd::TimedOut),
        ("crashes", "kill -SEGV $$", LONG, CommandEnd::Signalled(11)),
        ("ends", "echo OK; exit 77", LONG, CommandEnd::Exited(77)),
        ("waits", "(sleep 0.1; echo late) & wait; exit 2", LONG, CommandEnd::Exited(2)),
    ] {
        let path = scripts.write(name, text);
        let answer = run(&path, timeout_ms).await.unwrap();
        assert_eq!(answer.end, wanted, "{name}: {answer:?}");
        assert!(answer.stdout.len() <= CommandCall::OUTPUT_BYTES + 1, "{name}");
        scripts.gone(name).await;
    }
}

#[tokio::test]
async fn nobody_waits_any_more_and_nothing_is_left() {
    let scripts = Scripts::new();
    let path = scripts.write("hangs", "setsid SLEEP & SLEEP");
    {
        let probe = CommandProbe::default();
        let call = CommandCall::new(vec![path.display().to_string()], LONG);
        let running = probe.run(call);
        tokio::pin!(running);
        let deadline = Instant::now() + PATIENCE;
        while scripts.left().len() < 3 {
            assert!(Instant::now() < deadline, "it never began: {:?}", scripts.left());
            let waited = tokio::time::timeout(Duration::from_millis(20), &mut running).await;
            assert!(waited.is_err(), "it ended: {waited:?}");
        }
    }
    scripts.gone("the run that was dropped").await;
}

#[tokio::test]
async fn a_program_sees_neither_the_environment_nor_the_folder_nor_an_input() {
    let scripts = Scripts::new();
    let path = scripts.write("env", "env | sort; pwd; cat; echo \"$0 [$1] [$2]\"");
    let words = vec![path.display().to_string(), "$HOME *".to_owned(), "; exit 2".to_owned()];
    let answer = CommandProbe::default().run(CommandCall::new(words, LONG)).await.unwrap();
    let lines: Vec<_> = answer.stdout.lines().collect();
    let names: Vec<_> =
        lines.iter().filter_map(|line| line.split_once('=').map(|(name, _)| name)).collect();
    // The shell adds PWD, and some of them OLDPWD, SHLVL and `_`.
    let own = ["PWD", "OLDPWD", "SHLVL", "_"];
    let given: Vec<_> = names.iter().filter(|name| !own.contains(name)).copied().collect();
    assert_eq!(given, ["LANG", "LAUNCHREADY_RUN", "PATH"], "{lines:?}");
    assert!(lines.contains(&"/"), "{lines:?}");
    assert_eq!(*lines.last().unwrap(), format!("{} [$HOME *] [; exit 2]", path.display()));
    assert_eq!(answer.end, CommandEnd::Exited(0));
}

#[tokio::test]
async fn what_cannot_be_started_is_told_with_its_path() {
    let scripts = Scripts::new();
    let path = scripts.write("plain", "exit 0");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let missing = scripts.0.path().join("missing");
    for (path, words) in [
        (path.as_path(), "may not be run"),
        (missing.as_path(), "there is no program"),
        (Path::new("sh"), "an absolute path"),
        (scripts.0.path(), "may not be run"),
    ] {
        let error = run(path, LONG).await.unwrap_err();
        let ProbeError::Agent(AgentFault::Misconfigured(text)) = &error else {
            panic!("{error:?}")
        };
        assert!(text.contains(words), "{text}");
    }
}

/// Runs the check with real programs.
async fn check(questions: serde_json::Value) -> Assessment {
    let plugin = registry::find("external-command").unwrap();
    let check = (plugin.build)(&json!({ "command": questions })).unwrap();
    let now = Timestamp::UNIX_EPOCH;
    let mut probes = Replay::new(World::default(), now).unwrap().probes();
    probes.command = Arc::new(CommandProbe::default());
    let target = Target::default();
    let looked = check.collect(now, None, &target, &probes).await.unwrap();
    let history = History::default();
    let input =
        AssessInput { now, target: &target, previous: None, history: &history, baseline: None };
    check.assess(&looked.evidence, &input).unwrap()
}

#[tokio::test]
async fn misbehaviour_is_unknown_and_never_a_pass() {
    let scripts = Scripts::new();
    for (name, text) in [
        ("hangs", "SLEEP"),
        ("floods", "while :; do echo 0123456789012345678901234567890123456789; done"),
        ("forks", "SLEEP & echo 'OK | a=1'; exit 0"),
        ("seventy-seven", "echo 'OK | a=1'; exit 77"),
        ("unknown", "echo 'UNKNOWN - no route'; exit 3"),
    ] {
        let path = scripts.write(name, text);
        let found = check(json!([{"name": name, "command": [path], "timeout": "1s"}])).await;
        assert_eq!(found.status(), Status::Unknown, "{name}: {found:?}");
        assert!(found.findings.is_empty() && found.measurements.is_empty(), "{name}: {found:?}");
        assert_eq!(found.not_checked[0].part, name);
        scripts.gone(name).await;
    }
}

#[tokio::test]
async fn sixteen_programs_that_write_much_fit_into_the_evidence() {
    let scripts = Scripts::new();
    let text = "i=0; printf 'OK |'; while [ $i -lt 400 ]; do \
                printf \" 'a label of many letters, to fill the room, number $i'=1.5s;2:3;4:5;0;9\"; \
                i=$((i+1)); done; echo; i=0; while [ $i -lt 50 ]; do i=$((i+1)); \
                printf 'long long long long long long long long long long long long long long\\n'; done";
    let path = scripts.write("much", text);
    let questions: Vec<_> =
        (0..16).map(|n| json!({"name": format!("q{n}"), "command": [path]})).collect();
    let found = check(json!(questions)).await;
    assert_eq!(found.status(), Status::Pass, "{:?}", found.not_checked);
    let states = found.measurements.iter().filter(|one| one.name == "state").count();
    let values = found.measurements.iter().filter(|one| one.name == "value-seconds").count();
    assert_eq!(states, 16);
    assert!((16..=16 * 20).contains(&values), "{values}");
    assert_eq!(found.not_checked.len(), 16, "what was left out is told");
}
