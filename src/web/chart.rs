//! A measurement over time as SVG: the band from least to greatest, the mean, and the thresholds.

use std::fmt::{self, Write as _};

use askama::filters::HtmlSafe;
use jiff::{SignedDuration, Timestamp};
use launchready_checks::contract::Unit;

use super::time;
use crate::store::HistoryPoint;

/// The size of the drawing, in its own units; it is stretched to its place.
const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 240.0;
/// So many times the usual distance of two values without one ends a line.
const GAP: i32 = 3;
/// A threshold beyond so many times the greatest value is named and not drawn: it would flatten the rest.
const FAR: f64 = 4.0;
/// What a point stands for.
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// The least width of a line, so that a short one is seen.
const LEAST: f64 = 3.0;
/// Seconds of a day.
const DAY: f64 = 86_400.0;
/// The most hours in the table.
const ROWS: usize = 48;

/// How the values of a series are said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    /// In the unit of the measurement.
    Unit(Unit),
    /// As days that are left until a time.
    DaysLeft,
}

impl Scale {
    fn words(self, value: f64) -> String {
        match self {
            Self::Unit(unit) => value_words(unit, value),
            Self::DaysLeft => days_words(value),
        }
    }
}

/// One measurement of one subject.
#[derive(Debug, Clone)]
pub(super) struct Series {
    pub(super) scale: Scale,
    pub(super) warning: Option<f64>,
    pub(super) critical: Option<f64>,
    pub(super) falls: bool,
    /// Oldest first, never empty.
    pub(super) points: Vec<HistoryPoint>,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

/// A drawn series with the words around it.
#[derive(Debug, Clone)]
pub(super) struct Chart {
    svg: String,
    /// The label at the top of the axis.
    pub(super) top: String,
    /// The label at its foot.
    pub(super) foot: String,
    /// The last value, as text.
    pub(super) last: String,
    /// The thresholds, each with its class, its text, and whether it is drawn.
    pub(super) thresholds: Vec<(&'static str, String, bool)>,
    /// The newest hours, newest first: hour, values, least, mean, 95 of 100, greatest.
    pub(super) rows: Vec<[String; 6]>,
    /// Hours that the table leaves out.
    pub(super) more: usize,
}

impl fmt::Display for Chart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.svg)
    }
}

impl HtmlSafe for Chart {}

impl Series {
    /// The series as days left, where its values are times: a date that stands still says nothing as a
    /// line. `at` is the time of the look from which the thresholds count.
    pub(super) fn of_days_left(mut self, at: Timestamp) -> Self {
        if self.scale != Scale::Unit(Unit::TimestampSeconds) {
            return self;
        }
        self.scale = Scale::DaysLeft;
        for bound in [&mut self.warning, &mut self.critical].into_iter().flatten() {
            *bound = days_left(*bound, at);
        }
        for point in &mut self.points {
            for value in [&mut point.min, &mut point.mean, &mut point.p95, &mut point.max] {
                *value = days_left(*value, point.hour);
            }
        }
        self
    }

    pub(super) fn draw(&self, zone: &jiff::tz::TimeZone) -> Chart {
        let (foot, top) = self.range();
        let words = |value: f64| self.scale.words(value);
        let mut thresholds = Vec::new();
        for (class, word, value) in
            [("warning", "warning", self.warning), ("critical", "critical", self.critical)]
        {
            let Some(value) = value.filter(|value| value.is_finite()) else { continue };
            let is_drawn = (foot..=top).contains(&value);
            let side = if self.falls { "below" } else { "past" };
            thresholds.push((class, format!("{word} {side} {}", words(value)), is_drawn));
        }
        let hour = |at: Timestamp| {
            at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string()
        };
        let rows = self.points.iter().rev().take(ROWS).map(|point| {
            [
                hour(point.hour),
                point.count.to_string(),
                words(point.min),
                words(point.mean),
                words(point.p95),
                words(point.max),
            ]
        });
        Chart {
            svg: self.svg(foot, top),
            top: words(top),
            foot: words(foot),
            last: self.points.last().map(|point| words(point.mean)).unwrap_or_default(),
            thresholds,
            rows: rows.collect(),
            more: self.points.len().saturating_sub(ROWS),
        }
    }

