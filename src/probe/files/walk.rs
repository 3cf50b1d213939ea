//! Walks a folder with one thread for each processor.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read as _, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread::available_parallelism;
use std::time::Instant;

use ignore::{DirEntry, WalkBuilder, WalkParallel, WalkState};
use launchready_checks::probe::{FileLook, Folder, SourceFile};
use launchready_checks::secrets::detector::{self, Class, Match, READ_AHEAD, READ_BACK};
use serde::Serialize;

/// The most paths of one list that are kept.
const PATHS: usize = 50;
/// A buffer that grew past this for one file is given back after it.
const BUFFER: usize = 1024 * 1024;
/// What is read of a long file at once; it fits the second cache of common processors.
const WINDOW: usize = 192 * 1024;

/// Every file is read, also a hidden one and one that git ignores: an ignored `.env` and `dist` are
/// what is looked for. The inside of `.git` is read through git, and `node_modules` is others' code.
fn walker(path: &Path) -> WalkParallel {
    let threads = available_parallelism().map_or(1, std::num::NonZero::get);
    WalkBuilder::new(path)
        .standard_filters(false)
        .follow_links(false)
        .threads(threads)
        .filter_entry(|entry| {
            let folder = entry.file_type().is_some_and(|kind| kind.is_dir());
            let skipped = entry.file_name() == ".git" || entry.file_name() == "node_modules";
            entry.depth() == 0 || !(folder && skipped)
        })
        .build_parallel()
}

/// The path below the walked folder, `/` between its parts.
fn relative(entry: &DirEntry, root: &Path) -> String {
    let path = entry.path().strip_prefix(root).unwrap_or(entry.path());
    let path = if path.as_os_str().is_empty() { Path::new(entry.file_name()) } else { path };
    let parts = path.components().map(|part| part.as_os_str().to_string_lossy());
    parts.collect::<Vec<_>>().join("/")
}

/// Hands every file to `visit` until the deadline.
pub(super) fn read_folder(
    folder: &Folder,
    tracked: Option<&HashSet<String>>,
    deadline: Instant,
    visit: &(dyn Fn(SourceFile<'_>) + Sync),
) -> FileLook {
    let root = Path::new(&folder.path);
    let total = Mutex::new(FileLook::default());
    let add = |change: &dyn Fn(&mut FileLook)| {
        change(&mut total.lock().unwrap_or_else(PoisonError::into_inner));
    };
    walker(root).run(|| {
        let mut buffer = Vec::new();
        Box::new(move |entry| {
            if Instant::now() > deadline {
                add(&|look| look.stopped = Some("reading the folder took too long".to_owned()));
                return WalkState::Quit;
            }
            let entry = match entry {
                Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_file()) => entry,
                Ok(_) => return WalkState::Continue,
                Err(error) => {
                    let path = error.to_string();
                    add(&|look| keep(&mut look.unreadable, &path));
                    return WalkState::Continue;
                }
            };
            let path = relative(&entry, root);
            match read_file(entry.path(), folder.max_file_bytes, &mut buffer) {
                Ok(true) => {
                    let tracked = tracked.map(|tracked| tracked.contains(&path));
                    visit(SourceFile { path: &path, commit: None, tracked, bytes: &buffer });
                    let length = buffer.len() as u64;
                    add(&|look| {
                        look.files += 1;
                        look.bytes += length;
                    });
                }
                Ok(false) => add(&|look| keep(&mut look.too_large, &path)),
                Err(_) => add(&|look| keep(&mut look.unreadable, &path)),
            }
            if buffer.capacity() > BUFFER {
                buffer = Vec::new();
            }
            WalkState::Continue
        })
    });
    let mut look = total.into_inner().unwrap_or_else(PoisonError::into_inner);
    look.too_large.sort();
    look.unreadable.sort();
    look
}

fn keep(paths: &mut Vec<String>, path: &str) {
    if paths.len() < PATHS {
        paths.push(path.to_owned());
    }
}

/// Reads a file whole into the buffer; `false` where it is longer than the limit.
fn read_file(path: &Path, limit: u64, buffer: &mut Vec<u8>) -> io::Result<bool> {
    buffer.clear();
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    if length > limit {
        return Ok(false);
    }
    buffer.reserve(usize::try_from(length).unwrap_or_default().saturating_add(1));
    // It may have grown since its length was asked.
    let read = file.take(limit.saturating_add(1)).read_to_end(buffer)?;
    Ok(read as u64 <= limit)
}

/// One key, as a line of JSON.
#[derive(Debug, Serialize)]
struct Line<'a> {
    file: &'a str,
    offset: u64,
    length: usize,
    kind: &'static str,
}

/// What a scan read and wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scanned {
    /// Files read.
    pub files: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Lines written.
    pub keys: u64,
    /// Files that hold a key which opens something.
    pub live: Vec<String>,
    /// Files that could not be read, at most 50 paths.
    pub unreadable: Vec<String>,
}

