//! Every metric of the agent: its name, kind, help and labels. The exposition, the table of
//! `dashboards/README.md` and the tests of dashboards and rules read this list.

use std::sync::OnceLock;

use launchready_checks::contract::MeasurementSpec;
use launchready_checks::registry;

/// What kind of number a family holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Goes up and down.
    Gauge,
    /// Only grows; its name ends in `_total`.
    Counter,
    /// Counts by size.
    Histogram,
    /// Always 1; the labels say something. Its name ends in `_info`.
    Info,
}

impl Kind {
    /// The word of the older format.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gauge | Self::Info => "gauge",
            Self::Counter => "counter",
            Self::Histogram => "histogram",
        }
    }
}

/// Where the samples of a family come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Status,
    Duration,
    LastRun,
    NextDue,
    /// A measurement of a check, by its place among those of the check.
    Measurement {
        check: &'static str,
        place: usize,
    },
    Threshold,
    Findings,
    Verdict,
    Incidents,
    /// The agent's own registry.
    Own,
    Process,
    Build,
}

impl Source {
    /// Whether it says how a project is, as far as this agent knows, rather than when somebody looked.
    pub(super) const fn is_of_the_moment(self) -> bool {
        match self {
            Self::Status
            | Self::Duration
            | Self::Measurement { .. }
            | Self::Findings
            | Self::Verdict
            | Self::Incidents => true,
            Self::LastRun
            | Self::NextDue
            | Self::Threshold
            | Self::Own
            | Self::Process
            | Self::Build => false,
        }
    }
}

/// One metric with all its series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// The name that queries use, of a histogram without `_bucket`.
    pub name: &'static str,
    /// The kind.
    pub kind: Kind,
    /// One sentence.
    pub help: &'static str,
    /// The labels of its series, in the order in which they are written.
    pub labels: Vec<&'static str>,
    pub(super) source: Source,
}

impl Family {
    /// The check that measures it, where one does.
    pub const fn check(&self) -> Option<&'static str> {
        match self.source {
            Source::Measurement { check, .. } => Some(check),
            _ => None,
        }
    }

    /// `OpenMetrics` names a family without the suffix of its samples.
    pub(super) fn openmetrics_name(&self) -> &'static str {
        match self.kind {
            Kind::Counter => self.name.strip_suffix("_total").unwrap_or(self.name),
            Kind::Info => self.name.strip_suffix("_info").unwrap_or(self.name),
            Kind::Gauge | Kind::Histogram => self.name,
        }
    }

    /// The unit that the name ends in.
    pub(super) fn unit(&self) -> Option<&'static str> {
        let name = self.openmetrics_name();
        ["seconds", "bytes", "ratio"]
            .into_iter()
            .find(|unit| name.strip_suffix(unit).is_some_and(|rest| rest.ends_with('_')))
    }
}

pub(super) const NOTIFICATIONS: &str = "launchready_notifications_total";
pub(super) const OUTBOX: &str = "launchready_outbox_pending";
pub(super) const LATENCY: &str = "launchready_alert_latency_seconds";
pub(super) const LAG: &str = "launchready_scheduler_lag_seconds";
pub(super) const IN_FLIGHT: &str = "launchready_looks_in_flight";
pub(super) const AGENTS: &str = "launchready_agents";
pub(super) const COMMIT: &str = "launchready_store_commit_seconds";
pub(super) const AHEAD: &str = "launchready_clock_ahead_seconds";

type Entry = (&'static str, Kind, &'static str, &'static [&'static str], Source);

