//! Who mutes or accepts something, and why: one rule for the page, the API and the command line.

use std::fmt;

/// What a person has to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// Who it is.
    Name,
    /// Why.
    Reason,
}

/// Why a text is not taken. It prints what is wrong and what to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotSaid {
    /// Nothing is there, or blanks alone.
    Missing(Said),
    /// It has too many characters.
    TooLong(Said),
}

impl Said {
    /// The text without the blanks around it.
    ///
    /// # Errors
    /// Nothing is left, or too much.
    pub fn read(self, text: &str) -> Result<String, NotSaid> {
        let text = text.trim_matches(|c: char| c.is_whitespace() || c.is_control());
        if text.is_empty() {
            return Err(NotSaid::Missing(self));
        }
        if text.chars().count() > self.most() {
            return Err(NotSaid::TooLong(self));
        }
        Ok(text.to_owned())
    }

    /// The most characters.
    pub const fn most(self) -> usize {
        match self {
            Self::Name => 80,
            Self::Reason => 1000,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Reason => "reason",
        }
    }

    const fn wanted(self) -> &'static str {
        match self {
            Self::Name => "write who you are, so that others know whom to ask",
            Self::Reason => "write in a sentence why, so that who reads it next can judge it",
        }
    }
}

impl NotSaid {
    /// What is wrong, and what to write, each without a capital and a full stop.
    pub fn parts(self) -> (String, String) {
        match self {
            Self::Missing(said) => {
                (format!("the {} is missing", said.word()), said.wanted().to_owned())
            }
            Self::TooLong(said) => (
                format!("the {} is too long", said.word()),
                format!("write at most {} characters", said.most()),
            ),
        }
    }
}

impl fmt::Display for NotSaid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (wrong, wanted) = self.parts();
        write!(f, "{wrong}; {wanted}")
    }
}

/// What may be left out, such as the subject of a waiver: without the blanks around it, and nothing where nothing is
/// left. A blank more would make it accept nothing.
pub fn some_text(text: Option<&str>) -> Option<String> {
    text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_no_reason_and_none_is_kept_around_one() {
        assert_eq!(Said::Reason.read(" after the launch\n").as_deref(), Ok("after the launch"));
        for blank in ["", "  ", "\t\r\n", "\u{a0}\u{2003}", "\u{0}"] {
            assert_eq!(Said::Reason.read(blank), Err(NotSaid::Missing(Said::Reason)), "{blank:?}");
        }
        let missing = NotSaid::Missing(Said::Name).to_string();
        assert_eq!(
            missing,
            "the name is missing; write who you are, so that others know whom to ask"
        );
        let long = "ü".repeat(80);
        assert_eq!(Said::Name.read(&long), Ok(long.clone()));
        let longer = Said::Name.read(&(long + "ü")).unwrap_err().to_string();
        assert_eq!(longer, "the name is too long; write at most 80 characters");
        assert_eq!(some_text(Some(" ")), None);
        assert_eq!(some_text(Some(" a.example ")).as_deref(), Some("a.example"));
    }
}
