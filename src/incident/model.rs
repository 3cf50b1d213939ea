//! The words of an incident's life.

use std::collections::BTreeMap;

use jiff::Timestamp;
use launchready_checks::contract::{Severity, Unseen, Urgency};
use serde::{Deserialize, Serialize};

/// What makes an incident one: there is at most one unresolved incident of a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct IncidentKey {
    /// The project's name.
    pub project: String,
    /// The check's id.
    pub check: String,
    /// The finding code, or [`Incident::BLIND`].
    pub code: String,
    /// What the check looks at: the project's domain.
    pub target: String,
}

/// Where an incident is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Seen, and not yet often enough to be believed. Nobody is told.
    Suspected,
    /// Believed.
    Open,
    /// A person has said that they are on it.
    Acknowledged,
    /// Over.
    Resolved,
}

impl State {
    /// The lower-case word used in the store, JSON and pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Suspected => "suspected",
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }
}

/// One of the things that an incident is about: a host, a record, an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// What it is.
    pub subject: String,
    /// One sentence with the numbers in it.
    pub summary: String,
    /// What was seen; bounded by the finding.
    pub evidence: Vec<String>,
    /// What to do.
    pub fix: String,
    /// How to take it back.
    pub undo: String,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When it was last seen.
    pub last_seen: Timestamp,
    /// Whether a message has named or counted it.
    pub told: bool,
}

/// Who is on an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Who was on it until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What they wrote.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// A finding that lasts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// `inc_` and 20 hexadecimal digits; given by the store when it is first kept, empty before.
    pub id: String,
    /// What makes it one.
    pub key: IncidentKey,
    /// Where it is in its life.
    pub state: State,
    /// The worst severity of its members.
    pub severity: Severity,
    /// The most urgent of its members.
    pub urgency: Urgency,
    /// A short name of the defect, without a full stop.
    pub title: String,
    /// Who is hurt and how.
    pub why: String,
    /// The command that looks again.
    pub recheck: String,
    /// What it is about, by fingerprint; at most [`Incident::MEMBERS`], the rest is counted.
    pub members: BTreeMap<String, Member>,
    /// Members beyond the limit.
    pub more_members: u64,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When it was last seen.
    pub last_seen: Timestamp,
    /// The last look of its check that did not see it, where there was one.
    pub last_good: Option<Timestamp>,
    /// Looks in a row that saw it.
    pub confirmations: u32,
    /// Looks in a row that did not.
    pub recoveries: u32,
    /// When it was believed.
    pub opened_at: Option<Timestamp>,
    /// When it was over.
    pub resolved_at: Option<Timestamp>,
    /// Who said that it is over, where a person did and not a look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_by: Option<String>,
    /// Who is on it.
    pub acknowledged: Option<Acknowledgement>,
    /// When its opening was first told.
    pub told_at: Option<Timestamp>,
    /// When it was last told of at all.
    pub last_told_at: Option<Timestamp>,
    /// As what it has been told so far, each pair once: a channel that took one of them is told its end,
    /// whatever it is by then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told_as: Vec<(Severity, Urgency)>,
    /// When it was told to the escalation channels.
    pub escalated_at: Option<Timestamp>,
    /// Whether it was already there at the first look of its check.
    pub from_start: bool,
    /// Times at which it opened or resolved, newest last, within the policy's window: carried over from
    /// the resolved incident of the same key.
    pub turns: Vec<Timestamp>,
    /// It opens and closes so often that only one notice is sent.
    pub flapping: bool,
    /// Why it is not told at present.
    pub unheard: Option<Unheard>,
}

impl Incident {
    /// The code of an incident that says what the agent can no longer see.
    pub const BLIND: &str = "check-blind";
    /// The most members that are kept one by one.
    pub const MEMBERS: usize = 200;

    /// An incident that is only suspected and has no members yet.
    pub(crate) fn begin(key: IncidentKey, at: Timestamp) -> Self {
        Self {
            id: String::new(),
            key,
            state: State::Suspected,
            severity: Severity::Info,
            urgency: Urgency::Digest,
            title: String::new(),
            why: String::new(),
            recheck: String::new(),
            members: BTreeMap::new(),
            more_members: 0,
            first_seen: at,
            last_seen: at,
            last_good: None,
            confirmations: 0,
            recoveries: 0,
            opened_at: None,
            resolved_at: None,
            resolved_by: None,
            acknowledged: None,
            told_at: None,
            last_told_at: None,
            told_as: Vec::new(),
            escalated_at: None,
            from_start: false,
            turns: Vec::new(),
            flapping: false,
            unheard: None,
        }
    }

    /// All members, those beyond the limit included.
    pub fn member_count(&self) -> u64 {
        u64::try_from(self.members.len()).unwrap_or(u64::MAX).saturating_add(self.more_members)
    }
}

