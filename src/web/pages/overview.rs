//! `/`: every project in short.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Response;
use launchready_checks::contract::{Severity, Unseen};
use serde::Deserialize;

use super::frame::Frame;
use crate::incident::{Book, State as Life};
use crate::report::{self, Report};
use crate::store::{IncidentCount, OutboxCount};
use crate::web::fault::Fault;
use crate::web::guard::Caller;
use crate::web::route::Web;
use crate::web::show::{self, Badge, Segment, count};
use crate::web::time::{When, zone};
use crate::web::{ProjectFacts, standing};

/// Projects on one page.
const PROJECTS: usize = 24;

#[derive(Debug, Default, Deserialize)]
pub(in crate::web) struct Wanted {
    #[serde(default)]
    q: String,
    page: Option<usize>,
}

#[derive(Template)]
#[template(path = "web/overview.html")]
struct Page<'a> {
    frame: Frame,
    numbers: Vec<(String, String, &'static str)>,
    /// Whether the config has no channel.
    untold: bool,
    /// Channels that the config no longer has, with the messages that wait for them.
    lost: Vec<(String, String)>,
    q: &'a str,
    cards: Vec<Card<'a>>,
    found: usize,
    total: usize,
    number: usize,
    pages: usize,
    searchable: bool,
}

struct Card<'a> {
    project: &'a ProjectFacts,
    href: String,
    verdict: Badge,
    in_short: String,
    open: Vec<(Badge, u64)>,
    unseen: Option<String>,
    money: Vec<String>,
    out_of_step: usize,
    last: Option<When>,
    coverage: String,
}

/// The projects that a search finds: those with the worst incidents first, then in the order of the
/// config.
pub(in crate::web) fn ranked<'f>(
    projects: &'f [ProjectFacts],
    q: &str,
    counts: &[IncidentCount],
) -> Vec<&'f ProjectFacts> {
    let q = q.trim().to_lowercase();
    let hit = |text: &str| text.to_lowercase().contains(&q);
    let mut worst: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for count in counts {
        let (critical, warnings) = worst.entry(&count.project).or_default();
        match count.severity {
            Severity::Critical => *critical += count.count,
            Severity::Warning => *warnings += count.count,
            Severity::Info => {}
        }
    }
    let mut found: Vec<_> = projects
        .iter()
        .filter(|project| q.is_empty() || hit(&project.name) || hit(&project.domain))
        .collect();
    found.sort_by_key(|project| {
        std::cmp::Reverse(worst.get(project.name.as_str()).copied().unwrap_or_default())
    });
    found
}

pub(in crate::web) async fn overview(
    State(web): State<Arc<Web>>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Fault> {
    let site = &*web.site;
    let facts = site.facts();
    let counts = site.store.incident_counts(None).await?;
    let waivers = site.store.waivers().await?;
    let numbers = numbers(&counts, facts.projects.len());
    let found = ranked(&facts.projects, &wanted.q, &counts);
    let pages = found.len().div_ceil(PROJECTS).max(1);
    let page = wanted.page.unwrap_or(1).clamp(1, pages);
    let mut cards = Vec::new();
    for project in found.iter().skip((page - 1) * PROJECTS).take(PROJECTS) {
        let known = standing::known_with(site, project, &waivers).await?;
        cards.push(Card::of(project, &known, site.clock.now()));
    }
    let (found, total) = (found.len(), facts.projects.len());
    let html = show::draw(&Page {
        frame: Frame::new("Overview", "overview", &caller).live(),
        numbers,
        untold: facts.book.channels.is_empty(),
        lost: lost(&site.store.waiting().await?, &facts.book),
        q: wanted.q.trim(),
        cards,
        found,
        total,
        number: page,
        pages,
        searchable: total > 6,
    })?;
    Ok(show::answer(html))
}

/// What waits for a channel that is gone, and that no other channel takes.
fn lost(waiting: &[OutboxCount], book: &Book) -> Vec<(String, String)> {
    waiting
        .iter()
        .filter(|it| book.channels.iter().all(|rule| rule.name != it.channel))
        .map(|it| (it.channel.clone(), count(it.count, "message")))
        .collect()
}

/// The figures at the head of the page.
fn numbers(counts: &[IncidentCount], projects: usize) -> Vec<(String, String, &'static str)> {
    let number = |wanted: &dyn Fn(&&IncidentCount) -> bool| {
        counts.iter().filter(wanted).map(|count| count.count).sum::<u64>()
    };
    let critical = number(&|count| count.severity == Severity::Critical);
    let warnings = number(&|count| count.severity == Severity::Warning);
    let taken = number(&|count| count.state == Life::Acknowledged);
    let tone = |count: u64, tone| if count > 0 { tone } else { "quiet" };
    vec![
        ("open critical".to_owned(), critical.to_string(), tone(critical, "critical")),
        ("open warnings".to_owned(), warnings.to_string(), tone(warnings, "warning")),
        ("acknowledged".to_owned(), taken.to_string(), "quiet"),
        (
            if projects == 1 { "project" } else { "projects" }.to_owned(),
            projects.to_string(),
            "quiet",
        ),
    ]
}

impl<'a> Card<'a> {
    fn of(project: &'a ProjectFacts, known: &standing::Known, now: jiff::Timestamp) -> Self {
        let report = &known.report;
        let last = known.latest.iter().filter_map(|run| run.at).max();
        Self {
            project,
            href: format!("/projects/{}", Segment(&project.name)),
            verdict: if last.is_some() {
                report.verdict.into()
            } else {
                Badge::new("quiet", "…", "first look under way")
            },
            in_short: last.map_or_else(
                || "No verdict before every check has looked once.".to_owned(),
                |_| short(report),
            ),
            open: standing::by_severity(&known.incidents)
                .into_iter()
                .map(|(severity, number)| (severity.into(), number))
                .collect(),
            unseen: unseen(report),
            money: report.money_at_risk.iter().map(report::money).collect(),
            out_of_step: report::out_of_step(report, &known.incidents).count(),
            last: last.map(|at| When::new(at, now, &zone(&project.timezone))),
            coverage: format!("{} of {}", report.coverage.run, report.coverage.total()),
        }
    }
}

/// The first reason of the verdict.
fn short(report: &Report) -> String {
    report.verdict_reasons.first().cloned().unwrap_or_default()
}

/// What was not seen and counts for the verdict.
fn unseen(report: &Report) -> Option<String> {
    let number = |wanted| {
        let parts = report.not_checked.iter().filter(|part| part.unseen == wanted).count();
        u64::try_from(parts).unwrap_or(u64::MAX)
    };
    let (blocks, conditions) = (number(Unseen::Blocks), number(Unseen::Condition));
    let parts = blocks + conditions;
    (parts > 0).then(|| {
        let blocking =
            if blocks > 0 { format!(", {blocks} must be proven") } else { String::new() };
        format!("{}{blocking}", count(parts, "part"))
    })
}
