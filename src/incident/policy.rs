//! When something is believed, repeated, held back or told to somebody else, and to whom it is told.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use launchready_checks::contract::{Severity, Urgency};
use serde::{Deserialize, Serialize};

/// The rules of one project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Looks in a row that must see a finding before it is believed.
    pub confirmations: u32,
    /// Looks in a row that must not see it before it is over.
    pub recoveries: u32,
    /// How soon the check looks again while a finding is suspected.
    pub look_again: Duration,
    /// How often an open incident is told again.
    pub reminder: Duration,
    /// How long a message waits for what opens together.
    pub group_wait: Duration,
    /// How long the message about what was wrong at the start waits for the rest of the checks.
    pub first_look_wait: Duration,
    /// How long an urgent incident may stay without acknowledgement before it escalates; never where
    /// absent.
    pub escalate_after: Option<Duration>,
    /// This many openings and resolutions within `flap_window` are flapping.
    pub flap_turns: usize,
    /// See `flap_turns`.
    pub flap_window: Duration,
    /// An incident that did not turn for this long is calm again.
    pub flap_calm: Duration,
    /// Due runs in a row that could not look before that is news.
    pub blind_runs: u32,
    /// Or so long.
    pub blind_after: Duration,
    /// The zone in which quiet hours and windows are read.
    pub timezone: String,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            confirmations: 2,
            recoveries: 1,
            look_again: Duration::from_secs(30),
            reminder: Duration::from_hours(4),
            group_wait: Duration::from_secs(20),
            first_look_wait: Duration::from_mins(2),
            escalate_after: None,
            flap_turns: 6,
            flap_window: Duration::from_hours(1),
            flap_calm: Duration::from_mins(30),
            blind_runs: 3,
            blind_after: Duration::from_hours(1),
            timezone: "UTC".to_owned(),
        }
    }
}

/// Hours of a channel in which only what is urgent is sent; `from` after `to` spans midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quiet {
    /// Minutes after midnight at which they begin.
    pub from: u16,
    /// Minutes after midnight at which they end.
    pub to: u16,
}

/// What a channel takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelRule {
    /// Its name.
    pub name: String,
    /// Severities that it takes.
    pub severities: Vec<Severity>,
    /// Urgencies that it takes.
    pub urgencies: Vec<Urgency>,
    /// Projects that it takes; empty means all.
    pub projects: Vec<String>,
    /// Hours in which it takes only what is urgent.
    pub quiet: Option<Quiet>,
    /// It takes escalations alone.
    pub escalation: bool,
    /// It takes the weekly summary.
    pub summary: bool,
    /// The channel that is used when this one fails for good.
    pub fallback: Option<String>,
    /// It is told each change at once and by itself, because the other side does the grouping:
    /// PagerDuty and Alertmanager.
    pub ungrouped: bool,
}

impl ChannelRule {
    /// Whether it tells of a project.
    pub fn tells_of(&self, project: &str) -> bool {
        self.projects.is_empty() || self.projects.iter().any(|named| named == project)
    }
}

/// Mutes messages for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// `sil_` and 20 hexadecimal digits.
    pub id: String,
    /// The project, or all.
    pub project: Option<String>,
    /// The check, or all.
    pub check: Option<String>,
    /// The finding code, or all.
    pub code: Option<String>,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Who asked for it.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// An accepted finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiver {
    /// `wav_` and 20 hexadecimal digits.
    pub id: String,
    /// The project.
    pub project: String,
    /// The finding code.
    pub code: String,
    /// One subject, or all.
    pub subject: Option<String>,
    /// Who accepted it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When it was accepted.
    pub at: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// When it last accepted something.
    pub last_used: Option<Timestamp>,
}

/// When work is announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Its name.
    pub name: String,
    /// Projects; empty means all.
    pub projects: Vec<String>,
    /// When.
    pub times: WindowTimes,
}

/// The times of a [`Window`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WindowTimes {
    /// Once.
    Once {
        /// It begins.
        from: Timestamp,
        /// It ends.
        to: Timestamp,
    },
    /// Whenever a cron expression says, weekly ones included.
    Cron {
        /// When it begins.
        schedule: crate::schedule::Cron,
        /// How long it lasts.
        length: Duration,
    },
}

/// Everything that decides what is told to whom. From the config; silences and waivers from the store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Book {
    /// The rules by project; a project that is not here has the defaults.
    pub policies: BTreeMap<String, Policy>,
    /// The channels, in the order of the config.
    pub channels: Vec<ChannelRule>,
    /// Announced work.
    pub windows: Vec<Window>,
    /// What is muted.
    pub silences: Vec<Silence>,
    /// What is accepted.
    pub waivers: Vec<Waiver>,
}
