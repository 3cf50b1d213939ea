//! The contacts of the lab's CRMs: every buyer by rule, and the few that a scenario writes down.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use crate::sales::{Sales, SalesPlan};

/// The contacts of a CRM.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Customers {
    /// Seconds between two sales of the shop; each buyer is a contact. None where it is 0.
    every_s: i64,
    /// The buyer of the last plain sale that was made so many seconds before the world began is no contact.
    unknown_s: Vec<i64>,
    /// The buyer of that sale is two contacts.
    twice_s: Vec<i64>,
    /// Contacts that a scenario writes down, by any name.
    contact: BTreeMap<String, Contact>,
}

impl Default for Customers {
    fn default() -> Self {
        Self {
            every_s: 1_200,
            unknown_s: Vec::new(),
            twice_s: Vec::new(),
            contact: BTreeMap::new(),
        }
    }
}

/// One contact.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Contact {
    pub(super) id: u64,
    /// Its addresses, its own first.
    pub(super) emails: Vec<String>,
    /// Seconds since it was made.
    #[serde(default)]
    pub(super) age_s: i64,
}

impl Customers {
    /// Whether there is any contact.
    pub(super) fn any(&self) -> bool {
        self.every_s > 0 || !self.contact.is_empty()
    }

    /// Every contact that holds an address.
    pub(super) fn holding(&self, email: &str, start: Timestamp, now: Timestamp) -> Vec<Contact> {
        let email = email.trim().to_lowercase();
        let mut all: Vec<Contact> =
            self.by_rule(&email, start, now).into_iter().flatten().collect();
        let holds = |contact: &&Contact| contact.emails.contains(&email);
        all.extend(self.contact.values().filter(holds).cloned());
        all
    }

    fn by_rule(&self, email: &str, start: Timestamp, now: Timestamp) -> Option<Vec<Contact>> {
        let number = email.strip_prefix("buyer")?.strip_suffix("@customers.example")?;
        let number: i64 = number.parse().ok().filter(|_| self.every_s > 0)?;
        // Of a plain sale nothing else ever becomes, so that no check leaves its buyer out.
        let plan = SalesPlan { every_s: self.every_s, ..SalesPlan::default() };
        let sales = Sales { plan, start };
        let is_sale = |before: &i64| sales.plain(*before) == u64::try_from(number).ok();
        if self.unknown_s.iter().any(is_sale) {
            return None;
        }
        let age_s = now.as_second() - number.saturating_mul(self.every_s);
        let id = 100_000_u64.checked_add(u64::try_from(number).ok()?)?;
        let mut all = vec![Contact { id, emails: vec![email.to_owned()], age_s }];
        if self.twice_s.iter().any(is_sale) {
            let emails = vec![format!("other{number}@customers.example"), email.to_owned()];
            all.push(Contact { id: id + 500_000_000, emails, age_s });
        }
        Some(all)
    }
}
