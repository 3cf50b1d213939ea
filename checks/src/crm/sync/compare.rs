//! Looks for each order in the list of what was handed over, in the shop's own mark, and at last in the CRM.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::table::KEPT;
use crate::contract::Bounded;
use crate::crm::orders::{Order, Orders};
use crate::crm::words::{State, short};
use crate::probe::{Crm, Depth, Email, ProbeError};

/// The most addresses that one look asks the CRM for.
const ADDRESSES: usize = 100;
/// The most orders that are remembered as known to the CRM.
const KNOWN: usize = 1_000;

/// What came of the comparison.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Compared {
    /// Where the orders were read.
    pub(super) from: String,
    /// By what they were looked for.
    pub(super) by: BTreeSet<String>,
    pub(super) paid: u64,
    pub(super) failed: u64,
    /// Paid orders that the CRM never heard of.
    pub(super) missing: Bounded<Missed>,
    /// Failed payments that the CRM never heard of.
    pub(super) untold: Bounded<Missed>,
    /// Orders that could not be looked for, because they hold no address.
    pub(super) unasked: u64,
    /// Older orders that have not been looked for at this look.
    pub(super) older: u64,
    /// A limit came before the end of the orders.
    pub(super) cut: bool,
}

/// An order that is missing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Missed {
    pub(super) order: String,
    pub(super) created: Timestamp,
}

/// Compares. `known` holds orders that the CRM has been seen to know, and is brought up to date.
pub(super) async fn compare(
    orders: Orders,
    handed: Option<&HashMap<String, State>>,
    crm: Option<&dyn Crm>,
    known: &mut BTreeSet<String>,
) -> Result<Compared, ProbeError> {
    let mut out = Compared { from: orders.from.to_owned(), cut: orders.cut, ..Compared::default() };
    let (mut missing, mut untold, mut asked) = (Vec::new(), Vec::new(), Vec::new());
    let present: BTreeSet<String> = orders.all.iter().map(|order| order.id.clone()).collect();
    known.retain(|id| present.contains(id));
    for order in orders.all {
        let paid = match order.state {
            State::Done => true,
            State::Failed => false,
            State::Pending | State::Over | State::Unknown => continue,
        };
        *(if paid { &mut out.paid } else { &mut out.failed }) += 1;
        // A mark of the shop says yes or nothing: a failed payment is seldom marked.
        match (handed, order.synced) {
            (Some(handed), _) if handed.contains_key(&order.id) => {
                out.by.insert("the sync table".to_owned());
            }
            (_, Some(true)) => {
                out.by.insert("the mark on the order".to_owned());
            }
            (Some(_), _) => {
                out.by.insert("the sync table".to_owned());
                (if paid { &mut missing } else { &mut untold }).push(missed(&order));
            }
            (None, Some(false)) if paid => {
                out.by.insert("the mark on the order".to_owned());
                missing.push(missed(&order));
            }
            (None, _) if known.contains(&order.id) => {
                out.by.insert("the contacts of the CRM".to_owned());
            }
            (None, _) => match order.email.clone() {
                Some(email) if crm.is_some() => asked.push((order, email, paid)),
                _ => out.unasked += 1,
            },
        }
    }
    if let Some(crm) = crm {
        // The newest first: what is missing for long is asked for again and again, what is new must not wait.
        let over = asked.len().saturating_sub(ADDRESSES);
        out.older = over as u64;
        let asked = asked.split_off(over);
        let addresses: Vec<Email> = asked.iter().map(|(_, email, _)| email.clone()).collect();
        if !addresses.is_empty() {
            out.by.insert("the contacts of the CRM".to_owned());
            let found = crm.contacts(addresses, Depth::Any).await?;
            for ((order, _, paid), contacts) in asked.into_iter().zip(found) {
                if !contacts.ids.is_empty() {
                    known.insert(order.id);
                } else if paid {
                    missing.push(missed(&order));
                } else {
                    untold.push(missed(&order));
                }
            }
        }
        while known.len() > KNOWN {
            known.pop_first();
        }
    }
    out.missing = Bounded::keep(missing, KEPT);
    out.untold = Bounded::keep(untold, KEPT);
    Ok(out)
}

fn missed(order: &Order) -> Missed {
    Missed { order: short(&order.id), created: order.created }
}
