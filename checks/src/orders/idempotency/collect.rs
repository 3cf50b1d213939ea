//! Reads the catalogue, and counts rows that lead nowhere.

use super::keys::{self, find, looks_like_events};
use super::{Evidence, Guard, Guarded, Hidden, KEYS_LISTED, LISTED, Orphans};
use crate::contract::Bounded;
use crate::probe::{Catalogue, Database, ProbeError, TableRole, TableShape};

/// Columns of the config's tables that lead to another of them: from, column, to, key.
const PARENTS: [(TableRole, &str, TableRole, &str); 3] = [
    (TableRole::CrmSync, "order", TableRole::Orders, "id"),
    (TableRole::Tickets, "submission", TableRole::Submissions, "id"),
    (TableRole::Submissions, "ticket", TableRole::Tickets, "id"),
];

/// Reads.
pub(super) async fn collect(database: &dyn Database) -> Result<Evidence, ProbeError> {
    let facts = database.facts().await?;
    let catalogue = database.catalogue().await?;
    let events = database.shape(TableRole::Events).await?;
    let orders = database.shape(TableRole::Orders).await?;
    let mut hidden = Vec::new();
    let mut orphans = Vec::new();
    for parent in PARENTS {
        match lead(database, parent).await {
            Ok(found) => orphans.extend(found),
            Err(error) => hidden.push(hide(&format!("parents of {}", parent.0.as_str()), &error)),
        }
    }
    let named = events.is_some();
    let candidates = catalogue.tables.iter().filter(|_| !named);
    let candidates = candidates.filter(|table| looks_like_events(table)).map(keys::shown);
    Ok(Evidence {
        events: events.map(|shape| guarded(&shape, &["id"], &catalogue)),
        orders: orders.map(|shape| guarded(&shape, &["session", "payment_intent"], &catalogue)),
        candidates: Bounded::keep(candidates, 10),
        orphans,
        loose: Bounded::keep(keys::loose(&catalogue), KEYS_LISTED),
        hidden,
        cut: catalogue.cut,
        facts,
    })
}

fn hide(part: &str, error: &ProbeError) -> Hidden {
    let unlock = match error {
        ProbeError::Agent(fault) => fault.unlock(),
        ProbeError::Target(_) => "run it again once it answers",
    };
    Hidden { part: part.to_owned(), cause: error.to_string(), unlock: unlock.to_owned() }
}

fn guarded(shape: &TableShape, agreed: &[&str], catalogue: &Catalogue) -> Guarded {
    let table = find(catalogue, &shape.name);
    let columns = agreed.iter().filter_map(|name| shape.columns.get(*name));
    let guard = |column: &String| Guard {
        column: column.clone(),
        unique: table.is_some_and(|table| keys::is_unique(table, column)),
    };
    Guarded {
        table: shape.name.clone(),
        guards: columns.map(guard).collect(),
        known: table.is_some(),
    }
}

/// Rows of one table of the config that lead to no row of another.
async fn lead(
    database: &dyn Database,
    (from, column, to, key): (TableRole, &'static str, TableRole, &'static str),
) -> Result<Option<Orphans>, ProbeError> {
    let (Some(child), Some(parent)) = (database.shape(from).await?, database.shape(to).await?)
    else {
        return Ok(None);
    };
    let (Some(real), true) = (child.columns.get(column), parent.has(key)) else { return Ok(None) };
    let strays = database.strays((from, column), (to, key)).await?;
    Ok(Some(Orphans {
        from: format!("{}.{real}", child.name),
        to: parent.name,
        values: Bounded::keep(strays.values.into_iter().map(|value| id(&value)), LISTED),
        rows: strays.rows,
        of: strays.of,
    }))
}

/// An id as it may be shown: short, and never an address.
fn id(value: &str) -> String {
    if value.contains('@') {
        return "(an address)".to_owned();
    }
    value.chars().filter(|sign| !sign.is_control()).take(64).collect()
}
