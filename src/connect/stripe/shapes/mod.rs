//! The fields that are read of Stripe's objects. What is not named here is skipped while it is parsed.

mod paid;
mod told;

use std::collections::BTreeMap;

use jiff::Timestamp;
use launchready_checks::probe::{Email, METADATA_KEYS};
use serde::Deserialize;

pub(super) use paid::{
    ChargeShape, DisputeShape, IntentShape, RefundShape, SessionShape, SubscriptionShape,
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
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Ref {
    Id(String),
    Object { id: String },
}

impl Ref {
    fn id(self) -> String {
        match self {
            Self::Id(id) | Self::Object { id } => id,
        }
    }
}

fn id(reference: Option<Ref>) -> Option<String> {
    reference.map(Ref::id)
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
