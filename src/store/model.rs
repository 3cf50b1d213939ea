//! What goes in and comes out of a store.

use std::time::Duration;

use jiff::Timestamp;
use launchready_checks::contract::{Assessment, History, Severity, Status};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::incident::{ChangeKind, Incident, RunSeen, State};
use crate::schedule::Schedule;

/// One check of one project.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct JobKey {
    /// The project's name.
    pub project: String,
    /// The check's id.
    pub check: String,
}

/// A job as the config has it.
#[derive(Debug, Clone, PartialEq)]
pub struct JobSpec {
    /// Which.
    pub key: JobKey,
    /// What it looks at: the project's domain.
    pub target: String,
    /// When it is due.
    pub schedule: Schedule,
    /// The part of an interval by which the project's jobs are shifted, from 0 to 1.
    pub phase: f64,
}

/// A job that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueJob {
    /// Which.
    pub key: JobKey,
    /// When it was due.
    pub due_at: Timestamp,
    /// Whether it has no stored run yet.
    pub first: bool,
    /// Whether it is due early, because a finding is suspected.
    pub early: bool,
    /// Whether another agent is looking at the same project.
    pub beside: bool,
}

/// What a run is given from earlier ones.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunInputs {
    /// The evidence of the last run that looked, with its version.
    pub previous: Option<(u32, Value)>,
    /// What the last run carried over.
    pub carry: Option<Value>,
    /// Earlier values of the measurements that have a window.
    pub history: History,
    /// The approved evidence, with its version.
    pub baseline: Option<(u32, Value)>,
}

/// Evidence that somebody approved as it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Approved {
    /// The project's name.
    pub project: String,
    /// The check's id.
    pub check: String,
    /// The version of the evidence.
    pub version: u32,
    /// The evidence.
    pub evidence: Value,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// Why, in their words; empty where they gave none.
    pub note: String,
}

/// A run that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// Which job.
    pub key: JobKey,
    /// When it was due; the key of the run together with the job.
    pub due_at: Timestamp,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took.
    pub duration: Duration,
    /// What it ended in.
    pub status: Status,
    /// Why it was skipped or is unknown, and the step that unlocks it.
    pub reason: Option<(String, String)>,
    /// The judgement; empty when it could not look.
    pub assessment: Assessment,
    /// The evidence with its version, where it looked.
    pub evidence: Option<(u32, Value)>,
    /// What the next run is given.
    pub carry: Option<Value>,
    /// Names of measurements whose raw values are kept, each with its window.
    pub windows: Vec<(String, Duration)>,
    /// What the incidents are told. The store fills in `first`, `last_look` and, of a run that could not
    /// look, how many there were in a row and since when.
    pub seen: RunSeen,
    /// When the schedule has the job due next.
    pub next_due: Timestamp,
}

/// What became of a finished run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// Which job.
    pub key: JobKey,
    /// It was stored; `false` when a run of this due time was stored before.
    pub stored: bool,
    /// What happened to incidents, with their ids.
    pub changes: Vec<(ChangeKind, String)>,
    /// When the job is due next.
    pub next_due: Timestamp,
}

/// The latest run of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct LatestRun {
    /// Which job.
    pub key: JobKey,
    /// What it looks at.
    pub target: String,
    /// When it began; the job has not run yet where absent.
    pub at: Option<Timestamp>,
    /// How long it took.
    pub duration: Duration,
    /// What it ended in; `unknown` when it has not run yet.
    pub status: Status,
    /// Since when it has been so.
    pub since: Option<Timestamp>,
    /// Why it was skipped or is unknown, and the step that unlocks it.
    pub reason: Option<(String, String)>,
    /// The judgement of the last run; of one that could not look, empty.
    pub assessment: Assessment,
    /// When it is due next.
    pub next_due: Timestamp,
}

/// Runs in a row that ended in the same status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// What they ended in.
    pub status: Status,
    /// The first of them began.
    pub from: Timestamp,
    /// The last of them began.
    pub to: Timestamp,
    /// How many.
    pub runs: u64,
    /// Why they were skipped or are unknown.
    pub reason: Option<String>,
}

/// One hour of one measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryPoint {
    /// The measurement's name.
    pub name: String,
    /// What was measured, where a run measures several.
    pub subject: Option<String>,
    /// The hour began.
    pub hour: Timestamp,
    /// How many values.
    pub count: u64,
    /// The least.
    pub min: f64,
    /// The mean.
    pub mean: f64,
    /// 95 of 100 values are at or below this, to the width of a bucket.
    pub p95: f64,
    /// The greatest.
    pub max: f64,
}

