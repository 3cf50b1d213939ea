//! Answers the port to the CRM from a written-down world.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Replay, fault};
use crate::probe::{Answer, CONTACT_IDS, Contacts, Crm, Depth, Email, ProbeError};

/// A CRM.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CrmWorld {
    /// Its contacts.
    pub contact: Vec<ContactWorld>,
    /// What fails, by `contacts` and `any`: the words of [`super::HttpEntry::fault`], and `bad_credential`,
    /// `forbidden`, `clock_off`.
    pub fault: BTreeMap<String, String>,
}

/// One contact.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactWorld {
    /// Its id.
    pub id: String,
    /// Its addresses, the first one foremost.
    pub emails: Vec<Email>,
}

impl Replay {
    fn related(&self, what: &str) -> Result<&CrmWorld, ProbeError> {
        self.count(format!("CRM {what}"));
        let world = self.world.crm.as_ref();
        let world = world.ok_or_else(|| fault("bad_credential", "no CRM is written down"))?;
        match world.fault.get(what) {
            Some(word) => Err(fault(word, "the CRM")),
            None => Ok(world),
        }
    }
}

impl Crm for Replay {
    fn contacts(
        &self,
        addresses: Vec<Email>,
        depth: Depth,
    ) -> Answer<'_, Result<Vec<Contacts>, ProbeError>> {
        let found = self.related("contacts").map(|world| {
            let most = if depth == Depth::Any { 1 } else { CONTACT_IDS };
            let of = |address: &Email| Contacts {
                ids: world
                    .contact
                    .iter()
                    .filter(|contact| contact.emails.contains(address))
                    .map(|contact| contact.id.clone())
                    .take(most)
                    .collect(),
            };
            addresses.iter().map(of).collect()
        });
        Box::pin(async move { found })
    }

    fn any(&self) -> Answer<'_, Result<bool, ProbeError>> {
        let any = self.related("any").map(|world| !world.contact.is_empty());
        Box::pin(async move { any })
    }
}
