//! The weekly summary: what is open, what was mended, what is about to end.

mod tally;

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use launchready_checks::contract::Status;
use launchready_checks::ops::hand_work;
use launchready_checks::registry;
use sha2::{Digest as _, Sha256};

pub use tally::Tally;

use super::harmless;
use super::message::{Zone, counted, lasting, severity};
use crate::incident::{Incident, Silence, State, Waiver};
use crate::store::{LatestRun, Notification, NotificationKind, Plain, Store, StoreError};

/// The week that a summary is about.
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);
/// A certificate, silence or waiver that ends within this is listed.
const SOON: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Lines of each part; the rest is counted.
const LINES: usize = 10;
/// The measurement that says when a certificate ends, in seconds since 1970, by the check's contract.
const NOT_AFTER: &str = "not-after";
/// Characters of a title, subject or reason.
const SHORT: usize = 160;
/// The small value of the store that says since when summaries are looked after.
const SINCE: &str = "summary-since";

/// The order in which open incidents are told: the worst first, then as the checks stand in reports.
fn by_weight(incident: &Incident) -> impl Ord + use<> {
    let rank = std::cmp::Reverse((incident.severity, incident.urgency));
    let key = &incident.key;
    (rank, registry::place(&key.check), key.project.clone(), key.code.clone())
}

/// The order in which resolved incidents are told: the last first.
fn by_end(incident: &Incident) -> impl Ord + use<> {
    std::cmp::Reverse(incident.resolved_at)
}

/// Whether it was resolved within the week.
fn ended(incident: &Incident, now: Timestamp) -> bool {
    incident.resolved_at.is_some_and(|at| within(at, now, WEEK))
}

/// What the store knows at the end of a week.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Week {
    /// Open and acknowledged incidents, the worst first.
    pub open: Tally,
    /// Incidents that were resolved within the week, the last first.
    pub resolved: Tally,
    /// The latest run of every job.
    pub latest: Vec<LatestRun>,
    /// Silences that have not ended.
    pub silences: Vec<Silence>,
    /// Every waiver.
    pub waivers: Vec<Waiver>,
}

impl Week {
    /// Asks the store.
    ///
    /// # Errors
    /// The first error of the store.
    pub async fn read(store: &dyn Store, now: Timestamp) -> Result<Self, StoreError> {
        Ok(Self {
            open: Tally::read(store, &[], |_| true, by_weight).await?,
            resolved: Tally::read(store, &[State::Resolved], |it| ended(it, now), by_end).await?,
            latest: store.latest(None).await?,
            silences: store.silences(now).await?,
            waivers: store.waivers().await?,
        })
    }

    /// The text of the summary, with times in `zone`.
    pub fn text(&self, now: Timestamp, zone: &str) -> Plain {
        let zone = Zone::of(zone);
        let resolved = self.resolved.count;
        let title = if self.open.count == 0 {
            format!("A quiet week: nothing is open, {resolved} resolved")
        } else {
            let (open, critical) = (counted(self.open.count, "open problem"), self.open.critical);
            format!("The week: {open}, {critical} critical; {resolved} resolved")
        };
        let mut lines = Vec::new();
        part_of(&mut lines, "Open", self.open_lines(now), self.open.count);
        let told = self.resolved.shown.iter().map(resolved_line).collect();
        part_of(&mut lines, "Resolved this week", told, resolved);
        part(&mut lines, "Work done by hand", self.hand_work());
        part(&mut lines, "Checks that need a look", self.worst());
        part(&mut lines, "Certificates that end within 30 days", self.certificates(now, &zone));
        part(&mut lines, "Silences and waivers that end within 30 days", self.ending(now, &zone));
        let checks = counted(self.latest.len(), "check");
        let passed = self.latest.iter().filter(|run| run.status == Status::Pass).count();
        lines.push(format!("{checks} watched, {passed} of them fine at their last look."));
        Plain { title, lines }
    }

    fn open_lines(&self, now: Timestamp) -> Vec<String> {
        self.open
            .shown
            .iter()
            .map(|incident| {
                let span = lasting(now.duration_since(incident.first_seen));
                let taken =
                    if incident.state == State::Acknowledged { ", somebody is on it" } else { "" };
                let project = &incident.key.project;
                let severity = severity(incident.severity);
                format!("{severity}, {project}: {} (for {span}{taken})", title(incident))
            })
            .collect()
    }

