//! The file port of a written-down world.

use super::Replay;
use crate::probe::{Answer, FileLook, Files, Folder, ProbeError, SourceFile};

impl Files for Replay {
    fn walk<'a>(
        &'a self,
        folder: Folder,
        visit: &'a (dyn Fn(SourceFile<'_>) + Sync),
    ) -> Answer<'a, Result<FileLook, ProbeError>> {
        Box::pin(async move {
            let mut look = FileLook {
                no_history: self.world.no_history.clone().filter(|_| folder.history),
                ..FileLook::default()
            };
            for file in &self.world.file {
                let size = file.text.len();
                if size as u64 > folder.max_file_bytes {
                    look.too_large.push(file.path.clone());
                    continue;
                }
                if file.commit.is_some() && !folder.history {
                    continue;
                }
                visit(SourceFile {
                    path: &file.path,
                    commit: file.commit.as_deref(),
                    tracked: file.tracked,
                    bytes: file.text.as_bytes(),
                });
                look.bytes += size as u64;
                if file.commit.is_some() {
                    look.versions += 1;
                } else {
                    look.files += 1;
                }
            }
            Ok(look)
        })
    }
}
