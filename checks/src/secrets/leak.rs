//! One key that lies open, as it stands in evidence: everything about it but its value.

use serde::{Deserialize, Serialize};

use super::detector::{FingerprintKey, Kind, Match, kind};

/// The most bytes of a URL, a path or a masked key that are kept.
const KEPT_BYTES: usize = 200;

/// One key that lies open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Leak {
    /// The name of its kind.
    pub(super) kind: String,
    /// The URL or path of the file that holds it.
    pub(super) place: String,
    /// Where it begins in the file, in bytes.
    pub(super) offset: usize,
    /// Its length in bytes.
    pub(super) length: usize,
    /// The part of it that may be shown.
    pub(super) masked: String,
    /// The same for the same key in the same project.
    pub(super) fingerprint: String,
}

impl Leak {
    /// What may be told about a match in `bytes`, which are the content of `place`.
    pub(super) fn of(hit: &Match, bytes: &[u8], place: &str, key: &FingerprintKey) -> Self {
        Self {
            kind: hit.kind.id.to_owned(),
            place: shortened(place),
            offset: hit.start,
            length: hit.end - hit.start,
            masked: shortened(&hit.masked(bytes)),
            fingerprint: hit.fingerprint(bytes, key),
        }
    }

    /// Its kind; `None` in evidence of another version that knew more kinds.
    pub(super) fn kind(&self) -> Option<&'static Kind> {
        kind(&self.kind)
    }

    /// What a finding about it is called: the kind and what may be shown, which outlive a
    /// deployment that renames every file.
    pub(super) fn subject(&self) -> String {
        format!("{} {}", self.kind, self.masked)
    }
}

/// A text from outside, cut to what evidence keeps; control characters become U+FFFD.
pub(super) fn shortened(text: &str) -> String {
    let printable = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut short = String::new();
    for c in text.chars().map(printable) {
        if short.len() + c.len_utf8() > KEPT_BYTES {
            short.push('…');
            break;
        }
        short.push(c);
    }
    short
}
