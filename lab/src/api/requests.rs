//! Requests for help by rule, so that every desk of the lab has traffic that goes on with the clock, and
//! the few that a scenario writes down.

use jiff::Timestamp;
use serde::Deserialize;

/// The traffic of a desk. Times are in seconds.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Traffic {
    /// Between two requests; none where it is 0.
    every_s: i64,
    /// From a request to the first answer of a person.
    answered_s: i64,
    /// From a request to its end.
    solved_s: i64,
    /// From a request to the automatic answer.
    acknowledged_s: i64,
    /// How many days are remembered.
    days: i64,
    /// One in so many requests came through the shop's form.
    form_each: u64,
    /// One in so many was typed in by somebody of the team.
    hand_each: u64,
    /// Requests that a scenario writes down, by any name.
    ticket: std::collections::BTreeMap<String, TicketPlan>,
    /// Forms, by the number of the request, of which no ticket came: so many seconds before the world
    /// began the last one was sent.
    lost_s: Vec<i64>,
}

impl Default for Traffic {
    fn default() -> Self {
        Self {
            every_s: 5_400,
            answered_s: 1_800,
            solved_s: 3_600,
            acknowledged_s: 4,
            days: 40,
            form_each: 3,
            hand_each: 8,
            ticket: std::collections::BTreeMap::new(),
            lost_s: Vec::new(),
        }
    }
}

/// One request that a scenario writes down. Ages are in seconds and stay the same, whatever the clock.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct TicketPlan {
    id: u64,
    age_s: i64,
    /// `new`, `open`, `pending`, `hold`, `solved`.
    status: String,
    assigned: bool,
    group: Option<u64>,
    tags: Vec<String>,
    /// Public words, `customer AGE` or `agent AGE`, oldest first; the request itself is the first.
    said: Vec<String>,
    /// Seconds to the automatic answer; none where absent.
    acknowledged_s: Option<i64>,
    /// The form that it came from.
    form: Option<String>,
    /// Typed in by somebody of the team.
    hand: bool,
    /// Whose it is; the number of a customer.
    customer: u64,
}

/// Who began a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Customer,
    Hand,
    Product,
}

/// A request as it stands. Times are in seconds since 1970.
#[derive(Debug, Clone)]
pub(super) struct Ticket {
    pub(super) id: u64,
    pub(super) created: i64,
    pub(super) status: String,
    pub(super) assigned: bool,
    pub(super) group: Option<u64>,
    pub(super) tags: Vec<String>,
    pub(super) form: Option<String>,
    pub(super) by: By,
    pub(super) customer: u64,
    /// The customer's address, where it is not the usual one.
    pub(super) address: Option<String>,
    /// Public words: when, and whether they are the customer's.
    pub(super) said: Vec<(i64, bool)>,
    pub(super) acknowledged: Option<i64>,
    pub(super) updated: i64,
}

/// The number of the person who answers.
pub(super) const AGENT: u64 = 900_001;
/// The group that works on requests.
pub(super) const GROUP: u64 = 360_001;

impl Ticket {
    pub(super) fn is_done(&self) -> bool {
        matches!(self.status.as_str(), "solved" | "closed")
    }

    /// Since when the customer has the last word.
    pub(super) fn waiting_since(&self) -> Option<i64> {
        let last = self.said.iter().rev().take_while(|(_, theirs)| *theirs).last();
        last.map(|(at, _)| *at).filter(|_| !self.is_done())
    }

    /// The first and the last word of the team.
    pub(super) fn replies(&self) -> (Option<i64>, Option<i64>) {
        let mut ours = self.said.iter().filter(|(_, theirs)| !theirs).map(|(at, _)| *at);
        let first = ours.next();
        (first, ours.next_back().or(first))
    }

    /// The customer's last word.
    pub(super) fn asked(&self) -> Option<i64> {
        self.said.iter().rev().find(|(_, theirs)| *theirs).map(|(at, _)| *at)
    }

    pub(super) fn requester(&self) -> u64 {
        500_000 + self.customer
    }

    pub(super) fn email(&self) -> String {
        let usual = || format!("buyer{}@customers.example", self.customer);
        self.address.clone().unwrap_or_else(usual)
    }
}

/// A time as most vendors write it.
pub(super) fn iso(second: i64) -> String {
    Timestamp::from_second(second).unwrap_or_default().to_string()
}

impl Traffic {
    /// Every request that is remembered, oldest first, in a world that began at `start`.
    pub(super) fn tickets(&self, start: Timestamp, now: Timestamp) -> Vec<Ticket> {
        let now = now.as_second();
        let mut all: Vec<Ticket> = Vec::new();
        if self.every_s > 0 {
            let lost: Vec<i64> = self.lost_s.iter().map(|s| self.last_form(start, *s)).collect();
            let oldest = (now - self.days * 86_400).div_euclid(self.every_s) + 1;
            let numbers = oldest..=now.div_euclid(self.every_s);
            all.extend(numbers.filter(|n| !lost.contains(n)).map(|n| self.by_rule(n, now)));
        }
        all.extend(self.ticket.values().map(|plan| plan.ticket(now)));
        all.sort_by_key(|ticket| (ticket.created, ticket.id));
        all
    }