/// Searches every file of a folder as it stands and writes a line of JSON for each key that is not
/// one of a test mode: `{"file","offset","length","kind"}`, in bytes of the value itself, by path
/// and place. Files of any length are read.
///
/// # Errors
/// What `out` answers to writing.
pub fn scan_folder(path: &Path, out: &mut dyn Write) -> io::Result<Scanned> {
    let total = Mutex::new((Scanned::default(), Vec::new()));
    walker(path).run(|| {
        let mut buffer = vec![0; READ_BACK + WINDOW + READ_AHEAD];
        let total = &total;
        Box::new(move |entry| {
            let lock = || total.lock().unwrap_or_else(PoisonError::into_inner);
            let entry = match entry {
                Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_file()) => entry,
                Ok(_) => return WalkState::Continue,
                Err(error) => {
                    keep(&mut lock().0.unreadable, &error.to_string());
                    return WalkState::Continue;
                }
            };
            let name = relative(&entry, path);
            let mut lines = Vec::new();
            let mut is_live = false;
            let mut add = |hit: &Match, base: u64| {
                if hit.kind.class != Class::Test {
                    let offset = base + hit.start as u64;
                    is_live |= hit.kind.class == Class::Live;
                    lines.push((offset, hit.end - hit.start, hit.kind.id));
                }
            };
            let read =
                File::open(entry.path()).and_then(|file| scan_file(file, &mut buffer, &mut add));
            let (scanned, found) = &mut *lock();
            match read {
                Ok(bytes) => {
                    scanned.files += 1;
                    scanned.bytes += bytes;
                }
                Err(_) => keep(&mut scanned.unreadable, &name),
            }
            if is_live {
                scanned.live.push(name.clone());
            }
            if !lines.is_empty() {
                found.push((name, lines));
            }
            WalkState::Continue
        })
    });
    let (mut scanned, mut found) = total.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort();
    for (file, lines) in &found {
        for &(offset, length, kind) in lines {
            serde_json::to_writer(&mut *out, &Line { file, offset, length, kind })?;
            out.write_all(b"\n")?;
            scanned.keys += 1;
        }
    }
    scanned.live.sort();
    scanned.unreadable.sort();
    Ok(scanned)
}

/// Searches a file through a window, so that a long one needs no more memory than a short one and
/// what is searched is still in the cache. Gives the length of the file.
fn scan_file(
    mut file: impl io::Read,
    buffer: &mut [u8],
    add: &mut dyn FnMut(&Match, u64),
) -> io::Result<u64> {
    // Where the window stands in the file, how much of it is filled, where the search goes on.
    let (mut base, mut held, mut next) = (0_u64, 0, 0);
    let mut found: Vec<Match> = Vec::new();
    loop {
        let mut ended = false;
        while held < buffer.len() && !ended {
            match file.read(buffer.get_mut(held..).unwrap_or_default()) {
                Ok(0) => ended = true,
                Ok(length) => held += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let to = if ended { held } else { held.saturating_sub(READ_AHEAD) };
        let known = found.len();
        detector::scan_part(buffer.get(..held).unwrap_or_default(), next..to, &mut found);
        for hit in found.get(known..).unwrap_or_default() {
            add(hit, base);
        }
        if ended {
            return Ok(base + held as u64);
        }
        let gone = to.saturating_sub(READ_BACK);
        buffer.copy_within(gone..held, 0);
        // The last key is kept, so that nothing inside it counts as another one.
        let last = found.pop().map(|hit| hit.moved_back(gone));
        found.clear();
        found.extend(last);
        base += gone as u64;
        held -= gone;
        next = to - gone;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out a few bytes at a time.
    struct Slowly<'a>(&'a [u8]);

    impl io::Read for Slowly<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = buffer.len().min(self.0.len()).min(4099);
            let (now, later) = self.0.split_at(length);
            buffer[..length].copy_from_slice(now);
            self.0 = later;
            Ok(length)
        }
    }

    #[test]
    fn a_key_is_found_wherever_the_window_ends() {
        let key = format!("\"whsec_{}\"", "Zk3PqLm8Tn2VbXc7Rw5YsGh1Jd9FaQe4");
        let mut text = vec![b' '; 3 * (WINDOW + READ_AHEAD)];
        let step = 9973;
        let places: Vec<usize> = (0..text.len() - key.len()).step_by(step).collect();
        for place in &places {
            text[*place..*place + key.len()].copy_from_slice(key.as_bytes());
        }
        let mut buffer = vec![0; READ_BACK + WINDOW + READ_AHEAD];
        let mut found = Vec::new();
        let mut add = |hit: &Match, base: u64| found.push(base + hit.start as u64);
        let length = scan_file(Slowly(&text), &mut buffer, &mut add).unwrap();
        assert_eq!(length, text.len() as u64);
        let wanted: Vec<u64> = places.iter().map(|place| *place as u64 + 1).collect();
        assert_eq!(found, wanted);
    }
}
