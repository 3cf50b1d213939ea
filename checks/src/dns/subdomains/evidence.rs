//! What `dns-subdomains` saw: the names that exist, where they lead, and no page of theirs.

use serde::{Deserialize, Serialize};

use crate::contract::Bounded;
use crate::probe::{AgentFault, Rcode, Seen};

/// What was seen of the names below a domain.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    pub(super) domain: String,
    /// Whether any name at all has an answer.
    pub(super) wildcard: Seen<bool>,
    /// The declared names, and the others that have an answer.
    pub(super) names: Bounded<NameView>,
    /// Declared hosts past the limit.
    #[serde(default)]
    pub(super) declared_cut: usize,
    /// Sources of names that could not be read through a fault of ours.
    pub(super) unread: Vec<Unread>,
}

/// A source of names that could not be read.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Unread {
    pub(super) source: String,
    pub(super) fault: AgentFault,
}

/// Where a name came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Source {
    Declared,
    Word,
    Certificate,
    Spf,
    Page,
    /// Whatever name nobody has defined.
    Wildcard,
}

impl Source {
    /// In words that finish "seen …".
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Declared => "in the config",
            Self::Word => "by trying a usual name",
            Self::Certificate => "in the certificate of the site",
            Self::Spf => "in the SPF record",
            Self::Page => "on the home page",
            Self::Wildcard => "by asking for a name that nobody has defined",
        }
    }
}

/// One name.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct NameView {
    pub(super) name: String,
    pub(super) source: Source,
    pub(super) look: Seen<NameAnswer>,
}

/// Where a name leads.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct NameAnswer {
    pub(super) rcode: Rcode,
    pub(super) addresses: usize,
    /// The target of the alias that counts: the one at a known service, else the last.
    pub(super) alias: Option<String>,
    /// The platform that its address or alias belongs to.
    pub(super) platform: Option<String>,
    /// It has an address of a declared host, or is a mail or name server of the domain.
    pub(super) in_use: bool,
    /// The alias leads to a vendor that products use on purpose.
    pub(super) vendor: bool,
    /// The service that the alias leads to.
    pub(super) service: Option<String>,
    /// What its page showed, where that tells whether the name is claimed.
    pub(super) page: Option<Seen<PageLook>>,
    /// The domain of the alias target, when it is registered by nobody.
    pub(super) unregistered: Option<String>,
}

impl NameAnswer {
    /// The alias leads to a name that does not exist.
    pub(super) fn leads_nowhere(&self) -> bool {
        self.alias.is_some() && self.addresses == 0 && self.rcode == Rcode::NxDomain
    }
}

/// What the page of a name showed.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PageLook {
    pub(super) status: u16,
    /// It holds the text by which the service says that nobody has claimed the name.
    pub(super) unclaimed: bool,
}
