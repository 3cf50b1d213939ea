//! Part 5: what a check saw that makes its result believable, a pass too.

use jiff::Timestamp;
use launchready_checks::contract::{Measurement, Status, Unit, hours_and_minutes};
use launchready_checks::registry;

use super::super::words::{finding_count, minute};
use super::super::{CheckReport, Report};
use crate::store::LatestRun;

/// The most numbers of one check that are shown.
const NUMBERS: usize = 6;
/// The digits of a fingerprint of evidence that are shown.
const DIGITS: usize = 16;

/// What stands below the title of a check in the list of all.
pub(in crate::report) fn proof(report: &Report, check: &CheckReport) -> String {
    if matches!(check.status, Status::Skipped | Status::Unknown)
        && check.findings.is_empty()
        && let Some(why) = why_unseen(check)
    {
        return why;
    }
    let mut said = Vec::new();
    let known = registry::find(&check.id).map_or(0, |plugin| plugin.meta.findings.len());
    let found = check.findings.len();
    said.push(match (known, found) {
        (0, _) => format!("{found} found."),
        (_, 0) => format!("None of the {known} defects that it knows."),
        (_, _) => format!("{}; it knows {known} defects.", finding_count(check)),
    });
    let numbers: Vec<String> =
        check.measurements.iter().take(NUMBERS).map(|of| number(of, report.finished_at)).collect();
    if !numbers.is_empty() {
        let rest = check.measurements.len().saturating_sub(NUMBERS);
        let more = if rest > 0 { format!(", and {rest} more") } else { String::new() };
        said.push(format!("Measured: {}{more}.", numbers.join(", ")));
    }
    if let Some(parts) = unseen(check) {
        said.push(format!("Not seen: {parts}. Part 6 says what unlocks it."));
    }
    said.push(format!(
        "Seen from {}, {}, in {} ms.",
        check.vantage.as_str(),
        minute(report.finished_at),
        check.duration_ms
    ));
    said.extend(check.evidence_sha256.as_ref().map(|hash| {
        let short: String = hash.chars().take(DIGITS).collect();
        format!("Evidence SHA-256 {short}….")
    }));
    said.join(" ")
}

/// Why a check that looked at nothing says nothing about defects.
fn why_unseen(check: &CheckReport) -> Option<String> {
    let (what, has_unlock) = match (&check.reason, check.not_checked.first()) {
        (Some(reason), _) => (reason.clone(), check.unlock.is_some()),
        (None, Some(first)) => {
            (format!("Not seen: {}, because {}", unseen(check)?, first.reason), true)
        }
        (None, None) => return None,
    };
    let unlock = if has_unlock { " Part 6 says what unlocks it." } else { "" };
    Some(format!("{what}.{unlock}"))
}

/// The parts that were not seen: the first by its name, and how many more.
fn unseen(check: &CheckReport) -> Option<String> {
    let first = check.not_checked.first()?;
    Some(match check.not_checked.len() {
        1 => first.part.clone(),
        2 => format!("{} and 1 more part", first.part),
        parts => format!("{} and {} more parts", first.part, parts - 1),
    })
}

/// A number with its unit and the bounds past which, or below which, it is a finding.
fn number(of: &Measurement, now: Timestamp) -> String {
    let subject = of.subject.as_ref().map_or(String::new(), |subject| format!(" of {subject}"));
    let bound = match (of.warning, of.critical) {
        (Some(warning), _) => Some(("warning", warning)),
        (None, Some(critical)) => Some(("critical", critical)),
        (None, None) => None,
    };
    let bound = bound.map_or_else(String::new, |(word, bound)| match of.unit {
        Unit::TimestampSeconds => {
            // A deadline and its bound are times: between them lies how long it may come near.
            let left = whole_hours(bound - now.as_duration().as_secs_f64());
            let from = value(of.value - left, of.unit);
            format!(" ({word} below {} left, from {from})", length(left))
        }
        unit => {
            let side = if of.falls() { "below" } else { "past" };
            format!(" ({word} {side} {})", value(bound, unit))
        }
    });
    format!("{}{subject} {}{bound}", of.name.replace('-', " "), value(of.value, of.unit))
}

fn value(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Seconds if value < 1.0 => format!("{:.0} ms", value * 1000.0),
        Unit::Seconds if value < 120.0 => format!("{value:.1} s"),
        Unit::Seconds => length(value),
        Unit::TimestampSeconds => at(value).map_or_else(String::new, super::day),
        Unit::Bytes => format!("{value:.0} bytes"),
        Unit::Ratio => format!("{:.2}%", value * 100.0),
        Unit::Count | Unit::Score if value.fract().abs() < 1e-9 => format!("{value:.0}"),
        Unit::Count | Unit::Score => format!("{value:.2}"),
    }
}

/// Seconds to the nearest hour: a report ends a little after the look whose bound it tells.
fn whole_hours(seconds: f64) -> f64 {
    (seconds / 3600.0).round().max(0.0) * 3600.0
}

