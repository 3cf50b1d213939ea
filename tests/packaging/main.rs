//! What is handed out: the unit, the crates, the Debian package, the image, and a release where one is named.
//!
//! `LAUNCHREADY_RELEASE` names a folder that `packaging/build` has made; the package and the image are then
//! made of its program, and not of the one that was built for the tests. What `release.rs` shows of such a folder is
//! asked for by that variable alone, because it takes a quarter of an hour to make: `ci.yml` does it each week,
//! `release.yml` for each tag, and `workflows.rs` holds both to it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says so when it is skipped"
)]

mod crates;
mod debian;
mod image;
mod release;
mod unit;
mod workflows;

#[path = "../support/port.rs"]
mod port;
#[path = "../support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A file of the repository.
fn repository(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn variable(name: &str) -> Option<String> {
    #[allow(clippy::disallowed_methods, reason = "the runner says what is tested")]
    std::env::var(name).ok()
}

/// The folder of the release that is tested.
fn release() -> Option<PathBuf> {
    variable("LAUNCHREADY_RELEASE").map(|folder| repository(&folder))
}

/// The program without what only a debugger reads.
fn program(folder: &Path) -> PathBuf {
    let stripped = folder.join("launchready");
    if let Some(release) = release() {
        std::fs::copy(release.join("launchready"), &stripped).unwrap();
    } else {
        let mut strip = Command::new("strip");
        said(strip.arg(env!("CARGO_BIN_EXE_launchready")).arg("-o").arg(&stripped));
    }
    stripped
}

/// Standard output of a command that goes well.
#[track_caller]
fn said(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let out = String::from_utf8(stdout).unwrap();
    assert!(status.success(), "{command:?}: {out}{}", String::from_utf8_lossy(&stderr));
    out
}

/// Whether this machine lets the test make a root folder of its own: only root can.
///
/// # Panics
/// When it does not, and nothing may be skipped.
fn may_unshare(test: &str) -> bool {
    if !support::has(test, &["unshare", "chroot", "ip", "setpriv", "strip"]) {
        return false;
    }
    let tried = Command::new("unshare").args(["--mount", "--net", "true"]).output().unwrap();
    let why = "only root can mount and chroot; run it as root, in a container with --privileged";
    tried.status.success()
        || support::missing::lacks(
            test,
            &format!("{why}: {}", String::from_utf8_lossy(&tried.stderr)),
        )
}
