//! The hand-written list of what each defect of the lab is found as.

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Planted {
    planted: Vec<Entry>,
}

/// A defect and its findings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) defect: String,
    pub(crate) findings: Vec<Found>,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Found {
    pub(crate) check: String,
    pub(crate) code: String,
    pub(crate) severity: String,
    /// Ends in `*` where the rest depends on the time at which the lab begins, as the ids of sales do.
    pub(crate) subject: String,
}

impl Found {
    /// Whether this is the finding of a code about a subject.
    pub(crate) fn is_about(&self, code: &str, subject: &str) -> bool {
        self.code == code
            && match self.subject.strip_suffix('*') {
                Some(start) => subject.starts_with(start),
                None => subject == self.subject,
            }
    }
}

/// The list.
pub(crate) fn planted() -> Vec<Entry> {
    let list: Planted = toml::from_str(include_str!("../../lab/planted.toml")).unwrap();
    list.planted
}
