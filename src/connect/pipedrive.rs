//! Pipedrive: persons by an exact search for each address.

use std::time::Duration;

use launchready_checks::probe::{Answer, CONTACT_IDS, Contacts, Crm, Depth, Email, ProbeError};
use serde::Deserialize;

use super::pages::Pages;
use super::{Api, Reach, Shown, Vendor};
use crate::config::{CrmTable, Secret};

const VENDOR: Vendor = Vendor {
    name: "Pipedrive",
    // 10 searches in 2 seconds for a token.
    pace: Duration::from_millis(220),
    headers: &[],
    permission: |_body| Some("contacts:read and search:read, for every person".to_owned()),
    where_to: "Pipedrive: Personal preferences → API",
};
/// The most pages of one search.
const PAGES: u32 = 5;

/// The CRM.
#[derive(Debug)]
pub(super) struct Pipedrive {
    api: Api,
}

#[derive(Deserialize)]
struct Found {
    data: Data,
    #[serde(default)]
    additional_data: More,
}

#[derive(Deserialize)]
struct Data {
    items: Vec<Hit>,
}

#[derive(Default, Deserialize)]
struct More {
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Hit {
    item: Item,
}

#[derive(Deserialize)]
struct Item {
    id: u64,
    #[serde(default)]
    emails: Vec<String>,
}

/// `null` where there is no person; a list that is left out is no answer.
#[derive(Deserialize)]
struct List {
    #[serde(deserialize_with = "Option::deserialize")]
    data: Option<Vec<serde_json::Value>>,
}

impl Pipedrive {
    pub(super) fn new(table: &CrmTable, token: Secret, reach: &Reach) -> Result<Self, ProbeError> {
        let base = table.api.as_deref().unwrap_or("https://api.pipedrive.com");
        Ok(Self { api: Api::new(VENDOR, base, Shown::Header("x-api-token", token), reach)? })
    }

    async fn one(&self, address: &Email) -> Result<Contacts, ProbeError> {
        let mut pages = Pages::new(VENDOR.name, PAGES);
        let mut contacts = Contacts::default();
        let mut cursor: Option<String> = None;
        while pages.more() {
            let mut query = vec![
                ("term", address.expose()),
                ("fields", "email"),
                ("exact_match", "true"),
                ("limit", "100"),
            ];
            if let Some(cursor) = &cursor {
                query.push(("cursor", cursor));
            }
            let found: Found = self.api.get("/api/v2/persons/search", &query).await?;
            let (all, mut new) = (found.data.items.len(), 0);
            for item in found.data.items.into_iter().map(|hit| hit.item) {
                if pages.is_new(&item.id.to_string()) {
                    new += 1;
                    let holds = item.emails.iter().filter_map(|text| Email::new(text));
                    if holds.into_iter().any(|email| email == *address)
                        && contacts.ids.len() < CONTACT_IDS
                    {
                        contacts.ids.push(item.id.to_string());
                    }
                }
            }
            pages.read(all, new)?;
            let Some(next) = found.additional_data.next_cursor.filter(|_| all > 0) else { break };
            pages.follow(&next)?;
            cursor = Some(next);
        }
        Ok(contacts)
    }
}

impl Crm for Pipedrive {
    fn contacts(
        &self,
        addresses: Vec<Email>,
        _depth: Depth,
    ) -> Answer<'_, Result<Vec<Contacts>, ProbeError>> {
        Box::pin(async move {
            let mut all = Vec::new();
            for address in &addresses {
                all.push(self.one(address).await?);
            }
            Ok(all)
        })
    }

    fn any(&self) -> Answer<'_, Result<bool, ProbeError>> {
        Box::pin(async move {
            let list: List = self.api.get("/api/v2/persons", &[("limit", "1")]).await?;
            Ok(list.data.is_some_and(|persons| !persons.is_empty()))
        })
    }
}
