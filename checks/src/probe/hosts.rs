//! The hosts of a project and their addresses.

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};

use super::{AddressLook, Dns, Seen, addresses};
use crate::contract::Target;

/// One host and what its name resolves to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostLook {
    /// The full name.
    pub name: String,
    /// It is the apex or was declared; else it is the usual `www`, which may be missing.
    pub declared: bool,
    /// Its addresses.
    pub look: Seen<AddressLook>,
}

impl HostLook {
    /// Whether the name has an address.
    pub fn is_there(&self) -> bool {
        self.look.ok().is_some_and(|look| !look.addresses.is_empty())
    }
}

/// The likely hosts of a project with their addresses, apex first, looked up at once.
pub async fn look_up_hosts(target: &Target, dns: &dyn Dns) -> Vec<HostLook> {
    let declared = target.declared_hosts();
    join_all(target.likely_hosts().into_iter().map(async |name| HostLook {
        declared: declared.contains(&name),
        look: addresses(dns, &name).await.into(),
        name,
    }))
    .await
}
