//! Finds the tickets of each form: by the ticket that the form names, by the form that a ticket names, and
//! else by the customer's address.

use std::collections::HashMap;

use jiff::Timestamp;

use super::look::{Lost, SKEW_S, Several};
use crate::contract::Age;

/// A ticket counts for a form of the same customer when it begins within this long.
const ADDRESS_S: i64 = 24 * 3_600;
/// The most tickets of one form that are kept.
const TICKETS: usize = 5;

/// A form that was sent.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) id: String,
    pub(super) at: Timestamp,
    /// The row names a ticket.
    pub(super) ticket: bool,
    /// A hash of the customer's address.
    pub(super) address: Option<u64>,
}

/// A ticket that began.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) id: String,
    pub(super) at: Timestamp,
    /// The form that it names.
    pub(super) submission: Option<String>,
    pub(super) address: Option<u64>,
}

/// What came of the comparison.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    pub(super) missing: Vec<Lost>,
    pub(super) several: Vec<Several>,
}

/// Compares.
pub(super) fn pair(sent: &[Sent], tickets: &[Ticket], duplicate_within: Age) -> Pairs {
    let mut by_form: HashMap<&str, Vec<&Ticket>> = HashMap::new();
    let mut by_address: HashMap<u64, Vec<&Ticket>> = HashMap::new();
    for ticket in tickets {
        match (&ticket.submission, ticket.address) {
            (Some(form), _) => by_form.entry(form).or_default().push(ticket),
            (None, Some(address)) => by_address.entry(address).or_default().push(ticket),
            (None, None) => {}
        }
    }
    let mut forms: HashMap<u64, Vec<Timestamp>> = HashMap::new();
    for one in sent {
        if let Some(address) = one.address {
            forms.entry(address).or_default().push(one.at);
        }
    }
    let mut pairs = Pairs::default();
    for one in sent {
        let named = by_form.get(one.id.as_str()).map_or(&[][..], Vec::as_slice);
        let near = |within: i64| {
            let all = one.address.and_then(|address| by_address.get(&address));
            let all = all.map_or(&[][..], Vec::as_slice);
            all.iter().copied().filter(move |ticket| {
                let after = ticket.at.as_second() - one.at.as_second();
                (-SKEW_S..=within).contains(&after)
            })
        };
        if named.is_empty() && !one.ticket && near(ADDRESS_S).next().is_none() {
            pairs.missing.push(Lost { id: one.id.clone(), sent: one.at });
        }
        let within = duplicate_within.whole_seconds();
        let same: Vec<&Ticket> = if named.len() > 1 {
            named.to_vec()
        } else if alone(one, &forms, within) {
            named.iter().copied().chain(near(within)).collect()
        } else {
            continue;
        };
        if same.len() > 1 {
            let ids = same.iter().take(TICKETS).map(|ticket| ticket.id.clone()).collect();
            pairs.several.push(Several { id: one.id.clone(), tickets: ids });
        }
    }
    pairs
}

/// No other form of the customer is near: two forms may well be two tickets.
fn alone(one: &Sent, forms: &HashMap<u64, Vec<Timestamp>>, within: i64) -> bool {
    let Some(times) = one.address.and_then(|address| forms.get(&address)) else { return true };
    let near = |at: &&Timestamp| (at.as_second() - one.at.as_second()).abs() <= within + SKEW_S;
    times.iter().filter(near).count() <= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn sent(id: &str, second: i64, ticket: bool) -> Sent {
        Sent { id: id.to_owned(), at: at(second), ticket, address: Some(7) }
    }

    fn ticket(id: &str, second: i64, form: Option<&str>) -> Ticket {
        let submission = form.map(str::to_owned);
        Ticket { id: id.to_owned(), at: at(second), submission, address: Some(7) }
    }

    fn run(sent: &[Sent], tickets: &[Ticket]) -> (usize, usize) {
        let pairs = pair(sent, tickets, Age::minutes(10));
        (pairs.missing.len(), pairs.several.len())
    }

    #[test]
    fn a_ticket_is_found_by_each_way_and_only_near_its_form() {
        assert_eq!(run(&[sent("a", 0, true)], &[]), (0, 0));
        assert_eq!(run(&[sent("a", 0, false)], &[]), (1, 0));
        assert_eq!(run(&[sent("a", 0, false)], &[ticket("1", 9, Some("a"))]), (0, 0));
        assert_eq!(run(&[sent("a", 0, false)], &[ticket("1", 9, Some("b"))]), (1, 0));
        assert_eq!(run(&[sent("a", 0, false)], &[ticket("1", -300, None)]), (0, 0));
        assert_eq!(run(&[sent("a", 0, false)], &[ticket("1", -301, None)]), (1, 0));
        assert_eq!(run(&[sent("a", 0, false)], &[ticket("1", 86_401, None)]), (1, 0));
    }

    #[test]
    fn two_tickets_of_one_form_are_one_too_many_and_two_forms_may_be_two() {
        let two = [ticket("1", 5, None), ticket("2", 600, None)];
        assert_eq!(run(&[sent("a", 0, false)], &two), (0, 1));
        assert_eq!(run(&[sent("a", 0, false), sent("b", 600, false)], &two), (0, 0));
        assert_eq!(
            run(&[sent("a", 0, false)], &[ticket("1", 5, None), ticket("2", 601, None)]),
            (0, 0)
        );
        let named = [ticket("1", 5, Some("a")), ticket("2", 90_000, Some("a"))];
        assert_eq!(run(&[sent("a", 0, false)], &named), (0, 1));
    }
}
