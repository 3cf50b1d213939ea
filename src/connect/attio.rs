//! Attio: people by a query for each address.

use std::time::Duration;

use launchready_checks::probe::{Answer, CONTACT_IDS, Contacts, Crm, Depth, Email, ProbeError};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Api, Reach, Shown, Vendor};
use crate::config::{CrmTable, Secret};

const VENDOR: Vendor = Vendor {
    name: "Attio",
    // 100 reads a second.
    pace: Duration::from_millis(20),
    headers: &[],
    permission: |_body| Some("record_permission:read and object_configuration:read".to_owned()),
    where_to: "Attio: Workspace settings → Developers → your integration",
};
const QUERY: &str = "/v2/objects/people/records/query";

/// The CRM.
#[derive(Debug)]
pub(super) struct Attio {
    api: Api,
}

#[derive(Deserialize)]
struct Found {
    data: Vec<Record>,
}

#[derive(Deserialize)]
struct Record {
    id: RecordId,
    #[serde(default)]
    values: Values,
}

#[derive(Deserialize)]
struct RecordId {
    record_id: String,
}

#[derive(Default, Deserialize)]
struct Values {
    #[serde(default)]
    email_addresses: Vec<Address>,
}

#[derive(Deserialize)]
struct Address {
    email_address: Option<String>,
}

impl Attio {
    pub(super) fn new(table: &CrmTable, token: Secret, reach: &Reach) -> Result<Self, ProbeError> {
        let base = table.api.as_deref().unwrap_or("https://api.attio.com");
        Ok(Self { api: Api::new(VENDOR, base, Shown::Bearer(token), reach)? })
    }

    async fn query(&self, body: &Value) -> Result<Vec<Record>, ProbeError> {
        let found: Found = self.api.search(QUERY, body).await?;
        Ok(found.data)
    }
}

impl Record {
    fn holds(&self, address: &Email) -> bool {
        let texts =
            self.values.email_addresses.iter().filter_map(|one| one.email_address.as_deref());
        texts.filter_map(Email::new).any(|email| email == *address)
    }
}

impl Crm for Attio {
    fn contacts(
        &self,
        addresses: Vec<Email>,
        _depth: Depth,
    ) -> Answer<'_, Result<Vec<Contacts>, ProbeError>> {
        Box::pin(async move {
            let mut all = Vec::new();
            for address in &addresses {
                let body = json!({
                    "filter": { "email_addresses": address.expose() },
                    "limit": CONTACT_IDS,
                });
                let found = self.query(&body).await?;
                let ids = found.into_iter().filter(|record| record.holds(address));
                let mut ids: Vec<_> = ids.map(|record| record.id.record_id).collect();
                ids.dedup();
                all.push(Contacts { ids });
            }
            Ok(all)
        })
    }

    fn any(&self) -> Answer<'_, Result<bool, ProbeError>> {
        Box::pin(async move { Ok(!self.query(&json!({ "limit": 1 })).await?.is_empty()) })
    }
}
