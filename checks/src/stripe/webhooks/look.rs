//! What is asked: destinations, the kinds of payment events, and own addresses.

use jiff::{SignedDuration, Timestamp};

use super::address::Place;
use super::{DISPUTE, EVENTS, LastSeen, ONE_TIME, Post, REFUND, RENEWAL, Told};
use crate::contract::{Bounded, Target};
use crate::probe::{
    Destination, EventFilter, Http, HttpRequest, Method, PaymentEvent, Payments, Period, ProbeError,
};
use crate::stripe::DAYS;
use crate::stripe::hours::is_named;

pub(super) fn told(one: Destination, target: &Target, allowed: &[String]) -> Told {
    let place = Place::of(one.url.as_deref(), target, allowed);
    let kinds = ONE_TIME.iter().chain(&RENEWAL).chain(&REFUND).chain(&DISPUTE);
    Told {
        shown: place.shown(&one.kind),
        hears: kinds
            .filter(|kind| is_named(kind, &one.events))
            .map(|kind| (*kind).to_owned())
            .collect(),
        events: Bounded::keep(one.events, EVENTS),
        id: one.id,
        kind: one.kind,
        place,
        enabled: one.enabled,
        api_version: one.api_version,
        live: one.live,
        thin: one.thin,
        scope: one.scope,
    }
}

/// The kinds of payment events of the last 30 days. A wider window is asked only for the kinds that the
/// narrower one did not have, so that a busy account costs no more than a quiet one.
pub(super) async fn emitted(
    payments: &dyn Payments,
    now: Timestamp,
    seen: &mut LastSeen,
) -> Result<Vec<String>, ProbeError> {
    let hours = |hours: i64| now - SignedDuration::from_hours(hours);
    seen.retain(|_, at| *at >= hours(DAYS * 24));
    for window in [1, 24, DAYS * 24] {
        let all = ONE_TIME.iter().chain(&RENEWAL).map(|kind| (*kind).to_owned());
        let types: Vec<String> = all.filter(|kind| !seen.contains_key(kind)).collect();
        if types.is_empty() {
            break;
        }
        let period = Period { since: hours(window), until: None };
        let filter = EventFilter { period, types, undelivered: false };
        let mut visit = |event: PaymentEvent| {
            seen.entry(event.kind).or_insert(event.created);
        };
        payments.events(filter, &mut visit).await?;
    }
    Ok(seen.keys().cloned().collect())
}

/// Sends an empty JSON object without a signature.
pub(super) async fn post(http: &dyn Http, told: &Told, proven: bool) -> Post {
    let answer = if proven {
        let request = HttpRequest::get(&told.shown).method(Method::Post).at_most(4096);
        Some(http.send(request).await.map(|answer| answer.status).into())
    } else {
        None
    };
    Post { id: told.id.clone(), shown: told.shown.clone(), answer }
}
