//! The orders that the CRM has to know: from the project's database, or else the paid checkouts.

use jiff::{SignedDuration, Timestamp};

use super::words::{State, state};
use crate::contract::Age;
use crate::probe::{Accounts, Database, Email, Payments, Period, ProbeError, RowQuery, TableRole};

/// The most orders that one look reads.
const ORDERS: u64 = 100_000;

/// One order.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) id: String,
    pub(super) created: Timestamp,
    pub(super) email: Option<Email>,
    pub(super) state: State,
    /// The shop wrote down that it was handed on; nothing where it writes no such thing.
    pub(super) synced: Option<bool>,
}

/// The orders of a span of time.
#[derive(Debug, Default)]
pub(super) struct Orders {
    /// Oldest first.
    pub(super) all: Vec<Order>,
    pub(super) cut: bool,
    /// Where they were read.
    pub(super) from: &'static str,
}

/// Orders that were made within `window` before `now` and have had `settle` to be handed on.
///
/// # Errors
/// The database, or the payment provider, cannot be asked. `Ok(None)`: neither is there.
pub(super) async fn orders(
    accounts: &Accounts,
    now: Timestamp,
    window: Age,
    settle: Age,
) -> Result<Option<Orders>, ProbeError> {
    let (since, until) = (before(now, window), before(now, settle));
    if let Some(database) = accounts.database.optional()
        && let Some(orders) = from_table(database, since, until).await?
    {
        return Ok(Some(orders));
    }
    match accounts.payments.optional() {
        Some(payments) => from_checkouts(payments, since, until).await.map(Some),
        None => Ok(None),
    }
}

async fn from_table(
    database: &dyn Database,
    since: Timestamp,
    until: Timestamp,
) -> Result<Option<Orders>, ProbeError> {
    let Some(shape) = database.shape(TableRole::Orders).await? else { return Ok(None) };
    if !shape.has("id") || !shape.has("created") {
        return Ok(None);
    }
    let columns = ["id", "created", "email", "status", "synced"];
    let query = RowQuery::new(TableRole::Orders, &columns).since("created", since);
    let mut orders = Orders { from: "the orders table", ..Orders::default() };
    let walked = database
        .rows(RowQuery { limit: Some(ORDERS), ..query }, &mut |row| {
            let (Some(id), Some(created)) = (row.text(0), row.time(1)) else { return };
            if created >= until {
                return;
            }
            orders.all.push(Order {
                id: id.to_owned(),
                created,
                email: row.text(2).and_then(Email::new),
                // A table without a status holds what was sold.
                state: if shape.has("status") {
                    row.text(3).map_or(State::Unknown, state)
                } else {
                    State::Done
                },
                synced: shape.has("synced").then(|| row.text(4).is_some()),
            });
        })
        .await?;
    orders.cut = walked.cut;
    sort(&mut orders.all);
    Ok(Some(orders))
}

async fn from_checkouts(
    payments: &dyn Payments,
    since: Timestamp,
    until: Timestamp,
) -> Result<Orders, ProbeError> {
    let mut orders = Orders { from: "the paid checkouts", ..Orders::default() };
    let period = Period { since, until: Some(until) };
    let walked = payments
        .sessions(period, &mut |session| {
            if matches!(session.payment_status.as_str(), "paid" | "no_payment_required") {
                orders.all.push(Order {
                    id: session.id,
                    created: session.created,
                    email: session.email,
                    state: State::Done,
                    synced: None,
                });
            }
        })
        .await?;
    orders.cut = walked.cut;
    sort(&mut orders.all);
    Ok(orders)
}

fn sort(all: &mut [Order]) {
    all.sort_by(|a, b| a.created.cmp(&b.created).then_with(|| a.id.cmp(&b.id)));
}

/// `age` before `now`.
pub(super) fn before(now: Timestamp, age: Age) -> Timestamp {
    now.checked_sub(SignedDuration::from_secs(age.whole_seconds())).unwrap_or(Timestamp::MIN)
}
