//! Reads the rows of the product's own tables that belong to one payment.

use jiff::{SignedDuration, Timestamp};
use launchready_checks::crm;
use launchready_checks::orders::minor;
use launchready_checks::probe::{
    Database, Email, Money, PaymentEvent, Row, RowQuery, TableRole, TableShape,
};
use launchready_checks::webhook::processing;

use super::seen::{EventRow, Look, OrderRow, Orders, RowState, Sync, SyncState, missing, unseen};
use super::stripe::Ids;

/// The most rows that one question brings.
const ROWS: u64 = 50;
/// An order of the same buyer and amount is taken for that of a payment within this time.
const NEAR: SignedDuration = SignedDuration::from_hours(24);

const ORDER: [&str; 11] = [
    "id",
    "session",
    "payment_intent",
    "reference",
    "subscription",
    "customer",
    "email",
    "amount",
    "currency",
    "status",
    "created",
];

/// What a weak key needs: who bought, for how much, when.
#[derive(Debug, Clone, Default)]
pub(super) struct Buyer {
    pub(super) email: Option<Email>,
    pub(super) amount: Option<Money>,
    pub(super) at: Option<Timestamp>,
}

/// The table of a role.
async fn table(database: &dyn Database, role: TableRole) -> Look<TableShape> {
    let shape = database.shape(role).await.map_err(unseen)?;
    let name = role.as_str();
    shape.ok_or_else(|| {
        missing(
            format!("no table of {} is configured", name.replace('_', " ")),
            format!("name it under [project.database.{name}]"),
        )
    })
}

fn order(row: Row<'_>) -> OrderRow {
    let text = |place| row.text(place).map(str::to_owned);
    let id = (0..4).find_map(text).unwrap_or_default();
    OrderRow {
        id,
        session: text(1),
        payment_intent: text(2),
        subscription: text(4),
        customer: text(5),
        email: row.text(6).and_then(Email::new),
        amount: text(7),
        currency: text(8),
        status: text(9),
        created: row.time(10),
        synced: row.time(11),
    }
}

async fn by(
    database: &dyn Database,
    column: &'static str,
    values: Vec<String>,
) -> Look<Vec<OrderRow>> {
    let columns: Vec<&'static str> = ORDER.into_iter().chain(["synced"]).collect();
    let query = RowQuery::new(TableRole::Orders, &columns).among(column, values);
    let mut rows = Vec::new();
    database
        .rows(RowQuery { limit: Some(ROWS), ..query }, &mut |row| rows.push(order(row)))
        .await
        .map_err(unseen)?;
    Ok(rows)
}

/// The order that somebody named by its id or by what the shop calls it.
pub(super) async fn named_order(database: &dyn Database, text: &str) -> Look<Option<OrderRow>> {
    let shape = table(database, TableRole::Orders).await?;
    for column in ["id", "reference"].into_iter().filter(|column| shape.has(column)) {
        let rows = by(database, column, vec![text.to_owned()]).await?;
        if let Some(first) = rows.into_iter().next() {
            return Ok(Some(first));
        }
    }
    Ok(None)
}

