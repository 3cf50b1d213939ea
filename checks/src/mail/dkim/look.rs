//! Looking a DKIM key up.

use serde::{Deserialize, Serialize};

use super::key::{Key, KeyRecord};
use crate::contract::Bounded;
use crate::mail::providers::{self, Provider};
use crate::mail::spf::answered;
use crate::probe::{Dns, DnsQuestion, RecordType, Seen};

/// Records kept of one selector: one is right, two are the defect.
const RECORDS_KEPT: usize = 2;

/// What stands at a selector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::mail) struct KeyLook {
    /// The selector.
    pub(in crate::mail) selector: String,
    /// The signing domain.
    pub(in crate::mail) domain: String,
    /// Where the alias at the selector leads, if it is one.
    pub(in crate::mail) alias: Option<String>,
    /// The TXT records there.
    pub(in crate::mail) records: Seen<Bounded<KeyRecord>>,
}

impl KeyLook {
    /// The name of the record.
    pub(in crate::mail) fn name(&self) -> String {
        format!("{}._domainkey.{}", self.selector, self.domain)
    }

    /// The only record, where there is just one.
    pub(super) fn only(&self) -> Option<&KeyRecord> {
        let records = self.records.ok()?;
        if records.total() == 1 { records.items.first() } else { None }
    }

    /// Whether signatures of this selector can be checked.
    pub(in crate::mail) fn is_live(&self) -> bool {
        self.only().is_some_and(|record| record.key.is_live())
    }

    pub(super) fn is_revoked(&self) -> bool {
        self.only().is_some_and(|record| record.key == Key::Revoked)
    }

    /// No record at all.
    pub(super) fn is_absent(&self) -> bool {
        self.records.ok().is_some_and(|records| records.total() == 0)
    }

    /// The provider to whose keys the alias leads.
    pub(in crate::mail) fn provider(&self) -> Option<&'static Provider> {
        self.alias.as_deref().and_then(providers::behind_key)
    }
}

/// Asks for the key of a selector.
pub(in crate::mail) async fn look_up_key(dns: &dyn Dns, selector: &str, domain: &str) -> KeyLook {
    let name = format!("{selector}._domainkey.{domain}");
    let answer = answered(dns.lookup(DnsQuestion::new(&name, RecordType::Txt)).await, &name);
    let alias = answer.as_ref().ok().and_then(|answer| answer.aliases().last().copied());
    KeyLook {
        selector: selector.to_owned(),
        domain: domain.to_owned(),
        alias: alias.map(str::to_owned),
        records: Seen::from(answer).map(|answer| {
            let mut texts = answer.texts();
            // Receivers take one record of the set, and not the one that looks like a key.
            if !texts.iter().any(|text| is_meant_as_key(text)) {
                texts.clear();
            }
            texts.sort_by_key(|text| !is_meant_as_key(text));
            Bounded::keep(texts.iter().map(|text| KeyRecord::parse(text)), RECORDS_KEPT)
        }),
    }
}

/// Whether a text has to do with DKIM; a wildcard TXT record answers at every selector.
fn is_meant_as_key(text: &str) -> bool {
    let has_key = text.split(';').any(|tag| tag.trim_start().starts_with("p="));
    has_key || text.to_ascii_lowercase().contains("dkim1")
}

/// A declared selector `name` or `name@domain`, and the sending domains that it belongs to.
pub(in crate::mail) fn declared(selectors: &[String], names: &[String]) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for declared in selectors {
        let pairs: Vec<(String, String)> = match declared.split_once('@') {
            Some((selector, domain)) => vec![(selector.to_owned(), domain.to_owned())],
            None => names.iter().map(|name| (declared.clone(), name.clone())).collect(),
        };
        for (selector, domain) in pairs {
            let pair = (selector.trim().to_ascii_lowercase(), domain.trim().to_ascii_lowercase());
            if !pair.0.is_empty() && !pair.1.is_empty() && !all.contains(&pair) {
                all.push(pair);
            }
        }
    }
    all
}
