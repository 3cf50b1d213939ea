//! Finds keys in bytes: where each one stands and of what kind it is.
//!
//! One pass of a vectorised search looks for rare literals that every key holds; at each of the few
//! places found, a verifier reads the whole shape. Keys that are public by design have no verifier.

mod kinds;
mod literals;
mod mask;
mod named;
mod pem;
mod shape;
mod token;
mod url;
mod vendors;

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, Input, MatchKind, packed};

pub use kinds::{Class, KINDS, Kind, kind};
pub use mask::FingerprintKey;

/// One key: where it stands and of what kind it is. The value itself stays in the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match {
    /// Of what kind.
    pub kind: &'static Kind,
    /// The first byte of the value.
    pub start: usize,
    /// One past the last byte of the value.
    pub end: usize,
    /// How many of its first bytes are the same in every key of the kind.
    lead: usize,
}

impl Match {
    /// Where the value stands.
    pub const fn range(&self) -> Range<usize> {
        self.start..self.end
    }

    /// The same key after the window through which a file is read moved on by so many bytes.
    #[must_use]
    pub const fn moved_back(self, bytes: usize) -> Self {
        Self {
            start: self.start.saturating_sub(bytes),
            end: self.end.saturating_sub(bytes),
            ..self
        }
    }
}

/// The search for the literals. Few processors and platforms need the second one.
#[derive(Debug)]
enum Search {
    Vectorised(packed::Searcher),
    Automaton(AhoCorasick),
}

static SEARCH: LazyLock<Option<Search>> = LazyLock::new(|| {
    let texts = || literals::LITERALS.iter().map(|literal| literal.text.as_bytes());
    let vectorised = packed::Config::new()
        .match_kind(packed::MatchKind::LeftmostFirst)
        .builder()
        .extend(texts())
        .build();
    vectorised.map(Search::Vectorised).or_else(|| {
        let mut builder = AhoCorasick::builder();
        builder.match_kind(MatchKind::LeftmostFirst).build(texts()).ok().map(Search::Automaton)
    })
});

impl Search {
    /// The first literal at or after `from`, wholly before `to`: its beginning and its index.
    fn next(&self, bytes: &[u8], from: usize, to: usize) -> Option<(usize, usize)> {
        if from >= to {
            return None;
        }
        match self {
            Self::Vectorised(searcher) => {
                let found = searcher.find_in(bytes, (from..to).into())?;
                Some((found.start(), found.pattern().as_usize()))
            }
            Self::Automaton(automaton) => {
                let found = automaton.find(Input::new(bytes).range(from..to))?;
                Some((found.start(), found.pattern().as_usize()))
            }
        }
    }
}

/// How far a verifier reads ahead of a literal at most: two parts of a token of 16 KiB each.
pub const READ_AHEAD: usize = 33 * 1024;
/// How far a verifier reads back from a literal at most.
pub const READ_BACK: usize = 2 * 1024;

/// Every key in `bytes`, each once, in the order in which they begin. Needs time in proportion to
/// the length, whatever the bytes.
pub fn scan(bytes: &[u8]) -> Vec<Match> {
    let mut found = Vec::new();
    scan_part(bytes, 0..bytes.len(), &mut found);
    found
}

/// Adds the keys whose literal begins in a part of `bytes`. For reading a long file through a
/// window: it must reach [`READ_BACK`] before and [`READ_AHEAD`] past the part, or to an end of the
/// file.
pub fn scan_part(bytes: &[u8], part: Range<usize>, found: &mut Vec<Match>) {
    let Some(search) = SEARCH.as_ref() else { return };
    // A literal may begin in the part and end past it.
    let to = part.end.saturating_add(literals::LONGEST - 1).min(bytes.len());
    let mut from = part.start;
    while let Some((at, index)) = search.next(bytes, from, to).filter(|(at, _)| *at < part.end) {
        from = at + 1;
        let Some(literal) = literals::LITERALS.get(index) else { continue };
        if let Some(hit) = literal.verify.at(bytes, at, literal.text)
            && found.last().is_none_or(|last| hit.start >= last.end)
        {
            // What stands within this key may name one that comes after it, so that the search goes on here.
            found.push(hit);
        }
    }
}

#[cfg(test)]
#[allow(clippy::string_slice, reason = "the samples are ASCII")]
mod tests;
