//! What is asked: events that are undelivered, how many there are in all, and who takes them.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::rows::matched;
use super::{Candidate, Carry, Evidence, KEPT, Lost, Options, Rate, Waiting};
use crate::contract::{Bounded, CheckError};
use crate::probe::{
    Database, Destination, EventFilter, PaymentEvent, Payments, Period, ProbeError, Slot, Walked,
};
use crate::stripe::DAYS;
use crate::stripe::hours::{Source, begin, hour};

/// Lost events change only when somebody sends them again, and destinations seldom.
const LOST_AGAIN: SignedDuration = SignedDuration::from_hours(6);
const DESTINATIONS_AGAIN: SignedDuration = SignedDuration::from_hours(1);

pub(super) async fn look(
    payments: &dyn Payments,
    database: &Slot<dyn Database>,
    options: &Options,
    now: Timestamp,
    mut carry: Carry,
) -> Result<(Evidence, Carry), CheckError> {
    let due = |read: Option<Timestamp>, every: SignedDuration| {
        read.is_none_or(|read| read + every <= now || read > now)
    };
    let lost_from = now - SignedDuration::from_secs(options.lost.whole_seconds());
    if due(carry.lost_read, LOST_AGAIN) {
        let since = now - SignedDuration::from_hours(DAYS * 24);
        let period = Period { since, until: Some(lost_from) };
        let (lost, walked) = undelivered(payments, period).await.map_err(CheckError::unseen)?;
        carry.lost_more = lost.len().saturating_sub(KEPT);
        if walked.cut && !lost.is_empty() {
            carry.lost_more += 1;
        }
        carry.lost = lost.into_iter().take(KEPT).collect();
        (carry.lost_read, carry.lost_until) = (Some(now), Some(lost_from));
    }
    // What has become lost since the list of lost events was read is read with the rest.
    let since = carry.lost_until.unwrap_or(lost_from);
    let (all, walked) =
        undelivered(payments, Period { since, until: None }).await.map_err(CheckError::unseen)?;
    let (waiting, newly): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|event| event.at >= lost_from);
    if !waiting.is_empty() || due(carry.destinations_read, DESTINATIONS_AGAIN) {
        let told = payments.destinations().await.map_err(CheckError::unseen)?;
        (carry.types, carry.candidates) = takers(&told.all);
        carry.destinations_read = Some(now);
    }
    let rate = rate(payments, options, now, &mut carry, &waiting).await;
    let mut lost = newly;
    lost.extend(carry.lost.iter().cloned());
    let mut lost = matched(database, lost).await;
    lost.other.cut += carry.lost_more;
    lost.read = carry.lost_read;
    let late = now - SignedDuration::from_secs(options.late.whole_seconds());
    let evidence = Evidence {
        key: payments.key(),
        late: waiting.iter().filter(|event| event.at < late).count() as u64,
        oldest: waiting.iter().map(|event| event.at).min(),
        waiting: Bounded::keep(waiting, KEPT),
        cut: walked.cut,
        lost,
        rate: rate.into(),
        candidates: carry.candidates.clone(),
    };
    Ok((evidence, carry))
}

/// The events of a span that some destination has not taken, newest first, each once.
async fn undelivered(
    payments: &dyn Payments,
    period: Period,
) -> Result<(Vec<Waiting>, Walked), ProbeError> {
    let mut known = BTreeSet::new();
    let mut events = Vec::new();
    let mut visit = |event: PaymentEvent| {
        // An answer that is read page by page can hold one event twice.
        if event.pending > 0 && known.insert(event.id.clone()) {
            events.push(Waiting::of(event));
        }
    };
    let filter = EventFilter { period, types: Vec::new(), undelivered: true };
    let walked = payments.events(filter, &mut visit).await?;
    events.sort_by(|one, other| (other.at, &other.id).cmp(&(one.at, &one.id)));
    Ok((events, walked))
}

/// What enabled destinations take, and where every destination is.
fn takers(all: &[Destination]) -> (Vec<String>, Vec<Candidate>) {
    let enabled = all.iter().filter(|told| told.enabled);
    let types: BTreeSet<String> = enabled.flat_map(|told| told.events.iter().cloned()).collect();
    let host = |told: &Destination| {
        let url = told.url.as_ref().and_then(|url| url::Url::parse(url).ok());
        let host = url.as_ref().and_then(|url| url.host_str()).map(str::to_owned);
        host.unwrap_or_else(|| told.kind.clone())
    };
    let candidates = all.iter().map(|told| Candidate {
        id: told.id.clone(),
        host: host(told),
        enabled: told.enabled,
    });
    (types.into_iter().collect(), candidates.take(KEPT).collect())
}

/// Events of the last 24 hours that had an hour to arrive, by whole hours.
async fn rate(
    payments: &dyn Payments,
    options: &Options,
    now: Timestamp,
    carry: &mut Carry,
    waiting: &[Waiting],
) -> Result<Rate, ProbeError> {
    let end = hour(now - SignedDuration::from_secs(options.late.whole_seconds()));
    let oldest = hour(now) - 24;
    if !carry.types.is_empty() {
        let source = Source::Events(payments, &carry.types);
        carry.hours.fill(&source, (oldest, end), now).await?;
    }
    let first = carry.hours.first().unwrap_or(oldest).max(oldest);
    let late = waiting.iter().filter(|event| (first..end).contains(&hour(event.at))).count();
    Ok(Rate { since: begin(first), all: carry.hours.since(first).all, late: late as u64 })
}

/// The parts of [`Lost`] that an event belongs to.
pub(super) enum Fate {
    Row,
    NoRow,
    Unmatched,
    Other,
}

pub(super) fn sort_out(events: Vec<Waiting>, fate: impl Fn(&Waiting) -> Fate) -> Lost {
    let (mut with, mut without, mut unmatched, mut other) = (vec![], vec![], vec![], vec![]);
    for event in events {
        let place = match fate(&event) {
            Fate::Row => &mut with,
            Fate::NoRow => &mut without,
            Fate::Unmatched => &mut unmatched,
            Fate::Other => &mut other,
        };
        place.push(event.id);
    }
    Lost {
        with_row: Bounded::keep(with, KEPT),
        without_row: Bounded::keep(without, KEPT),
        unmatched: Bounded::keep(unmatched, KEPT),
        other: Bounded::keep(other, KEPT),
        blind: None,
        read: None,
    }
}
