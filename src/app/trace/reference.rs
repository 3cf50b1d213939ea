//! What was typed to be followed, and what it names.

use serde::Serialize;

/// The longest reference that is looked for.
const LONGEST: usize = 200;

/// What a reference names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `evt_…`.
    Event,
    /// `cs_…`.
    Checkout,
    /// `pi_…`.
    Payment,
    /// `ch_…` or `py_…`.
    Charge,
    /// `re_…` or `pyr_…`.
    Refund,
    /// `du_…` or `dp_…`.
    Dispute,
    /// `sub_…`.
    Subscription,
    /// `cus_…`.
    Customer,
    /// Anything else: the id of an order, or what the shop calls it.
    Order,
}

/// How the ids of Stripe begin.
const STARTS: [(&str, Kind); 11] = [
    ("evt_", Kind::Event),
    ("cs_", Kind::Checkout),
    ("pi_", Kind::Payment),
    ("ch_", Kind::Charge),
    ("py_", Kind::Charge),
    ("re_", Kind::Refund),
    ("pyr_", Kind::Refund),
    ("du_", Kind::Dispute),
    ("dp_", Kind::Dispute),
    ("sub_", Kind::Subscription),
    ("cus_", Kind::Customer),
];

impl Kind {
    /// What a text names, by how it begins.
    pub fn of(text: &str) -> Self {
        let found = STARTS.iter().find(|(start, _)| text.starts_with(start));
        found.map_or(Self::Order, |(_, kind)| *kind)
    }

    /// The word for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Checkout => "checkout",
            Self::Payment => "payment",
            Self::Charge => "charge",
            Self::Refund => "refund",
            Self::Dispute => "dispute",
            Self::Subscription => "subscription",
            Self::Customer => "customer",
            Self::Order => "order",
        }
    }
}

/// What is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// What it names.
    pub kind: Kind,
    /// The text.
    pub text: String,
}

/// The forms that a reference has, in words.
pub(super) const FORMS: &str = "an event (evt_…), a checkout (cs_…), a payment (pi_…), a charge (ch_…, py_…), a \
                                refund (re_…, pyr_…), a dispute (du_…, dp_…), a subscription (sub_…) or a customer \
                                (cus_…) of Stripe, or an order by its id or by what the shop calls it";

/// A text that names nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is nothing that can be followed; name {FORMS}, in at most {LONGEST} characters")]
pub struct NoReference;

impl Reference {
    /// Reads what was typed.
    ///
    /// # Errors
    /// It is empty, too long, an address, or holds what cannot be read.
    pub fn read(text: &str) -> Result<Self, NoReference> {
        let text = text.trim();
        let is_long = text.chars().count() > LONGEST;
        if text.is_empty() || is_long || text.chars().any(char::is_control) || text.contains('@') {
            return Err(NoReference);
        }
        Ok(Self { kind: Kind::of(text), text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_known_by_how_it_begins() {
        for (text, kind) in [
            ("evt_1C", Kind::Event),
            (" cs_live_a1 ", Kind::Checkout),
            ("pi_3S", Kind::Payment),
            ("ch_3S", Kind::Charge),
            ("py_3S", Kind::Charge),
            ("re_3S", Kind::Refund),
            ("pyr_1", Kind::Refund),
            ("dp_1S", Kind::Dispute),
            ("sub_1S", Kind::Subscription),
            ("cus_S", Kind::Customer),
            ("order-7", Kind::Order),
            ("7", Kind::Order),
        ] {
            let read = Reference::read(text).unwrap();
            assert_eq!((read.kind, read.text.as_str()), (kind, text.trim()));
        }
    }

    #[test]
    fn every_form_is_named_to_whoever_types_another() {
        for (start, _) in STARTS {
            assert!(NoReference.to_string().contains(&format!("{start}…")), "{start}");
        }
    }

    #[test]
    fn what_names_nothing_is_refused() {
        for text in ["", "  ", "a\u{1b}[2J", "buyer@customers.example", &"x".repeat(201)] {
            assert_eq!(Reference::read(text), Err(NoReference), "{text:?}");
        }
    }
}
