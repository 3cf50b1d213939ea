//! `/projects/NAME/checks/ID`: one check of one project over time.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use launchready_checks::contract::{CheckMeta, Measurement, Schedule, Unit};
use launchready_checks::registry;
use serde::Deserialize;

use super::frame::{Done, Frame, after};
use super::heartbeats::{Beat, beats};
use super::incidents::{Row as IncidentRow, rows};
use super::project::Card;
use crate::report::{CheckReport, NotCheckedReport};
use crate::store::{HistoryPoint, LatestRun, Span};
use crate::web::chart::{Chart, Scale, Series, days_left, days_words, value_words};
use crate::web::fault::Fault;
use crate::web::forms::Filled;
use crate::web::guard::Caller;
use crate::web::route::Web;
use crate::web::show::{self, Badge, Prose, Segment};
use crate::web::spans::Bar;
use crate::web::time::{When, length, zone};
use crate::web::{ProjectFacts, standing};

/// A window of time: its name in addresses, the same in words, its hours.
type Window = (&'static str, &'static str, i64);
/// The windows of the charts.
const WINDOWS: [Window; 4] = [
    ("6h", "6 hours", 6),
    ("24h", "24 hours", 24),
    ("7d", "7 days", 7 * 24),
    ("90d", "90 days", 90 * 24),
];
/// Of the windows that nobody asked for, this is the longest.
const USUAL_HOURS: i64 = 7 * 24;
/// The most charts of one page.
const CHARTS: usize = 24;

#[derive(Debug, Default, Deserialize)]
pub(in crate::web) struct Wanted {
    range: Option<String>,
}

#[derive(Template)]
#[template(path = "web/check.html")]
struct Page<'a> {
    frame: Frame,
    project: &'a ProjectFacts,
    meta: &'static CheckMeta,
    href: String,
    up: String,
    run: &'a LatestRun,
    check: &'a CheckReport,
    badge: Badge,
    reason: Option<Prose>,
    unlock: Option<Prose>,
    at: Option<When>,
    since: Option<When>,
    next: When,
    beats: Vec<Beat>,
    parts: Vec<Missed<'a>>,
    incidents: Vec<IncidentRow>,
    cards: Vec<Card<'a>>,
    values: Vec<Measured>,
    bars: Vec<(String, Bar)>,
    ranges: Vec<(&'static str, &'static str, bool)>,
    charts: Vec<Figure>,
    more_charts: usize,
    from: String,
    to: String,
}

struct Missed<'a> {
    part: &'a NotCheckedReport,
    reason: Prose,
    unlock: Prose,
}

/// A measured value as it is at present.
struct Measured {
    name: &'static str,
    help: &'static str,
    subject: Option<String>,
    value: String,
    bounds: String,
}

/// A chart with its heading.
struct Figure {
    title: String,
    help: &'static str,
    chart: Chart,
}

fn check_meta(id: &str) -> Result<&'static CheckMeta, Fault> {
    registry::find(id).map(|plugin| plugin.meta).ok_or_else(|| {
        Fault::missing("There is no check of that name.", "Choose one from the list at /checks.")
    })
}

pub(in crate::web) async fn check(
    State(web): State<Arc<Web>>,
    Extension(caller): Extension<Caller>,
    Path((name, id)): Path<(String, String)>,
    Query(wanted): Query<Wanted>,
    Query(done): Query<Done>,
) -> Result<Response, Fault> {
    let site = &*web.site;
    let facts = site.facts();
    let project = standing::project(&facts, &name)?;
    let meta = check_meta(&id)?;
    let known = standing::known(site, project).await?;
    let of_this = |run: &&LatestRun| run.key.check == meta.id;
    let (Some(run), Some(check)) = (
        known.latest.iter().find(of_this),
        known.report.checks.iter().find(|check| check.id == meta.id),
    ) else {
        return Err(Fault::missing(
            format!("The agent does not run {} for {}.", meta.id, project.name),
            "Take enabled = false out of its table in the config to have it run.",
        ));
    };
    let now = site.clock.now();
    let zone = zone(&project.timezone);
    let back = |hours| now.checked_sub(SignedDuration::from_hours(hours)).unwrap_or(now);
    let spans = site.store.spans(&project.name, meta.id, back(90 * 24)).await?;
    let interval = interval(meta, Some(run));
    let seen = spans.first().map_or(0, |first| hours_since(first.from, now));
    let asked = WINDOWS.iter().find(|window| Some(window.0) == wanted.range.as_deref());
    let hours = asked.map_or_else(|| shortest(seen).min(USUAL_HOURS), |window| window.2);
    let points = site.store.history(&project.name, meta.id, back(hours)).await?;
    let mut charts = figures(meta, run, &points, back(hours), now, &zone);
    let more_charts = charts.len().saturating_sub(CHARTS);
    charts.truncate(CHARTS);
    let mine: Vec<_> =
        known.incidents.iter().filter(|incident| incident.key.check == meta.id).cloned().collect();
    let when = |at| When::new(at, now, &zone);
    let beats = beats(site, project, meta.id, now, &zone).await?;
    let html = show::draw(&Page {
        frame: Frame::new(format!("{} · {}", meta.title, project.domain), "overview", &caller)
            .done(&done)
            .live(),
        project,
        meta,
        href: format!("/projects/{}/checks/{}", Segment(&project.name), meta.id),
        up: format!("/projects/{}", Segment(&project.name)),
        run,
        check,
        badge: check.status.into(),
        reason: check.reason.as_deref().map(Prose::new),
        unlock: check.unlock.as_deref().map(Prose::new),
        at: run.at.map(when),
        since: run.since.map(when),
        next: When::due(run.next_due, now, &zone),
        beats,
        parts: check.not_checked.iter().map(Missed::of).collect(),
        incidents: rows(&facts, &mine, now),
        cards: check
            .findings
            .iter()
            .map(|finding| Card::of(project, check, finding, now))
            .collect(),
        values: run
            .assessment
            .measurements
            .iter()
            .filter_map(|m| Measured::of(meta, m, run.at.unwrap_or(now)))
            .collect(),
        bars: bars(&spans, now, interval),
        ranges: WINDOWS
            .iter()
            .map(|(name, words, window)| (*name, *words, *window == hours))
            .collect(),
        charts,
        more_charts,
        from: when(back(hours)).local,
        to: when(now).local,
    })?;
    Ok(show::answer(html))
}

