//! Walks over the product's table of events.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::BuildHasher as _;

use jiff::Timestamp;

use super::state::{COLUMNS, State, Told, read, shown};
use super::{Event, Evidence, Options};
use crate::contract::{Age, Bounded, CheckError};
use crate::probe::{Database, KEYS, RowQuery, TableRole, TableShape};

/// Events that are listed in evidence, each by its id.
const LISTED: usize = 200;
/// Events that failed or are open and are looked at one by one; more of them are a disaster of its own.
const FOLLOWED: usize = 20_000;
/// Values from which a percentile is taken.
const LAGS: usize = 200_000;
/// Finished events that are told apart by their id; of more, a row that came twice counts twice.
const FINISHED: usize = 1_000_000;
/// Words that are told.
const WORDS: usize = 20;
/// How far back events are read: what failed longer ago is found by hand.
const BACK: Age = Age::days(7);

/// The last that the table says about one event that failed or is open.
struct Last {
    event: Event,
    failed: bool,
    /// When it arrived: of two rows of one event the later decides.
    order: Timestamp,
    over: bool,
}

#[derive(Default)]
struct Seen {
    rows: u64,
    /// The seed of the hashes below, random in each run.
    seed: RandomState,
    /// Finished events by the hash of their id, and those beyond as many as are told apart.
    done: HashSet<u64>,
    done_more: u64,
    followed: BTreeMap<String, Last>,
    loose: Vec<Last>,
    /// The lag of each event at its first arrival: one that is sent again later was not late.
    lags: HashMap<u64, f64>,
    words: BTreeMap<String, u64>,
    cut: bool,
}

/// Reads the table.
pub(super) async fn collect(
    database: &dyn Database,
    options: &Options,
    now: Timestamp,
) -> Result<Evidence, CheckError> {
    let shape = database.shape(TableRole::Events).await.map_err(CheckError::unseen)?;
    let Some(shape) = shape else {
        return Err(CheckError::skipped(
            "the config names no table of events",
            "add [project.database.events] with table = \"NAME\" of the table in which the webhook keeps what \
             it was told",
        ));
    };
    let column = place(&shape)?;
    let period = options.period.before(now);
    let since = options.period.max(BACK).before(now);
    let mut seen = Seen::default();
    let query = RowQuery::new(TableRole::Events, &COLUMNS).since(column, since);
    let has_id = shape.has("id");
    database
        .rows(query, &mut |row| seen.take(&read(row, options), period, has_id))
        .await
        .map_err(CheckError::unseen)?;
    // An event that was sent again has a second row, which may have come before its first in this walk.
    let ids: Vec<String> = seen.followed.keys().cloned().collect();
    for ids in ids.chunks(KEYS) {
        let query = RowQuery::new(TableRole::Events, &COLUMNS).among("id", ids.to_vec());
        let walked = database.rows(query, &mut |row| seen.follow(&read(row, options))).await;
        walked.map_err(CheckError::unseen)?;
    }
    Ok(seen.evidence(&shape, options, now))
}

/// The column by which rows are chosen.
fn place(shape: &TableShape) -> Result<&'static str, CheckError> {
    let unknown = |what: String, unlock: &str| Err(CheckError::unknown(what, unlock));
    let tells = ["status", "error", "processed"].iter().any(|column| shape.has(column));
    if !tells {
        return unknown(
            format!("{} has no column that tells how an event ended", shape.name),
            "name it under [project.database.events]: status = \"COLUMN\", or processed and error",
        );
    }
    match ["received", "created"].into_iter().find(|column| shape.has(column)) {
        Some(column) => Ok(column),
        None => unknown(
            format!("{} has no column with the time at which an event arrived", shape.name),
            "name it under [project.database.events]: received = \"COLUMN\"",
        ),
    }
}

