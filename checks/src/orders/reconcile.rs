//! The whole comparison of checkouts and orders by the checkout's id, each difference told as it is found.

use super::checkout::Checkout;
use super::keys::KeySet;
use super::walk;
use crate::contract::{CheckError, StripeOnly};
use crate::probe::{Database, Payments, Period, RowQuery, TableRole};

/// What one side has and the other lacks, or has too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Difference {
    /// A paid checkout without an order.
    Missing,
    /// A checkout with several orders.
    Duplicated,
    /// An order whose checkout was not in the list.
    Orphan,
}

impl Difference {
    /// The word for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Duplicated => "duplicated",
            Self::Orphan => "orphan",
        }
    }
}

/// How much was compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Orders with a checkout's id.
    pub orders: u64,
    /// Paid checkouts.
    pub checkouts: u64,
}

/// Compares every paid checkout of a period with every order by the id of the checkout. Memory: 8 bytes a
/// row and 8 bytes a checkout.
///
/// # Errors
/// A side cannot be read, or the orders do not name checkouts.
pub async fn reconcile(
    payments: &dyn Payments,
    database: &dyn Database,
    only: &StripeOnly,
    period: Period,
    told: &mut (dyn FnMut(Difference, &str) + Send),
) -> Result<Reconciled, CheckError> {
    let shape = super::orders_table(database).await?;
    if !shape.has("session") {
        return Err(CheckError::unknown(
            format!("{} has no column with the id of the checkout", shape.name),
            "map it: session = \"stripe_session_id\" under [project.database.orders]",
        ));
    }
    let column = || RowQuery::new(TableRole::Orders, &["session"]);
    let mut done = Reconciled::default();
    let mut orders = KeySet::new();
    database
        .rows(column(), &mut |row| {
            if let Some(session) = row.text(0) {
                done.orders += 1;
                orders.add(session);
            }
        })
        .await
        .map_err(CheckError::unseen)?;
    let mut repeated = orders.seal_and_find_repeated();
    let mut checkouts = orders.sibling();
    // Whoever asks for the whole comparison waits for it, however long the list is.
    let walked = walk::checkouts(payments, period, u32::MAX, &mut |session| {
        let Some(checkout) = Checkout::paid(session, only) else { return };
        done.checkouts += 1;
        let hash = orders.hash(&checkout.id);
        if !orders.has_hash(hash) {
            told(Difference::Missing, &checkout.id);
        }
        checkouts.add_hash(hash);
    })
    .await?;
    if walked.cut {
        return Err(CheckError::unknown(
            "the list of checkouts was not read to its end",
            "export the checkouts, and name the file: --sessions FILE",
        ));
    }
    checkouts.seal();
    // Where each order is that of one checkout, nothing has to be named.
    if repeated.is_empty() && orders.is_within(&checkouts) {
        return Ok(done);
    }
    drop(orders);
    database
        .rows(column(), &mut |row| {
            let Some(session) = row.text(0) else { return };
            let hash = checkouts.hash(session);
            if repeated.take_hash(hash) {
                told(Difference::Duplicated, session);
            }
            if !checkouts.has_hash(hash) {
                told(Difference::Orphan, session);
            }
        })
        .await
        .map_err(CheckError::unseen)?;
    Ok(done)
}
