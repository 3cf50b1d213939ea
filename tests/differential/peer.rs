//! The programs that are compared with, from `tests/tools/peers.sh`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::missing::lacks;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A program of the environment of a tool.
pub(crate) fn path(tool: &str, program: &str) -> PathBuf {
    root().join("target/test-tools").join(tool).join("bin").join(program)
}

/// Whether a tool is installed; says so where it is not.
///
/// # Panics
/// When it is missing and `LAUNCHREADY_TEST_REQUIRE` is `all`.
pub(crate) fn has(test: &str, tool: &str) -> bool {
    path(tool, "../installed").is_file()
        || lacks(test, &format!("{tool} is not installed; run tests/tools/peers.sh"))
}

/// Runs a script of `tests/differential/peers` once for all cases: JSON in, JSON out.
pub(crate) fn ask(tool: &str, script: &str, question: &Value) -> Value {
    let mut child = Command::new(path(tool, "python"))
        // Nothing of the user's own environment, and no compiled files beside the script.
        .args(["-I", "-B"])
        .arg(root().join("tests/differential/peers").join(script))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let question = question.to_string();
    let writer = std::thread::spawn(move || input.write_all(question.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}
