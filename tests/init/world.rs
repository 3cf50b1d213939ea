//! A lab, a folder with the network of that lab, and the program.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use launchready::clock::{Clock as _, SystemClock};
use launchready_lab::{Lab, LabOptions, World};
use tempfile::TempDir;
use toml::Table;

/// What a command said, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs the program in a folder, with nothing of this machine's settings in its environment.
pub(crate) fn say(folder: &Path, arguments: &[&str], variables: &[(String, String)]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_launchready"));
    command.current_dir(folder).stdin(Stdio::null()).args(arguments);
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "RUST_LOG"] {
        command.env_remove(name);
    }
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(!err.contains("panicked"), "{err}");
    Said { code: output.status.code(), out, err }
}

/// Runs the program on a thread of its own, so that the lab goes on answering.
pub(crate) async fn typed(
    folder: &Path,
    arguments: &[&str],
    variables: &[(String, String)],
) -> Said {
    let folder = folder.to_owned();
    let arguments: Vec<String> = arguments.iter().map(|it| (*it).to_owned()).collect();
    let variables = variables.to_vec();
    tokio::task::spawn_blocking(move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        say(&folder, &arguments, &variables)
    })
    .await
    .unwrap()
}

/// Starts a lab in a folder.
pub(crate) async fn start(world: &World, folder: &TempDir) -> Lab {
    let options = LabOptions {
        now: SystemClock.now(),
        delay: Duration::ZERO,
        speed: 1.0,
        dir: folder.path().to_owned(),
    };
    Lab::start(world, options).await.unwrap()
}

/// `[network]` of a lab and nothing else, as somebody has it who must go through a proxy.
pub(crate) fn network_of(lab: &Lab) -> String {
    let config: Table = lab.config_toml().parse().unwrap();
    let mut network = Table::new();
    network.insert("network".to_owned(), config["network"].clone());
    network.to_string()
}
