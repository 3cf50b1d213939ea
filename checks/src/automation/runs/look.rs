//! Reads the flows and the runs that are new.

use std::collections::{BTreeMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::past::{Carry, Past};
use super::{CredentialsSeen, Evidence, FlowSeen, Runs};
use crate::contract::{Bounded, CheckError, LookCx};
use crate::probe::{Automation, Credentials, Flow, ProbeError, Run, RunStatus};

/// Everything is read again after this long, for runs that have changed since.
const WHOLE_AGAIN: SignedDuration = SignedDuration::from_hours(24);
/// Each look begins a little before the last one did, because runs are listed when they end.
const OVERLAP: SignedDuration = SignedDuration::from_mins(15);
/// A run that has not ended is waited for at most this long; the next whole look finds the others.
const UNENDED: SignedDuration = SignedDuration::from_hours(2);
/// Flows that are looked at.
const FLOWS: usize = 100;
/// Runs that are kept in memory during one look; a list that is longer is cut.
const RUNS: usize = 300_000;
/// Ids of counted runs that are carried.
const COUNTED: usize = 4_000;
/// Failed runs that evidence names, of each flow.
const NAMED: usize = 3;
/// The most characters of a name.
const NAME_CHARS: usize = 60;

/// Runs by flow, and how far they reach.
#[derive(Default)]
struct Read {
    runs: BTreeMap<String, Vec<Run>>,
    kept: usize,
    cut: bool,
    flows_cut: Vec<String>,
}

pub(super) async fn look(
    look: &LookCx<'_, Runs>,
    automation: &dyn Automation,
) -> Result<(Evidence, Carry), CheckError> {
    let since = begin(look);
    let mut flows = automation.flows().await.map_err(CheckError::unseen)?;
    let ignored =
        |flow: &Flow| look.options.ignore.iter().any(|word| *word == flow.id || *word == flow.name);
    flows.retain(|flow| !ignored(flow));
    // Those that are on come first, so that what is cut is off.
    flows.sort_by(|a, b| (!a.active, a.archived, &a.id).cmp(&(!b.active, b.archived, &b.id)));
    let over = flows.len().saturating_sub(FLOWS);
    flows.truncate(FLOWS);

    let carried = look.carry.clone().filter(|carry| {
        carry.last <= look.now && look.now.duration_since(carry.whole) < WHOLE_AGAIN
    });
    let old = look.carry.as_ref().map(|carry| carry.flows.clone()).unwrap_or_default();
    let mut carry = if let Some(carry) = carried {
        let active = flows.iter().filter(|flow| flow.active).map(|flow| flow.id.clone()).collect();
        let read = read(automation, active, carry.next).await?;
        if read.cut && read.flows_cut.is_empty() {
            // There is a hole between what was read and what is known.
            whole(look, automation, &flows, since, old).await?
        } else {
            with(carry, read, look.now)
        }
    } else {
        whole(look, automation, &flows, since, old).await?
    };
    carry.flows.retain(|id, _| flows.iter().any(|flow| flow.id == *id));
    let mut seen = Vec::new();
    for flow in &flows {
        let past = carry.flows.entry(flow.id.clone()).or_default();
        let known = look.carry.as_ref().is_some_and(|carry| carry.flows.contains_key(&flow.id));
        let cut = carry.flows_cut.contains(&flow.id);
        seen.push(FlowSeen { cut, ..note(flow, past, known, since, look.now) });
    }
    let credentials = automation.credentials().await;
    let (expired, credentials) = match credentials {
        Ok(Credentials::Expired(all)) => (all, CredentialsSeen::Seen),
        Ok(Credentials::Untold) => (Vec::new(), CredentialsSeen::Untold),
        Err(ProbeError::Agent(fault)) => (Vec::new(), CredentialsSeen::Refused(fault)),
        Err(ProbeError::Target(fault)) => {
            (Vec::new(), CredentialsSeen::NoAnswer(fault.to_string()))
        }
    };
    let evidence = Evidence {
        vendor: automation.vendor().to_owned(),
        since,
        seen_from: carry.seen_from.map(|from| from.max(since)),
        cut: carry.cut,
        flows: Bounded { items: seen, cut: over },
        expired: Bounded::keep(expired, 20),
        credentials,
    };
    Ok((evidence, carry))
}

/// The window begins with a whole day, because runs are counted by days.
fn begin(look: &LookCx<'_, Runs>) -> Timestamp {
    let second = look.now.as_second() - look.options.window.whole_seconds();
    Timestamp::from_second(second.div_euclid(86_400) * 86_400).unwrap_or(look.now)
}

async fn read(
    automation: &dyn Automation,
    flows: Vec<String>,
    since: Timestamp,
) -> Result<Read, CheckError> {
    let mut read = Read::default();
    let wanted: HashSet<String> = flows.iter().cloned().collect();
    let mut ids = HashSet::new();
    let mut over = false;
    let walked = automation
        .runs(flows, since, &mut |run| {
            // An entry that moves from page to page while one reads is told twice.
            if run.started < since || !wanted.contains(&run.flow) || !ids.insert(run.id.clone()) {
                return;
            }
            if read.kept >= RUNS {
                over = true;
                return;
            }
            read.kept += 1;
            read.runs.entry(run.flow.clone()).or_default().push(run);
        })
        .await
        .map_err(CheckError::unseen)?;
    read.cut = walked.cut || over;
    read.flows_cut = walked.flows_cut;
    Ok(read)
}

/// Reads the whole window.
async fn whole(
    look: &LookCx<'_, Runs>,
    automation: &dyn Automation,
    flows: &[Flow],
    since: Timestamp,
    mut old: BTreeMap<String, Past>,
) -> Result<Carry, CheckError> {
    let ids = flows.iter().map(|flow| flow.id.clone()).collect();
    let read = read(automation, ids, since).await?;
    old.values_mut().for_each(Past::forget_runs);
    let seen_from = read.runs.values().flatten().map(|run| run.started).min();
    let carry = Carry {
        whole: look.now,
        next: since,
        last: look.now,
        seen_from,
        cut: read.cut,
        flows_cut: Vec::new(),
        counted: Vec::new(),
        flows: old,
    };
    Ok(with(carry, read, look.now))
}

/// Adds what was read to what was known.
fn with(mut carry: Carry, read: Read, now: Timestamp) -> Carry {
    let counted: HashSet<&String> = carry.counted.iter().collect();
    let mut next = now.checked_sub(OVERLAP).unwrap_or(now);
    let mut ended = Vec::new();
    let mut fresh: BTreeMap<&String, Vec<Run>> = BTreeMap::new();
    for (flow, runs) in &read.runs {
        for run in runs {
            let waits = run.status == RunStatus::Running;
            if waits && now.duration_since(run.started) < UNENDED {
                next = next.min(run.started);
            }
            if !counted.contains(&run.id) {
                fresh.entry(flow).or_default().push(run.clone());
            }
            if !waits {
                ended.push((run.started, run.id.clone()));
            }
            carry.seen_from =
                Some(carry.seen_from.map_or(run.started, |from| from.min(run.started)));
        }
    }
    for (flow, runs) in fresh {
        carry.flows.entry(flow.clone()).or_default().add(runs);
    }
    // A run that failed and was counted may have been recovered since.
    for run in read.runs.values().flatten().filter(|run| run.recovered) {
        if let Some(past) = carry.flows.get_mut(&run.flow) {
            past.recover(&run.id);
        }
    }
    ended.sort();
    ended.reverse();
    if let Some((oldest, _)) = ended.get(COUNTED) {
        next = next.max(*oldest);
    }
    ended.retain(|(started, _)| *started >= next);
    carry.flows_cut = read.flows_cut;
    carry.counted = ended.into_iter().map(|(_, id)| id).collect();
    carry.next = next;
    carry.last = now;
    carry
}

/// One flow as it is, beside what was known of it.
fn note(flow: &Flow, past: &mut Past, known: bool, since: Timestamp, now: Timestamp) -> FlowSeen {
    past.slide(since);
    past.off_since = match (flow.active, past.active && known) {
        (true, _) => None,
        (false, true) => Some(now),
        (false, false) => past.off_since,
    };
    past.active = flow.active;
    if known && past.definition.is_some() && flow.definition != past.definition {
        past.changed = Some(now);
    }
    past.definition.clone_from(&flow.definition);
    let (succeeded, failed) = past.sums();
    let declared = flow.every_s.and_then(|every| i64::try_from(every).ok()).filter(|it| *it > 0);
    let last = past.failures.iter().rev().take(NAMED);
    FlowSeen {
        id: flow.id.chars().take(NAME_CHARS).collect(),
        name: short(&flow.name),
        active: flow.active,
        archived: flow.archived,
        off_since: past.off_since,
        updated: flow.updated,
        definition: flow.definition.clone(),
        changed: past.changed,
        forgets_successes: flow.forgets_successes,
        cut: false,
        succeeded,
        failed,
        failures: last.map(|failure| (failure.id.clone(), failure.at)).collect(),
        oldest_failure: past.failures.first().map(|failure| failure.at),
        last: past.last(),
        usual_s: declared.or_else(|| past.median_s()),
        longest_s: past.longest_s(now),
    }
}

fn short(name: &str) -> String {
    name.chars().take(NAME_CHARS).collect()
}