/// The numbers of a run as they stand at the last look of all, with which the report ends: the bounds of a deadline
/// go with the time.
pub(in crate::report) fn as_at(
    measured: &[Measurement],
    at: Option<Timestamp>,
    latest: &[LatestRun],
) -> Vec<Measurement> {
    let last = latest.iter().filter_map(|run| run.at).max();
    let later = at.zip(last).map_or(0.0, |(at, last)| last.duration_since(at).as_secs_f64());
    let moved = |of: &Measurement| {
        let mut of = of.clone();
        if of.unit == Unit::TimestampSeconds {
            for bound in [&mut of.warning, &mut of.critical].into_iter().flatten() {
                *bound += later;
            }
        }
        of
    };
    measured.iter().map(moved).collect()
}

/// A length of time in the two units that say enough: `31 h`, `2 h 5 min`, `4 days 6 h`.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is not negative, and a float is cut to the range"
)]
fn length(seconds: f64) -> String {
    match (seconds / 60.0).round() as u64 / 60 {
        ..72 => hours_and_minutes(seconds),
        hours if hours.is_multiple_of(24) => format!("{} days", hours / 24),
        hours => format!("{} days {} h", hours / 24, hours % 24),
    }
}

/// The time of a value in Unix seconds.
pub(super) fn at(seconds: f64) -> Option<Timestamp> {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a time is far from the bounds, and others are refused"
    )]
    let whole = seconds as i64;
    Timestamp::from_second(whole).ok()
}

#[cfg(test)]
mod tests {
    use launchready_checks::contract::{Unseen, Vantage};

    use super::super::super::NotCheckedReport;
    use super::*;

    #[test]
    fn a_number_is_told_in_the_unit_that_says_enough() {
        for (given, told) in [
            (0.25, "250 ms"),
            (2.0, "2.0 s"),
            (119.0, "119.0 s"),
            (125.0, "2 min"),
            (7_500.0, "2 h 5 min"),
            (43_200.0, "12 h"),
            (111_599.0, "31 h"),
            (259_200.0, "3 days"),
            (367_200.0, "4 days 6 h"),
        ] {
            assert_eq!(value(given, Unit::Seconds), told);
        }
        assert_eq!(value(0.055, Unit::Ratio), "5.50%");
    }

    fn measured(value: &str, bounds: [Option<f64>; 2], unit: Unit) -> Measurement {
        let (name, subject) = ("not-after".to_owned(), Some("harbor.example".to_owned()));
        let value = value.parse::<Timestamp>().unwrap().as_second() as f64;
        Measurement { name, value, unit, subject, warning: bounds[0], critical: bounds[1] }
    }

    #[test]
    fn a_deadline_is_told_with_the_days_that_may_be_left_and_the_day_on_which_it_warns() {
        let now: Timestamp = "2026-11-30T03:00:02Z".parse().unwrap();
        let bound = |days: f64| Some((now.as_second() - 2) as f64 + days * 86_400.0);
        let end =
            measured("2027-01-29T10:00:00Z", [bound(18.0), bound(7.0)], Unit::TimestampSeconds);
        assert_eq!(
            number(&end, now),
            "not after of harbor.example 2027-01-29 (warning below 18 days left, from 2027-01-11)"
        );
        let mut score = measured("1970-01-01T00:01:20Z", [Some(90.0), Some(50.0)], Unit::Score);
        assert_eq!(number(&score, now), "not after of harbor.example 80 (warning below 90)");
        score.unit = Unit::Seconds;
        (score.warning, score.critical) = (None, Some(90.0));
        assert_eq!(
            number(&score, now),
            "not after of harbor.example 80.0 s (critical past 90.0 s)"
        );
    }

    fn check(status: Status, parts: &[&str]) -> CheckReport {
        let part = |part: &&str| NotCheckedReport {
            part: (*part).to_owned(),
            reason: "no baseline is approved".to_owned(),
            unlock: "approve one".to_owned(),
            unseen: Unseen::Noted,
        };
        CheckReport {
            id: "dns-drift".to_owned(),
            title: "Changed records".to_owned(),
            area: "dns".to_owned(),
            target: "harbor.example".to_owned(),
            vantage: Vantage::Outside,
            status,
            reason: None,
            unlock: None,
            duration_ms: 5,
            evidence_sha256: None,
            measurements: Vec::new(),
            not_checked: parts.iter().map(part).collect(),
            findings: Vec::new(),
        }
    }

    #[test]
    fn a_check_that_did_not_look_never_claims_that_nothing_was_found() {
        for status in [Status::Skipped, Status::Unknown] {
            assert_eq!(
                why_unseen(&check(status, &["drift"])).unwrap(),
                "Not seen: drift, because no baseline is approved. Part 6 says what unlocks it."
            );
        }
        assert_eq!(unseen(&check(Status::Pass, &["a", "b"])).unwrap(), "a and 1 more part");
        assert_eq!(unseen(&check(Status::Pass, &["a", "b", "c"])).unwrap(), "a and 2 more parts");
        assert_eq!(unseen(&check(Status::Pass, &[])), None);
    }
}