    /// The foot and the top of the axis. What counts from nothing begins there.
    fn range(&self) -> (f64, f64) {
        let least = self.points.iter().map(|point| point.min).fold(f64::INFINITY, f64::min);
        let most = self.points.iter().map(|point| point.max).fold(f64::NEG_INFINITY, f64::max);
        let (foot, mut top) = (least.min(0.0), most);
        for threshold in [self.warning, self.critical].into_iter().flatten() {
            if threshold > top && threshold <= FAR * most {
                top = threshold;
            }
        }
        if !(foot.is_finite() && top.is_finite()) {
            return (0.0, 1.0);
        }
        let pad = (top - foot) * 0.05;
        if pad <= 0.0 {
            // A flat line at nothing, or below it, has room above.
            return (foot, top + top.abs().max(1.0));
        }
        // Nobody counts to 1.05.
        let is_whole = matches!(self.scale, Scale::Unit(Unit::Count | Unit::Score));
        (foot, if is_whole { top.ceil() } else { top + pad })
    }

    fn svg(&self, foot: f64, top: f64) -> String {
        let seconds = self.to.duration_since(self.from).as_secs_f64().max(1.0);
        let x = |at: Timestamp| {
            (at.duration_since(self.from).as_secs_f64() / seconds * WIDTH).clamp(0.0, WIDTH)
        };
        let y = |value: f64| ((1.0 - (value - foot) / (top - foot)) * HEIGHT).clamp(0.0, HEIGHT);
        // Writing into a string cannot fail.
        let mut svg = format!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" preserveAspectRatio=\"none\" aria-hidden=\"true\" focusable=\"false\">"
        );
        for part in 0..=4 {
            let line = HEIGHT * f64::from(part) / 4.0;
            _ = write!(svg, "<path class=\"grid\" d=\"M0 {line:.1}H{WIDTH}\"/>");
        }
        for run in self.runs() {
            let mut band = String::new();
            let mut mean = String::new();
            for (index, point) in run.iter().enumerate() {
                let step = if index == 0 { 'M' } else { 'L' };
                _ = write!(band, "{step}{:.1} {:.1}", x(point.hour), y(point.max));
                _ = write!(mean, "{step}{:.1} {:.1}", x(point.hour), y(point.mean));
            }
            if let Some(last) = run.last() {
                // The last hour lasts until it ends: alone it would have no width.
                let end = last.hour.checked_add(HOUR).unwrap_or(self.to);
                let end = x(end.min(self.to)).max(x(last.hour) + LEAST).min(WIDTH);
                _ = write!(mean, "H{end:.1}");
                _ = write!(band, "H{end:.1}V{:.1}", y(last.min));
            }
            for point in run.iter().rev() {
                _ = write!(band, "L{:.1} {:.1}", x(point.hour), y(point.min));
            }
            _ = write!(
                svg,
                "<path class=\"band\" d=\"{band}Z\"/><path class=\"mean\" d=\"{mean}\"/>"
            );
        }
        for (class, value) in [("warning", self.warning), ("critical", self.critical)] {
            let Some(value) = value.filter(|value| (foot..=top).contains(value)) else { continue };
            _ = write!(svg, "<path class=\"threshold {class}\" d=\"M0 {:.1}H{WIDTH}\"/>", y(value));
        }
        svg.push_str("</svg>");
        svg
    }

    /// The points in runs without a gap.
    fn runs(&self) -> Vec<Vec<&HistoryPoint>> {
        let pairs = self.points.iter().zip(self.points.iter().skip(1));
        let mut steps: Vec<_> = pairs.map(|(one, two)| two.hour.duration_since(one.hour)).collect();
        steps.sort_unstable();
        let usual = steps.get(steps.len() / 2).copied().unwrap_or_default();
        let gap = usual.max(HOUR).saturating_mul(GAP);
        let mut runs: Vec<Vec<&HistoryPoint>> = Vec::new();
        for point in &self.points {
            let goes_on = runs
                .last()
                .and_then(|run| run.last())
                .is_some_and(|last| point.hour.duration_since(last.hour) <= gap);
            match runs.last_mut().filter(|_| goes_on) {
                Some(run) => run.push(point),
                None => runs.push(vec![point]),
            }
        }
        runs
    }
}

