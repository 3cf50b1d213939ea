//! A small disk that a test fills and frees.

use std::fs::File;
use std::io::Write as _;
use std::process::Command;

use crate::support;

/// A disk of memory.
pub(crate) struct Disk(tempfile::TempDir);

impl Disk {
    /// Mounts one of so many mebibytes; says why not where that is not possible.
    pub(crate) fn mount(test: &str, mebibytes: usize) -> Option<Self> {
        if !support::has(test, &["mount", "umount"]) {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mebibytes}m"), "tmpfs"])
            .arg(folder.path())
            .output()
            .unwrap();
        if !mounted.status.success() {
            support::lacks(test, "only root can mount a small disk");
            return None;
        }
        Some(Self(folder))
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        self.0.path()
    }

    /// Takes every byte that is left.
    pub(crate) fn fill(&self) {
        let mut file = File::create(self.path().join("filler")).unwrap();
        let mut block = 64 * 1024;
        while block > 0 {
            match file.write(&vec![0; block]) {
                Ok(written) if written > 0 => {}
                _ => block /= 2,
            }
        }
    }

    /// Gives it back.
    pub(crate) fn free(&self) {
        std::fs::remove_file(self.path().join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // A process that has just been killed may hold it for a moment longer; `-l` lets go then.
        drop(Command::new("umount").arg("-l").arg(self.path()).status());
    }
}
