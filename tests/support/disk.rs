//! A small disk that a test fills and frees.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use crate::mounted::Mounted;

/// A disk of memory.
pub(crate) struct Disk(Mounted);

impl Disk {
    /// Mounts one of so many mebibytes; says why not where that is not possible.
    pub(crate) fn mount(test: &str, mebibytes: usize) -> Option<Self> {
        Mounted::new(test, &format!("size={mebibytes}m")).map(Self)
    }

    pub(crate) fn path(&self) -> &Path {
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
