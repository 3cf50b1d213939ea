//! Small shapes that several vendors share, and the permission that a refusal does not name.

use launchready_checks::probe::{AgentFault, ProbeError};
use serde::Deserialize;

/// An id that is written as a number or as a text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum Id {
    Text(String),
    Number(i64),
}

impl Id {
    pub(super) fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }

    /// The id, unless it stands for none.
    pub(super) fn some(self) -> Option<String> {
        Some(self.text()).filter(|text| !text.is_empty())
    }
}

/// Puts the permission that is known to be needed into a refusal that names none.
pub(super) fn needs(error: ProbeError, what: &str) -> ProbeError {
    match error {
        ProbeError::Agent(AgentFault::Forbidden(_)) => {
            AgentFault::Forbidden(what.to_owned()).into()
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_text_whatever_it_was() {
        let ids: Vec<Id> = serde_json::from_str("[\"a1\", 48211, \"\"]").unwrap();
        let ids: Vec<_> = ids.into_iter().map(Id::some).collect();
        assert_eq!(ids, [Some("a1".to_owned()), Some("48211".to_owned()), None]);
    }
}
