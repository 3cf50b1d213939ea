//! Looks for the newest customers in the CRM.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Options;
use crate::contract::{Bounded, CheckError, Target};
use crate::crm::orders::{Order, orders};
use crate::crm::words::{State, short};
use crate::probe::{Depth, Email, Probes, RunKey};

/// The most customers that one look looks for.
const CUSTOMERS: usize = 500;
/// The most ids of one kind that are kept.
const KEPT: usize = 100;

/// What the CRM showed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The CRM, in the word of the config.
    pub(super) crm: Option<String>,
    /// Where the customers come from.
    pub(super) from: String,
    /// Customers who paid within the window and have an address.
    pub(super) customers: u64,
    /// Orders that hold no address.
    pub(super) nameless: u64,
    /// Customers that were looked for.
    pub(super) asked: u64,
    /// The credential shows any contact.
    pub(super) any: bool,
    /// Their order, where the customer is no contact.
    pub(super) missing: Bounded<Customer>,
    /// Their order and contacts, where the customer is several.
    pub(super) duplicated: Bounded<Customer>,
}

/// A customer, by an order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Customer {
    pub(super) order: String,
    pub(super) created: Timestamp,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) contacts: Vec<String>,
}

/// Looks.
pub(super) async fn look(
    now: Timestamp,
    options: &Options,
    target: &Target,
    probes: &Probes,
) -> Result<Evidence, CheckError> {
    let crm = probes.accounts.crm.get()?;
    let found = orders(&probes.accounts, now, options.window, options.settle).await;
    let found = found.map_err(CheckError::unseen)?.ok_or_else(|| {
        CheckError::skipped(
            "there is no list of customers to look for",
            "name your orders under [project.database.orders], or add [project.stripe]",
        )
    })?;
    let most = usize::try_from(options.customers).unwrap_or(CUSTOMERS).clamp(1, CUSTOMERS);
    let (customers, nameless) = newest_customers(found.all);
    let total = customers.len() as u64;
    let asked: Vec<(Order, Email)> = customers.into_iter().take(most).collect();
    let addresses: Vec<Email> = asked.iter().map(|(_, email)| email.clone()).collect();
    let count = asked.len() as u64;
    let contacts = if addresses.is_empty() {
        Vec::new()
    } else {
        crm.contacts(addresses, Depth::All).await.map_err(CheckError::unseen)?
    };
    let seen = contacts.iter().any(|contacts| !contacts.ids.is_empty());
    let any = seen || crm.any().await.map_err(CheckError::unseen)?;
    let (mut missing, mut duplicated) = (Vec::new(), Vec::new());
    for ((order, _), contacts) in asked.into_iter().zip(contacts) {
        let ids = contacts.ids;
        let one = |contacts| Customer { order: short(&order.id), created: order.created, contacts };
        match ids.len() {
            0 => missing.push(one(Vec::new())),
            1 => {}
            _ => duplicated.push(one(ids)),
        }
    }
    Ok(Evidence {
        crm: target.accounts.crm.clone(),
        from: found.from.to_owned(),
        customers: total,
        nameless,
        asked: count,
        any,
        missing: Bounded::keep(missing, KEPT),
        duplicated: Bounded::keep(duplicated, KEPT),
    })
}

/// Each customer who paid once, newest first, with the newest order; and the orders without an address.
fn newest_customers(all: Vec<Order>) -> (Vec<(Order, Email)>, u64) {
    let key = RunKey::random();
    let (mut seen, mut customers, mut nameless) = (HashSet::new(), Vec::new(), 0);
    for mut order in all.into_iter().rev().filter(|order| order.state == State::Done) {
        match order.email.take() {
            Some(email) if seen.insert(email.keyed(key)) => customers.push((order, email)),
            Some(_) => {}
            None => nameless += 1,
        }
    }
    (customers, nameless)
}
