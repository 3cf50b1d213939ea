//! The fields that are read of Stripe's objects. What is not named here is skipped while it is parsed.

mod paid;
mod told;

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use launchready_checks::probe::{Email, METADATA_KEYS};
use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

pub(super) use paid::{
    BriefShape, ChargeShape, DisputeShape, IntentShape, RefundShape, SessionShape,
    SubscriptionShape,
};
pub(super) use told::{AccountShape, EventShape, ModernPage, ModernShape, WebhookShape};

/// An entry of a list.
pub(super) trait Listed {
    fn id(&self) -> &str;
}

macro_rules! listed {
    ($($shape:ty),*) => { $(impl crate::connect::stripe::shapes::Listed for $shape {
        fn id(&self) -> &str {
            &self.id
        }
    })* };
}
use listed;

/// An object by its id, or drawn in full.
#[derive(Debug)]
struct Ref(String);

impl<'de> Deserialize<'de> for Ref {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(RefVisitor)
    }
}

/// Takes either form as it comes: lists are long, and nothing is kept in between.
struct RefVisitor;

impl<'de> Visitor<'de> for RefVisitor {
    type Value = Ref;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id, or an object with one")
    }

    fn visit_str<E: Error>(self, id: &str) -> Result<Ref, E> {
        Ok(Ref(id.to_owned()))
    }

    fn visit_string<E: Error>(self, id: String) -> Result<Ref, E> {
        Ok(Ref(id))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Ref, A::Error> {
        let mut id = None;
        while let Some(key) = entries.next_key::<String>()? {
            if key == "id" {
                id = Some(entries.next_value()?);
            } else {
                entries.next_value::<IgnoredAny>()?;
            }
        }
        id.map(Ref).ok_or_else(|| A::Error::missing_field("id"))
    }
}

fn id(reference: Option<Ref>) -> Option<String> {
    reference.map(|reference| reference.0)
}

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or_default()
}

fn email(text: Option<String>) -> Option<Email> {
    text.and_then(|text| Email::new(&text))
}

fn kept(metadata: Option<BTreeMap<String, String>>) -> BTreeMap<String, String> {
    metadata.unwrap_or_default().into_iter().take(METADATA_KEYS).collect()
}
