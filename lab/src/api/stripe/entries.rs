//! What stands in each list: when, of which kind, and the number of the sale.

use jiff::Timestamp;

use super::Stripe;
use crate::sales::{AGAIN_S, Sales, id, read_id};

/// A list of objects with a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    Events,
    Sessions,
    Intents,
    Charges,
    Refunds,
    Disputes,
    Subscriptions,
}

/// One entry. What the kind means depends on the list; `S` is the sale itself, and `T` the same paid again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) at: i64,
    pub(super) kind: char,
    pub(super) number: u64,
}

/// The time between a declined card and the sale after it, in seconds.
const DECLINED_S: i64 = 90;

/// The type of the events of each kind. The kinds `0` to `9` are those that are stuck.
const EVENTS: &[(char, &str)] = &[
    ('C', "checkout.session.completed"),
    ('T', "checkout.session.completed"),
    ('V', "payment_intent.succeeded"),
    ('W', "charge.succeeded"),
    ('P', "payment_intent.succeeded"),
    ('H', "charge.succeeded"),
    ('I', "invoice.paid"),
    ('U', "customer.subscription.created"),
    ('J', "invoice.paid"),
    ('Q', "payment_intent.succeeded"),
    ('E', "customer.subscription.deleted"),
    ('F', "payment_intent.payment_failed"),
    ('X', "checkout.session.expired"),
    ('R', "charge.refunded"),
    ('N', "refund.created"),
    ('D', "charge.dispute.created"),
];

/// Events are kept for 30 days.
const EVENTS_S: i64 = 30 * 86_400;

impl List {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "events" => Self::Events,
            "payment_intents" => Self::Intents,
            "charges" => Self::Charges,
            "refunds" => Self::Refunds,
            "disputes" => Self::Disputes,
            "subscriptions" => Self::Subscriptions,
            _ => return None,
        })
    }

    /// The name of the object in errors, and how its ids begin.
    pub(super) const fn object(self) -> (&'static str, &'static str) {
        match self {
            Self::Events => ("event", "evt_1"),
            Self::Sessions => ("checkout.session", "cs_live_a1"),
            Self::Intents => ("payment_intent", "pi_3"),
            Self::Charges => ("charge", "ch_3"),
            Self::Refunds => ("refund", "re_3"),
            Self::Disputes => ("dispute", "du_1"),
            Self::Subscriptions => ("subscription", "sub_1"),
        }
    }

    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Events => "/v1/events",
            Self::Sessions => "/v1/checkout/sessions",
            Self::Intents => "/v1/payment_intents",
            Self::Charges => "/v1/charges",
            Self::Refunds => "/v1/refunds",
            Self::Disputes => "/v1/disputes",
            Self::Subscriptions => "/v1/subscriptions",
        }
    }

    /// The id of an entry; those of one sale are the same wherever they are made.
    pub(super) fn id(self, entry: Entry) -> String {
        let letters = if self == Self::Sessions { 40 } else { 10 };
        id(self.object().1, entry.kind, entry.number, letters)
    }

    /// The kind and number behind an id.
    pub(super) fn read(self, text: &str) -> Option<(char, u64)> {
        let read = read_id(self.object().1, text)?;
        let entry = Entry { at: 0, kind: read.0, number: read.1 };
        (self.id(entry) == text).then_some(read)
    }
}

