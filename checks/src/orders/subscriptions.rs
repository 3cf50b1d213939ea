//! `orders-subscriptions`: see `subscriptions.md`.

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::keys::KeySet;
use crate::contract::{
    Age, Area, AssessCx, Assessment, Bounded, Check, CheckError, CheckMeta, FindingSpec, LookCx,
    MeasurementSpec, Need, Schedule, Target, Unit, Unseen, Vantage, number,
};
use crate::probe::{Database, Payments, Period, Probes, RowQuery, Subscription, TableRole};

const NOT_IN_DATABASE: FindingSpec = FindingSpec::critical(
    "subscription-not-in-database",
    "A subscription is paid and the product does not know it",
    "The customer pays every month and is locked out, or was never let in.",
)
.now();
const STILL_ACTIVE: FindingSpec = FindingSpec::critical(
    "subscription-still-active",
    "A subscription has ended and the product still serves it",
    "Whoever cancelled, or whose card failed for good, keeps what others pay for.",
);

const PAID_FOR: MeasurementSpec = MeasurementSpec {
    name: "subscriptions",
    metric: "launchready_orders_subscriptions",
    unit: Unit::Count,
    help: "Subscriptions that Stripe counts as active or on trial.",
    label: None,
    window: Duration::ZERO,
};
const OUT_OF_STEP: MeasurementSpec = MeasurementSpec {
    name: "out-of-step",
    metric: "launchready_orders_subscriptions_out_of_step",
    unit: Unit::Count,
    help: "Subscriptions on whose state Stripe and the database disagree.",
    label: None,
    window: Duration::ZERO,
};

/// Subscriptions that evidence names of each kind.
const NAMED: usize = 100;
/// Words of the database for a subscription that is served.
const SERVED: [&str; 8] =
    ["active", "trialing", "trial", "past_due", "grace", "paid", "enabled", "current"];

/// Subscriptions in Stripe against those in the database.
#[derive(Debug)]
pub struct Subscriptions;

/// Thresholds of `orders-subscriptions`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// A subscription that began or ended within this time is left alone.
    pub settle: Age,
    /// Subscriptions that began this long ago and later are compared.
    pub since: Age,
}

impl Default for Options {
    fn default() -> Self {
        Self { settle: Age::minutes(15), since: Age::days(730) }
    }
}

/// One subscription on which the sides disagree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Odd {
    id: String,
    /// What Stripe says.
    stripe: String,
    /// What the database says.
    database: String,
}

/// What both sides said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    paid_for: u64,
    rows: u64,
    not_in_database: Bounded<Odd>,
    still_active: Bounded<Odd>,
    cut: bool,
}

