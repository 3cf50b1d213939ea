//! A file system in memory, with limits that a disk has.

use std::path::Path;
use std::process::Command;

use crate::support::has;
use crate::support::missing::lacks;

/// A folder that is a file system of its own until it is dropped.
pub(crate) struct Mounted(tempfile::TempDir);

impl Mounted {
    /// Mounts one with options such as `size=4m` or `ro`; says why not where that is not possible.
    pub(crate) fn new(test: &str, options: &str) -> Option<Self> {
        if !has(test, &["mount", "umount"]) {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(folder.path())
            .output()
            .unwrap();
        if !mounted.status.success() {
            lacks(test, "only root can mount a file system");
            return None;
        }
        Some(Self(folder))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // A process that has just been killed may hold it for a moment longer; `-l` lets go then.
        drop(Command::new("umount").arg("-l").arg(self.path()).status());
    }
}
