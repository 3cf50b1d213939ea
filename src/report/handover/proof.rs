//! Part 5: what a check saw that makes its result believable, a pass too.

use jiff::Timestamp;
use launchready_checks::contract::{Measurement, Status, Unit, hours_and_minutes};
use launchready_checks::registry;

use super::super::words::{finding_count, minute};
use super::super::{CheckReport, Report};

/// The most numbers of one check that are shown.
const NUMBERS: usize = 6;
/// The digits of a fingerprint of evidence that are shown.
const DIGITS: usize = 16;

/// What stands below the title of a check in the list of all.
pub(in crate::report) fn proof(report: &Report, check: &CheckReport) -> String {
    let mut said = Vec::new();
    match (check.status, &check.reason) {
        (Status::Skipped | Status::Unknown, Some(reason)) => {
            let unlock = if check.unlock.is_some() { " Part 6 says what unlocks it." } else { "" };
            return format!("{reason}.{unlock}");
        }
        (Status::Pass | Status::Warn | Status::Fail | Status::Unknown | Status::Skipped, _) => {}
    }
    let known = registry::find(&check.id).map_or(0, |plugin| plugin.meta.findings.len());
    let found = check.findings.len();
    said.push(match (known, found) {
        (0, _) => format!("{found} found."),
        (_, 0) => format!("None of the {known} defects that it knows."),
        (_, _) => format!("{}; it knows {known} defects.", finding_count(check)),
    });
    let numbers: Vec<String> = check.measurements.iter().take(NUMBERS).map(number).collect();
    if !numbers.is_empty() {
        let rest = check.measurements.len().saturating_sub(NUMBERS);
        let more = if rest > 0 { format!(", and {rest} more") } else { String::new() };
        said.push(format!("Measured: {}{more}.", numbers.join(", ")));
    }
    let parts = check.not_checked.len();
    if parts > 0 {
        let parts = if parts == 1 { "1 part".to_owned() } else { format!("{parts} parts") };
        said.push(format!("{parts} not seen: part 6."));
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

/// A number with its unit and the bounds past which it is a finding.
fn number(of: &Measurement) -> String {
    let subject = of.subject.as_ref().map_or(String::new(), |subject| format!(" of {subject}"));
    let bound = match (of.warning, of.critical) {
        (Some(warning), _) => format!(" (warning past {})", value(warning, of.unit)),
        (None, Some(critical)) => format!(" (critical past {})", value(critical, of.unit)),
        (None, None) => String::new(),
    };
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
}
