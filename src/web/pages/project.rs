//! `/projects/NAME`: the checklist of one project.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use launchready_checks::contract::Severity;

use super::frame::{Done, Frame};
use super::incidents::{Row as IncidentRow, rows};
use crate::report::{self, CheckReport, FindingReport, Report, UnseenPart};
use crate::store::LatestRun;
use crate::web::fault::Fault;
use crate::web::guard::Caller;
use crate::web::route::Web;
use crate::web::show::{self, Badge, Prose, Segment};
use crate::web::time::{When, zone};
use crate::web::{ProjectFacts, standing};

/// Incidents of the project that are listed; the rest is a link away.
const INCIDENTS: usize = 10;
/// Findings of one severity that are shown in full although they block nothing.
const IN_FULL: usize = 3;

#[derive(Template)]
#[template(path = "web/project.html")]
struct Page<'a> {
    frame: Frame,
    project: &'a ProjectFacts,
    href: String,
    report: &'a Report,
    verdict: Badge,
    reasons: Vec<Prose>,
    money: Vec<String>,
    hand_work: Option<String>,
    waived: Option<String>,
    last: Option<When>,
    incidents: Vec<IncidentRow>,
    more_incidents: usize,
    groups: Vec<Group<'a>>,
    rows: Vec<Row<'a>>,
    unseen: Vec<Missed<'a>>,
    out_of_step: usize,
}

/// The findings of one severity.
struct Group<'a> {
    id: &'static str,
    title: &'static str,
    count: String,
    cards: Vec<Card<'a>>,
}

/// One finding.
pub(super) struct Card<'a> {
    pub(super) badge: Badge,
    pub(super) check: &'a CheckReport,
    pub(super) finding: &'a FindingReport,
    pub(super) summary: Prose,
    pub(super) seen: String,
    pub(super) why: Prose,
    pub(super) fix: Prose,
    pub(super) undo: Prose,
    pub(super) since: Option<When>,
    pub(super) waived: Option<(String, When)>,
    pub(super) history: String,
    pub(super) waive: String,
    /// Whether it shows its headline alone until somebody opens it.
    pub(super) folded: bool,
}

impl<'a> Card<'a> {
    pub(super) fn of(
        project: &ProjectFacts,
        check: &'a CheckReport,
        finding: &'a FindingReport,
        now: jiff::Timestamp,
    ) -> Self {
        let zone = zone(&project.timezone);
        let name = Segment(&project.name);
        Self {
            badge: finding.severity.into(),
            check,
            finding,
            summary: Prose::new(&finding.summary),
            seen: finding.evidence.join("\n"),
            why: Prose::new(&finding.why),
            fix: Prose::new(&finding.fix),
            undo: Prose::new(&finding.undo),
            since: finding.since.map(|at| When::new(at, now, &zone)),
            waived: finding.waived.as_ref().map(|waived| {
                let text = format!("{}: {}", waived.by, waived.reason);
                (text, When::end(waived.until, now, &zone))
            }),
            history: format!("/projects/{name}/checks/{}", check.id),
            waive: format!(
                "/waivers?project={name}&code={}&subject={}#add",
                Segment(&finding.code),
                Segment(&finding.subject)
            ),
            folded: false,
        }
    }
}

/// One check in the table.
struct Row<'a> {
    badge: Badge,
    check: &'a CheckReport,
    href: String,
    reason: Option<Prose>,
    findings: Option<String>,
    last: Option<When>,
}

/// Something that was not looked at.
struct Missed<'a> {
    part: &'a UnseenPart,
    weight: &'static str,
    what: Prose,
    reason: Prose,
    unlock: Option<Prose>,
}

pub(in crate::web) async fn project(
    State(web): State<Arc<Web>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    Query(done): Query<Done>,
) -> Result<Response, Fault> {
    let site = &*web.site;
    let facts = site.facts();
    let project = standing::project(&facts, &name)?;
    let known = standing::known(site, project).await?;
    let now = site.clock.now();
    let zone = zone(&project.timezone);
    let report = &known.report;
    let last = known.latest.iter().filter_map(|run| run.at).max();
    let groups = report::GROUPS.iter().filter_map(|(severity, title)| {
        let mine = report::of_severity(report, *severity);
        let count = report::counted(mine.iter().map(|(_, finding)| *finding));
        let mut cards: Vec<_> = mine
            .into_iter()
            .map(|(check, finding)| Card::of(project, check, finding, now))
            .collect();
        if *severity != Severity::Critical && cards.len() > IN_FULL {
            for card in &mut cards {
                card.folded = true;
            }
        }
        (!cards.is_empty()).then_some(Group { id: id(*severity), title, count, cards })
    });
    let mut incidents = rows(&facts, &known.incidents, now);
    let more_incidents = incidents.len().saturating_sub(INCIDENTS);
    incidents.truncate(INCIDENTS);
    let row = |check| Row::of(project, check, &known.latest, now);
    let html = show::draw(&Page {
        frame: Frame::new(format!("{} · {}", report.title(), project.domain), "overview", &caller)
            .done(&done)
            .live(),
        project,
        href: format!("/projects/{}", Segment(&project.name)),
        report,
        verdict: report.verdict.into(),
        reasons: report.verdict_reasons.iter().map(|reason| Prose::new(reason)).collect(),
        money: report.money_at_risk.iter().map(report::money).collect(),
        hand_work: report::hand_work(report),
        waived: report::waived_note(report),
        last: last.map(|at| When::new(at, now, &zone)),
        incidents,
        more_incidents,
        groups: groups.collect(),
        rows: report.checks.iter().map(row).collect(),
        unseen: report::unseen_parts(report).into_iter().map(Missed::of).collect(),
        out_of_step: report::out_of_step(report, &known.incidents).count(),
    })?;
    Ok(show::answer(html))
}

const fn id(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical-findings",
        Severity::Warning => "warnings",
        Severity::Info => "later",
    }
}

impl<'a> Row<'a> {
    fn of(
        project: &ProjectFacts,
        check: &'a CheckReport,
        latest: &[LatestRun],
        now: jiff::Timestamp,
    ) -> Self {
        let at = latest.iter().find(|run| run.key.check == check.id).and_then(|run| run.at);
        Self {
            badge: check.status.into(),
            check,
            href: format!("/projects/{}/checks/{}", Segment(&project.name), check.id),
            reason: check.reason.as_deref().map(Prose::new),
            findings: Some(report::counted(&check.findings)).filter(|_| !check.findings.is_empty()),
            last: at.map(|at| When::new(at, now, &zone(&project.timezone))),
        }
    }
}

impl<'a> Missed<'a> {
    fn of(part: &'a UnseenPart) -> Self {
        Self {
            part,
            weight: report::unseen_word(part.unseen),
            what: Prose::new(&part.part),
            reason: Prose::new(&part.reason),
            unlock: Some(Prose::new(&part.unlock)).filter(|_| !part.unlock.is_empty()),
        }
    }
}
