//! Reads the project's own list of what it handed to the CRM. Of each order the last attempt counts, so that
//! a retry that went well is no failure.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Options;
use crate::contract::Bounded;
use crate::crm::orders::before;
use crate::crm::words::{State, refusal, short, state};
use crate::probe::{Accounts, Database, ProbeError, RowQuery, TableRole, TableShape};

/// The most rows that one look reads.
const ROWS: u64 = 200_000;
/// The most ids of one kind, and unknown words, that are kept.
pub(super) const KEPT: usize = 50;
const WORDS: usize = 10;
/// The most characters of a word that are kept.
const CHARS: usize = 40;

/// What the table tells.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Attempts {
    /// Orders whose last attempt was within the span of the rate and ended.
    pub(super) ended: u64,
    /// Those of them that failed.
    pub(super) failed: u64,
    /// The newest of those.
    pub(super) failures: Bounded<Attempt>,
    /// Orders whose last attempt failed before that span.
    pub(super) old_failures: Bounded<Attempt>,
    /// Orders whose last attempt neither ended nor failed for too long.
    pub(super) stuck: Bounded<Attempt>,
    /// When the last attempt went well.
    pub(super) last_good: Option<Timestamp>,
    /// Attempts since then that were refused for the token or a scope.
    pub(super) refused: u64,
    /// Why, and when the last one was.
    pub(super) refusal: Option<(String, Timestamp)>,
    /// Statuses that we do not know.
    pub(super) unknown: BTreeSet<String>,
    /// A limit came before the end.
    pub(super) cut: bool,
}

/// One attempt.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Attempt {
    pub(super) order: String,
    pub(super) at: Timestamp,
}

/// The list: what it tells, and the orders that it names, where it names any.
pub(super) struct Read {
    pub(super) attempts: Attempts,
    pub(super) orders: Option<HashMap<String, State>>,
}

struct Last {
    at: Timestamp,
    state: State,
    refusal: Option<&'static str>,
}

/// Reads it; `None` where the config names none.
pub(super) async fn read(
    accounts: &Accounts,
    now: Timestamp,
    options: &Options,
) -> Result<Option<Read>, ProbeError> {
    let Some(database) = accounts.database.optional() else { return Ok(None) };
    let Some(shape) = database.shape(TableRole::CrmSync).await? else { return Ok(None) };
    if !shape.has("at") || !(shape.has("status") || shape.has("error")) {
        return Ok(None);
    }
    rows(database, &shape, now, options).await.map(Some)
}

async fn rows(
    database: &dyn Database,
    shape: &TableShape,
    now: Timestamp,
    options: &Options,
) -> Result<Read, ProbeError> {
    let named = shape.has("order");
    let columns = ["id", "order", "status", "at", "error"];
    let query = RowQuery::new(TableRole::CrmSync, &columns);
    let query = RowQuery { limit: Some(ROWS), ..query.since("at", before(now, options.window)) };
    let mut attempts = Attempts::default();
    let mut last: HashMap<String, Last> = HashMap::new();
    let mut row_number = 0_u64;
    let walked = database
        .rows(query, &mut |row| {
            row_number += 1;
            let Some(at) = row.time(3) else { return };
            let error = row.text(4).filter(|text| !text.trim().is_empty());
            let found = match row.text(2) {
                Some(word) if shape.has("status") => {
                    let found = state(word);
                    if found == State::Unknown && attempts.unknown.len() < WORDS {
                        attempts.unknown.insert(word.chars().take(CHARS).collect());
                    }
                    found
                }
                _ if error.is_some() => State::Failed,
                _ if shape.has("status") => State::Pending,
                _ => State::Done,
            };
            let refusal = error.filter(|_| found == State::Failed).and_then(refusal);
            let own = || row.text(0).map_or_else(|| format!("row {row_number}"), str::to_owned);
            let order = row.text(1).map_or_else(own, str::to_owned);
            let newer = last.get(&order).is_none_or(|known| known.at <= at);
            if found == State::Done {
                attempts.last_good = attempts.last_good.max(Some(at));
            }
            if newer {
                last.insert(order, Last { at, state: found, refusal });
            }
        })
        .await?;
    attempts.cut = walked.cut;
    sum(&mut attempts, &last, now, options);
    let orders = named.then(|| last.into_iter().map(|(id, last)| (id, last.state)).collect());
    Ok(Read { attempts, orders })
}

fn sum(attempts: &mut Attempts, last: &HashMap<String, Last>, now: Timestamp, options: &Options) {
    let (recent, hanging) = (before(now, options.rate_window), before(now, options.stuck_after));
    let (mut failures, mut old, mut stuck) = (Vec::new(), Vec::new(), Vec::new());
    for (order, last) in last {
        let attempt = || Attempt { order: short(order), at: last.at };
        match last.state {
            State::Done if last.at >= recent => attempts.ended += 1,
            State::Failed if last.at >= recent => {
                attempts.ended += 1;
                attempts.failed += 1;
                failures.push(attempt());
            }
            State::Failed => old.push(attempt()),
            State::Pending if last.at < hanging => stuck.push(attempt()),
            State::Done | State::Pending | State::Over | State::Unknown => {}
        }
        if let Some(why) = last.refusal
            && attempts.last_good.is_none_or(|good| good < last.at)
        {
            attempts.refused += 1;
            if attempts.refusal.as_ref().is_none_or(|(_, at)| *at < last.at) {
                attempts.refusal = Some((why.to_owned(), last.at));
            }
        }
    }
    let newest = |mut all: Vec<Attempt>| {
        all.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.order.cmp(&b.order)));
        Bounded::keep(all, KEPT)
    };
    attempts.failures = newest(failures);
    attempts.old_failures = newest(old);
    attempts.stuck = newest(stuck);
}
