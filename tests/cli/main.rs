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

mod audits;
mod documents;
mod refusals;

#[path = "../support/missing.rs"]
mod missing;

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use launchready::clock::{Clock as _, SystemClock};
use launchready_lab::{Lab, LabOptions, World};
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

/// A folder with the config of the healthy world.
fn harbor() -> TempDir {
    with_config(lab())
}
