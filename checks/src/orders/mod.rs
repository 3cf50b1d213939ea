//! Orders, data and idempotency: what was paid against what the database knows.

mod checkout;
mod duplicates;
mod idempotency;
mod keys;
mod matching;
mod orphaned_checkouts;
mod reconcile;
mod subscriptions;
mod unpaid;
mod unprocessed_events;
mod walk;
mod words;

pub use checkout::references;
pub use duplicates::Duplicates;
pub use idempotency::Idempotency;
pub use orphaned_checkouts::OrphanedCheckouts;
pub use reconcile::{Difference, Reconciled, reconcile};
pub use subscriptions::Subscriptions;
pub use unpaid::Unpaid;
pub use unprocessed_events::UnprocessedEvents;
pub use words::{Standing, minor};

use crate::contract::CheckError;
use crate::probe::{Database, TableRole, TableShape};

/// The table of orders, which has to have one column at least by which an order is known.
async fn orders_table(database: &dyn Database) -> Result<TableShape, CheckError> {
    let shape = database.shape(TableRole::Orders).await.map_err(CheckError::unseen)?;
    let shape = shape.ok_or_else(|| {
        CheckError::skipped(
            "no table of orders is configured",
            "add [project.database.orders] with table = \"orders\" to the config",
        )
    })?;
    if checkout::STRONG.iter().any(|column| shape.has(column)) {
        return Ok(shape);
    }
    Err(CheckError::unknown(
        format!("{} has no column that names a checkout, a payment or a reference", shape.name),
        "say which it is, such as session = \"stripe_session_id\" under [project.database.orders]",
    ))
}