/// The families that are not measurements of a check.
const FIXED: &[Entry] = &[
    (
        "launchready_check_status",
        Kind::Gauge,
        "What the last run of the check ended in: 1 for this status, 0 for the others.",
        &["project", "check", "target", "status"],
        Source::Status,
    ),
    (
        "launchready_check_duration_seconds",
        Kind::Gauge,
        "How long the last run of the check took.",
        &["project", "check", "target"],
        Source::Duration,
    ),
    (
        "launchready_check_last_run_timestamp_seconds",
        Kind::Gauge,
        "When the last run of the check began, in Unix seconds.",
        &["project", "check", "target"],
        Source::LastRun,
    ),
    (
        "launchready_check_next_due_timestamp_seconds",
        Kind::Gauge,
        "When the check is due next, in Unix seconds.",
        &["project", "check", "target"],
        Source::NextDue,
    ),
    (
        "launchready_threshold",
        Kind::Gauge,
        "The bound past which a measurement is a warning or critical, as most projects have it.",
        &["check", "measurement", "level"],
        Source::Threshold,
    ),
    (
        "launchready_findings",
        Kind::Gauge,
        "Findings of the project that are not waived.",
        &["project", "severity"],
        Source::Findings,
    ),
    (
        "launchready_verdict",
        Kind::Gauge,
        "Whether the project is ready: 1 for this verdict, 0 for the others.",
        &["project", "verdict"],
        Source::Verdict,
    ),
    (
        "launchready_incidents_open",
        Kind::Gauge,
        "Incidents of the project that are open or acknowledged.",
        &["project", "severity"],
        Source::Incidents,
    ),
    (
        NOTIFICATIONS,
        Kind::Counter,
        "Tries to deliver a message: sent, retry (comes again) or failed (refused for good).",
        &["channel", "outcome"],
        Source::Own,
    ),
    (
        OUTBOX,
        Kind::Gauge,
        "Deliveries that wait for their time or for another try.",
        &["channel"],
        Source::Own,
    ),
    (
        LATENCY,
        Kind::Histogram,
        "From the last good look to the moment at which a channel accepted the message.",
        &[],
        Source::Own,
    ),
    (LAG, Kind::Histogram, "How long after it was due a run began.", &[], Source::Own),
    (IN_FLIGHT, Kind::Gauge, "Runs that are under way.", &[], Source::Own),
    (AGENTS, Kind::Gauge, "Agents at work on the same store, this one included.", &[], Source::Own),
    (
        COMMIT,
        Kind::Histogram,
        "How long the store took to commit a group of runs.",
        &[],
        Source::Own,
    ),
    (
        AHEAD,
        Kind::Gauge,
        "How far the machine's clock is ahead of that of the store's server, below zero where it is behind.",
        &[],
        Source::Own,
    ),
    (
        "launchready_build_info",
        Kind::Info,
        "The version of the agent.",
        &["version"],
        Source::Build,
    ),
    (
        "launchready_tasks",
        Kind::Gauge,
        "Tasks of the agent that are under way or wait: loops, looks, connections.",
        &[],
        Source::Process,
    ),
    (
        "process_cpu_seconds_total",
        Kind::Counter,
        "Processor time that the process has used.",
        &[],
        Source::Process,
    ),
    (
        "process_max_fds",
        Kind::Gauge,
        "The most files and sockets that the process may have open.",
        &[],
        Source::Process,
    ),
    (
        "process_open_fds",
        Kind::Gauge,
        "Files and sockets that the process has open.",
        &[],
        Source::Process,
    ),
    (
        "process_resident_memory_bytes",
        Kind::Gauge,
        "Memory of the process that is in RAM.",
        &[],
        Source::Process,
    ),
    (
        "process_start_time_seconds",
        Kind::Gauge,
        "When the process began, in Unix seconds.",
        &[],
        Source::Process,
    ),
];

fn measured(check: &'static str, place: usize, spec: &'static MeasurementSpec) -> Family {
    Family {
        name: spec.metric,
        kind: Kind::Gauge,
        help: spec.help,
        labels: ["project"].into_iter().chain(spec.label).collect(),
        source: Source::Measurement { check, place },
    }
}

/// Every family, by name.
pub fn families() -> &'static [Family] {
    static ALL: OnceLock<Vec<Family>> = OnceLock::new();
    ALL.get_or_init(|| {
        let fixed = FIXED.iter().map(|(name, kind, help, labels, source)| Family {
            name,
            kind: *kind,
            help,
            labels: labels.to_vec(),
            source: *source,
        });
        let measurements = registry::ALL.iter().flat_map(|plugin| {
            let specs = plugin.meta.measurements.iter().enumerate();
            specs.map(|(place, spec)| measured(plugin.meta.id, place, spec))
        });
        let mut all: Vec<Family> = fixed.chain(measurements).collect();
        all.sort_by_key(|family| family.name);
        all
    })
}

/// The sentence of a family.
pub(super) fn help(name: &str) -> &'static str {
    FIXED.iter().find(|(known, ..)| *known == name).map_or("", |(_, _, help, ..)| help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_well_formed() {
        for pair in families().windows(2) {
            assert!(pair[0].name < pair[1].name, "{} stands twice", pair[0].name);
        }
        for family in families() {
            let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!(family.name.chars().all(is_word), "{}", family.name);
            assert_eq!(family.kind == Kind::Counter, family.name.ends_with("_total"));
            assert_eq!(family.kind == Kind::Info, family.name.ends_with("_info"));
            assert!(family.help.ends_with('.'), "{}: a sentence", family.name);
            assert!(!family.labels.contains(&"instance"), "Prometheus adds the instance");
        }
    }
}