/// What kind of message a notification is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationKind {
    /// Changes of incidents.
    Changes,
    /// What was already wrong when the agent first looked.
    FirstLook,
    /// Nobody was on it for too long.
    Escalation,
    /// The week in short.
    Summary,
    /// The agent about itself.
    Agent,
    /// `launchready notify test`.
    Test,
}

impl NotificationKind {
    /// The lower-case word used in the store and in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Changes => "changes",
            Self::FirstLook => "first_look",
            Self::Escalation => "escalation",
            Self::Summary => "summary",
            Self::Agent => "agent",
            Self::Test => "test",
        }
    }
}

/// What is said, once for all channels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// `msg_` and 20 hexadecimal digits: the idempotency key of every delivery of it.
    pub id: String,
    /// What kind it is.
    pub kind: NotificationKind,
    /// The project; empty for the agent itself and for a summary of all.
    pub project: String,
    /// When it was begun.
    pub at: Timestamp,
    /// The changes that it tells, oldest first.
    pub told: Vec<Told>,
    /// Its text, where it does not tell changes.
    pub text: Option<Plain>,
}

/// A message that is not about incidents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plain {
    /// The subject line.
    pub title: String,
    /// Paragraphs.
    pub lines: Vec<String>,
}

/// One change as a message tells it: the incident as it stood then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The change's own id.
    pub change: i64,
    /// What happened.
    pub kind: ChangeKind,
    /// When.
    pub at: Timestamp,
    /// The incident as it stood after the change.
    pub incident: Incident,
    /// Fingerprints of the members that the change is about; empty means all.
    pub members: Vec<String>,
}

/// A delivery that was claimed, with what it says.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    /// The delivery.
    pub delivery: Delivery,
    /// What is said; of one that cannot be read, only its head.
    pub notification: Notification,
    /// Why it cannot be read, where it cannot: it is refused for good.
    pub unreadable: Option<String>,
}

/// Where a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Waits for its time, or for another try.
    Pending,
    /// Accepted by the other side.
    Sent,
    /// Refused for good.
    Failed,
}

/// One notification for one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: String,
    /// The notification's id.
    pub notification: String,
    /// The channel.
    pub channel: String,
    /// The channel that failed, where this delivery stands in for one of another channel.
    pub instead_of: Option<String>,
    /// Where it is.
    pub state: DeliveryState,
    /// When it may be sent, or sent again.
    pub due_at: Timestamp,
    /// Tries so far.
    pub attempts: u32,
    /// Why the last try failed.
    pub last_error: Option<String>,
    /// When it was accepted.
    pub sent_at: Option<Timestamp>,
}

/// What came of one try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When it ended.
    pub at: Timestamp,
    /// How long it took.
    pub duration: Duration,
    /// What came of it.
    pub outcome: AttemptOutcome,
}

/// See [`Attempt`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// Accepted.
    Sent,
    /// Try again then.
    Retry {
        /// When.
        at: Timestamp,
        /// Why; never a secret.
        error: String,
    },
    /// Refused for good.
    Failed {
        /// Why; never a secret.
        error: String,
    },
}

/// Deliveries of one channel in one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxCount {
    /// The channel.
    pub channel: String,
    /// The state.
    pub state: DeliveryState,
    /// How many.
    pub count: u64,
    /// When the oldest of them was made.
    pub oldest: Option<Timestamp>,
}

/// Which incidents are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IncidentFilter {
    /// Of this project.
    pub project: Option<String>,
    /// Of this check.
    pub check: Option<String>,
    /// In one of these states; empty means open and acknowledged.
    pub states: Vec<State>,
    /// At most so many; 0 means 200.
    pub limit: usize,
    /// So many of the newest are left out.
    pub offset: usize,
}

/// How many incidents of a project are in one state with one severity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentCount {
    /// The project.
    pub project: String,
    /// Open or acknowledged.
    pub state: State,
    /// How bad.
    pub severity: Severity,
    /// How many.
    pub count: u64,
}

/// An incident with its past.
#[derive(Debug, Clone, PartialEq)]
pub struct IncidentRecord {
    /// As it stands.
    pub incident: Incident,
    /// What happened, oldest first.
    pub changes: Vec<RecordedChange>,
    /// What was told of it.
    pub deliveries: Vec<Delivery>,
}

/// A change as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedChange {
    /// Its id.
    pub id: i64,
    /// What happened.
    pub kind: ChangeKind,
    /// When.
    pub at: Timestamp,
    /// The person who did it, where one did.
    pub by: Option<String>,
    /// The notification that tells it.
    pub notification: Option<String>,
    /// Why it is not told, as a sentence without a full stop.
    pub unheard: Option<String>,
}
