//! The port to the registries of domain names (RDAP).

use serde::{Deserialize, Serialize};

use super::{Answer, ProbeError};

/// What the registry publishes about a domain (RFC 9083).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum RegistrationAnswer {
    /// The domain object.
    Known {
        /// The RDAP server that answered.
        server: String,
        /// Status values in lower case, such as `client transfer prohibited`.
        status: Vec<String>,
        /// Events such as `registration` and `expiration`.
        events: Vec<RegistrationEvent>,
        /// Name servers, lower case without a trailing dot.
        name_servers: Vec<String>,
        /// Whether the parent zone holds a DS record, where the registry says so.
        delegation_signed: Option<bool>,
        /// The registrar's name, where it is published.
        registrar: Option<String>,
    },
    /// The registry knows no such domain.
    NotRegistered {
        /// The RDAP server that answered.
        server: String,
    },
    /// Neither the bundled bootstrap file nor the overrides know a server for the suffix.
    NoService {
        /// The suffix, such as `example`.
        suffix: String,
    },
}

/// One dated event of a registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationEvent {
    /// `registration`, `expiration`, `registrar expiration`, `last changed`, `transfer`, …
    pub action: String,
    /// The date as the registry wrote it, RFC 3339.
    pub date: String,
}

/// Asks registries.
pub trait Registration: Send + Sync {
    /// Looks up a registrable domain.
    fn domain(&self, name: String) -> Answer<'_, Result<RegistrationAnswer, ProbeError>>;
}
