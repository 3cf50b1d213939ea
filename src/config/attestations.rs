//! `attestations.toml`, beside the config: what people have signed.
//!
//! It is a file and not a part of the store, so that an audit without an agent reads it too, and so that
//! version control says who signed.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use launchready_checks::contract::{
    AttestationFacts, AttestationFigure, LONGEST_ATTESTATION, attestation_item,
};
use serde::{Deserialize, Serialize};

use crate::files;

/// The name of the file.
const NAME: &str = "attestations.toml";
/// The most bytes of the file.
const FILE_BYTES: u64 = 1024 * 1024;
/// The most characters of a name.
const NAME_CHARS: usize = 200;
/// The most characters of a note.
const NOTE_CHARS: usize = 2_000;

/// What stands in front of the entries.
const HEAD: &str = "\
# What people have signed: `launchready attest` writes it, and `launchready explain ops-attestation` says what\n\
# each item means. Keep it beside the config, and in version control with it.\n\n";

/// Why what was signed cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum AttestationError {
    /// The file cannot be read or written.
    #[error("cannot {what} {path}: {why}")]
    File {
        /// `read` or `write`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// The file holds what is no signature.
    #[error("{path}: {why}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to write instead.
        why: String,
    },
}

/// One entry of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    project: String,
    item: String,
    by: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    note: String,
    at: Timestamp,
    until: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    took: Option<launchready_checks::contract::Age>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    systems: Option<u32>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Shape {
    attestation: Vec<Entry>,
}

/// Everything that was signed beside one config.
#[derive(Debug, Default)]
pub struct Attestations {
    path: PathBuf,
    entries: Vec<Entry>,
    /// The file as it was read.
    before: Option<String>,
}

impl Attestations {
    /// Where they are, for a config in this folder.
    pub fn path(folder: &Path) -> PathBuf {
        folder.join(NAME)
    }

    /// Reads the file; none is an empty one.
    ///
    /// # Errors
    /// It cannot be read, or holds what is no signature.
    pub fn read(folder: &Path) -> Result<Self, AttestationError> {
        let path = Self::path(folder);
        let failed = |why: String| AttestationError::File { what: "read", path: path.clone(), why };
        match std::fs::metadata(&path) {
            Ok(facts) if !facts.is_file() => return Err(failed("it is no file".to_owned())),
            Ok(_) => {}
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return Ok(Self { path, entries: Vec::new(), before: None });
            }
            Err(error) => return Err(failed(error.to_string())),
        }
        let text =
            files::read_text(&path, FILE_BYTES).map_err(|error| failed(error.to_string()))?;
        let invalid = |why: String| AttestationError::Invalid { path: path.clone(), why };
        let shape: Shape = toml::from_str(&text).map_err(|error| {
            invalid(format!("{}; take the entry out and sign it again", error.message()))
        })?;
        for entry in &shape.attestation {
            fault(entry).map_or(Ok(()), |why| Err(invalid(why)))?;
        }
        Ok(Self { path, entries: shape.attestation, before: Some(text) })
    }

    /// What was signed for a project, oldest first.
    pub fn of(&self, project: &str) -> Vec<AttestationFacts> {
        let mine = self.entries.iter().filter(|entry| entry.project == project);
        let mut mine: Vec<AttestationFacts> = mine
            .map(|entry| AttestationFacts {
                item: entry.item.clone(),
                by: cut(&entry.by, NAME_CHARS),
                note: cut(&entry.note, NOTE_CHARS),
                at: entry.at,
                until: entry.until,
                took: entry.took,
                systems: entry.systems,
            })
            .collect();
        mine.sort_by(|a, b| (a.at, &a.item).cmp(&(b.at, &b.item)));
        mine
    }

    /// Signs an item; an earlier signature for it is replaced, because version control remembers it.
    ///
    /// # Errors
    /// A sentence that says what is missing or wrong.
    pub fn sign(&mut self, project: &str, signed: AttestationFacts) -> Result<(), String> {
        let entry = Entry {
            project: project.to_owned(),
            item: signed.item,
            by: cut(&signed.by, NAME_CHARS),
            note: cut(&signed.note, NOTE_CHARS),
            at: signed.at,
            until: signed.until,
            took: signed.took,
            systems: signed.systems,
        };
        fault(&entry).map_or(Ok(()), Err)?;
        let figure = attestation_item(&entry.item).and_then(|item| item.figure);
        match (figure, entry.took, entry.systems) {
            (Some(AttestationFigure::Took), None, _) => {
                return Err(format!("{} also says how long it took: --took 12m", entry.item));
            }
            (Some(AttestationFigure::Systems), _, None) => {
                return Err(format!(
                    "{} also says how many systems there are: --systems 2",
                    entry.item
                ));
            }
            (Some(AttestationFigure::Took) | None, _, Some(_)) => {
                return Err("--systems is for sources-of-truth".to_owned());
            }
            (Some(AttestationFigure::Systems) | None, Some(_), _) => {
                return Err("--took is for rollback-tried".to_owned());
            }
            (Some(AttestationFigure::Took | AttestationFigure::Systems) | None, _, _) => {}
        }
        self.remove(project, &entry.item);
        self.entries.push(entry);
        Ok(())
    }

    /// Takes a signature back; says whether there was one.
    pub fn remove(&mut self, project: &str, item: &str) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.project != project || entry.item != item);
        self.entries.len() < before
    }

    /// Writes the whole file, or nothing; never over what somebody else has signed since it was read.
    ///
    /// # Errors
    /// It cannot be written, or it has changed meanwhile.
    pub fn write(&self) -> Result<(), AttestationError> {
        let failed =
            |why: String| AttestationError::File { what: "write", path: self.path.clone(), why };
        if std::fs::read_to_string(&self.path).ok() != self.before {
            return Err(failed("somebody has signed meanwhile; type the command again".to_owned()));
        }
        let shape = Shape { attestation: self.entries.clone() };
        let text = toml::to_string(&shape).map_err(|error| failed(error.to_string()))?;
        let partial = self.path.with_extension(format!("toml.{}.partial", std::process::id()));
        let written = std::fs::write(&partial, format!("{HEAD}{text}"));
        written.and_then(|()| std::fs::rename(&partial, &self.path)).map_err(|error| {
            drop(std::fs::remove_file(&partial));
            failed(error.to_string())
        })
    }
}