    /// Checks that ended in a failure or could not look, those with most findings first.
    fn worst(&self) -> Vec<String> {
        let mut bad: Vec<&LatestRun> = self
            .latest
            .iter()
            .filter(|run| matches!(run.status, Status::Fail | Status::Unknown) && run.at.is_some())
            .collect();
        bad.sort_by_key(|run| {
            (
                std::cmp::Reverse(run.assessment.findings.len()),
                run.status != Status::Fail,
                run.key.clone(),
            )
        });
        bad.iter()
            .map(|run| {
                let name = format!("{}, {}", run.key.project, run.key.check);
                match (&run.reason, run.status) {
                    (Some((cause, unlock)), Status::Unknown) => {
                        let said = format!("{name}: could not look: {cause}; {unlock}");
                        harmless::line(&harmless::ours(&said, 300), 300)
                    }
                    (_, Status::Unknown) => format!("{name}: could not look"),
                    _ => format!("{name}: {}", counted(run.assessment.findings.len(), "finding")),
                }
            })
            .collect()
    }

    /// What each project costs in hours a week, by its last count.
    fn hand_work(&self) -> Vec<String> {
        let runs = self.latest.iter().filter(|run| run.key.check == "ops-busywork");
        let line = |run: &LatestRun| {
            let is_whole = run.assessment.not_checked.is_empty();
            let text = hand_work(&run.assessment.measurements, is_whole)?;
            Some(format!("{}: {text}", run.key.project))
        };
        runs.filter_map(line).collect()
    }

    fn certificates(&self, now: Timestamp, zone: &Zone) -> Vec<String> {
        let mut ends: Vec<(Timestamp, String)> = Vec::new();
        for run in &self.latest {
            for measured in &run.assessment.measurements {
                if !measured.name.ends_with(NOT_AFTER) {
                    continue;
                }
                #[allow(
                    clippy::cast_possible_truncation,
                    reason = "a float is cut to the range, and a second is precise enough"
                )]
                let Ok(end) = Timestamp::from_second(measured.value as i64) else { continue };
                if within(now, end, SOON) || end < now {
                    let subject = measured.subject.as_deref().unwrap_or(&run.target);
                    let host = harmless::line(subject, SHORT);
                    ends.push((end, format!("{}: {host}, {}", run.key.project, zone.day(end))));
                }
            }
        }
        ends.sort();
        ends.into_iter().map(|(_, line)| line).collect()
    }

    fn ending(&self, now: Timestamp, zone: &Zone) -> Vec<String> {
        let mut ends: Vec<(Timestamp, String)> = Vec::new();
        for silence in self.silences.iter().filter(|silence| within(now, silence.until, SOON)) {
            let parts = [&silence.project, &silence.check, &silence.code];
            let what: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
            let what = if what.is_empty() { "everything".to_owned() } else { what.join(", ") };
            let (until, why) = (zone.when(silence.until), reason(&silence.reason));
            ends.push((silence.until, format!("Silence of {what}, until {until}{why}")));
        }
        for waiver in self.waivers.iter().filter(|waiver| within(now, waiver.until, SOON)) {
            let subject =
                waiver.subject.as_deref().map(|s| format!(" ({})", harmless::line(s, SHORT)));
            let (until, why) = (zone.when(waiver.until), reason(&waiver.reason));
            let what =
                format!("{}, {}{}", waiver.project, waiver.code, subject.unwrap_or_default());
            ends.push((waiver.until, format!("Waiver of {what}, until {until}{why}")));
        }
        ends.sort();
        ends.into_iter().map(|(_, line)| line).collect()
    }
}

/// Since when an agent with this store looks after summaries: since `now`, the first time that one asks. A week
/// that had ended before then was not watched.
///
/// # Errors
/// The first error of the store.
pub async fn since(store: &dyn Store, now: Timestamp) -> Result<Timestamp, StoreError> {
    let kept = store.put_once(SINCE, &now.to_string()).await?;
    // A clock that was ahead may have written it.
    Ok(kept.parse().unwrap_or(now).min(now))
}

/// Puts the summary of the week of `now` into the outbox, once however often it is called.
///
/// # Errors
/// The first error of the store.
pub async fn enqueue(
    store: &dyn Store,
    channels: &[String],
    now: Timestamp,
    zone: &str,
) -> Result<bool, StoreError> {
    let text = Week::read(store, now).await?.text(now, zone);
    let notification = Notification {
        id: id(now, zone),
        kind: NotificationKind::Summary,
        project: String::new(),
        at: now,
        told: Vec::new(),
        text: Some(text),
    };
    store.enqueue(&notification, channels, now).await
}

/// `msg_` and 20 hexadecimal digits made of the week of ISO 8601 in that zone.
fn id(now: Timestamp, zone: &str) -> String {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let week = now.to_zoned_datetime(zone).date().iso_week_date();
    let name = format!("summary {}-W{:02}", week.year(), week.week());
    let digest = hex::encode(Sha256::digest(name));
    format!("msg_{}", digest.get(..20).unwrap_or_default())
}

/// Whether `later` comes after `earlier` by at most `span`.
fn within(earlier: Timestamp, later: Timestamp, span: SignedDuration) -> bool {
    let between = later.duration_since(earlier);
    between >= SignedDuration::ZERO && between <= span
}

