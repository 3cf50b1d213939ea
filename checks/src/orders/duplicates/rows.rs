//! Rows of the database that stand twice.

use super::Twice;
use crate::contract::CheckError;
use crate::probe::{Database, Repeated, TableRole};

/// Columns of the orders that name one payment.
const ONE_PAYMENT: [&str; 2] = ["session", "payment_intent"];

/// What the database holds twice.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) orders: Vec<Twice>,
    pub(super) events: Option<Repeated>,
    /// Why nothing was looked at, and the step that unlocks it.
    pub(super) missing: Option<(String, String)>,
}

pub(super) async fn read(database: &dyn Database) -> Result<Rows, CheckError> {
    let mut rows = Rows::default();
    let shape = async |table| database.shape(table).await.map_err(CheckError::unseen);
    let (orders, events) = (shape(TableRole::Orders).await?, shape(TableRole::Events).await?);
    if orders.is_none() && events.is_none() {
        rows.missing = Some((
            "no table of orders or events is configured".to_owned(),
            "add [project.database.orders] and [project.database.events] to the config".to_owned(),
        ));
    }
    if let Some(orders) = orders {
        for column in ONE_PAYMENT.into_iter().filter(|column| orders.has(column)) {
            let repeated =
                database.repeated(TableRole::Orders, column).await.map_err(CheckError::unseen)?;
            let real = orders.columns.get(column).cloned();
            rows.orders
                .push(Twice { column: real.unwrap_or_else(|| column.to_owned()), rows: repeated });
        }
        // Both columns of one row name the same payment: it is said once.
        let said: Vec<u64> = rows.orders.iter().map(|twice| twice.rows.total).collect();
        if said.iter().all(|total| *total > 0) {
            rows.orders.truncate(1);
        }
    }
    if events.is_some_and(|events| events.has("id")) {
        let repeated = database.repeated(TableRole::Events, "id").await;
        rows.events = Some(repeated.map_err(CheckError::unseen)?);
    }
    Ok(rows)
}
