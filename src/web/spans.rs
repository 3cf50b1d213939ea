//! What a check ended in over time: as a bar, in shares, and by day.

use std::fmt;

use askama::filters::HtmlSafe;
use jiff::{SignedDuration, Timestamp};
use launchready_checks::contract::Status;

use crate::store::Span;

/// A stretch of time with one status.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stretch {
    status: Status,
    from: Timestamp,
    to: Timestamp,
}

/// The stretches of spans. A status holds until the next look, but no longer than two intervals: past
/// that nobody looked. The interval is that of the runs themselves where they were further apart.
fn stretches(spans: &[Span], interval: SignedDuration, now: Timestamp) -> Vec<Stretch> {
    let mut all = Vec::with_capacity(spans.len());
    for (index, span) in spans.iter().enumerate() {
        let between = i32::try_from(span.runs.saturating_sub(1)).unwrap_or(i32::MAX);
        let own = span.to.duration_since(span.from).checked_div(between).unwrap_or_default();
        let held = span.to.checked_add(interval.max(own).saturating_mul(2)).unwrap_or(now);
        let next = spans.get(index + 1).map_or(now, |next| next.from);
        all.push(Stretch { status: span.status, from: span.from, to: held.min(next).min(now) });
    }
    all
}

/// How bad a status is to have, for drawing one over the other.
const fn weight(status: Status) -> u8 {
    match status {
        Status::Skipped => 0,
        Status::Pass => 1,
        Status::Unknown => 2,
        Status::Warn => 3,
        Status::Fail => 4,
    }
}

const fn class(status: Status) -> &'static str {
    match status {
        Status::Pass => "pass",
        Status::Warn => "warning",
        Status::Fail => "critical",
        Status::Unknown => "unknown",
        Status::Skipped => "quiet",
    }
}

/// The share of the height, so that the bar is read without its colours.
const fn height(status: Status) -> u32 {
    match status {
        Status::Pass => 10,
        Status::Warn => 18,
        Status::Fail => 28,
        Status::Unknown => 14,
        Status::Skipped => 5,
    }
}

/// The width and height of the drawing, in its own units.
const WIDTH: f64 = 1_000.0;
const HEIGHT: u32 = 28;
/// The least width of a stretch, so that a short one is seen.
const LEAST: f64 = 2.0;

/// The bar of a window of time.
#[derive(Debug, Clone)]
pub(super) struct Bar {
    stretches: Vec<Stretch>,
    from: Timestamp,
    seconds: f64,
    /// `pass 98.2%, fail 1.8%`.
    pub(super) words: String,
}

impl Bar {
    /// The bar of the time from `from` to `now`; `interval` is that of the check.
    pub(super) fn new(
        spans: &[Span],
        from: Timestamp,
        now: Timestamp,
        interval: SignedDuration,
    ) -> Self {
        let seconds = now.duration_since(from).as_secs_f64().max(1.0);
        let mut stretches: Vec<_> = stretches(spans, interval, now)
            .into_iter()
            .map(|stretch| Stretch { from: stretch.from.max(from), ..stretch })
            .filter(|stretch| stretch.to > stretch.from)
            .collect();
        let share = |status| {
            let mine = stretches.iter().filter(|stretch| stretch.status == status);
            let time: f64 = mine.map(length).sum();
            100.0 * time / seconds
        };
        let shares = Status::ALL.map(|status| (status.as_str(), share(status)));
        let seen: f64 = shares.iter().map(|(_, share)| share).sum();
        let mut words: Vec<String> = shares
            .iter()
            .filter(|(_, share)| *share > 0.0)
            .map(|(word, share)| format!("{word} {}", percent(*share)))
            .collect();
        if seen < 99.95 {
            words.push(format!("not looked at {}", percent(100.0 - seen)));
        }
        stretches.sort_by_key(|stretch| weight(stretch.status));
        Self { stretches, from, seconds, words: words.join(", ") }
    }
}

fn length(stretch: &Stretch) -> f64 {
    stretch.to.duration_since(stretch.from).as_secs_f64().max(0.0)
}

/// With as many digits as it takes to tell a little from nothing, and almost all from all.
fn percent(share: f64) -> String {
    match share {
        share if share <= 0.0 => "0%".to_owned(),
        share if share < 0.01 => "under 0.01%".to_owned(),
        share if share < 1.0 || (share > 99.0 && share < 100.0) => {
            // Rounded down: 99.999 is not all of it.
            format!("{:.2}%", (share * 100.0).floor() / 100.0)
        }
        share => format!("{share:.1}%"),
    }
}

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = &self.words;
        write!(
            f,
            "<svg class=\"spans\" viewBox=\"0 0 1000 {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" \
             aria-label=\"{words}\"><rect class=\"ground\" width=\"1000\" height=\"{HEIGHT}\"/>"
        )?;
        for stretch in &self.stretches {
            let at = stretch.from.duration_since(self.from).as_secs_f64() / self.seconds * WIDTH;
            let width = (length(stretch) / self.seconds * WIDTH).max(LEAST);
            let x = at.min(WIDTH - width);
            let (class, height) = (class(stretch.status), height(stretch.status));
            let y = HEIGHT - height;
            write!(
                f,
                "<rect class=\"{class}\" x=\"{x:.2}\" y=\"{y}\" width=\"{width:.2}\" height=\"{height}\"/>"
            )?;
        }
        f.write_str("</svg>")
    }
}