fn part(lines: &mut Vec<String>, heading: &str, all: Vec<String>) {
    let count = all.len();
    part_of(lines, heading, all, count);
}

/// A part of which there are `count` lines, and perhaps not all of them at hand.
fn part_of(lines: &mut Vec<String>, heading: &str, all: Vec<String>, count: usize) {
    if all.is_empty() {
        return;
    }
    let rest = count.saturating_sub(all.len().min(LINES));
    let mut text = format!("{heading}:");
    for line in all.into_iter().take(LINES) {
        text.push_str("\n• ");
        text.push_str(&line);
    }
    if rest > 0 {
        // Writing into a string cannot fail.
        _ = write!(text, "\n• and {rest} more");
    }
    lines.push(text);
}

fn title(incident: &Incident) -> String {
    harmless::line(&harmless::ours(&incident.title, SHORT), SHORT)
}

fn resolved_line(incident: &Incident) -> String {
    let ended = incident.resolved_at.unwrap_or(incident.last_seen);
    let span = lasting(ended.duration_since(incident.first_seen));
    format!("{}: {} (lasted {span})", incident.key.project, title(incident))
}

fn reason(text: &str) -> String {
    let text = harmless::line(&harmless::ours(text, SHORT), SHORT);
    if text.is_empty() { text } else { format!(": {text}") }
}

#[cfg(test)]
mod tests {
    use launchready_checks::contract::{Assessment, Measurement, Unit};

    use super::*;
    use crate::notify::sample;
    use crate::store::JobKey;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn run(check: &str, status: Status) -> LatestRun {
        LatestRun {
            key: JobKey { project: "harbor".to_owned(), check: check.to_owned() },
            target: "harbor.example".to_owned(),
            at: Some(at("2026-11-22T08:00:00Z")),
            duration: std::time::Duration::from_millis(120),
            status,
            since: None,
            reason: None,
            assessment: Assessment::default(),
            next_due: at("2026-11-22T09:00:00Z"),
        }
    }

    #[test]
    fn the_week_is_told_in_short() {
        let now = at("2026-11-22T08:00:00Z");
        let samples = sample::all();
        let incident = |index: usize| samples[index].1.told[0].incident.clone();
        let mut certificate = run("tls-certificate", Status::Warn);
        certificate.assessment.measurements = ["2026-12-05T00:00:00Z", "2027-12-05T00:00:00Z"]
            .iter()
            .map(|end| Measurement {
                name: "not-after".to_owned(),
                value: at(end).as_second() as f64,
                unit: Unit::TimestampSeconds,
                subject: Some("app.harbor.example".to_owned()),
                warning: None,
                critical: None,
            })
            .collect();
        let mut blind = run("stripe-deliveries", Status::Unknown);
        blind.reason = Some(("Stripe answers 403".to_owned(), "grant Events: Read".to_owned()));
        let mut busy = run("ops-busywork", Status::Warn);
        busy.assessment.measurements = [
            ("weekly", None, 8700.0),
            ("items", Some("orders"), 8.0),
            ("items", Some("tickets"), 21.0),
            ("items", Some("contacts"), 0.0),
        ]
        .map(|(name, subject, value)| Measurement {
            name: name.to_owned(),
            value,
            unit: Unit::Count,
            subject: subject.map(str::to_owned),
            warning: None,
            critical: None,
        })
        .into();
        let (mut open, mut resolved) = (Tally::default(), Tally::default());
        open.take([incident(8), incident(0)].into_iter(), by_weight);
        let over = [incident(4), incident(5)].into_iter().filter(|it| ended(it, now));
        resolved.take(over, by_end);
        let week = Week {
            open,
            resolved,
            latest: vec![certificate, blind, busy, run("web-uptime", Status::Pass)],
            silences: vec![Silence {
                id: "sil_1".to_owned(),
                project: Some("harbor".to_owned()),
                check: Some("mail-dmarc".to_owned()),
                code: None,
                from: now,
                until: at("2026-11-25T08:00:00Z"),
                by: "founder".to_owned(),
                reason: "the provider moves".to_owned(),
            }],
            waivers: Vec::new(),
        };
        let text = week.text(now, "Europe/Berlin");
        insta::assert_snapshot!("week", format!("{}\n\n{}", text.title, text.lines.join("\n\n")));
        let quiet = Week::default().text(now, "UTC");
        assert_eq!(quiet.title, "A quiet week: nothing is open, 0 resolved");
    }

    #[test]
    fn the_id_is_that_of_the_week_in_the_zone() {
        let sunday = at("2026-11-22T23:30:00Z");
        assert_eq!(id(sunday, "UTC"), id(at("2026-11-16T00:00:00Z"), "UTC"));
        // In Berlin it is Monday already.
        assert_ne!(id(sunday, "UTC"), id(sunday, "Europe/Berlin"));
        assert_eq!(id(sunday, "UTC").len(), "msg_".len() + 20);
    }
}
