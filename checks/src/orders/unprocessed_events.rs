//! `orders-unprocessed-events`: see `unprocessed_events.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words::is_handled;
use crate::contract::{
    Age, Area, AssessCx, Assessment, Bounded, Check, CheckError, CheckMeta, FindingSpec, LookCx,
    MeasurementSpec, Need, Schedule, Target, Unit, Unseen, Vantage, number,
};
use crate::probe::{
    Database, EventFilter, KEYS, Payments, Period, Probes, RowQuery, TableRole, TableShape,
};

const REVERSAL: FindingSpec = FindingSpec::critical(
    "reversal-unprocessed",
    "A refund or dispute was not processed",
    "The buyer has the money back, or is asking the bank for it, and the product still counts the order as \
     sold: access stays open, sellers are paid out, and the time to answer a dispute runs.",
)
.now();
const EVENT: FindingSpec = FindingSpec::warning(
    "event-without-row",
    "An event that the product handles left no row",
    "What the event told is lost: the product and Stripe no longer agree, and nobody notices.",
);

const UNPROCESSED: MeasurementSpec = MeasurementSpec {
    name: "unprocessed-events",
    metric: "launchready_orders_unprocessed_events",
    unit: Unit::Count,
    help: "Events of Stripe that the product has not processed in time.",
    label: None,
    window: Duration::ZERO,
};

/// Types that say that money goes back, or may.
const REVERSALS: [&str; 5] = [
    "charge.refunded",
    "refund.created",
    "charge.dispute.created",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.closed",
];
/// Each look begins a little before the last one did, because clocks differ.
const OVERLAP: SignedDuration = SignedDuration::from_mins(2);
/// Types that are read beside the reversals: the API takes 20 in all.
const HANDLED_TYPES: usize = 15;
/// Events that are carried from look to look, and named in evidence.
const KEPT: usize = 200;
/// Events that nobody had taken at the last look are asked for again, so many at a look.
const ASKED: usize = 20;

/// Stripe's events against the product's own table of them.
#[derive(Debug)]
pub struct UnprocessedEvents;

/// Thresholds of `orders-unprocessed-events`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// An event that has not been processed for longer than this is a finding.
    pub critical_age: Age,
    /// The first look goes back so far.
    pub since: Age,
}

impl Default for Options {
    fn default() -> Self {
        Self { critical_age: Age::minutes(10), since: Age::days(3) }
    }
}

/// An event that waits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Waiting {
    created: Timestamp,
    id: String,
    kind: String,
    /// The table has it, but not as processed.
    begun: bool,
    /// No destination has taken it yet, which is the business of stripe-deliveries.
    #[serde(default)]
    undelivered: bool,
}

/// What one look hands to the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Carry {
    last: Timestamp,
    waiting: Vec<Waiting>,
}

/// What both sides said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Events that were compared in this look.
    events: u64,
    /// Types that the table holds.
    handled: BTreeSet<String>,
    /// Those that the table does not have as processed, oldest first.
    waiting: Bounded<Waiting>,
    /// The table says when or whether an event was processed.
    says_processed: bool,
    cut: bool,
}

