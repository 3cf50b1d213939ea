//! `/projects/NAME/checks/ID`: one check of one project over time.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use launchready_checks::contract::{CheckMeta, Measurement, Schedule};
use launchready_checks::registry;
use serde::Deserialize;

use super::frame::{Done, Frame, after};
use super::heartbeats::{Beat, beats};
use super::incidents::{Row as IncidentRow, rows};
use super::project::Card;
use crate::report::{CheckReport, NotCheckedReport};
use crate::store::{HistoryPoint, LatestRun};
use crate::web::chart::{Chart, Series, value_words};
use crate::web::fault::Fault;
use crate::web::forms::Filled;
use crate::web::guard::Caller;
use crate::web::route::Web;
use crate::web::show::{self, Badge, Prose, Segment};
use crate::web::spans::Bar;
use crate::web::time::{When, zone};
use crate::web::{ProjectFacts, standing};

/// The windows of time that are shown, with their hours.
const WINDOWS: [(&str, &str, i64); 3] =
    [("24h", "24 hours", 24), ("7d", "7 days", 7 * 24), ("90d", "90 days", 90 * 24)];
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
    bars: Vec<(&'static str, Bar)>,
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
    let range = wanted.range.as_deref().unwrap_or("7d");
    let hours =
        WINDOWS.iter().find(|(name, _, _)| *name == range).map_or(7 * 24, |window| window.2);
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
        next: when(run.next_due),
        beats,
        parts: check.not_checked.iter().map(Missed::of).collect(),
        incidents: rows(&facts, &mine, now),
        cards: check
            .findings
            .iter()
            .map(|finding| Card::of(project, check, finding, now))
            .collect(),
        values: run.assessment.measurements.iter().filter_map(|m| Measured::of(meta, m)).collect(),
        bars: WINDOWS
            .iter()
            .map(|(_, words, hours)| (*words, Bar::new(&spans, back(*hours), now, interval)))
            .collect(),
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

/// How often a check runs: as it says itself, or less often where the config does.
pub(super) fn interval(meta: &CheckMeta, run: Option<&LatestRun>) -> SignedDuration {
    let Schedule::Every(interval) = meta.default_schedule;
    let interval = SignedDuration::try_from(interval).unwrap_or(SignedDuration::from_hours(1));
    let planned = run.and_then(|run| Some(run.next_due.duration_since(run.at?)));
    planned.map_or(interval, |planned| planned.max(interval))
}

impl Measured {
    fn of(meta: &'static CheckMeta, measured: &Measurement) -> Option<Self> {
        let spec = meta.measurements.iter().find(|spec| spec.name == measured.name)?;
        let bound = |word: &str, bound: Option<f64>| {
            bound.map(|bound| format!("{word} at {}", value_words(measured.unit, bound)))
        };
        let bounds: Vec<_> =
            [bound("warning", measured.warning), bound("critical", measured.critical)]
                .into_iter()
                .flatten()
                .collect();
        Some(Self {
            name: spec.name,
            help: spec.help,
            subject: measured.subject.clone(),
            value: value_words(measured.unit, measured.value),
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
                unit: spec.unit,
                warning: now.and_then(|now| now.warning),
                critical: now.and_then(|now| now.critical),
                points: mine().filter(|point| point.subject.as_deref() == subject).collect(),
                from,
                to,
            };
            figures.push(Figure {
                title: match subject {
                    Some(subject) => format!("{} of {subject}", spec.name),
                    None => spec.name.to_owned(),
                },
                help: spec.help,
                chart: series.draw(zone),
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
