//! `/status`: for everybody, and therefore no more than whether it works and since when.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use launchready_checks::contract::{Severity, Status, Urgency};
use launchready_checks::registry;
use serde::Deserialize;

use super::check::interval;
use super::frame::Frame;
use crate::incident::Incident;
use crate::store::LatestRun;
use crate::web::fault::Fault;
use crate::web::route::Web;
use crate::web::show::{self, Badge};
use crate::web::spans::Days;
use crate::web::time::{When, zone};
use crate::web::{ProjectFacts, Site, standing};

/// The check that says whether the product answers.
const UPTIME: &str = "web-uptime";
/// Projects on one page.
const PROJECTS: usize = 20;
/// How long a drawn page is shown: strangers cannot make the store work.
const KEPT: SignedDuration = SignedDuration::from_secs(15);

/// A page as it was last drawn.
#[derive(Debug, Clone)]
struct Drawn {
    at: Timestamp,
    html: String,
}

/// The place of one page; who draws it holds it, and the others wait for what is drawn.
type Place = Arc<tokio::sync::Mutex<Option<Drawn>>>;

/// Every page as it was last drawn. However many strangers ask, each page is drawn once within [`KEPT`].
#[derive(Debug, Default)]
pub(in crate::web) struct Remembered(Mutex<BTreeMap<usize, Place>>);

impl Remembered {
    /// The place of a page, and none for those beyond `pages`: there are never more places than pages.
    fn place(&self, page: usize, pages: usize) -> Place {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        places.retain(|number, _| *number <= pages);
        Arc::clone(places.entry(page).or_default())
    }
}

#[derive(Debug, Default, Deserialize)]
pub(in crate::web) struct Wanted {
    page: Option<usize>,
}

#[derive(Template)]
#[template(path = "web/status.html")]
struct Page<'a> {
    frame: Frame,
    all: (&'static str, &'static str),
    rows: Vec<Row<'a>>,
    at: When,
    number: usize,
    pages: usize,
}

struct Row<'a> {
    name: &'a str,
    state: Badge,
    since: Option<When>,
    days: Days,
}

/// How a project is, worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Health {
    Up,
    Unknown,
    Degraded,
    Down,
}

impl Health {
    const fn badge(self) -> Badge {
        match self {
            Self::Up => Badge::new("pass", "✓", "up"),
            Self::Unknown => Badge::new("unknown", "?", "not known"),
            Self::Degraded => Badge::new("warning", "▲", "degraded"),
            Self::Down => Badge::new("critical", "◆", "down"),
        }
    }
}

/// Down: the product does not answer, and that may wake somebody. Degraded: it answers, and not as it should.
/// What else is wrong with a project is nobody's business.
fn health(uptime: Option<&LatestRun>, incidents: &[Incident]) -> (Health, Option<Timestamp>) {
    let since = |incidents: &mut dyn Iterator<Item = &Incident>| {
        incidents.map(|incident| incident.opened_at.unwrap_or(incident.first_seen)).min()
    };
    let is_down = |incident: &&Incident| {
        incident.key.check == UPTIME
            && incident.severity == Severity::Critical
            && incident.urgency == Urgency::Now
    };
    let is_degraded = |incident: &&Incident| {
        incident.key.check == UPTIME && incident.severity >= Severity::Warning
    };
    if let Some(since) = since(&mut incidents.iter().filter(is_down)) {
        return (Health::Down, Some(since));
    }
    if let Some(since) = since(&mut incidents.iter().filter(is_degraded)) {
        return (Health::Degraded, Some(since));
    }
    match uptime {
        Some(run) if run.at.is_some() && run.status != Status::Unknown => {
            // A finding that is not believed yet is no news for strangers.
            (Health::Up, run.since.filter(|_| run.status == Status::Pass))
        }
        Some(run) => (Health::Unknown, run.since.filter(|_| run.at.is_some())),
        None => (Health::Unknown, None),
    }
}

async fn row<'f>(
    site: &Site,
    project: &'f ProjectFacts,
    now: Timestamp,
) -> Result<(Health, Row<'f>), Fault> {
    let incidents = standing::unresolved(site, Some(&project.name), 500).await?;
    let latest = site.store.latest(Some(&project.name)).await?;
    let spans = site.store.spans(&project.name, UPTIME, Days::since(now)).await?;
    let uptime = latest.iter().find(|run| run.key.check == UPTIME);
    let interval = registry::find(UPTIME)
        .map_or(SignedDuration::from_mins(5), |plugin| interval(plugin.meta, uptime));
    let (health, since) = health(uptime, &incidents);
    let row = Row {
        name: &project.name,
        state: health.badge(),
        since: since.map(|at| When::new(at, now, &zone(&project.timezone))),
        days: Days::new(&spans, now, interval),
    };
    Ok((health, row))
}

pub(in crate::web) async fn status(
    State(web): State<Arc<Web>>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Fault> {
    let site = &*web.site;
    let facts = site.facts();
    let public: Vec<_> = facts.projects.iter().filter(|project| project.public).collect();
    let pages = public.len().div_ceil(PROJECTS).max(1);
    let page = wanted.page.unwrap_or(1).clamp(1, pages);
    let place = web.status.place(page, pages);
    let mut place = place.lock().await;
    let now = site.clock.now();
    // A page of a time to come was drawn before the clock was put back.
    if let Some(kept) = &*place
        && kept.at <= now
        && now.duration_since(kept.at) < KEPT
    {
        return Ok(show::answer(kept.html.clone()));
    }
    let mut rows = Vec::new();
    let mut worst = Health::Up;
    for project in public.into_iter().skip((page - 1) * PROJECTS).take(PROJECTS) {
        let (health, row) = row(site, project, now).await?;
        worst = worst.max(health);
        rows.push(row);
    }
    let all = match worst {
        Health::Up => ("pass", "Everything works"),
        Health::Unknown => ("unknown", "Not everything is known"),
        Health::Degraded => ("warning", "Something is slow or answers wrongly"),
        Health::Down => ("critical", "Something is down"),
    };
    // Where the projects differ, no zone is better than another.
    let mut zones = facts.projects.iter().filter(|it| it.public).map(|it| it.timezone.as_str());
    let common = zones.next().filter(|first| zones.all(|other| other == *first));
    let html = show::draw(&Page {
        frame: Frame::outside("Status").paced(&*site.clock),
        all,
        rows,
        at: When::new(now, now, &zone(common.unwrap_or("UTC"))),
        number: page,
        pages,
    })?;
    *place = Some(Drawn { at: now, html: html.clone() });
    Ok(show::answer(html))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_that_it_hangs_on_exists() {
        assert!(registry::find(UPTIME).is_some());
    }
}
