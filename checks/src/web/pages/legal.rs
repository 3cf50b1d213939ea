//! The legal pages that card networks and privacy laws expect, and where they usually stand.

use serde::{Deserialize, Serialize};
use url::Url;

/// A legal page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Privacy,
    Terms,
    Refund,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::Privacy, Self::Terms, Self::Refund];

    /// What the page is called.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Privacy => "privacy policy",
            Self::Terms => "terms of service",
            Self::Refund => "refund policy",
        }
    }

    /// Whether the name is one of several things.
    pub(super) const fn is_plural(self) -> bool {
        matches!(self, Self::Terms)
    }

    /// Where it is looked for when no link leads to it.
    pub(super) const fn usual_paths(self) -> [&'static str; 3] {
        match self {
            Self::Privacy => ["/privacy", "/privacy-policy", "/legal/privacy"],
            Self::Terms => ["/terms", "/terms-of-service", "/legal/terms"],
            Self::Refund => ["/refund-policy", "/refunds", "/legal/refunds"],
        }
    }

    /// Words in the path of such a page, in the languages of most founders.
    const fn path_words(self) -> &'static [&'static str] {
        match self {
            Self::Privacy => &[
                "privacy",
                "datenschutz",
                "privacidad",
                "privacidade",
                "confidentialite",
                "gdpr",
                "personal-data",
            ],
            Self::Terms => &[
                "terms",
                "tos",
                "agb",
                "conditions",
                "nutzungsbedingungen",
                "condiciones",
                "cgv",
                "cgu",
                "eula",
                "voorwaarden",
                "condizioni",
            ],
            Self::Refund => &[
                "refund",
                "return",
                "returns",
                "refunds",
                "cancellation",
                "cancellations",
                "widerruf",
                "widerrufsrecht",
                "money-back",
                "remboursement",
                "reembolso",
                "reembolsos",
            ],
        }
    }

    /// Words in the text of a page that treats the subject among others.
    const fn text_words(self) -> &'static [&'static str] {
        match self {
            Self::Privacy => &["privacy policy", "datenschutzerkl", "personal data"],
            Self::Terms => &["terms of service", "terms of use", "terms and conditions"],
            Self::Refund => {
                &["refund", "money back", "money-back", "widerrufsrecht", "rembours", "reembols"]
            }
        }
    }

    /// Whether a page, in lower case, treats the subject.
    pub(super) fn is_named_in(self, text: &str) -> bool {
        self.text_words().iter().any(|word| text.contains(word))
    }

    /// Whether an address is that of such a page.
    pub(super) fn is_path_of(self, url: &Url) -> bool {
        let path = url.path().to_ascii_lowercase();
        let parts = || path.split(['/', '-', '_', '.']);
        self.path_words().iter().any(|word| {
            if word.contains('-') { path.contains(word) } else { parts().any(|part| part == *word) }
        })
    }
}

/// Whether an address is that of any legal page, alone or with others.
pub(super) fn is_legal(url: &Url) -> bool {
    let path = url.path().to_ascii_lowercase();
    Kind::ALL.iter().any(|kind| kind.is_path_of(url))
        || path.split(['/', '-', '.']).any(|part| matches!(part, "legal" | "policies" | "policy"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legal_pages_are_recognised_by_their_path() {
        let is = |kind: Kind, path: &str| {
            kind.is_path_of(&Url::parse(&format!("https://harbor.example{path}")).unwrap())
        };
        assert!(is(Kind::Privacy, "/en/Privacy-Policy"));
        assert!(is(Kind::Terms, "/legal/tos.html"));
        assert!(is(Kind::Refund, "/money-back-guarantee"));
        assert!(is(Kind::Privacy, "/terms-and-privacy"));
        assert!(!is(Kind::Terms, "/customers"));
        assert!(!is(Kind::Refund, "/returning-sailors"));
    }
}