impl Stripe {
    /// The entries of a list between two seconds, newest first; `after` is the cursor.
    pub(super) fn entries(
        &self,
        list: List,
        (since, until): (i64, i64),
        after: Option<(char, u64)>,
        now: Timestamp,
    ) -> Result<Box<dyn Iterator<Item = Entry> + '_>, NoSuch> {
        let nothing = || Ok(Box::new(std::iter::empty()) as Box<dyn Iterator<Item = Entry>>);
        let Some(sales) = &self.sales else { return nothing() };
        if sales.plan.sessions > 0 {
            let kind = match list {
                List::Events => 'C',
                List::Sessions | List::Intents | List::Charges => 'S',
                List::Refunds | List::Disputes | List::Subscriptions => return nothing(),
            };
            let last = after.map_or(sales.plan.sessions, |(_, number)| number.saturating_sub(1));
            let entries = (1..=last.min(sales.plan.sessions)).rev();
            let entries =
                entries.map(move |number| Entry { at: sales.second(number), kind, number });
            let entries = entries.skip_while(move |entry| entry.at >= until);
            return Ok(Box::new(entries.take_while(move |entry| entry.at >= since)));
        }
        let mut entries = self.all(sales, list, now);
        if let Some((kind, number)) = after {
            let here = |entry: &Entry| (entry.kind, entry.number) == (kind, number);
            let place = entries.iter().position(here).ok_or(NoSuch)?;
            entries.drain(..=place);
        }
        entries.retain(|entry| entry.at >= since && entry.at < until);
        Ok(Box::new(entries.into_iter()))
    }

    /// One entry, if it is there.
    pub(super) fn entry(
        &self,
        list: List,
        (kind, number): (char, u64),
        now: Timestamp,
    ) -> Option<Entry> {
        let sales = self.sales.as_ref()?;
        if sales.plan.sessions > 0 {
            let there = (1..=sales.plan.sessions).contains(&number);
            return there.then(|| Entry { at: sales.second(number), kind, number });
        }
        let here = |entry: &Entry| (entry.kind, entry.number) == (kind, number);
        self.all(sales, list, now).into_iter().find(here)
    }

    fn all(&self, sales: &Sales, list: List, now: Timestamp) -> Vec<Entry> {
        let mut all = Vec::new();
        for number in sales.numbers(now) {
            let fate = sales.fate(number, now);
            let mut add =
                |kind: char, at: Option<i64>| all.extend(at.map(|at| Entry { at, kind, number }));
            let begun = fate.subscription.then_some(fate.at);
            let declined = sales.declined(number).then_some(fate.at - DECLINED_S);
            let again = self.paid_twice.contains(&number).then_some(fate.at + AGAIN_S);
            let again = again.filter(|at| *at <= now.as_second());
            match list {
                List::Sessions => {
                    add('S', Some(fate.at));
                    add('T', again);
                    add('X', declined);
                }
                List::Intents | List::Charges => {
                    add('S', Some(fate.at));
                    add('T', again);
                    add('Q', fate.renewed);
                    add('F', declined);
                }
                List::Refunds => add('S', fate.refunded),
                List::Disputes => add('S', fate.disputed),
                List::Subscriptions => add('S', begun),
                List::Events => {
                    for kind in ['C', 'P', 'H'] {
                        add(kind, Some(fate.at));
                    }
                    for (kind, at) in [
                        ('T', again),
                        ('V', again),
                        ('W', again),
                        ('I', begun),
                        ('U', begun),
                        ('J', fate.renewed),
                        ('Q', fate.renewed),
                        ('E', fate.ended),
                        ('F', declined),
                        ('X', declined.map(|at| at + 60)),
                        ('R', fate.refunded),
                        ('N', fate.refunded),
                        ('D', fate.disputed),
                    ] {
                        add(kind, at);
                    }
                }
            }
        }
        if list == List::Events {
            self.stuck_events(now, &mut all);
            all.retain(|entry| entry.at >= now.as_second() - EVENTS_S);
        }
        all.sort_by_key(|entry| std::cmp::Reverse((entry.at, entry.number, entry.kind)));
        all
    }

    fn stuck_events(&self, now: Timestamp, all: &mut Vec<Entry>) {
        let now = now.as_second();
        for (stuck, kind) in self.account.stuck.values().zip('0'..='9') {
            let every = stuck.every_s.max(1);
            let slots = (now - stuck.oldest_s).div_euclid(every) + 1
                ..=(now - stuck.youngest_s).div_euclid(every);
            all.extend(slots.map(|slot| Entry {
                at: slot * every,
                kind,
                number: u64::try_from(slot).unwrap_or_default(),
            }));
        }
    }

    /// The type of an event.
    pub(super) fn event_type(&self, kind: char) -> &str {
        if let Some(place) = kind.to_digit(10).and_then(|place| usize::try_from(place).ok()) {
            let stuck = self.account.stuck.values().nth(place);
            return stuck.map_or("ping", |stuck| stuck.kind.as_str());
        }
        EVENTS.iter().find(|(known, _)| *known == kind).map_or("ping", |(_, name)| name)
    }

    /// Whether no destination has taken an event.
    pub(super) fn undelivered(&self, entry: Entry) -> bool {
        if entry.kind.is_ascii_digit() {
            return true;
        }
        let Some(sales) = &self.sales else { return false };
        let lost = |age: &i64| {
            let at = self.start.as_second() - age;
            entry.kind == 'C' && entry.at <= at && entry.at + sales.plan.every_s > at
        };
        self.account.lost_s.iter().any(lost)
    }
}

/// A cursor that names nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct NoSuch;
