//! What becomes of jobs when the config changes, and when they are due.

use std::collections::HashMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::fault::Fault;
use super::row::Columns;
use super::words::{at, ms};
use super::{DueJob, JobKey, JobSpec};
use crate::schedule::Schedule;

/// New jobs of one project after those of another, so that many projects do not all begin at once.
const STEP_MS: i64 = 50;
/// The most by which the first look of a project waits for those of others.
const SPREAD_MS: i64 = 30_000;

/// A job as the database has it.
#[derive(Debug)]
pub(super) struct Known {
    id: i64,
    target: String,
    schedule: String,
    due_at: i64,
    last_due: Option<i64>,
    /// Whether an agent has it.
    held: bool,
    gone: bool,
}

/// The jobs of rows with `id`, `project`, `check_id`, `target`, `schedule`, `due_at`, `last_due`, `held` and
/// `gone`.
pub(super) fn known<R: Columns>(rows: &[R]) -> Result<HashMap<JobKey, Known>, Fault> {
    let mut known = HashMap::with_capacity(rows.len());
    for row in rows {
        let job = Known {
            id: row.number("id")?,
            target: row.text("target")?.to_owned(),
            schedule: row.text("schedule")?.to_owned(),
            due_at: row.number("due_at")?,
            last_due: row.some_number("last_due")?,
            held: row.flag("held")?,
            gone: row.flag("gone")?,
        };
        known.insert(key(row)?, job);
    }
    Ok(known)
}

/// The key of a row with `project` and `check_id`.
pub(super) fn key(row: &impl Columns) -> Result<JobKey, Fault> {
    Ok(JobKey { project: row.text("project")?.to_owned(), check: row.text("check_id")?.to_owned() })
}

/// One thing to be done so that the jobs are those of the config.
#[derive(Debug)]
pub(super) enum Step<'j> {
    /// A job that has not been there.
    Add { job: &'j JobSpec, schedule: String, due_at: i64 },
    /// What was seen of another domain is no past of this one: the job goes with all that it has.
    Forget { id: i64, key: &'j JobKey },
    /// A job whose row differs.
    Change { id: i64, schedule: String, due_at: i64, last_due: Option<i64> },
    /// The config no longer has it.
    End { id: i64, key: JobKey },
}

/// What has to be done, in this order, so that the jobs are those of the config.
pub(super) fn steps(
    jobs: &[JobSpec],
    mut before: HashMap<JobKey, Known>,
    now: Timestamp,
) -> Vec<Step<'_>> {
    let first_looks = first_looks(jobs, &before, now);
    let latest = ms(ahead(now));
    let mut steps = Vec::new();
    for job in jobs {
        let schedule = written(job);
        let soon = first_looks.get(job.key.project.as_str()).copied().unwrap_or_else(|| ms(now));
        let known = match before.remove(&job.key) {
            Some(known) if known.target != job.target => {
                steps.push(Step::Forget { id: known.id, key: &job.key });
                None
            }
            known => known,
        };
        let Some(known) = known else {
            steps.push(Step::Add { job, schedule, due_at: soon });
            continue;
        };
        // It is the key of a run that is stored. The clock of the agent that stored it may be a little ahead of
        // this one's; only what no clock that is right has written is put back.
        let last_due = known.last_due.map(|last| if last > latest { ms(now) } else { last });
        let from = last_due.map_or(now, |last| at(last).max(now));
        let regular = ms(job.schedule.after(from, job.phase));
        let is_changed = known.schedule != schedule;
        let due_at = if is_changed && known.held && last_due.is_none() {
            // The first run is under way and knows the schedule of before: the next one comes right after it.
            ms(now).max(known.due_at + 1)
        } else if known.gone || last_due.is_none() {
            known.due_at.min(soon).max(last_due.map_or(i64::MIN, |last| last + 1))
        } else if is_changed {
            regular
        } else {
            // Later than the schedule has it only when the clock was ahead and was put right.
            known.due_at.min(regular)
        };
        let same = due_at == known.due_at && last_due == known.last_due;
        if !same || is_changed || known.gone {
            steps.push(Step::Change { id: known.id, schedule, due_at, last_due });
        }
    }
    let mut gone: Vec<_> = before.into_iter().filter(|(_, known)| !known.gone).collect();
    gone.sort_by(|(one, _), (other, _)| one.cmp(other));
    steps.extend(gone.into_iter().map(|(key, known)| Step::End { id: known.id, key }));
    steps
}

/// What is kept of a schedule, to notice a change.
fn written(job: &JobSpec) -> String {
    match &job.schedule {
        Schedule::Every(interval) => format!("every {} ms at {}", interval.as_millis(), job.phase),
        Schedule::Cron(cron) => format!("cron {} in {}", cron.text(), cron.zone_name()),
    }
}

/// When each project that has new jobs looks first.
fn first_looks<'j>(
    jobs: &'j [JobSpec],
    known: &HashMap<JobKey, Known>,
    now: Timestamp,
) -> HashMap<&'j str, i64> {
    let mut projects: Vec<&str> = Vec::new();
    for job in jobs {
        let is_new =
            known.get(&job.key).is_none_or(|known| known.gone || known.target != job.target);
        if is_new && projects.last() != Some(&job.key.project.as_str()) {
            projects.push(&job.key.project);
        }
    }
    projects.sort_unstable();
    projects.dedup();
    let count = i64::try_from(projects.len()).unwrap_or(i64::MAX).max(1);
    let spread = count.saturating_mul(STEP_MS).min(SPREAD_MS);
    let mut times = HashMap::new();
    for (place, project) in (0_i64..).zip(projects) {
        times.insert(project, ms(now).saturating_add(spread.saturating_mul(place) / count));
    }
    times
}

/// What lies further ahead than this was written by a clock that was wrong; agents that share a store may
/// differ by less.
const AHEAD: SignedDuration = SignedDuration::from_secs(30);

/// The latest time that a clock which is right may have written.
pub(super) fn ahead(now: Timestamp) -> Timestamp {
    now.checked_add(AHEAD).unwrap_or(Timestamp::MAX)
}

/// When a lease that begins now ends.
pub(super) fn lease_end(now: Timestamp, lease: Duration) -> i64 {
    let lease = SignedDuration::try_from(lease).unwrap_or(SignedDuration::MAX);
    ms(now.checked_add(lease).unwrap_or(Timestamp::MAX))
}

/// The jobs that were taken, earliest first.
pub(super) fn taken<R: Columns>(rows: &[R]) -> Result<Vec<DueJob>, Fault> {
    let mut taken = Vec::with_capacity(rows.len());
    for row in rows {
        taken.push(DueJob {
            key: key(row)?,
            due_at: row.time("due_at")?,
            first: row.flag("first")?,
            early: row.flag("early")?,
            beside: row.flag("beside")?,
        });
    }
    taken.sort_by(|one, other| (one.due_at, &one.key).cmp(&(other.due_at, &other.key)));
    Ok(taken)
}
