//! Lists every key of a folder and of its git history as lines of JSON.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use launchready_checks::probe::{FileLook, SourceFile};
use launchready_checks::secrets::detector::{self, Class};
use serde::Serialize;

use super::walk::{Scanned, scan_folder};
use super::{HISTORY, INDEX, git};

/// Longer versions in the history are not searched; the same as `max_file_mib` of `secrets-source`.
const VERSION_BYTES: u64 = 16 * 1024 * 1024;

/// One key of the history: the newest version of the file that holds it.
#[derive(Debug, Serialize)]
struct Line {
    file: String,
    commit: String,
    offset: usize,
    length: usize,
    kind: &'static str,
}

/// What was read and listed.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    /// What stands in the files.
    pub now: Scanned,
    /// Keys in the history.
    pub past: usize,
    /// Why the history was not read whole; `None` also where there is no repository.
    pub no_history: Option<String>,
    /// Whether a key surely is critical where it stands: `None` where only `secrets-source` can tell,
    /// because a key in an environment file of this machine is at home there.
    pub is_critical: Option<bool>,
}

/// Writes a line for each key that is not one of a test mode: first those of the files as they
/// stand, as [`scan_folder`] does, then those of the history, which have a `commit` too.
///
/// # Errors
/// What `out` answers to writing.
pub async fn list_keys(path: &Path, out: &mut dyn Write) -> io::Result<Listed> {
    let now = scan_folder(path, out)?;
    let tracked = tokio::time::timeout(INDEX, git::tracked(path)).await.unwrap_or(None);
    let mut listed = Listed { now, ..Listed::default() };
    let mut past_is_live = false;
    if tracked.is_some() {
        let found = Mutex::new(Past::default());
        let visit = |file: SourceFile<'_>| {
            found.lock().unwrap_or_else(PoisonError::into_inner).add(&file);
        };
        let mut look = FileLook::default();
        let history = git::history(path, VERSION_BYTES, &visit, &mut look);
        let is_whole = tokio::time::timeout(HISTORY, history).await.is_ok();
        listed.no_history = look.no_history;
        if !is_whole {
            let seconds = HISTORY.as_secs();
            listed.no_history = Some(format!("it takes longer than {seconds} seconds"));
        }
        let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        for line in &found.lines {
            serde_json::to_writer(&mut *out, line)?;
            out.write_all(b"\n")?;
        }
        listed.past = found.lines.len();
        past_is_live = found.is_live;
    }
    let is_tracked = |file: &String| match &tracked {
        Some(tracked) => tracked.contains(file),
        None => !file.contains("env"),
    };
    listed.is_critical = if past_is_live || listed.now.live.iter().any(is_tracked) {
        Some(true)
    } else if listed.now.keys == 0 && listed.past == 0 && listed.now.files > 0 {
        Some(false)
    } else {
        None
    };
    Ok(listed)
}

/// The keys of a history, newest first, each once for a file.
#[derive(Default)]
struct Past {
    lines: Vec<Line>,
    known: HashSet<u64>,
    is_live: bool,
}

impl Past {
    fn add(&mut self, file: &SourceFile<'_>) {
        for hit in detector::scan(file.bytes) {
            if hit.kind.class == Class::Test {
                continue;
            }
            let mut hasher = DefaultHasher::new();
            (file.path, hit.kind.id, file.bytes.get(hit.start..hit.end)).hash(&mut hasher);
            self.is_live |= hit.kind.class == Class::Live;
            if self.known.insert(hasher.finish()) {
                self.lines.push(Line {
                    file: file.path.to_owned(),
                    commit: file.commit.unwrap_or_default().to_owned(),
                    offset: hit.start,
                    length: hit.end - hit.start,
                    kind: hit.kind.id,
                });
            }
        }
    }
}
