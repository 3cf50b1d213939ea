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
/// The most hours in the table.
const ROWS: usize = 48;

/// One measurement of one subject.
#[derive(Debug, Clone)]
pub(super) struct Series<'a> {
    pub(super) unit: Unit,
    pub(super) warning: Option<f64>,
    pub(super) critical: Option<f64>,
    /// Oldest first, never empty.
    pub(super) points: Vec<&'a HistoryPoint>,
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

impl Series<'_> {
    pub(super) fn draw(&self, zone: &jiff::tz::TimeZone) -> Chart {
        let (foot, top) = self.range();
        let words = |value: f64| value_words(self.unit, value);
        let mut thresholds = Vec::new();
        for (class, word, value) in
            [("warning", "warning", self.warning), ("critical", "critical", self.critical)]
        {
            let Some(value) = value.filter(|value| value.is_finite()) else { continue };
            let is_drawn = (foot..=top).contains(&value);
            thresholds.push((class, format!("{word} at {}", words(value)), is_drawn));
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
        let (mut foot, mut top) = if self.unit == Unit::TimestampSeconds {
            (least, most)
        } else {
            (least.min(0.0), most)
        };
        for threshold in [self.warning, self.critical].into_iter().flatten() {
            if self.unit != Unit::TimestampSeconds && threshold > top && threshold <= FAR * most {
                top = threshold;
            }
        }
        if !(foot.is_finite() && top.is_finite()) {
            return (0.0, 1.0);
        }
        let pad = (top - foot) * 0.05;
        if pad <= 0.0 {
            // A flat line runs through the middle.
            let around =
                if self.unit == Unit::TimestampSeconds { 86_400.0 } else { top.abs().max(1.0) };
            if foot != 0.0 {
                foot -= around;
            }
            return (foot, top + around);
        }
        let top = top + pad;
        // Nobody counts to 1.05.
        let is_whole = matches!(self.unit, Unit::Count | Unit::Score);
        (foot, if is_whole { top.ceil() } else { top })
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
            for point in run.iter().rev() {
                _ = write!(band, "L{:.1} {:.1}", x(point.hour), y(point.min));
            }
            if run.len() == 1 {
                // A single hour would have no width.
                mean.push_str("h3");
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
        let gap = usual.max(SignedDuration::from_hours(1)).saturating_mul(GAP);
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
        Unit::Ratio => format!("{:.1} %", value * 100.0),
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

    fn series(points: &[HistoryPoint]) -> Series<'_> {
        Series {
            unit: Unit::Seconds,
            warning: Some(0.5),
            critical: Some(30.0),
            points: points.iter().collect(),
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
                ("warning", "warning at 500 ms".to_owned(), true),
                ("critical", "critical at 30.00 s".to_owned(), false)
            ]
        );
        assert_eq!(svg.matches("class=\"mean\"").count(), 2, "a gap ends the line: {svg}");
        assert_eq!((chart.foot.as_str(), chart.rows.len()), ("0 ms", 4));
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
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
        assert_eq!(value_words(Unit::Ratio, 0.021), "2.1 %");
        assert_eq!(value_words(Unit::Count, 12.0), "12");
    }
}
