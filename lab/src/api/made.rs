//! Requests that somebody made at the lab's desk over its API, with the triggers that route them.

use std::collections::BTreeMap;
use std::sync::Mutex;

use jiff::Timestamp;
use serde::Deserialize;

use super::requests::{By, Ticket};
use crate::kept::locked;

/// Where the numbers of what is made begin.
const FIRST: u64 = 7_000_000;

/// What the desk does with a new request whose subject holds a word.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Trigger {
    /// Any part of the subject; every request where it is empty.
    subject: String,
    tags: Vec<String>,
    group: Option<u64>,
    /// Seconds to the automatic answer; none where absent.
    acknowledged_s: Option<i64>,
    /// A second request is opened for each.
    twice: bool,
}

/// What was made and not deleted.
#[derive(Debug, Default)]
pub(super) struct Made(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    number: u64,
    tickets: Vec<Ticket>,
    /// Deleted tickets that can be had back.
    bin: Vec<u64>,
    /// Customers by number.
    people: BTreeMap<u64, String>,
}

impl Made {
    /// A request of a customer, as it stands after the triggers.
    pub(super) fn make(
        &self,
        email: &str,
        subject: &str,
        triggers: &[Trigger],
        now: Timestamp,
    ) -> Ticket {
        let mut state = locked(&self.0);
        let known = state.people.iter().find(|(_, address)| address.as_str() == email);
        let customer = known.map(|(number, _)| *number);
        state.number += 1;
        let customer = customer.unwrap_or(FIRST + state.number);
        state.people.insert(customer, email.to_owned());
        let created = now.as_second();
        let mut ticket = Ticket {
            id: FIRST + state.number,
            created,
            status: "open".to_owned(),
            assigned: false,
            group: None,
            tags: Vec::new(),
            form: None,
            by: By::Product,
            customer,
            address: Some(email.to_owned()),
            said: vec![(created, true)],
            acknowledged: None,
            updated: created,
        };
        let mut twice = false;
        for trigger in triggers.iter().filter(|trigger| subject.contains(&trigger.subject)) {
            ticket.tags.extend(trigger.tags.iter().cloned());
            ticket.group = trigger.group.or(ticket.group);
            let after = trigger.acknowledged_s.map(|after| created + after);
            ticket.acknowledged = after.or(ticket.acknowledged);
            twice |= trigger.twice;
        }
        state.tickets.push(ticket.clone());
        if twice {
            state.number += 1;
            let id = FIRST + state.number;
            state.tickets.push(Ticket { id, ..ticket.clone() });
        }
        ticket
    }

    /// Everything that was made and stands, as it is at a time.
    pub(super) fn tickets(&self, now: Timestamp) -> Vec<Ticket> {
        let mut all = locked(&self.0).tickets.clone();
        for ticket in &mut all {
            ticket.acknowledged = ticket.acknowledged.filter(|at| *at <= now.as_second());
        }
        all
    }

    /// Puts a request into the bin; whether it was there.
    pub(super) fn delete(&self, id: u64) -> bool {
        let mut state = locked(&self.0);
        let there = state.tickets.len();
        state.tickets.retain(|ticket| ticket.id != id);
        let gone = state.tickets.len() < there;
        if gone {
            state.bin.push(id);
        }
        gone
    }

    /// Empties the bin of a request; whether it was there.
    pub(super) fn purge(&self, id: u64) -> bool {
        let mut state = locked(&self.0);
        let there = state.bin.len();
        state.bin.retain(|known| *known != id);
        state.bin.len() < there
    }

    /// Customers with an address.
    pub(super) fn people(&self, email: &str) -> Vec<u64> {
        let state = locked(&self.0);
        let those = state.people.iter().filter(|(_, address)| address.eq_ignore_ascii_case(email));
        those.map(|(number, _)| *number).collect()
    }

    /// Deletes a customer: `None` where there is none, and whether it had no request left.
    pub(super) fn forget(&self, customer: u64) -> Option<bool> {
        let mut state = locked(&self.0);
        if !state.people.contains_key(&customer) {
            return None;
        }
        let free = !state.tickets.iter().any(|ticket| ticket.customer == customer);
        if free {
            state.people.remove(&customer);
        }
        Some(free)
    }
}