/// What is wrong with an entry.
fn fault(entry: &Entry) -> Option<String> {
    let item = &entry.item;
    if attestation_item(item).is_none() {
        return Some(format!("{item:?} is no item; `launchready attest list` names them"));
    }
    if entry.by.trim().is_empty() {
        return Some(format!("{item} is signed by nobody; say by whom"));
    }
    if entry.until <= entry.at {
        return Some(format!("{item} ends before it was signed; sign it again"));
    }
    let longest =
        entry.at.checked_add(jiff::SignedDuration::from_secs(LONGEST_ATTESTATION.whole_seconds()));
    if longest.is_ok_and(|longest| entry.until > longest) {
        return Some(format!("{item} holds for more than {LONGEST_ATTESTATION}; sign for less"));
    }
    None
}

/// A text without control characters and blanks around it, and no longer than that.
fn cut(text: &str, chars: usize) -> String {
    let shown = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
    shown.take(chars).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use launchready_checks::contract::Age;

    use super::*;

    fn signed(item: &str) -> AttestationFacts {
        AttestationFacts {
            item: item.to_owned(),
            by: " Ada\n".to_owned(),
            note: "with \"quotes\"\u{7} and = signs".to_owned(),
            at: "2026-11-01T00:00:00Z".parse().unwrap(),
            until: "2027-01-30T00:00:00Z".parse().unwrap(),
            took: None,
            systems: None,
        }
    }

    #[test]
    fn what_is_signed_is_written_read_replaced_and_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut here = Attestations::read(folder.path()).unwrap();
        assert_eq!(here.of("harbor"), []);
        here.sign("harbor", signed("restore-tried")).unwrap();
        here.sign("bay", signed("restore-tried")).unwrap();
        let took = Some(Age::minutes(12));
        here.sign("harbor", AttestationFacts { took, ..signed("rollback-tried") }).unwrap();
        here.write().unwrap();
        let mut again = Attestations::read(folder.path()).unwrap();
        let mine = again.of("harbor");
        assert_eq!((mine.len(), mine[0].by.as_str(), mine[1].took), (2, "Ada", took));
        assert_eq!(mine[0].note, "with \"quotes\"  and = signs");
        let later = AttestationFacts { by: "Bo".to_owned(), ..signed("restore-tried") };
        again.sign("harbor", later).unwrap();
        assert_eq!(again.of("harbor").len(), 2);
        assert!(
            again.remove("harbor", "restore-tried") && !again.remove("harbor", "restore-tried")
        );
        assert_eq!((again.of("harbor").len(), again.of("bay").len()), (1, 1));
    }

    #[test]
    fn what_is_no_signature_is_refused_with_the_remedy() {
        let mut here = Attestations::default();
        let mut refused = |wrong: AttestationFacts| here.sign("harbor", wrong).unwrap_err();
        assert!(refused(signed("restored")).contains("is no item"));
        assert!(
            refused(AttestationFacts { by: "\n".into(), ..signed("mfa") }).contains("by nobody")
        );
        assert!(refused(signed("rollback-tried")).contains("--took"));
        assert!(refused(signed("sources-of-truth")).contains("--systems"));
        let took = Some(Age::minutes(1));
        assert!(refused(AttestationFacts { took, ..signed("mfa") }).contains("rollback-tried"));
        let until = "2028-01-01T00:00:00Z".parse().unwrap();
        assert!(refused(AttestationFacts { until, ..signed("mfa") }).contains("366d"));
        let folder = tempfile::tempdir().unwrap();
        for (text, wanted) in [
            ("[[attestation]]\nproject = \"a\"\n", "missing field"),
            ("x = 1\n", "unknown field"),
            (
                "[[attestation]]\nproject = \"a\"\nitem = \"mfa\"\nby = \"A\"\nat = \"2026-11-01T00:00:00Z\"\nuntil = \"2026-11-01T00:00:00Z\"\n",
                "ends before",
            ),
        ] {
            std::fs::write(Attestations::path(folder.path()), text).unwrap();
            let error = Attestations::read(folder.path()).unwrap_err().to_string();
            assert!(error.contains(wanted) && error.contains(NAME), "{error}");
        }
    }
}
