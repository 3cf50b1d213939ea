//! HubSpot: contacts by address, a hundred at a time, and a search for those that hold an address beside
//! their own.

use std::time::Duration;

use launchready_checks::probe::{
    Answer, CONTACT_IDS, Contacts, Crm, Depth, Email, ProbeError, TargetFault,
};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Api, Reach, Shown, Vendor};
use crate::config::{CrmTable, Secret};

const VENDOR: Vendor = Vendor {
    name: "HubSpot",
    // Search allows 5 requests a second for the whole account.
    pace: Duration::from_millis(220),
    headers: &[],
    permission,
    where_to: "HubSpot: Settings → Integrations → Private apps",
};
/// The most inputs of one batch.
const INPUTS: usize = 100;
/// The most groups of filters of one search: one for the addresses, one for each that may stand beside.
const BESIDE: usize = 4;
/// The most results of one page of a search.
const RESULTS: usize = 200;

/// The CRM.
#[derive(Debug)]
pub(super) struct HubSpot {
    api: Api,
}

#[derive(Deserialize)]
struct Batch {
    results: Vec<Item>,
    #[serde(default)]
    errors: Vec<BatchError>,
}

#[derive(Deserialize)]
struct BatchError {
    #[serde(default)]
    category: String,
}

#[derive(Deserialize)]
struct Found {
    results: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    id: String,
    #[serde(default)]
    properties: Properties,
    #[serde(default)]
    archived: bool,
}

#[derive(Default, Deserialize)]
struct Properties {
    email: Option<String>,
    hs_additional_emails: Option<String>,
}

/// A refusal names the scopes that would do.
fn permission(body: &Value) -> Option<String> {
    let scopes = body.pointer("/errors/0/context/requiredGranularScopes");
    let scopes = scopes.or_else(|| body.pointer("/errors/0/context/requiredScopes"))?;
    let names: Vec<_> = scopes.as_array()?.iter().filter_map(Value::as_str).take(5).collect();
    (!names.is_empty()).then(|| format!("one of the scopes {}", names.join(", ")))
}

impl HubSpot {
    pub(super) fn new(table: &CrmTable, token: Secret, reach: &Reach) -> Result<Self, ProbeError> {
        let base = table.api.as_deref().unwrap_or("https://api.hubapi.com");
        Ok(Self { api: Api::new(VENDOR, base, Shown::Bearer(token), reach)? })
    }

    /// Contacts whose own address, or one beside it, is one of these.
    async fn batch(&self, addresses: &[Email]) -> Result<Vec<Item>, ProbeError> {
        let inputs: Vec<_> =
            addresses.iter().map(|email| json!({ "id": email.expose() })).collect();
        let body = json!({
            "idProperty": "email",
            "properties": ["email", "hs_additional_emails"],
            "propertiesWithHistory": [],
            "inputs": inputs,
        });
        // 207 means that some were not found, which is an answer; any other error in it is none.
        let path = "/crm/v3/objects/contacts/batch/read";
        let reply = self.api.ask(Method::POST, path, &[], Some(&body)).await?;
        let batch: Batch = reply.json(&VENDOR)?;
        match batch.errors.iter().find(|error| error.category != "OBJECT_NOT_FOUND") {
            Some(_) => {
                let what =
                    "HubSpot answers a batch in part, with an error that is no missing contact";
                Err(TargetFault::Malformed(what.to_owned()).into())
            }
            None => Ok(batch.results),
        }
    }

    /// Every contact that holds one of a few addresses, as its own or beside it.
    async fn search(&self, addresses: &[Email]) -> Result<Vec<Item>, ProbeError> {
        let values: Vec<_> = addresses.iter().map(Email::expose).collect();
        let own = json!({ "filters": [
            { "propertyName": "email", "operator": "IN", "values": values },
        ] });
        let beside = |value: &&str| {
            json!({ "filters": [{
                "propertyName": "hs_additional_emails",
                "operator": "CONTAINS_TOKEN",
                "value": value,
            }] })
        };
        let groups: Vec<_> = std::iter::once(own).chain(values.iter().map(beside)).collect();
        let body = json!({
            "filterGroups": groups,
            "properties": ["email", "hs_additional_emails"],
            "limit": RESULTS,
        });
        let found: Found = self.api.search("/crm/v3/objects/contacts/search", &body).await?;
        Ok(found.results)
    }
}

impl Item {
    /// The answer is read here again: a search for words finds more than was asked for.
    fn holds(&self, address: &Email) -> bool {
        let own = self.properties.email.as_deref().and_then(Email::new);
        let beside = self.properties.hs_additional_emails.as_deref().unwrap_or_default();
        !self.archived
            && (own.as_ref() == Some(address)
                || beside.split(';').filter_map(Email::new).any(|email| email == *address))
    }
}

/// Adds what was found to the contacts of each address.
fn add(all: &mut [Contacts], addresses: &[Email], items: &[Item]) {
    for (contacts, address) in all.iter_mut().zip(addresses) {
        for item in items.iter().filter(|item| item.holds(address)) {
            if contacts.ids.len() < CONTACT_IDS && !contacts.ids.contains(&item.id) {
                contacts.ids.push(item.id.clone());
            }
        }
    }
}

impl Crm for HubSpot {
    fn contacts(
        &self,
        addresses: Vec<Email>,
        depth: Depth,
    ) -> Answer<'_, Result<Vec<Contacts>, ProbeError>> {
        Box::pin(async move {
            let mut all = vec![Contacts::default(); addresses.len()];
            for (addresses, all) in addresses.chunks(INPUTS).zip(all.chunks_mut(INPUTS)) {
                add(all, addresses, &self.batch(addresses).await?);
            }
            if depth == Depth::All {
                for (addresses, all) in addresses.chunks(BESIDE).zip(all.chunks_mut(BESIDE)) {
                    add(all, addresses, &self.search(addresses).await?);
                }
            }
            Ok(all)
        })
    }

    fn any(&self) -> Answer<'_, Result<bool, ProbeError>> {
        Box::pin(async move {
            let query = [("limit", "1"), ("properties", "email")];
            let found: Found = self.api.get("/crm/v3/objects/contacts", &query).await?;
            Ok(!found.results.is_empty())
        })
    }
}
