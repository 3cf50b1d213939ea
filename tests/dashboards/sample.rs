//! A board on which every series stands: two projects, every check, every measurement.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use launchready::metrics::{Board, BySeverity, ProjectFigures};
use launchready::report::Verdict;
use launchready::store::{DeliveryState, JobKey, LatestRun, OutboxCount};
use launchready_checks::contract::{Assessment, MeasurementSpec, Status, Unit};
use launchready_checks::registry;

pub(crate) const CHANNELS: [&str; 2] = ["founder", "ops"];

pub(crate) fn key(project: &str, check: &str) -> JobKey {
    JobKey { project: project.to_owned(), check: check.to_owned() }
}

/// A run of a check that measured everything that it can, with two subjects where it has a label.
pub(crate) fn run(project: &str, check: &str, status: Status, at: Timestamp) -> LatestRun {
    let plugin = registry::find(check).unwrap();
    let mut assessment = Assessment::default();
    for spec in plugin.meta.measurements {
        let subjects: &[Option<&str>] = match spec.label {
            Some(_) => &[Some("app.harbor.example"), Some("www.harbor.example")],
            None => &[None],
        };
        for subject in subjects {
            let value = spec.value(*subject, typical(spec, at));
            assessment.measure(value.bounds(Some(2.0), Some(4.5)));
        }
    }
    LatestRun {
        key: key(project, check),
        target: format!("{project}.example"),
        at: Some(at),
        duration: Duration::from_millis(250),
        status,
        since: Some(at),
        reason: None,
        assessment,
        next_due: at + Duration::from_mins(5),
    }
}

fn typical(spec: &MeasurementSpec, now: Timestamp) -> f64 {
    match spec.unit {
        // A certificate that ends in ten days.
        Unit::TimestampSeconds => now.as_second() as f64 + 864_000.0,
        Unit::Seconds => 0.125,
        Unit::Bytes => 65_536.0,
        Unit::Ratio => 0.02,
        Unit::Count => 1.0,
        Unit::Score => 97.0,
    }
}

/// What is known at `now`.
pub(crate) fn board(now: Timestamp) -> Board {
    let board = Board::new("0.1.0", 20_000).unwrap();
    for (project, verdict) in [("harbor", Verdict::NoGo), ("quay", Verdict::Go)] {
        for (place, plugin) in registry::ALL.iter().enumerate() {
            let status = if project == "quay" { Status::Pass } else { Status::ALL[place % 5] };
            board.set_run(&run(project, plugin.meta.id, status, now));
        }
        let count = u64::from(verdict == Verdict::NoGo);
        let findings = BySeverity { critical: 3 * count, warning: 2, info: 1 };
        let incidents = BySeverity { critical: 2 * count, ..BySeverity::default() };
        board.set_project(project, &ProjectFigures { findings, verdict, incidents });
    }
    board.set_channels(&CHANNELS.map(str::to_owned));
    for outcome in ["sent", "retry", "failed"] {
        board.notified("founder", outcome);
    }
    board.set_outbox(&[OutboxCount {
        channel: "ops".to_owned(),
        state: DeliveryState::Pending,
        count: 2,
        oldest: Some(now),
    }]);
    tick(&board);
    board
}

/// What happens all the time in a running agent.
pub(crate) fn tick(board: &Board) {
    board.alert_latency(Duration::from_secs(42));
    board.scheduler_lag(Duration::from_millis(12));
    board.store_commit(Duration::from_micros(700));
    board.looks_in_flight(3);
    board.set_agents(2);
    board.clock_ahead(jiff::SignedDuration::from_millis(-40));
}

/// One sample of an exposition: its name, and its labels by name.
pub(crate) type Sample = (String, BTreeMap<String, String>, String);

/// Reads the samples of the text format, with a reader that knows nothing of the writer.
pub(crate) fn samples(text: &str) -> Vec<Sample> {
    text.lines().filter(|line| !line.starts_with('#')).map(sample).collect()
}

pub(crate) fn sample(line: &str) -> Sample {
    let end = line.find(['{', ' ']).unwrap();
    let (name, mut rest) = line.split_at(end);
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while let Some((label, after)) = rest.split_once("=\"") {
            let mut value = String::new();
            let mut chars = after.chars();
            loop {
                match chars.next().unwrap() {
                    '"' => break,
                    '\\' => value.push(match chars.next().unwrap() {
                        'n' => '\n',
                        c @ ('"' | '\\') => c,
                        c => panic!("\\{c} in {line}"),
                    }),
                    c => value.push(c),
                }
            }
            assert!(labels.insert(label.to_owned(), value).is_none(), "{label} twice: {line}");
            rest = chars.as_str();
            rest = rest.strip_prefix(',').unwrap_or(rest);
            if rest.starts_with('}') {
                break;
            }
        }
        rest = rest.strip_prefix('}').unwrap();
    }
    let value = rest.strip_prefix(' ').unwrap();
    assert!(value.parse::<f64>().unwrap().is_finite(), "{line}");
    (name.to_owned(), labels, value.to_owned())
}