impl HtmlSafe for Bar {}

/// Days of the public page.
const DAYS: i64 = 90;

/// What the last 90 days were like, one stroke a day.
#[derive(Debug, Clone)]
pub(super) struct Days {
    /// The worst of each day, oldest first; absent where nobody looked.
    days: Vec<Option<Status>>,
    /// `88 days up, 1 degraded, 1 down`.
    pub(super) words: String,
}

impl Days {
    pub(super) fn since(now: Timestamp) -> Timestamp {
        now.checked_sub(SignedDuration::from_hours(24 * DAYS)).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    pub(super) fn new(spans: &[Span], now: Timestamp, interval: SignedDuration) -> Self {
        let stretches = stretches(spans, interval, now);
        let day = |back: i64| {
            let hours = |days: i64| SignedDuration::from_hours(24 * days);
            let start = now.checked_sub(hours(back + 1)).unwrap_or(now);
            let end = now.checked_sub(hours(back)).unwrap_or(now);
            let mine = stretches.iter().filter(|stretch| stretch.from < end && stretch.to > start);
            mine.map(|stretch| stretch.status)
                .filter(|status| *status != Status::Skipped)
                .max_by_key(|status| weight(*status))
        };
        let days: Vec<_> = (0..DAYS).rev().map(day).collect();
        let number =
            |wanted: &[Option<Status>]| days.iter().filter(|day| wanted.contains(day)).count();
        let counted = [
            (number(&[Some(Status::Pass)]), "up"),
            (number(&[Some(Status::Warn)]), "degraded"),
            (number(&[Some(Status::Fail)]), "with a time down"),
            (number(&[Some(Status::Unknown), None]), "not known"),
        ];
        let words = counted.iter().filter(|(count, _)| *count > 0).map(|(count, word)| {
            let days = if *count == 1 { "day" } else { "days" };
            format!("{count} {days} {word}")
        });
        let words = words.collect::<Vec<_>>().join(", ");
        Self { days, words }
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = &self.words;
        write!(
            f,
            "<svg class=\"spans\" viewBox=\"0 0 900 {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" \
             aria-label=\"{words}\">"
        )?;
        for (index, day) in self.days.iter().enumerate() {
            let x = index * 10 + 1;
            let (class, height) = match day {
                Some(Status::Skipped | Status::Unknown) | None => ("ground", HEIGHT),
                Some(status) => (class(*status), if *status == Status::Pass { 20 } else { HEIGHT }),
            };
            let y = HEIGHT - height;
            write!(
                f,
                "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"8\" height=\"{height}\"/>"
            )?;
        }
        f.write_str("</svg>")
    }
}

impl HtmlSafe for Days {}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minutes).unwrap()
    }

    fn span(status: Status, from: i64, to: i64) -> Span {
        let runs = u64::try_from((to - from) / 5 + 1).unwrap();
        Span { status, from: at(from), to: at(to), runs, reason: None }
    }

    const FIVE: SignedDuration = SignedDuration::from_mins(5);

    #[test]
    fn shares_add_up_and_a_time_without_looks_is_said() {
        let spans =
            [span(Status::Pass, 0, 45), span(Status::Fail, 50, 50), span(Status::Pass, 60, 75)];
        let bar = Bar::new(&spans, at(0), at(100), FIVE);
        // The failing look holds until the next one, the last passing one for two intervals.
        assert_eq!(bar.words, "pass 75.0%, fail 10.0%, not looked at 15.0%");
        let svg = bar.to_string();
        let fail = svg.find("critical").unwrap();
        assert!(svg.rfind("\"pass\"").unwrap() < fail, "what is worse is drawn on top: {svg}");
        assert!(svg.contains("x=\"500.00\" y=\"0\" width=\"100.00\" height=\"28\""), "{svg}");
        assert_eq!(Bar::new(&[], at(0), at(100), FIVE).words, "not looked at 100.0%");
    }

    #[test]
    fn a_little_is_not_nothing_and_almost_all_is_not_all() {
        assert_eq!(percent(0.001), "under 0.01%");
        assert_eq!(percent(99.999), "99.99%");
        assert_eq!(percent(100.0), "100.0%");
    }

    #[test]
    fn a_day_is_as_bad_as_its_worst_time() {
        let day = 24 * 60;
        let spans = [
            span(Status::Pass, 0, day - 5),
            span(Status::Fail, day, day + 5),
            span(Status::Pass, day + 10, 3 * day),
        ];
        let days = Days::new(&spans, at(3 * day), FIVE);
        assert_eq!(days.words, "2 days up, 1 day with a time down, 87 days not known");
        assert_eq!(days.to_string().matches("<rect").count(), 90);
    }
}
