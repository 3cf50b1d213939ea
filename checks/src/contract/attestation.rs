//! What only a person can confirm: the closed list of items, and what was signed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Age;

/// The longest that a signature holds, whatever it says.
pub const LONGEST_ATTESTATION: Age = Age::days(366);

/// One thing that only a person can confirm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttestationItem {
    /// The word on the command line and in the file, kebab-case.
    pub id: &'static str,
    /// What is signed, as a full sentence without a full stop.
    pub title: &'static str,
    /// What to do before signing, as a full sentence.
    pub how: &'static str,
    /// How long a signature holds where nothing else is said.
    pub valid: Age,
    /// The table of the project without which nobody is asked for it.
    pub part: Option<&'static str>,
    /// The number that is signed beside it.
    pub figure: Option<AttestationFigure>,
}

/// A number that is signed beside an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttestationFigure {
    /// How long it took (`--took`).
    Took,
    /// How many systems hold the truth of one object, for the object that has most (`--systems`).
    Systems,
}

const fn item(
    id: &'static str,
    title: &'static str,
    how: &'static str,
    days: u64,
) -> AttestationItem {
    AttestationItem { id, title, how, valid: Age::days(days), part: None, figure: None }
}

/// Everything that can be signed, in the order in which reports show it.
pub const ATTESTATIONS: &[AttestationItem] = &[
    item(
        "two-owners",
        "At every provider two people can sign in as owner",
        "Open the members page of the registrar, the DNS, the host, the database, the payments, the mail, the \
         CRM and the help desk, and see two owners on each.",
        180,
    ),
    item(
        "mfa",
        "Every owner and admin signs in with a second factor, and nobody shares a log-in",
        "See on the security page of each provider that a second factor is demanded.",
        180,
    ),
    item(
        "restore-tried",
        "A backup was restored, and what came back was complete",
        "Restore the newest backup into a place of its own, count the orders in it, and delete it again.",
        90,
    ),
    AttestationItem {
        figure: Some(AttestationFigure::Took),
        ..item(
            "rollback-tried",
            "The build before the live one was brought back, and then the live one again",
            "Roll back by the runbook with a clock beside you, look at the shop, and roll forward.",
            90,
        )
    },
    item(
        "secrets-rotated",
        "Every key that anybody has seen was rotated, and the old one no longer works",
        "Make a new key at each provider, put it where the old one was, and revoke the old one.",
        180,
    ),
    item(
        "second-deployer",
        "Somebody other than the builder has deployed, from the document alone",
        "Let them do it while the builder only watches.",
        180,
    ),
    AttestationItem {
        figure: Some(AttestationFigure::Systems),
        ..item(
            "sources-of-truth",
            "For each object it is written down which systems hold its truth",
            "Go through customer, order, subscription and ticket, and count the systems in which each is changed \
             by hand or by code.",
            180,
        )
    },
    AttestationItem {
        part: Some("stripe"),
        ..item(
            "payment-screens",
            "A customer sees whether the payment went through, is pending or failed",
            "Pay with a test card that works, one that is declined and one that asks for 3-D Secure, and read the \
             screens.",
            90,
        )
    },
    AttestationItem {
        part: Some("support"),
        ..item(
            "ticket-screens",
            "A customer sees that the request for help arrived and where it stands",
            "Send a request as a customer and read what comes back.",
            90,
        )
    },
    item(
        "confirmation-screens",
        "A customer sees a confirmation after signing up, booking and cancelling",
        "Do each as a customer, on a phone.",
        90,
    ),
    item(
        "admin-routes",
        "Nobody without the role reaches an admin page or its API",
        "Sign in as an ordinary user, open each admin page and call each admin route.",
        90,
    ),
    item(
        "runbooks-read",
        "Whoever is on call has read the runbooks and can reach every system that they name",
        "Read part 10 of the report with them, and sign in at each system.",
        180,
    ),
];

/// The item of this name.
pub fn attestation_item(id: &str) -> Option<&'static AttestationItem> {
    ATTESTATIONS.iter().find(|item| item.id == id)
}

/// Something that a person has signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttestationFacts {
    /// The [`AttestationItem`].
    pub item: String,
    /// Who.
    pub by: String,
    /// What was done, in their words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// When.
    pub at: Timestamp,
    /// Until when it holds, as they said.
    pub until: Timestamp,
    /// How long it took, where that is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took: Option<Age>,
    /// How many systems, where that is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub systems: Option<u32>,
}

impl AttestationFacts {
    /// When it ends: as it says, and after [`LONGEST_ATTESTATION`] at the latest.
    pub fn ends(&self) -> Timestamp {
        let span = jiff::SignedDuration::from_secs(LONGEST_ATTESTATION.whole_seconds());
        self.until.min(self.at.checked_add(span).unwrap_or(Timestamp::MAX))
    }

    /// Whether it holds at a time; what is signed for a later time does not.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.at <= now && now < self.ends()
    }
}