/// The days from `at` to a time in seconds since 1970; below nothing when it has passed.
pub(super) fn days_left(until: f64, at: Timestamp) -> f64 {
    (until - at.as_duration().as_secs_f64()) / DAY
}

/// Days as a reader wants them: with a fraction where a day counts.
pub(super) fn days_words(days: f64) -> String {
    match days {
        days if !days.is_finite() => "–".to_owned(),
        days if days.abs() < 9.95 => {
            let tenths = (days * 10.0).round() / 10.0;
            // No day is said to be minus nothing.
            format!("{} days", if tenths == 0.0 { 0.0 } else { tenths })
        }
        days => format!("{days:.0} days"),
    }
}

/// A value as a reader wants it.
pub(super) fn value_words(unit: Unit, value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    match unit {
        Unit::Seconds if value.abs() < 1.0 => format!("{:.0} ms", value * 1_000.0),
        Unit::Seconds if value.abs() < 90.0 => format!("{value:.2} s"),
        Unit::Seconds => time::length(whole(value)),
        #[allow(
            clippy::cast_possible_truncation,
            reason = "a time, checked by the parser of times"
        )]
        Unit::TimestampSeconds => Timestamp::from_second(value as i64)
            .map(|at| at.strftime("%Y-%m-%d").to_string())
            .unwrap_or_default(),
        Unit::Bytes if value.abs() < 1_024.0 => format!("{value:.0} B"),
        Unit::Bytes if value.abs() < 1_048_576.0 => format!("{:.1} KiB", value / 1_024.0),
        Unit::Bytes => format!("{:.1} MiB", value / 1_048_576.0),
        Unit::Ratio => format!("{:.1}%", value * 100.0),
        Unit::Count | Unit::Score if value.fract().abs() < 0.005 => format!("{value:.0}"),
        Unit::Count | Unit::Score => format!("{value:.2}"),
    }
}

