//! Findings: one defect each, with what was seen, why it matters, how to fix it and how to undo the fix.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::AtRisk;

/// How bad a finding is for the launch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Can be mended later.
    Info,
    /// A condition of the launch.
    Warning,
    /// Blocks the launch.
    Critical,
}

impl Severity {
    /// The lower-case word used in JSON and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// Whom a finding may wake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// Can wait for the weekly summary.
    Digest,
    /// Can wait until the morning.
    Day,
    /// May wake someone.
    Now,
}

/// What it means for the verdict that the ground of a finding was not seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unseen {
    /// It is mentioned, and changes nothing.
    Noted,
    /// At best `go_with_conditions`.
    Condition,
    /// The goal has to have it proven: `no_go`.
    Blocks,
}

/// One entry of a check's closed list of finding codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FindingSpec {
    /// Kebab-case name of the defect, unique over all checks.
    pub code: &'static str,
    /// Severity unless the check says otherwise for one finding.
    pub severity: Severity,
    /// Whom it may wake.
    pub urgency: Urgency,
    /// What not having seen its ground means.
    pub unseen: Unseen,
    /// A short name of the defect for headings, without a full stop.
    pub title: &'static str,
    /// Who is hurt and how, in one or two full sentences.
    pub why: &'static str,
}

impl FindingSpec {
    /// A defect that blocks the launch; it can wait until the morning, and unseen it is a condition.
    pub const fn critical(code: &'static str, title: &'static str, why: &'static str) -> Self {
        Self {
            code,
            severity: Severity::Critical,
            urgency: Urgency::Day,
            unseen: Unseen::Condition,
            title,
            why,
        }
    }

    /// A defect that is a condition of the launch.
    pub const fn warning(code: &'static str, title: &'static str, why: &'static str) -> Self {
        Self { severity: Severity::Warning, ..Self::critical(code, title, why) }
    }

    /// A defect that can be mended later and goes into the digest; unseen it is only noted.
    pub const fn info(code: &'static str, title: &'static str, why: &'static str) -> Self {
        Self {
            severity: Severity::Info,
            urgency: Urgency::Digest,
            unseen: Unseen::Noted,
            ..Self::critical(code, title, why)
        }
    }

    /// It may wake someone (`!` in the list of checks).
    #[must_use]
    pub const fn now(self) -> Self {
        Self { urgency: Urgency::Now, ..self }
    }

    /// A launch needs it proven (`?` in the list of checks).
    #[must_use]
    pub const fn blocks(self) -> Self {
        Self { unseen: Unseen::Blocks, ..self }
    }

    /// Not having seen it is only mentioned.
    #[must_use]
    pub const fn noted(self) -> Self {
        Self { unseen: Unseen::Noted, ..self }
    }

    /// Starts a finding of this kind about `subject`: a host, a record name, a URL, an id.
    pub fn finding(&self, subject: impl Into<String>) -> Finding {
        let subject = subject.into();
        Finding {
            code: self.code.to_owned(),
            severity: self.severity,
            urgency: self.urgency,
            fingerprint: fingerprint(self.code, &subject, ""),
            subject,
            summary: self.title.to_owned(),
            why: self.why.to_owned(),
            evidence: Vec::new(),
            fix: String::new(),
            undo: String::new(),
            at_risk: Vec::new(),
        }
    }
}

/// One defect that a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The code of its [`FindingSpec`].
    pub code: String,
    /// How bad it is for the launch.
    pub severity: Severity,
    /// Whom it may wake.
    pub urgency: Urgency,
    /// What it is about: a host, a record name, a URL, an id.
    pub subject: String,
    /// 16 hexadecimal digits, the same from run to run for the same defect.
    pub fingerprint: String,
    /// One plain sentence with the numbers in it.
    pub summary: String,
    /// Who is hurt and how.
    pub why: String,
    /// What was seen, one line each; never a secret.
    pub evidence: Vec<String>,
    /// What to click, type or send, exactly.
    pub fix: String,
    /// How to take the fix back.
    pub undo: String,
    /// The money that hangs on it, by currency.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at_risk: Vec<AtRisk>,
}

/// The most lines of evidence that one finding keeps.
const EVIDENCE_LINES: usize = 24;
/// The most characters of one line of evidence.
const EVIDENCE_CHARS: usize = 600;

impl Finding {
    /// Replaces the severity of the spec for this one finding.
    #[must_use]
    pub fn at(mut self, severity: Severity) -> Self {
        self.severity = severity;
        if severity == Severity::Info {
            self.urgency = Urgency::Digest;
        } else if severity == Severity::Warning && self.urgency == Urgency::Now {
            self.urgency = Urgency::Day;
        }
        self
    }

    /// Adds to the identity of the finding, where one subject can hold several of the same code.
    #[must_use]
    pub fn key(mut self, key: &str) -> Self {
        self.fingerprint = fingerprint(&self.code, &self.subject, key);
        self
    }

    /// Sets the one-sentence summary.
    #[must_use]
    pub fn summary(mut self, summary: impl Into<String>) -> Self {
        self.summary = summary.into();
        self
    }

    /// Adds one line of evidence; over-long lines and lines past the limit are cut.
    #[must_use]
    pub fn saw(mut self, line: impl AsRef<str>) -> Self {
        if self.evidence.len() < EVIDENCE_LINES {
            let line = line.as_ref();
            let cut: String = line.chars().take(EVIDENCE_CHARS).map(printable).collect();
            self.evidence.push(
                if cut.len() < line.len() && line.chars().count() > EVIDENCE_CHARS {
                    format!("{cut}…")
                } else {
                    cut
                },
            );
        }
        self
    }

    /// Adds many lines of evidence.
    #[must_use]
    pub fn saw_all<T: AsRef<str>>(self, lines: impl IntoIterator<Item = T>) -> Self {
        lines.into_iter().fold(self, Self::saw)
    }

    /// Sets the fix: the exact record, setting, click path or command.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = fix.into();
        self
    }

    /// Sets the money that hangs on it.
    #[must_use]
    pub fn at_risk(mut self, at_risk: Vec<AtRisk>) -> Self {
        self.at_risk = at_risk;
        self
    }

    /// Sets how the fix is taken back.
    #[must_use]
    pub fn undo(mut self, undo: impl Into<String>) -> Self {
        self.undo = undo.into();
        self
    }
}

/// Replaces control characters, which come from outside and would drive a reader's terminal.
fn printable(c: char) -> char {
    if c.is_control() { '\u{fffd}' } else { c }
}

fn fingerprint(code: &str, subject: &str, key: &str) -> String {
    let mut hash = Sha256::new();
    for part in [code, subject, key] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let digest = hash.finalize();
    hex::encode(digest.get(..8).unwrap_or_default())
}