impl Check for UnprocessedEvents {
    const META: CheckMeta = CheckMeta {
        id: "orders-unprocessed-events",
        area: Area::Orders,
        title: "Events that the product has processed",
        vantage: Vantage::Database,
        findings: &[REVERSAL, EVENT],
        measurements: &[UNPROCESSED],
        default_schedule: Schedule::Every(Duration::from_mins(1)),
        min_interval: Duration::from_secs(30),
        timeout: Duration::from_mins(2),
        needs: &[Need::Setting("project.stripe"), Need::Setting("project.database.events")],
        evidence_version: 1,
        doc: include_str!("unprocessed_events.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = Carry;

    async fn collect(
        look: &LookCx<'_, Self>,
        _target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, Carry), CheckError> {
        let payments = probes.accounts.payments.get()?;
        let database = probes.accounts.database.get()?;
        let shape = events_table(database).await?;
        let first = look.options.since.before(look.now);
        let carry = look.carry.as_ref().filter(|carry| carry.last <= look.now);
        let since = carry.map_or(first, |carry| {
            carry.last.checked_sub(OVERLAP).unwrap_or(carry.last).max(first)
        });
        let handled = handled_types(database, &shape, first).await?;
        let (mut waiting, cut) = said(payments, &handled, since).await?;
        let events = u64::try_from(waiting.len()).unwrap_or(u64::MAX);
        let mut asked = 0;
        for old in carry.iter().flat_map(|carry| &carry.waiting) {
            let mut old = old.clone();
            if old.undelivered && asked < ASKED && !waiting.contains_key(&old.id) {
                asked += 1;
                let event = payments.event(old.id.clone()).await.map_err(CheckError::unseen)?;
                old.undelivered = event.is_some_and(|event| event.pending > 0);
            }
            waiting.entry(old.id.clone()).or_insert(old);
        }
        let mut waiting: Vec<Waiting> =
            waiting.into_values().filter(|event| event.created >= first).collect();
        take_processed(&mut waiting, database, &shape).await?;
        waiting.sort();
        let evidence = Evidence {
            events,
            handled,
            waiting: Bounded::keep(waiting.iter().cloned(), KEPT),
            says_processed: shape.has("processed") || shape.has("status"),
            cut,
        };
        waiting.truncate(KEPT);
        Ok((evidence, Carry { last: look.now, waiting }))
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        let mut out = Assessment::default();
        let limit = SignedDuration::from_secs(cx.options.critical_age.whole_seconds());
        let late = |event: &&Waiting| {
            let is_ours = !event.undelivered || REVERSALS.contains(&event.kind.as_str());
            is_ours && cx.now.duration_since(event.created) > limit
        };
        let late: Vec<&Waiting> = evidence.waiting.items.iter().filter(late).collect();
        for event in &late {
            out.find(finding(event, cx));
        }
        let count = number((late.len() + evidence.waiting.cut) as u64);
        out.measure(UNPROCESSED.value(None, count).bounds(None, Some(0.0)));
        if evidence.cut {
            out.not_checked(
                Unseen::Condition,
                "the oldest events",
                "the list of Stripe was not read to its end",
                "shorten orders-unprocessed-events.since, or run it again",
            );
        }
        if !evidence.says_processed {
            out.not_checked(
                Unseen::Noted,
                "whether a stored event was also processed",
                "the table of events has no column that says so",
                "add processed_at to it, set when the work is done",
            );
        }
        out
    }
}

fn finding(event: &Waiting, cx: &AssessCx<'_, UnprocessedEvents>) -> crate::contract::Finding {
    let minutes = cx.now.duration_since(event.created).as_secs() / 60;
    let spec = if REVERSALS.contains(&event.kind.as_str()) { REVERSAL } else { EVENT };
    let what = if event.begun { "is stored and not processed" } else { "has no row" };
    spec.finding(&event.id)
        .summary(format!("{} of {minutes} minutes ago {what}.", event.kind))
        .saw(format!("{} {}, created {}", event.kind, event.id, event.created))
        .fix(format!(
            "In Stripe, open Developers → Events and search for {}. If it was not delivered, mend the endpoint and \
             press Resend; if it was, read the log of the webhook function for that minute. Then do by hand what it \
             asks for: close the access, mark the order, answer the dispute.",
            event.id
        ))
        .undo("An event that is sent again changes nothing where each event id is stored once.")
}

async fn events_table(database: &dyn Database) -> Result<TableShape, CheckError> {
    let shape = database.shape(TableRole::Events).await.map_err(CheckError::unseen)?;
    let shape = shape.ok_or_else(|| {
        CheckError::skipped(
            "no table of events is configured",
            "add [project.database.events] with table = \"stripe_events\" to the config",
        )
    })?;
    if shape.has("id") {
        return Ok(shape);
    }
    Err(CheckError::unknown(
        format!("{} has no column with the id of the event", shape.name),
        "say which it is, such as id = \"event_id\" under [project.database.events]",
    ))
}

/// The types that the product has stored lately: it handles them.
async fn handled_types(
    database: &dyn Database,
    shape: &TableShape,
    since: Timestamp,
) -> Result<BTreeSet<String>, CheckError> {
    let mut handled = BTreeSet::new();
    if !(shape.has("type") && shape.has("received")) {
        return Ok(handled);
    }
    let query = RowQuery::new(TableRole::Events, &["type"]).since("received", since);
    database
        .rows(query, &mut |row| {
            // Names are short; more types than the provider has are somebody's mistake.
            let kind = row.text(0).filter(|kind| kind.len() <= 80);
            if let Some(kind) = kind.filter(|kind| handled.len() < 300 && !handled.contains(*kind))
            {
                handled.insert(kind.to_owned());
            }
        })
        .await
        .map_err(CheckError::unseen)?;
    Ok(handled)
}

/// What Stripe has said of reversals, and of the types that the product handles.
async fn said(
    payments: &dyn Payments,
    handled: &BTreeSet<String>,
    since: Timestamp,
) -> Result<(BTreeMap<String, Waiting>, bool), CheckError> {
    let own = handled.iter().filter(|kind| !REVERSALS.contains(&kind.as_str()));
    let types = REVERSALS.iter().map(|kind| (*kind).to_owned());
    let types = types.chain(own.take(HANDLED_TYPES).cloned()).collect();
    let filter = EventFilter { period: Period { since, until: None }, types, undelivered: false };
    let mut said = BTreeMap::new();
    let walked = payments
        .events(filter, &mut |event| {
            let waiting = Waiting {
                created: event.created,
                id: event.id.clone(),
                kind: event.kind,
                begun: false,
                undelivered: event.pending > 0,
            };
            // Events of connected accounts are told to another endpoint.
            if event.account.is_none() {
                said.insert(event.id, waiting);
            }
        })
        .await
        .map_err(CheckError::unseen)?;
    Ok((said, walked.cut))
}

/// Takes out what the table has as processed.
async fn take_processed(
    waiting: &mut Vec<Waiting>,
    database: &dyn Database,
    shape: &TableShape,
) -> Result<(), CheckError> {
    let mut stored: BTreeMap<String, bool> = BTreeMap::new();
    let ids: Vec<String> = waiting.iter().map(|event| event.id.clone()).collect();
    let (dated, worded) = (shape.has("processed"), shape.has("status"));
    for batch in ids.chunks(KEYS) {
        let query = RowQuery::new(TableRole::Events, &["id", "processed", "status"])
            .among("id", batch.to_vec());
        database
            .rows(query, &mut |row| {
                let Some(id) = row.text(0) else { return };
                let done = (dated && row.text(1).is_some())
                    || (worded && row.text(2).is_some_and(is_handled))
                    || !(dated || worded);
                *stored.entry(id.to_owned()).or_default() |= done;
            })
            .await
            .map_err(CheckError::unseen)?;
    }
    waiting.retain_mut(|event| match stored.get(&event.id) {
        Some(true) => false,
        begun => {
            event.begun = begun.is_some();
            true
        }
    });
    Ok(())
}
