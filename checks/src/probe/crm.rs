//! The port to the CRM: which contacts there are of a customer. Addresses go in, ids come out.

use serde::{Deserialize, Serialize};

use super::{Answer, Email, ProbeError};

/// The most ids of contacts that are kept for one address.
pub const CONTACT_IDS: usize = 10;

/// How closely an address is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Whether there is a contact.
    Any,
    /// Every contact, those included that hold the address beside another one.
    All,
}

/// The contacts of one address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contacts {
    /// Their ids, each once, at most [`CONTACT_IDS`].
    pub ids: Vec<String>,
}

/// Asks the CRM. Nothing is changed.
pub trait Crm: Send + Sync {
    /// The contacts of each address, in the order of the addresses. Contacts that were made a moment ago may
    /// be missing, because the index lags.
    fn contacts(
        &self,
        addresses: Vec<Email>,
        depth: Depth,
    ) -> Answer<'_, Result<Vec<Contacts>, ProbeError>>;

    /// Whether the credential shows any contact at all: what an empty answer means depends on it.
    fn any(&self) -> Answer<'_, Result<bool, ProbeError>>;
}