impl Check for Subscriptions {
    const META: CheckMeta = CheckMeta {
        id: "orders-subscriptions",
        area: Area::Orders,
        title: "Subscriptions on both sides",
        vantage: Vantage::Database,
        findings: &[NOT_IN_DATABASE, STILL_ACTIVE],
        measurements: &[PAID_FOR, OUT_OF_STEP],
        default_schedule: Schedule::Every(Duration::from_mins(5)),
        min_interval: Duration::from_mins(1),
        timeout: Duration::from_mins(5),
        needs: &[Need::Setting("project.stripe"), Need::Setting("project.database.subscriptions")],
        evidence_version: 2,
        doc: include_str!("subscriptions.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        look: &LookCx<'_, Self>,
        _target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        let payments = probes.accounts.payments.get()?;
        let database = probes.accounts.database.get()?;
        let shape = database.shape(TableRole::Subscriptions).await.map_err(CheckError::unseen)?;
        let shape = shape.ok_or_else(|| {
            CheckError::skipped(
                "no table of subscriptions is configured",
                "add [project.database.subscriptions] with table = \"subscriptions\" to the config",
            )
        })?;
        if !shape.has("id") || !shape.has("status") {
            return Err(CheckError::unknown(
                format!("{} has no column with the subscription's id or status", shape.name),
                "map id and status under [project.database.subscriptions]",
            ));
        }
        let since = look.options.since.before(look.now);
        let settled = look.options.settle.before(look.now);
        let stored = Stored::read(database).await?;
        let said = Said::read(payments, &stored, since, settled).await?;
        let still_active = still_active(database, &said, look.now).await?;
        let sorted = |mut odd: Vec<Odd>| {
            odd.sort();
            Bounded::keep(odd, NAMED)
        };
        let evidence = Evidence {
            paid_for: said.paid_for,
            rows: stored.rows,
            not_in_database: sorted(said.not_in_database),
            still_active: sorted(still_active),
            cut: said.cut,
        };
        Ok((evidence, ()))
    }

    fn assess(evidence: &Evidence, _cx: &AssessCx<'_, Self>) -> Assessment {
        let mut out = Assessment::default();
        for odd in &evidence.not_in_database.items {
            out.find(
                NOT_IN_DATABASE
                    .finding(&odd.id)
                    .summary(format!("Stripe has it as {}, the database {}.", odd.stripe, odd.database))
                    .saw(format!("{}: {} in Stripe, {} in the database", odd.id, odd.stripe, odd.database))
                    .fix(format!("In Stripe, open {} and resend its customer.subscription.updated event; if the row does not change, mend the function that handles it, and set the row by hand until then.", odd.id))
                    .undo("Set the row back."),
            );
        }
        for odd in &evidence.still_active.items {
            out.find(
                STILL_ACTIVE
                    .finding(&odd.id)
                    .summary(format!("The database has it as {}, Stripe as {}.", odd.database, odd.stripe))
                    .saw(format!("{}: {} in Stripe, {} in the database", odd.id, odd.stripe, odd.database))
                    .fix(format!("In Stripe, open {} and resend its customer.subscription.deleted event; if the row does not change, subscribe your endpoint to that type and handle it, and set the row by hand until then.", odd.id))
                    .undo("Set the row back."),
            );
        }
        let odd = evidence.not_in_database.total() + evidence.still_active.total();
        out.measure(PAID_FOR.value(None, number(evidence.paid_for)));
        let odd = number(odd as u64);
        out.measure(OUT_OF_STEP.value(None, odd).bounds(None, Some(0.0)));
        if evidence.cut {
            out.not_checked(
                Unseen::Condition,
                "the oldest subscriptions",
                "the list of Stripe was not read to its end",
                "shorten orders-subscriptions.since, or run it again",
            );
        } else if evidence.paid_for == 0 && evidence.rows == 0 {
            out.not_checked(
                Unseen::Noted,
                "a subscription on both sides",
                "there is none yet",
                "subscribe yourself, and look again",
            );
        }
        out.unless_seen(evidence.paid_for > 0 || evidence.rows > 0);
        out
    }
}

/// The database's side as sets.
struct Stored {
    served: KeySet,
    known: KeySet,
    rows: u64,
}

impl Stored {
    async fn read(database: &dyn Database) -> Result<Self, CheckError> {
        let (mut served, mut known) = (KeySet::new(), KeySet::new());
        let query = RowQuery::new(TableRole::Subscriptions, &["id", "status"]);
        let walked = database
            .rows(query, &mut |row| {
                let Some(id) = row.text(0) else { return };
                known.add(id);
                if row.text(1).is_some_and(is_served) {
                    served.add(id);
                }
            })
            .await
            .map_err(CheckError::unseen)?;
        served.seal();
        known.seal();
        Ok(Self { served, known, rows: walked.entries })
    }
}

fn is_served(word: &str) -> bool {
    SERVED.contains(&word.trim().to_ascii_lowercase().as_str())
}

/// Stripe's side.
struct Said {
    /// Subscriptions that may be served: active, on trial, in grace, or too young to tell.
    live: KeySet,
    ended: KeySet,
    paid_for: u64,
    not_in_database: Vec<Odd>,
    cut: bool,
}

impl Said {
    async fn read(
        payments: &dyn Payments,
        stored: &Stored,
        since: Timestamp,
        settled: Timestamp,
    ) -> Result<Self, CheckError> {
        let mut said = Self {
            live: KeySet::new(),
            ended: KeySet::new(),
            paid_for: 0,
            not_in_database: Vec::new(),
            cut: false,
        };
        let walked = payments
            .subscriptions(Period { since, until: None }, &mut |it| {
                said.take(&it, stored, settled);
            })
            .await
            .map_err(CheckError::unseen)?;
        said.cut = walked.cut;
        said.live.seal();
        said.ended.seal();
        Ok(said)
    }

    fn take(&mut self, it: &Subscription, stored: &Stored, settled: Timestamp) {
        match it.status.as_str() {
            "active" | "trialing" => {
                self.paid_for += 1;
                self.live.add(&it.id);
                if it.created <= settled && !stored.served.has(&it.id) {
                    let word =
                        if stored.known.has(&it.id) { "as not active" } else { "not at all" };
                    self.not_in_database.push(Odd {
                        id: it.id.clone(),
                        stripe: it.status.clone(),
                        database: word.to_owned(),
                    });
                }
            }
            "canceled" | "incomplete_expired" | "unpaid"
                if it.ended.is_none_or(|ended| ended <= settled) =>
            {
                self.ended.add(&it.id);
            }
            // Grace, pauses, first payments under way, and words that we do not know: either may be right.
            _ => self.live.add(&it.id),
        }
    }
}

/// Rows that are served although Stripe has ended the subscription. A row that says until when it was paid
/// for may be served until then.
async fn still_active(
    database: &dyn Database,
    said: &Said,
    now: Timestamp,
) -> Result<Vec<Odd>, CheckError> {
    let mut odd = Vec::new();
    let query = RowQuery::new(TableRole::Subscriptions, &["id", "status", "ends"]);
    database
        .rows(query, &mut |row| {
            let (Some(id), Some(word)) = (row.text(0), row.text(1)) else { return };
            let paid_until = row.time(2).is_some_and(|ends| ends > now);
            if is_served(word) && said.ended.has(id) && !said.live.has(id) && !paid_until {
                odd.push(Odd {
                    id: id.to_owned(),
                    stripe: "ended".to_owned(),
                    database: word.to_owned(),
                });
            }
        })
        .await
        .map_err(CheckError::unseen)?;
    Ok(odd)
}
