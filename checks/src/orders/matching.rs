//! Takes out of a few checkouts those that the orders know.

use std::collections::{HashMap, HashSet};

use jiff::SignedDuration;

use super::checkout::{Checkout, STRONG};
use super::words::minor;
use crate::contract::CheckError;
use crate::probe::{Database, KEYS, Row, RowQuery, RunKey, TableRole, TableShape};

/// Checkouts that are looked up one by one; more are counted and not told apart.
pub(super) const FEW: usize = 5_000;
/// An order of the same customer and amount is taken for a checkout's own within this time.
const NEAR: SignedDuration = SignedDuration::from_hours(24);

/// How many checkouts were found by which column.
pub(super) type Found = std::collections::BTreeMap<String, u64>;

/// Takes out what a strong key finds, then what customer or address and amount find.
pub(super) async fn take_known(
    checkouts: &mut Vec<Checkout>,
    shape: &TableShape,
    database: &dyn Database,
    found: &mut Found,
) -> Result<(), CheckError> {
    for column in STRONG.into_iter().filter(|column| shape.has(column)) {
        let known = values_known(checkouts, column, database).await?;
        let before = checkouts.len();
        checkouts
            .retain(|checkout| !checkout.values(column).iter().any(|value| known.contains(*value)));
        count(found, column, before - checkouts.len());
    }
    if checkouts.is_empty() || !(shape.has("amount") && shape.has("created")) {
        return Ok(());
    }
    for column in ["customer", "email"].into_iter().filter(|column| shape.has(column)) {
        take_near(checkouts, column, shape, database, found).await?;
    }
    Ok(())
}

fn count(found: &mut Found, column: &str, more: usize) {
    if more > 0 {
        *found.entry(column.to_owned()).or_default() += u64::try_from(more).unwrap_or(u64::MAX);
    }
}

/// The values of a column that the orders hold, of those that the checkouts would be known by.
async fn values_known(
    checkouts: &[Checkout],
    column: &'static str,
    database: &dyn Database,
) -> Result<HashSet<String>, CheckError> {
    let mut known = HashSet::new();
    let values: Vec<String> =
        checkouts.iter().flat_map(|checkout| checkout.values(column)).map(str::to_owned).collect();
    for batch in values.chunks(KEYS) {
        let query = RowQuery::new(TableRole::Orders, &[column]).among(column, batch.to_vec());
        database
            .rows(query, &mut |row| known.extend(row.text(0).map(str::to_owned)))
            .await
            .map_err(CheckError::unseen)?;
    }
    Ok(known)
}

/// An order that might be that of a checkout: it names no checkout of its own.
struct Near {
    amount: String,
    currency: Option<String>,
    created: jiff::Timestamp,
}

/// The weak keys: an order without any session, of the same customer and amount within a day. Each order
/// is taken for one checkout.
async fn take_near(
    checkouts: &mut Vec<Checkout>,
    column: &'static str,
    shape: &TableShape,
    database: &dyn Database,
    found: &mut Found,
) -> Result<(), CheckError> {
    let key = RunKey::random();
    let who = |checkout: &Checkout| match column {
        "email" => checkout.email.as_ref().map(|email| email.keyed(key)),
        _ => checkout.customer.as_deref().map(|customer| key.hash(customer)),
    };
    let asked: Vec<&Checkout> =
        checkouts.iter().filter(|checkout| who(checkout).is_some()).collect();
    let wanted: HashSet<u64> = asked.iter().copied().filter_map(who).collect();
    let Some(earliest) = asked.iter().map(|checkout| checkout.created).min() else {
        return Ok(());
    };
    let since = earliest.checked_sub(NEAR).unwrap_or(earliest);
    let session = if shape.has("session") { "session" } else { "payment_intent" };
    let columns = [column, "amount", "currency", "created", session];
    let query = RowQuery::new(TableRole::Orders, &columns).since("created", since);
    // An address stands in many spellings, and is compared as a hash; a customer is asked for.
    let queries: Vec<RowQuery> = if column == "email" {
        vec![query]
    } else {
        let customers: HashSet<String> =
            asked.iter().filter_map(|checkout| checkout.customer.clone()).collect();
        let customers: Vec<String> = customers.into_iter().collect();
        let batches = customers.chunks(KEYS);
        batches.map(|batch| query.clone().among(column, batch.to_vec())).collect()
    };
    let mut near: HashMap<u64, Vec<Near>> = HashMap::new();
    let mut keep = |row: Row<'_>| {
        let Some(text) = row.text(0) else { return };
        let who = match column {
            "email" => crate::probe::Email::new(text).map(|email| email.keyed(key)),
            _ => Some(key.hash(text)),
        };
        let (Some(who), Some(amount), Some(created)) = (who, row.text(1), row.time(3)) else {
            return;
        };
        if row.text(4).is_none() && wanted.contains(&who) {
            let currency = row.text(2).map(str::to_ascii_lowercase);
            let amount = amount.to_owned();
            near.entry(who).or_default().push(Near { amount, currency, created });
        }
    };
    for query in queries {
        database.rows(query, &mut keep).await.map_err(CheckError::unseen)?;
    }
    let before = checkouts.len();
    checkouts.retain(|checkout| {
        let Some(orders) = who(checkout).and_then(|who| near.get_mut(&who)) else { return true };
        let is_its_own = |order: &Near| {
            let apart = order.created.duration_since(checkout.created).abs();
            checkout.amount.as_ref().is_some_and(|amount| {
                minor(&order.amount, &amount.currency) == Some(amount.amount_minor)
                    && order.currency.as_ref().is_none_or(|known| *known == amount.currency)
            }) && apart <= NEAR
        };
        let place = orders.iter().position(is_its_own);
        place.map(|place| orders.swap_remove(place)).is_none()
    });
    count(found, column, before - checkouts.len());
    Ok(())
}