impl<'a> Missed<'a> {
    fn of(part: &'a NotCheckedReport) -> Self {
        Self { part, reason: Prose::new(&part.reason), unlock: Prose::new(&part.unlock) }
    }
}

/// The hours from the beginning of the hour of `first` to `now`, rounded up.
fn hours_since(first: Timestamp, now: Timestamp) -> i64 {
    now.as_second().div_euclid(3_600) - first.as_second().div_euclid(3_600) + 1
}

/// The hours of the shortest window that holds so many.
fn shortest(seen: i64) -> i64 {
    let hours = WINDOWS.iter().map(|window| window.2);
    hours.clone().find(|hours| *hours >= seen).or(hours.max()).unwrap_or(USUAL_HOURS)
}

/// The bars: of every window from a day on that is full, and of all that was seen where that is less than
/// the longest window.
fn bars(spans: &[Span], now: Timestamp, interval: SignedDuration) -> Vec<(String, Bar)> {
    let Some(first) = spans.first().map(|span| span.from) else { return Vec::new() };
    let mut bars = Vec::new();
    for (_, words, hours) in WINDOWS.iter().filter(|window| window.2 >= 24) {
        let from = now.checked_sub(SignedDuration::from_hours(*hours)).unwrap_or(now);
        if from < first {
            let passed = length(now.duration_since(first).as_secs().max(0).unsigned_abs());
            bars.push((
                format!("Since the first look, {passed} ago"),
                Bar::new(spans, first, now, interval),
            ));
            break;
        }
        bars.push((format!("Last {words}"), Bar::new(spans, from, now, interval)));
    }
    bars
}

/// How often a check runs: as it says itself, or less often where the config does.
pub(super) fn interval(meta: &CheckMeta, run: Option<&LatestRun>) -> SignedDuration {
    let Schedule::Every(interval) = meta.default_schedule;
    let interval = SignedDuration::try_from(interval).unwrap_or(SignedDuration::from_hours(1));
    let planned = run.and_then(|run| Some(run.next_due.duration_since(run.at?)));
    planned.map_or(interval, |planned| planned.max(interval))
}

impl Measured {
    fn of(meta: &'static CheckMeta, measured: &Measurement, at: Timestamp) -> Option<Self> {
        let spec = meta.measurements.iter().find(|spec| spec.name == measured.name)?;
        let is_date = measured.unit == Unit::TimestampSeconds;
        let left = |date: f64| days_left(date, at);
        let bound = |word: &str, bound: Option<f64>| {
            let bound = bound?;
            let text = match measured.unit {
                Unit::TimestampSeconds => format!("{} left", days_words(left(bound))),
                unit => value_words(unit, bound),
            };
            let side = if measured.falls() { "below" } else { "past" };
            Some(format!("{word} {side} {text}"))
        };
        let value = value_words(measured.unit, measured.value);
        let bounds: Vec<_> =
            [bound("warning", measured.warning), bound("critical", measured.critical)]
                .into_iter()
                .flatten()
                .collect();
        Some(Self {
            name: spec.name,
            help: spec.help,
            subject: measured.subject.clone(),
            value: match left(measured.value) {
                _ if !is_date => value,
                days if days < 0.0 => format!("{value}, {} ago", days_words(-days)),
                days => format!("{value}, {} left", days_words(days)),
            },
            bounds: bounds.join(", "),
        })
    }
}

