//! Reads the desk: who waits, who is responsible, what came in, what was acknowledged.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Options;
use crate::contract::{Age, Bounded, CheckError, Target};
use crate::probe::{Acknowledgement, Conversation, Desk, Origin, Period, Probes, Seen};
use crate::support::source::source;

/// The most conversations of one kind that are kept by id.
const KEPT: usize = 100;
/// The most conversations whose acknowledgement is asked for.
const ACKNOWLEDGED: usize = 20;
/// What came in is counted over this long.
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// A desk without an open conversation has to show one that began within this long.
const PROOF: SignedDuration = SignedDuration::from_hours(24 * 30);
/// The most characters of an id or a name that are kept.
const CHARS: usize = 60;

/// What the desk showed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The desk, in the word of the config.
    pub(super) desk: String,
    /// Conversations that are not closed and were seen.
    pub(super) open: u64,
    /// Those that the desk counts, where it says.
    pub(super) total: Option<u64>,
    /// A limit came before the end of the list.
    pub(super) cut: bool,
    /// Any conversation was seen, open or closed.
    pub(super) any: bool,
    /// The customers who wait, longest first.
    pub(super) waiting: Bounded<Held>,
    /// Since when the customer waits who is at the 90th percentile.
    pub(super) p90_since: Option<Timestamp>,
    /// Conversations without somebody responsible after the settle time; nothing where the desk cannot say.
    pub(super) unassigned: Option<Bounded<Held>>,
    /// Conversations without a tag after the settle time; nothing where the desk has no tags.
    pub(super) untagged: Option<Bounded<Held>>,
    /// Conversations in another queue than the named ones after the settle time.
    pub(super) misplaced: Bounded<Held>,
    /// What began within the last 24 hours.
    pub(super) day: Seen<Day>,
    /// Acknowledgements of recent requests; nothing where the desk keeps no such record.
    pub(super) acknowledged: Seen<Option<Vec<Answered>>>,
}

/// One conversation and since when it is as it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Held {
    pub(super) id: String,
    pub(super) since: Timestamp,
    /// The queue that it is in, where that is what is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) queue: Option<String>,
}

/// What began within a day.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Day {
    pub(super) begun: u64,
    /// Typed in by somebody of the team.
    pub(super) by_hand: u64,
    /// The desk does not say how it came in.
    pub(super) unsaid: u64,
    pub(super) cut: bool,
}

/// A request and the automatic answer to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Answered {
    pub(super) id: String,
    pub(super) created: Timestamp,
    pub(super) at: Option<Timestamp>,
}

/// Looks.
pub(super) async fn look(
    now: Timestamp,
    options: &Options,
    target: &Target,
    probes: &Probes,
) -> Result<Evidence, CheckError> {
    let source = source(&probes.accounts).await?;
    let (desk, kind) = (source.desk(), source.kind(target));
    let mut tally = Tally::new(now, options);
    let listed = desk
        .open(&mut |conversation| tally.take(&conversation))
        .await
        .map_err(CheckError::unseen)?;
    let (day, recent) = day(now, desk).await;
    let began = day.ok().is_some_and(|day| day.begun > 0);
    let any = listed.walked.entries > 0 || began || ever(now, desk).await;
    let asked = recent_ids(now, options, recent);
    let acknowledged = acknowledged(desk, asked).await;
    let waiting = tally.waiting();
    Ok(Evidence {
        desk: kind,
        open: listed.walked.entries,
        total: listed.total,
        cut: listed.walked.cut,
        any,
        p90_since: percentile(&waiting),
        waiting: Bounded::keep(waiting, KEPT),
        unassigned: tally.unassigned.map(kept),
        untagged: tally.untagged.map(kept),
        misplaced: kept(tally.misplaced),
        day,
        acknowledged,
    })
}

struct Tally<'a> {
    options: &'a Options,
    /// What began before it has had its settle time.
    settled: Timestamp,
    waiting: Vec<Held>,
    unassigned: Option<Vec<Held>>,
    untagged: Option<Vec<Held>>,
    misplaced: Vec<Held>,
}

impl<'a> Tally<'a> {
    fn new(now: Timestamp, options: &'a Options) -> Self {
        Self {
            options,
            settled: before(now, options.settle),
            waiting: Vec::new(),
            unassigned: None,
            untagged: None,
            misplaced: Vec::new(),
        }
    }

