//! The hourly figures of one job: a histogram for each of its measurements, in one small blob.

use std::collections::BTreeMap;

use jiff::Timestamp;
use launchready_checks::contract::Measurement;

use super::HistoryPoint;
use super::histogram::{Histogram, read_number, write_number};

/// The layout of the blob; it begins every one.
const LAYOUT: u8 = 1;
/// The most series of one job; a run that measures more things keeps the first by name.
const SERIES: usize = 500;
/// One hour in milliseconds.
const HOUR: i64 = 3_600_000;

/// The measurements of one hour by name and subject.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Figures(BTreeMap<(String, Option<String>), Histogram>);

/// The hour of a time, counted from 1970.
pub(super) fn hour_of(at: Timestamp) -> i64 {
    at.as_millisecond().div_euclid(HOUR)
}

/// When an hour began.
pub(super) fn start_of(hour: i64) -> Timestamp {
    Timestamp::from_millisecond(hour.saturating_mul(HOUR)).unwrap_or(Timestamp::MAX)
}

impl Figures {
    /// Counts the values of a run.
    pub(super) fn add(&mut self, measurements: &[Measurement]) {
        for measurement in measurements {
            let key = (measurement.name.clone(), measurement.subject.clone());
            if self.0.len() < SERIES || self.0.contains_key(&key) {
                self.0.entry(key).or_default().add(measurement.value);
            }
        }
    }

    /// Adds the figures of another part of the same hour.
    pub(super) fn merge(&mut self, other: Self) {
        for (key, histogram) in other.0 {
            self.0.entry(key).or_default().merge(&histogram);
        }
    }

    /// Whether nothing was measured.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One point for each series.
    pub(super) fn points(&self, hour: i64) -> impl Iterator<Item = HistoryPoint> {
        self.0.iter().filter(|(_, histogram)| histogram.count > 0).map(
            move |((name, subject), histogram)| HistoryPoint {
                name: name.clone(),
                subject: subject.clone(),
                hour: start_of(hour),
                count: histogram.count,
                min: histogram.min,
                mean: histogram.mean(),
                p95: histogram.quantile(0.95),
                max: histogram.max,
            },
        )
    }

    /// As bytes.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![LAYOUT];
        write_number(&mut bytes, self.0.len() as u64);
        for ((name, subject), histogram) in &self.0 {
            write_text(&mut bytes, name);
            bytes.push(u8::from(subject.is_some()));
            write_text(&mut bytes, subject.as_deref().unwrap_or_default());
            histogram.write(&mut bytes);
        }
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote; nothing where it is damaged.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (layout, mut bytes) = bytes.split_first()?;
        if *layout != LAYOUT {
            return None;
        }
        let mut series = BTreeMap::new();
        for _ in 0..read_number(&mut bytes)? {
            let name = read_text(&mut bytes)?;
            let (has_subject, rest) = bytes.split_first()?;
            bytes = rest;
            let subject = read_text(&mut bytes)?;
            let subject = (*has_subject == 1).then_some(subject);
            series.insert((name, subject), Histogram::read(&mut bytes)?);
        }
        Some(Self(series))
    }
}

fn write_text(bytes: &mut Vec<u8>, text: &str) {
    write_number(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}

fn read_text(bytes: &mut &[u8]) -> Option<String> {
    let length = usize::try_from(read_number(bytes)?).ok()?;
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    String::from_utf8(text.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use launchready_checks::contract::Unit;

    use super::*;

    fn measured(name: &str, subject: Option<&str>, value: f64) -> Measurement {
        Measurement {
            name: name.to_owned(),
            value,
            unit: Unit::Seconds,
            subject: subject.map(str::to_owned),
            warning: None,
            critical: None,
        }
    }

    #[test]
    fn figures_survive_their_bytes_and_damaged_bytes_are_told_apart() {
        let mut figures = Figures::default();
        figures.add(&[measured("time", Some("www"), 0.3), measured("time", None, 0.4)]);
        figures.add(&[measured("time", Some("www"), 0.5)]);
        let bytes = figures.to_bytes();
        assert_eq!(Figures::from_bytes(&bytes), Some(figures.clone()));
        assert_eq!(Figures::from_bytes(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Figures::from_bytes(&[9, 0]), None);
        let points: Vec<HistoryPoint> = figures.points(3).collect();
        assert_eq!(points.len(), 2);
        assert_eq!(points[1].subject.as_deref(), Some("www"));
        assert_eq!((points[1].count, points[1].min, points[1].max), (2, 0.3, 0.5));
        assert_eq!(points[1].hour.to_string(), "1970-01-01T03:00:00Z");
    }

    #[test]
    fn a_run_that_measures_without_end_keeps_a_bounded_number_of_series() {
        let mut figures = Figures::default();
        for step in 0..2 * SERIES {
            figures.add(&[measured("time", Some(&step.to_string()), 1.0)]);
        }
        assert_eq!(figures.points(0).count(), SERIES);
    }
}
