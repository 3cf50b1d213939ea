//! Why a check has no evidence.

use crate::probe::{AgentFault, Missing, ProbeError};

/// The most characters of a cause that are kept: it is repeated in the report, in messages and in the store.
const CAUSE_CHARS: usize = 500;

/// Why a look gave no evidence at all. A defect of the target is never an error: it is evidence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// It does not apply to this project, or is not configured.
    #[error("{reason}")]
    Skipped {
        /// Why, as a sentence without a full stop.
        reason: String,
        /// The step that makes it run; empty where nothing is missing.
        unlock: String,
    },
    /// It could not look, and that is nobody's fault but ours or our network's.
    #[error("{cause}")]
    Unknown {
        /// What happened.
        cause: String,
        /// The step that unlocks it.
        unlock: String,
    },
}

impl CheckError {
    /// A check that does not apply or is not configured.
    pub fn skipped(reason: impl Into<String>, unlock: impl Into<String>) -> Self {
        Self::Skipped { reason: reason.into(), unlock: unlock.into() }
    }

    /// A check that could not look.
    pub fn unknown(cause: impl Into<String>, unlock: impl Into<String>) -> Self {
        Self::Unknown { cause: cause.into(), unlock: unlock.into() }
    }
}

impl From<AgentFault> for CheckError {
    fn from(fault: AgentFault) -> Self {
        Self::Unknown { cause: fault.to_string(), unlock: fault.unlock().to_owned() }
    }
}

impl From<Missing> for CheckError {
    fn from(missing: Missing) -> Self {
        Self::Skipped { reason: missing.reason, unlock: missing.unlock }
    }
}

impl CheckError {
    /// The same with no more of the cause than is read: an outside system may have had a part in its words.
    #[must_use]
    pub fn in_short(self) -> Self {
        match self {
            Self::Skipped { reason, unlock } => Self::Skipped { reason: short(reason), unlock },
            Self::Unknown { cause, unlock } => Self::Unknown { cause: short(cause), unlock },
        }
    }

    /// What a provider or database that gave no answer means for a check that sees nothing without it: it is
    /// unknown, whoever is to blame, because nothing about the product was seen.
    pub fn unseen(error: ProbeError) -> Self {
        match error {
            ProbeError::Agent(fault) => fault.into(),
            ProbeError::Target(fault) => {
                Self::unknown(fault.to_string(), "run it again once it answers")
            }
        }
    }
}

fn short(text: String) -> String {
    match text.char_indices().nth(CAUSE_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_of_megabytes_is_kept_in_short_and_a_sentence_as_it_is() {
        let long = CheckError::unknown("ä".repeat(1_000_000), "run it again").in_short();
        let CheckError::Unknown { cause, unlock } = long else { panic!("{long}") };
        assert_eq!((cause.chars().count(), &*unlock), (CAUSE_CHARS + 1, "run it again"));
        assert!(cause.ends_with("ä…"));
        let sentence = CheckError::skipped("not configured", "add [project.stripe]");
        assert_eq!(sentence.clone().in_short(), sentence);
    }
}