    /// The number of the last form that was sent so many seconds before the world began.
    fn last_form(&self, start: Timestamp, before: i64) -> i64 {
        let mut number = (start.as_second() - before).div_euclid(self.every_s);
        while !self.is_form(number) && self.form_each > 0 {
            number -= 1;
        }
        number
    }

    fn is_form(&self, number: i64) -> bool {
        self.form_each > 0 && number.unsigned_abs().is_multiple_of(self.form_each)
    }

    fn by_rule(&self, number: i64, now: i64) -> Ticket {
        let created = number * self.every_s;
        let n = number.unsigned_abs();
        let by = if self.is_form(number) {
            By::Product
        } else if self.hand_each > 0 && n % self.hand_each == 1 {
            By::Hand
        } else {
            By::Customer
        };
        let mut said = vec![(created, by != By::Hand)];
        let answered = created + self.answered_s;
        if answered <= now && by != By::Hand {
            said.push((answered, false));
        }
        let (status, updated) = match now - created {
            age if age >= self.solved_s => ("solved", created + self.solved_s),
            age if age >= self.answered_s => ("pending", answered),
            _ if by == By::Hand => ("pending", created),
            _ => ("open", created),
        };
        let acknowledged = created + self.acknowledged_s;
        Ticket {
            id: n,
            created,
            status: status.to_owned(),
            assigned: true,
            group: Some(GROUP),
            tags: vec!["booking".to_owned()],
            form: (by == By::Product).then(|| format!("form-{number}")),
            by,
            customer: n,
            address: None,
            said,
            acknowledged: (by != By::Hand && acknowledged <= now).then_some(acknowledged),
            updated,
        }
    }
}

impl TicketPlan {
    fn ticket(&self, now: i64) -> Ticket {
        let created = now - self.age_s;
        let word = |text: &String| {
            let (who, age) = text.split_once(' ')?;
            Some((now - age.trim().parse::<i64>().ok()?, who == "customer"))
        };
        let mut said = vec![(created, !self.hand)];
        said.extend(self.said.iter().filter_map(word));
        let by = match (&self.form, self.hand) {
            (Some(_), _) => By::Product,
            (None, true) => By::Hand,
            (None, false) => By::Customer,
        };
        let updated = said.last().map_or(created, |(at, _)| *at);
        Ticket {
            id: self.id,
            created,
            status: if self.status.is_empty() { "open".to_owned() } else { self.status.clone() },
            assigned: self.assigned,
            group: self.group,
            tags: self.tags.clone(),
            form: self.form.clone(),
            by,
            customer: self.customer,
            address: None,
            said,
            acknowledged: self.acknowledged_s.map(|after| created + after),
            updated,
        }
    }
}

/// A form that was sent, for the shop's own table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Its id.
    pub id: String,
    /// When it was sent.
    pub at: Timestamp,
    /// Who sent it.
    pub email: String,
}

/// Every form that was sent after `from` and until `now`, in seconds since 1970, by the rule of a desk's usual
/// traffic; oldest first.
pub fn forms(from: i64, now: i64) -> Vec<Form> {
    let traffic = Traffic::default();
    let first = from.max(now - traffic.days * 86_400).div_euclid(traffic.every_s) + 1;
    let form = |number: i64| Form {
        id: format!("form-{number}"),
        at: Timestamp::from_second(number * traffic.every_s).unwrap_or_default(),
        email: format!("buyer{number}@customers.example"),
    };
    let numbers = first..=now.div_euclid(traffic.every_s);
    numbers.filter(|number| traffic.is_form(*number)).map(form).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traffic_is_answered_whenever_one_looks() {
        let traffic = Traffic::default();
        for hours in [0_i64, 1, 7, 1_000] {
            let now = Timestamp::from_second(1_790_000_000 + hours * 3_600 + hours).unwrap();
            let tickets = traffic.tickets(now, now);
            assert!(tickets.len() > 600);
            let waits = tickets.iter().filter_map(Ticket::waiting_since);
            assert!(waits.into_iter().all(|since| now.as_second() - since < traffic.answered_s));
            assert!(tickets.iter().any(|ticket| ticket.form.is_some()));
        }
    }

    #[test]
    fn a_form_that_was_lost_has_no_ticket() {
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        let traffic = Traffic { lost_s: vec![86_400], ..Traffic::default() };
        let tickets = traffic.tickets(now, now);
        let lost: Vec<_> = forms(0, now.as_second())
            .into_iter()
            .filter(|form| !tickets.iter().any(|ticket| ticket.form.as_ref() == Some(&form.id)))
            .collect();
        assert_eq!(lost.len(), 1);
        assert!(now.as_second() - lost[0].at.as_second() >= 86_400);
    }
}