impl Seen {
    fn take(&mut self, told: &Told<'_>, period: Timestamp, has_id: bool) {
        self.rows += 1;
        let event = match told.id.filter(|_| has_id) {
            Some(id) => self.seed.hash_one(id),
            None => self.seed.hash_one(self.rows),
        };
        let arrived = told.received.or(told.created);
        let recent = arrived.is_some_and(|at| at >= period);
        if let (Some(created), Some(received)) = (told.created, told.received)
            && recent
        {
            let lag = received.duration_since(created).as_secs_f64();
            if let Some(known) = self.lags.get_mut(&event) {
                *known = known.min(lag);
            } else if self.lags.len() < LAGS {
                self.lags.insert(event, lag);
            } else {
                self.cut = true;
            }
        }
        match &told.state {
            State::Done if !recent => {}
            State::Done if self.done.len() < FINISHED => {
                self.done.insert(event);
            }
            State::Done => self.done_more += u64::from(!self.done.contains(&event)),
            State::Unknown(word) => {
                if self.words.len() < 1_000 || self.words.contains_key(word) {
                    *self.words.entry(word.clone()).or_default() += 1;
                }
            }
            State::Failed | State::Open => {
                let Some(last) = Last::of(told) else { return };
                if self.followed.len() + self.loose.len() >= FOLLOWED {
                    self.cut = true;
                } else if let Some(id) = told.id.filter(|_| has_id) {
                    self.followed.entry(id.to_owned()).or_insert(last);
                } else {
                    self.loose.push(last);
                }
            }
        }
    }

    /// Of all rows of one event the last decides; one that is finished stays so.
    fn follow(&mut self, told: &Told<'_>) {
        let Some(known) = told.id.and_then(|id| self.followed.get_mut(id)) else { return };
        if told.state == State::Done {
            known.over = true;
        } else if let Some(last) = Last::of(told)
            && last.order > known.order
        {
            let over = known.over;
            *known = Last { over, ..last };
        }
    }

    fn evidence(mut self, shape: &TableShape, options: &Options, now: Timestamp) -> Evidence {
        let (window, stuck, period) =
            (options.window.before(now), options.stuck.before(now), options.period.before(now));
        let mut left: Vec<Last> = std::mem::take(&mut self.followed).into_values().collect();
        left.append(&mut self.loose);
        left.retain(|last| !last.over);
        let (mut failed, open): (Vec<Last>, Vec<Last>) =
            left.into_iter().partition(|last| last.failed);
        failed.sort_by_key(|other| std::cmp::Reverse(other.event.at));
        let count = |wanted: &dyn Fn(&Last) -> bool| {
            u64::try_from(failed.iter().filter(|last| wanted(last)).count()).unwrap_or(u64::MAX)
        };
        let failed_in_window = count(&|last| last.event.at >= window);
        let failed_in_period = count(&|last| last.order >= period);
        let mut open: Vec<Event> =
            open.into_iter().map(|last| last.event).filter(|event| event.at < stuck).collect();
        open.sort_by_key(|event| event.at);
        let mut lags: Vec<f64> = self.lags.into_values().collect();
        lags.sort_by(f64::total_cmp);
        let lag_of = lags.len();
        let done = u64::try_from(self.done.len()).unwrap_or(u64::MAX) + self.done_more;
        Evidence {
            table: shape.name.clone(),
            columns: COLUMNS.into_iter().filter(|name| shape.has(name)).map(Into::into).collect(),
            rows: self.rows,
            failed: Bounded::keep(failed.into_iter().map(|last| last.event), LISTED),
            failed_in_window,
            stuck: Bounded::keep(open, LISTED),
            finished: done + failed_in_period,
            failed_in_period,
            // The smallest value that at least 95 % do not exceed.
            lag_p95: lags.get((lag_of * 95).div_ceil(100).saturating_sub(1)).copied(),
            lag_of: u64::try_from(lag_of).unwrap_or(u64::MAX),
            unknown: Bounded::keep(self.words, WORDS),
            cut: self.cut,
        }
    }
}

impl Last {
    fn of(told: &Told<'_>) -> Option<Self> {
        let failed = match told.state {
            State::Failed => true,
            State::Open => false,
            State::Done | State::Unknown(_) => return None,
        };
        let arrived = told.received.or(told.created)?;
        let at = if failed { told.at? } else { arrived };
        let event = Event {
            id: told.id.map_or_else(|| "(no id)".to_owned(), shown),
            kind: shown(told.kind),
            at,
        };
        Some(Self { event, failed, order: arrived, over: false })
    }
}
