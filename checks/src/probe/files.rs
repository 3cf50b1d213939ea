//! The port to folders on this machine.

use serde::{Deserialize, Serialize};

use super::{Answer, ProbeError};

/// Which files of a folder are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// The folder.
    pub path: String,
    /// Also reads every version of every file in its git history.
    pub history: bool,
    /// Larger files are counted and not read, in bytes.
    pub max_file_bytes: u64,
}

/// One file, whole and in memory for the length of one call.
#[derive(Debug, Clone, Copy)]
pub struct SourceFile<'a> {
    /// Path relative to the folder, `/` between its parts; invalid UTF-8 as U+FFFD.
    pub path: &'a str,
    /// The commit that holds this version, abbreviated; `None` for the file as it stands.
    pub commit: Option<&'a str>,
    /// Whether git knows the file as it stands; `None` without git, and for versions in history.
    pub tracked: Option<bool>,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// What was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileLook {
    /// Files read.
    pub files: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Files left out because they are too large, at most 50 paths.
    pub too_large: Vec<String>,
    /// Files that could not be read, at most 50 paths.
    pub unreadable: Vec<String>,
    /// Versions read from git history.
    pub versions: u64,
    /// Why the walk ended before the last file.
    #[serde(default)]
    pub stopped: Option<String>,
    /// Why the history was not read, or not to its end, where it was asked for.
    pub no_history: Option<String>,
}

/// Reads folders.
pub trait Files: Send + Sync {
    /// Hands every file to `visit`, from several threads, in no fixed order.
    fn walk<'a>(
        &'a self,
        folder: Folder,
        visit: &'a (dyn Fn(SourceFile<'_>) + Sync),
    ) -> Answer<'a, Result<FileLook, ProbeError>>;
}