/// Why a change is recorded and not told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "because")]
pub enum Unheard {
    /// Somebody muted it until then.
    Silenced {
        /// The silence's id.
        silence: String,
    },
    /// Work is announced.
    Maintenance {
        /// The window's name.
        window: String,
    },
    /// It hangs on something that is itself down.
    DependsOn {
        /// The id of that incident.
        incident: String,
    },
    /// It opens and closes too often.
    Flapping,
    /// It is for the weekly summary alone.
    Digest,
}

/// One finding of a run, with what an incident needs of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenFinding {
    /// The finding code.
    pub code: String,
    /// How bad.
    pub severity: Severity,
    /// Whom it may wake.
    pub urgency: Urgency,
    /// The same from run to run for the same defect.
    pub fingerprint: String,
    /// A short name of the defect.
    pub title: String,
    /// What it is about.
    pub subject: String,
    /// One sentence with the numbers in it.
    pub summary: String,
    /// Who is hurt and how.
    pub why: String,
    /// What was seen.
    pub evidence: Vec<String>,
    /// What to do.
    pub fix: String,
    /// How to take it back.
    pub undo: String,
    /// One look is enough: the check counts what stays true, such as duplicates.
    pub certain: bool,
}

/// What a run could see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// It looked. Subjects in the list are those of parts that it could not see: their members neither
    /// confirm nor resolve.
    Looked {
        /// The `part` texts of what was not checked, other than what is only noted.
        unseen_parts: Vec<String>,
    },
    /// It could not look.
    Blind {
        /// Why.
        cause: String,
        /// The step that unlocks it.
        unlock: String,
        /// What that means for the verdict; `Noted` opens nothing.
        unseen: Unseen,
        /// Due runs in a row that ended so, this one included.
        runs: u32,
        /// Since when.
        since: Timestamp,
        /// The machine of the agent itself has no network: the agent's own incident says so once.
        own_network: bool,
    },
    /// It is not configured: its incidents are over.
    Skipped,
}

/// What one run of one check of one project saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSeen {
    /// The project's name.
    pub project: String,
    /// The check's id.
    pub check: String,
    /// The check's title.
    pub check_title: String,
    /// The project's domain.
    pub target: String,
    /// When the run began.
    pub at: Timestamp,
    /// Whether it is the first stored run of its job.
    pub first: bool,
    /// The last run before it that looked.
    pub last_look: Option<Timestamp>,
    /// What it could see.
    pub sight: Sight,
    /// What it found; those that a waiver accepts are left out by the caller.
    pub findings: Vec<SeenFinding>,
    /// Fingerprints that have left the look-back window of the check: they close as expired.
    pub expired: Vec<String>,
    /// The command that looks again.
    pub recheck: String,
}

/// What happened to an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It is believed.
    Opened,
    /// It became critical.
    Worsened,
    /// It was believed before, and what kept it from being told is over: it is told now.
    Unmuted,
    /// New members joined.
    Joined,
    /// It lasts.
    Reminded,
    /// Somebody is on it.
    Acknowledged,
    /// Nobody was on it for too long.
    Escalated,
    /// It is over.
    Resolved,
    /// Its members left the window that can be seen: over, and not known to be mended.
    Expired,
    /// It opens and closes too often; the last notice for now.
    Flapping,
    /// It has been calm again.
    Calm,
}

impl ChangeKind {
    /// The lower-case word used in the store, JSON and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Worsened => "worsened",
            Self::Unmuted => "unmuted",
            Self::Joined => "joined",
            Self::Reminded => "reminded",
            Self::Acknowledged => "acknowledged",
            Self::Escalated => "escalated",
            Self::Resolved => "resolved",
            Self::Expired => "expired",
            Self::Flapping => "flapping",
            Self::Calm => "calm",
        }
    }

    /// Whether it says that something is over.
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Resolved | Self::Expired)
    }
}

/// Whether and how a change is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tell {
    /// With what else happens to the project within the policy's `group_wait`.
    Grouped,
    /// With what was already wrong when the agent first looked at the project.
    FirstLook,
    /// To the escalation channels.
    Escalation,
    /// It is recorded only.
    No(Option<Unheard>),
}

/// One change of one incident, to be recorded and, where [`Tell`] says so, told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// The incident as it stands after the change.
    pub incident: Incident,
    /// Fingerprints of the members that the change is about; empty means all.
    pub members: Vec<String>,
    /// Whether it is told.
    pub tell: Tell,
}

/// What came of a look, or of time passing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Every incident that has to be stored anew, whether or not it changed visibly; those that were
    /// only suspected and are gone are listed in `forgotten`.
    pub incidents: Vec<Incident>,
    /// Suspected incidents that were not seen again: their rows go.
    pub forgotten: Vec<Incident>,
    /// What happened, in order.
    pub changes: Vec<Change>,
    /// When the check should look again, where sooner than its schedule.
    pub look_again_at: Option<Timestamp>,
    /// Ids of other checks of the project that should look at once: what their incidents hung on is over,
    /// and only a look can say whether they are.
    pub look_too: Vec<String>,
}
