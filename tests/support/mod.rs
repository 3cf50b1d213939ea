//! The programs that integration tests need: without one the test is skipped, or fails where every
//! program must be there.

pub(crate) mod missing;

use std::path::{Path, PathBuf};

use missing::lacks;

/// Where Debian keeps servers, which the PATH of an ordinary user leaves out.
const SYSTEM: [&str; 2] = ["/usr/sbin", "/sbin"];

/// Where a program is.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    #[allow(clippy::disallowed_methods, reason = "a test finds programs as a shell does")]
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(SYSTEM.map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|candidate| Path::is_file(candidate))
}

/// Whether all these programs are there; says which one is not.
///
/// # Panics
/// When one is missing and `LAUNCHREADY_TEST_REQUIRE` is `all`.
pub(crate) fn has(test: &str, programs: &[&str]) -> bool {
    let Some(missing) = programs.iter().find(|name| program(name).is_none()) else { return true };
    lacks(test, &format!("{missing} is not installed"))
}
