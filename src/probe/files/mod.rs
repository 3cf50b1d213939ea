//! Reads folders of this machine: every file from several threads, and every version in git.

mod git;
mod listing;
mod walk;

use std::path::Path;
use std::time::{Duration, Instant};

use launchready_checks::probe::{Answer, FileLook, Files, Folder, ProbeError, SourceFile};
use tokio::runtime::{Handle, RuntimeFlavor};

pub use listing::{Listed, list_keys};
pub use walk::{Scanned, scan_folder};

/// The longest that git may take to list the files that it tracks.
const INDEX: Duration = Duration::from_secs(3);
/// The longest that the files of a folder are read.
const WALK: Duration = Duration::from_secs(15);
/// The longest that a history is read.
const HISTORY: Duration = Duration::from_secs(20);

/// The port to folders. A file of the repository is data to it: no hook, filter or program that the
/// repository names is ever run.
#[derive(Debug, Clone, Copy, Default)]
pub struct FilesProbe;

impl Files for FilesProbe {
    fn walk<'a>(
        &'a self,
        folder: Folder,
        visit: &'a (dyn Fn(SourceFile<'_>) + Sync),
    ) -> Answer<'a, Result<FileLook, ProbeError>> {
        Box::pin(async move {
            let path = Path::new(&folder.path);
            let tracked = tokio::time::timeout(INDEX, git::tracked(path)).await.unwrap_or(None);
            let read =
                || walk::read_folder(&folder, tracked.as_ref(), Instant::now() + WALK, visit);
            // The threads of the walk borrow `visit`, so it cannot move to a thread of its own; the
            // other work of this thread goes to its siblings meanwhile.
            let mut look = match Handle::current().runtime_flavor() {
                RuntimeFlavor::MultiThread => tokio::task::block_in_place(read),
                _ => read(),
            };
            if folder.history {
                let history = git::history(path, folder.max_file_bytes, visit, &mut look);
                if tokio::time::timeout(HISTORY, history).await.is_err() {
                    let (versions, seconds) = (look.versions, HISTORY.as_secs());
                    look.no_history = Some(format!(
                        "only {versions} versions were read in the {seconds} seconds that it may take"
                    ));
                }
            }
            Ok(look)
        })
    }
}