/// Seconds without their fraction.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped at zero, and saturating"
)]
fn whole(seconds: f64) -> u64 {
    seconds.abs().max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(hour: i64, value: f64) -> HistoryPoint {
        HistoryPoint {
            name: "duration".to_owned(),
            subject: None,
            hour: Timestamp::from_second(1_800_000_000 + 3_600 * hour).unwrap(),
            count: 12,
            min: value / 2.0,
            mean: value,
            p95: value * 1.5,
            max: value * 2.0,
        }
    }

    fn series(points: &[HistoryPoint]) -> Series {
        Series {
            scale: Scale::Unit(Unit::Seconds),
            warning: Some(0.5),
            critical: Some(30.0),
            falls: false,
            points: points.to_vec(),
            from: Timestamp::from_second(1_800_000_000).unwrap(),
            to: Timestamp::from_second(1_800_000_000 + 24 * 3_600).unwrap(),
        }
    }

    #[test]
    fn thresholds_are_lines_unless_they_would_flatten_the_rest() {
        let points = [point(0, 0.1), point(1, 0.2), point(2, 0.2), point(12, 0.2)];
        let chart = series(&points).draw(&jiff::tz::TimeZone::UTC);
        let svg = chart.to_string();
        assert_eq!(svg.matches("class=\"threshold").count(), 1, "{svg}");
        assert_eq!(
            chart.thresholds,
            [
                ("warning", "warning past 500 ms".to_owned(), true),
                ("critical", "critical past 30.00 s".to_owned(), false)
            ]
        );
        assert_eq!(svg.matches("class=\"mean\"").count(), 2, "a gap ends the line: {svg}");
        assert_eq!((chart.foot.as_str(), chart.rows.len()), ("0 ms", 4));
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }

    #[test]
    fn a_date_is_drawn_as_the_days_that_are_left_with_thresholds_from_the_last_look() {
        let end = 1_800_000_000.0 + 10.0 * DAY;
        let dated = |hour: i64| HistoryPoint {
            min: end,
            mean: end,
            p95: end,
            max: end,
            ..point(hour, 0.0)
        };
        let points = [dated(0), dated(24), dated(48)];
        let at = points[2].hour;
        let series = Series {
            scale: Scale::Unit(Unit::TimestampSeconds),
            warning: Some(at.as_second() as f64 + 21.0 * DAY),
            critical: Some(at.as_second() as f64 + 7.0 * DAY),
            falls: true,
            ..series(&points)
        };
        let chart = series.of_days_left(at).draw(&jiff::tz::TimeZone::UTC);
        assert_eq!((chart.foot.as_str(), chart.top.as_str()), ("0 days", "22 days"));
        assert_eq!(chart.last, "8 days");
        let bounds = [("warning", "warning below 21 days"), ("critical", "critical below 7 days")];
        assert_eq!(chart.thresholds, bounds.map(|(class, text)| (class, text.to_owned(), true)));
        assert_eq!(
            chart.rows.iter().map(|row| row[3].as_str()).collect::<Vec<_>>(),
            ["8 days", "9 days", "10 days"]
        );
        assert_eq!(days_words(days_left(end, at.checked_add(HOUR * 24 * 9).unwrap())), "-1 days");
    }

    #[test]
    fn what_is_counted_ends_at_a_whole_number() {
        let counted = |value: f64| {
            let points =
                [HistoryPoint { min: 0.0, mean: value, p95: value, max: value, ..point(0, 0.0) }];
            let scale = Scale::Unit(Unit::Count);
            let series = Series { scale, warning: None, critical: None, ..series(&points) };
            series.draw(&jiff::tz::TimeZone::UTC).top
        };
        assert_eq!([1.0, 2.4, 30.0].map(counted), ["1", "3", "30"]);
    }

    #[test]
    fn a_single_hour_is_as_wide_as_an_hour() {
        let points = [point(6, 0.2)];
        let svg = series(&points).draw(&jiff::tz::TimeZone::UTC).to_string();
        assert!(svg.contains("M250.0 ") && svg.contains("H291.7"), "{svg}");
    }

    #[test]
    fn flat_single_and_broken_values_are_drawn_without_nonsense() {
        for values in [vec![0.0], vec![3.0, 3.0], vec![f64::NAN], vec![f64::INFINITY, 1.0]] {
            let hours = 0_i64..;
            let points: Vec<_> =
                hours.zip(&values).map(|(hour, value)| point(hour, *value)).collect();
            let svg = series(&points).draw(&jiff::tz::TimeZone::UTC).to_string();
            assert!(!svg.contains("inf"), "{values:?}: {svg}");
        }
    }

    #[test]
    fn values_are_said_in_their_unit() {
        assert_eq!(value_words(Unit::Seconds, 0.1234), "123 ms");
        assert_eq!(value_words(Unit::Seconds, 7_200.0), "2 hours");
        assert_eq!(value_words(Unit::TimestampSeconds, 1_800_000_000.0), "2027-01-15");
        assert_eq!(value_words(Unit::Bytes, 2_048.0), "2.0 KiB");
        assert_eq!(value_words(Unit::Ratio, 0.021), "2.1%");
        assert_eq!(value_words(Unit::Count, 12.0), "12");
    }
}