/// A chart for each measurement and subject, in the order of the check's list.
fn figures(
    meta: &'static CheckMeta,
    run: &LatestRun,
    points: &[HistoryPoint],
    from: Timestamp,
    to: Timestamp,
    zone: &jiff::tz::TimeZone,
) -> Vec<Figure> {
    let mut figures = Vec::new();
    for spec in meta.measurements {
        let mine = || {
            points.iter().filter(|point| {
                point.name == spec.name && point.min.is_finite() && point.max.is_finite()
            })
        };
        let mut subjects: Vec<_> = mine().map(|point| point.subject.as_deref()).collect();
        subjects.sort_unstable();
        subjects.dedup();
        for subject in subjects {
            let now = run.assessment.measurements.iter().find(|measured| {
                measured.name == spec.name && measured.subject.as_deref() == subject
            });
            let series = Series {
                scale: Scale::Unit(spec.unit),
                warning: now.and_then(|now| now.warning),
                critical: now.and_then(|now| now.critical),
                falls: now.is_some_and(Measurement::falls),
                points: mine()
                    .filter(|point| point.subject.as_deref() == subject)
                    .cloned()
                    .collect(),
                from,
                to,
            };
            let left = if spec.unit == Unit::TimestampSeconds { ", days left" } else { "" };
            figures.push(Figure {
                title: match subject {
                    Some(subject) => format!("{} of {subject}{left}", spec.name),
                    None => format!("{}{left}", spec.name),
                },
                help: spec.help,
                chart: series.of_days_left(run.at.unwrap_or(to)).draw(zone),
            });
        }
    }
    figures
}

/// Makes one check due now.
pub(in crate::web) async fn run_check(
    State(web): State<Arc<Web>>,
    Path((name, id)): Path<(String, String)>,
    _form: Filled,
) -> Result<Response, Fault> {
    let facts = web.site.facts();
    let project = standing::project(&facts, &name)?;
    let meta = check_meta(&id)?;
    web.site.store.make_due(&project.name, Some(meta.id), web.site.clock.now()).await?;
    Ok(after(&format!("/projects/{}/checks/{}", Segment(&project.name), meta.id), "due"))
}

/// Makes every check of a project due now.
pub(in crate::web) async fn run_all(
    State(web): State<Arc<Web>>,
    Path(name): Path<String>,
    _form: Filled,
) -> Result<Response, Fault> {
    let facts = web.site.facts();
    let project = standing::project(&facts, &name)?;
    web.site.store.make_due(&project.name, None, web.site.clock.now()).await?;
    Ok(after(&format!("/projects/{}", Segment(&project.name)), "due"))
}

#[cfg(test)]
mod tests {
    use launchready_checks::contract::Status;

    use super::*;

    #[test]
    fn the_page_opens_on_the_shortest_time_that_holds_what_was_seen() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let seen = hours_since(at("2026-11-28T01:50:00Z"), at("2026-11-28T02:10:00Z"));
        assert_eq!(seen, 2, "the points of both hours");
        let opens = |seen| shortest(seen).min(USUAL_HOURS);
        assert_eq!(
            [0, 6, 7, 24, 25, 24 * 7, 24 * 8, 24 * 400].map(opens),
            [6, 6, 24, 24, 168, 168, 168, 168]
        );
    }

    #[test]
    fn what_the_bound_allows_is_not_said_to_be_past_it() {
        let spf = check_meta("mail-spf").unwrap();
        let spec = spf.measurements.iter().find(|spec| spec.name == "lookups").unwrap();
        let measured = spec.value(Some("harbor.example"), 10.0).bounds(None, Some(10.0));
        let shown = Measured::of(spf, &measured, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!((shown.value.as_str(), shown.bounds.as_str()), ("10", "critical past 10"));
        let tls = check_meta("tls-certificate").unwrap();
        let spec = tls.measurements.iter().find(|spec| spec.name == "not-after").unwrap();
        let days = |days: f64| Some(days * 86_400.0);
        let measured = spec.value(None, 60.0 * 86_400.0).bounds(days(18.0), days(7.0));
        let shown = Measured::of(tls, &measured, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(shown.value, "1970-03-02, 60 days left");
        assert_eq!(shown.bounds, "warning below 18 days left, critical below 7 days left");
    }

    #[test]
    fn a_bar_is_of_a_full_window_or_of_all_that_was_seen() {
        let now: Timestamp = "2026-11-28T02:00:00Z".parse().unwrap();
        let told = |hours: i64| {
            let from = now.checked_sub(SignedDuration::from_hours(hours)).unwrap();
            let span = Span { status: Status::Pass, from, to: now, runs: 10, reason: None };
            let all = bars(&[span], now, SignedDuration::from_mins(1));
            assert!(all.iter().all(|(_, bar)| bar.words == "pass 100.0%"), "{all:?}");
            all.into_iter().map(|(words, _)| words).collect::<Vec<_>>()
        };
        assert_eq!(told(3), ["Since the first look, 3 hours ago"]);
        assert_eq!(told(48), ["Last 24 hours", "Since the first look, 2 days ago"]);
        assert_eq!(told(24 * 400), ["Last 24 hours", "Last 7 days", "Last 90 days"]);
        assert!(bars(&[], now, SignedDuration::from_mins(1)).is_empty());
    }
}