/// The orders of a payment: by the strongest column that finds any.
pub(super) async fn orders(database: &dyn Database, ids: &Ids, buyer: &Buyer) -> Look<Orders> {
    let shape = table(database, TableRole::Orders).await?;
    let one = |id: &Option<String>| id.iter().cloned().collect::<Vec<_>>();
    let strong: [(&'static str, Vec<String>); 5] = [
        ("session", one(&ids.session)),
        ("payment_intent", one(&ids.payment)),
        ("reference", ids.references.clone()),
        ("id", ids.references.clone()),
        ("subscription", one(&ids.subscription)),
    ];
    for (column, values) in strong {
        if !shape.has(column) || values.is_empty() {
            continue;
        }
        let rows = by(database, column, values).await?;
        if !rows.is_empty() {
            return Ok(Orders { rows, by: Some(column) });
        }
    }
    let email = buyer.email.as_ref().map(|email| email.expose().to_owned());
    for (column, value) in [("customer", ids.customer.clone()), ("email", email)] {
        let Some(value) = value.filter(|_| shape.has(column)) else { continue };
        let mut rows = by(database, column, vec![value]).await?;
        rows.retain(|row| is_near(row, buyer));
        if !rows.is_empty() {
            return Ok(Orders { rows, by: Some(column) });
        }
    }
    Ok(Orders::default())
}

/// An order that names no checkout of its own, of the same amount and about the same time.
fn is_near(row: &OrderRow, buyer: &Buyer) -> bool {
    let Some(wanted) = &buyer.amount else { return true };
    let amount = row.amount.as_deref().and_then(|text| minor(text, &wanted.currency));
    let near = row
        .created
        .zip(buyer.at)
        .is_none_or(|(created, at)| created.duration_since(at).abs() <= NEAR);
    row.session.is_none() && amount == Some(wanted.amount_minor) && near
}

/// The rows of events.
pub(super) async fn events(
    database: &dyn Database,
    events: &[PaymentEvent],
    words: &processing::Options,
) -> Look<Vec<EventRow>> {
    let shape = table(database, TableRole::Events).await?;
    if !shape.has("id") {
        return Err(missing(
            format!("{} has no column with the id of the event", shape.name),
            "say which it is, such as id = \"event_id\" under [project.database.events]",
        ));
    }
    let ids: Vec<String> = events.iter().map(|event| event.id.clone()).take(200).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let says = shape.has("status") || shape.has("processed");
    let columns = ["id", "status", "processed", "error", "received"];
    let query = RowQuery::new(TableRole::Events, &columns).among("id", ids);
    let mut rows: Vec<EventRow> = Vec::new();
    let mut take = |row: Row<'_>| {
        let Some(id) = row.text(0).map(str::to_owned) else { return };
        let state = match processing::state(row.text(1), row.text(2), row.text(3), words) {
            // A table that says nothing about the end holds what was dealt with.
            _ if !says => RowState::Done,
            processing::State::Done => RowState::Done,
            processing::State::Open => RowState::Open,
            processing::State::Failed => RowState::Failed,
            processing::State::Unknown(_) => RowState::Unknown,
        };
        let at = row.time(2).or(row.time(4));
        // An event that was taken twice counts as its better row.
        match rows.iter_mut().find(|known| known.id == id) {
            Some(known) if state == RowState::Done => *known = EventRow { id, state, at },
            Some(_) => {}
            None => rows.push(EventRow { id, state, at }),
        }
    };
    database.rows(RowQuery { limit: Some(ROWS * 4), ..query }, &mut take).await.map_err(unseen)?;
    Ok(rows)
}

/// The last hand-over of these orders to the CRM.
pub(super) async fn sync(database: &dyn Database, orders: &[OrderRow]) -> Look<Option<Sync>> {
    match table(database, TableRole::CrmSync).await {
        Ok(shape) if shape.has("order") => {}
        other => return by_column(database, orders, other.err()).await,
    }
    let ids: Vec<String> = orders.iter().map(|order| order.id.clone()).collect();
    if ids.is_empty() {
        return Ok(None);
    }
    let query = RowQuery::new(TableRole::CrmSync, &["id", "status", "at", "error"]);
    let mut last: Option<Sync> = None;
    let mut take = |row: Row<'_>| {
        let failed = row.text(3).is_some_and(|text| !text.trim().is_empty());
        let state = match row.text(1).map(crm::state) {
            Some(crm::State::Failed) => SyncState::Failed,
            Some(crm::State::Pending) => SyncState::Open,
            None if failed => SyncState::Failed,
            Some(crm::State::Done) | None => SyncState::Done,
            Some(crm::State::Over | crm::State::Unknown) => SyncState::Other,
        };
        let at = row.time(2);
        if last.as_ref().is_none_or(|known| at >= known.at) {
            last = Some(Sync { id: row.text(0).map(str::to_owned), state, at });
        }
    };
    let query = RowQuery { limit: Some(ROWS * 4), ..query.among("order", ids) };
    database.rows(query, &mut take).await.map_err(unseen)?;
    Ok(last)
}

/// What the orders themselves say about their hand-over.
async fn by_column(
    database: &dyn Database,
    orders: &[OrderRow],
    why: Option<launchready_checks::probe::Missing>,
) -> Look<Option<Sync>> {
    let shape = table(database, TableRole::Orders).await?;
    if shape.has("synced") {
        let at = orders.iter().filter_map(|order| order.synced).max();
        return Ok(at.map(|at| Sync { id: None, state: SyncState::Done, at: Some(at) }));
    }
    Err(why.unwrap_or_else(|| {
        missing(
            "the table of the CRM's syncs does not name the order",
            "say which column does, as order under [project.database.crm_sync]",
        )
    }))
}