    fn take(&mut self, one: &Conversation) {
        let held = |since: Timestamp| Held { id: short(&one.id), since, queue: None };
        let settled = one.created < self.settled;
        if let Some(since) = one.waiting_since {
            self.waiting.push(held(since));
        }
        if let Some(assigned) = one.assigned {
            let all = self.unassigned.get_or_insert_default();
            if !assigned && settled {
                all.push(held(one.created));
            }
        }
        if let Some(tags) = one.tags.as_ref().filter(|_| self.options.tagging) {
            let all = self.untagged.get_or_insert_default();
            if tags.is_empty() && settled {
                all.push(held(one.created));
            }
        }
        let queues = &self.options.queues;
        let right = one.queue.as_ref().is_some_and(|queue| {
            queues.iter().any(|known| known.trim().eq_ignore_ascii_case(queue.trim()))
        });
        if !queues.is_empty() && settled && !right {
            let queue = one.queue.as_deref().map_or_else(|| "none".to_owned(), short);
            self.misplaced.push(Held { queue: Some(queue), ..held(one.created) });
        }
    }

    fn waiting(&mut self) -> Vec<Held> {
        let mut waiting = std::mem::take(&mut self.waiting);
        sort(&mut waiting);
        waiting
    }
}

/// What began within a day, and the newest of it.
async fn day(now: Timestamp, desk: &dyn Desk) -> (Seen<Day>, Vec<(String, Timestamp)>) {
    let mut day = Day::default();
    let mut recent = Vec::new();
    let period = Period { since: now.checked_sub(DAY).unwrap_or(now), until: None };
    let walked = desk
        .created(period, &mut |one| {
            day.begun += 1;
            match one.origin {
                Origin::Hand => day.by_hand += 1,
                Origin::Unsaid => day.unsaid += 1,
                Origin::Customer | Origin::Product => {}
            }
            if one.origin != Origin::Hand {
                recent.push((one.id, one.created));
            }
        })
        .await;
    let seen = Seen::from(walked).map(|listed| Day { cut: listed.walked.cut, ..day });
    (seen, recent)
}

/// Whether the desk shows any conversation of the last weeks. A failure proves nothing.
async fn ever(now: Timestamp, desk: &dyn Desk) -> bool {
    let period = Period { since: now.checked_sub(PROOF).unwrap_or(now), until: None };
    let mut any = false;
    let _listed = desk.created(period, &mut |_| any = true).await;
    any
}

/// The newest requests that have had the time to be acknowledged.
fn recent_ids(
    now: Timestamp,
    options: &Options,
    mut recent: Vec<(String, Timestamp)>,
) -> Vec<(String, Timestamp)> {
    let latest = before(now, options.acknowledgement);
    recent.retain(|(_, created)| *created < latest);
    recent.sort_by(|(a_id, a), (b_id, b)| b.cmp(a).then_with(|| a_id.cmp(b_id)));
    recent.dedup_by(|a, b| a.0 == b.0);
    recent.truncate(ACKNOWLEDGED);
    recent
}

async fn acknowledged(
    desk: &dyn Desk,
    asked: Vec<(String, Timestamp)>,
) -> Seen<Option<Vec<Answered>>> {
    let ids = asked.iter().map(|(id, _)| id.clone()).collect();
    let found = desk.acknowledgements(ids).await;
    let of = |found: Vec<Acknowledgement>| {
        let one = |(id, created): &(String, Timestamp)| {
            let known = found.iter().find(|one| one.id == *id)?;
            Some(Answered { id: short(id), created: *created, at: known.at })
        };
        asked.iter().filter_map(one).collect()
    };
    Seen::from(found).map(|found| found.map(of))
}

fn kept(mut all: Vec<Held>) -> Bounded<Held> {
    sort(&mut all);
    Bounded::keep(all, KEPT)
}

fn sort(all: &mut [Held]) {
    all.sort_by(|a, b| a.since.cmp(&b.since).then_with(|| a.id.cmp(&b.id)));
}

/// Since when the one waits whom nine tenths of the others have not outwaited.
fn percentile(longest_first: &[Held]) -> Option<Timestamp> {
    let tenth = longest_first.len() / 10;
    longest_first.get(tenth).map(|held| held.since)
}

fn before(now: Timestamp, age: Age) -> Timestamp {
    now.checked_sub(SignedDuration::from_secs(age.whole_seconds())).unwrap_or(Timestamp::MIN)
}

fn short(text: &str) -> String {
    text.chars().take(CHARS).collect()
}
