//! Whether the orders of lost events are in the database all the same.

use std::collections::BTreeSet;

use super::look::{Fate, sort_out};
use super::{Lost, Waiting};
use crate::probe::{Database, ProbeError, Row, RowQuery, Slot, TableRole};

/// The events whose object is an order of the product.
const ORDERED: [&str; 4] = [
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "payment_intent.succeeded",
    "charge.succeeded",
];

fn is_ordered(event: &Waiting) -> bool {
    ORDERED.contains(&event.kind.as_str())
}

/// The checkout, where the event is about one.
fn session(event: &Waiting) -> Option<&String> {
    event.object.as_ref().filter(|object| object.starts_with("cs_"))
}

/// Sorts lost events by what became of their orders.
pub(super) async fn matched(database: &Slot<dyn Database>, lost: Vec<Waiting>) -> Lost {
    if !lost.iter().any(is_ordered) {
        return sort_out(lost, |_| Fate::Other);
    }
    let known = match database.get() {
        Ok(database) => known(database, &lost).await.map_err(|error| {
            let unlock = match &error {
                ProbeError::Agent(fault) => fault.unlock().to_owned(),
                ProbeError::Target(_) => "run it again once the database answers".to_owned(),
            };
            (error.to_string(), unlock)
        }),
        Err(missing) => Err((missing.reason, missing.unlock)),
    };
    let (known, blind) = match known {
        Ok(Some(known)) => (Some(known), None),
        Ok(None) => {
            let reason = "the database's table of orders has no column of sessions or payments";
            let unlock = "name the table and its columns under [project.database.orders]";
            (None, Some((reason.to_owned(), unlock.to_owned())))
        }
        Err(blind) => (None, Some(blind)),
    };
    let mut lost = sort_out(lost, |event| match &known {
        _ if !is_ordered(event) => Fate::Other,
        None => Fate::Unmatched,
        Some(known) => {
            let keys = session(event).into_iter().chain(&event.payment);
            let mut keys = keys.peekable();
            if keys.peek().is_none() {
                Fate::Unmatched
            } else if keys.any(|key| known.contains(key)) {
                Fate::Row
            } else {
                Fate::NoRow
            }
        }
    });
    lost.blind = blind;
    lost
}

/// The sessions and payments among these that orders name; `None` where orders name neither.
async fn known(
    database: &dyn Database,
    lost: &[Waiting],
) -> Result<Option<BTreeSet<String>>, ProbeError> {
    let Some(shape) = database.shape(TableRole::Orders).await? else { return Ok(None) };
    let mut known = BTreeSet::new();
    let mut asked = false;
    for column in ["session", "payment_intent"] {
        if !shape.has(column) {
            continue;
        }
        asked = true;
        let key = |event: &Waiting| match column {
            "session" => session(event).cloned(),
            _ => event.payment.clone(),
        };
        let keys: Vec<String> =
            lost.iter().filter(|event| is_ordered(event)).filter_map(key).collect();
        if keys.is_empty() {
            continue;
        }
        let query = RowQuery::new(TableRole::Orders, &[column]).among(column, keys);
        let mut visit = |row: Row<'_>| known.extend(row.text(0).map(str::to_owned));
        database.rows(query, &mut visit).await?;
    }
    Ok(asked.then_some(known))
}
