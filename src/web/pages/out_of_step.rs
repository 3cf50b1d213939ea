//! `/projects/NAME/out-of-step`: orders that do not fit their payment.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use launchready_checks::contract::amount;

use super::frame::Frame;
use crate::report::{self, Item, OutOfStep, StageReport, Unlooked};
use crate::web::fault::Fault;
use crate::web::guard::Caller;
use crate::web::route::Web;
use crate::web::show::{self, Badge, Prose, Segment, count};
use crate::web::time::{When, zone};
use crate::web::{ProjectFacts, standing};

#[derive(Template)]
#[template(path = "web/out_of_step.html")]
struct Page<'a> {
    frame: Frame,
    project: &'a ProjectFacts,
    href: String,
    totals: Vec<(String, String)>,
    found: usize,
    /// Nothing was found, and every check has looked.
    clean: bool,
    stages: Vec<Shown>,
    quiet: Vec<&'static str>,
    unlooked: Vec<Missed>,
}

/// A stage in which something was found.
struct Shown {
    id: &'static str,
    title: &'static str,
    rows: Vec<Row>,
}

struct Row {
    badge: Badge,
    id: String,
    summary: Prose,
    code: String,
    check: String,
    since: Option<When>,
    money: String,
    incident: Option<String>,
    waived: bool,
}

/// A check that could not look, and what it looks for.
struct Missed {
    check: String,
    titles: String,
    reason: Prose,
    unlock: Option<Prose>,
}

pub(in crate::web) async fn out_of_step(
    State(web): State<Arc<Web>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Result<Response, Fault> {
    let site = &*web.site;
    let facts = site.facts();
    let project = standing::project(&facts, &name)?;
    let known = standing::known(site, project).await?;
    let now = site.clock.now();
    let zone = zone(&project.timezone);
    let all = report::out_of_step(&known.report, &known.incidents);
    let found = all.count();
    let unlooked = missed(&all);
    let looked = |stage: &&StageReport| stage.items.is_empty() && stage.unlooked.is_empty();
    let html = show::draw(&Page {
        frame: Frame::new(format!("Orders out of step · {}", project.domain), "overview", &caller)
            .live(),
        project,
        href: format!("/projects/{}", Segment(&project.name)),
        totals: all
            .totals
            .iter()
            .map(|sum| {
                (
                    amount(&sum.currency, sum.amount_minor),
                    format!("at risk in {}", count(sum.count, "payment")),
                )
            })
            .collect(),
        found,
        clean: found == 0 && unlooked.is_empty(),
        quiet: all.stages.iter().filter(looked).map(|stage| stage.stage.title()).collect(),
        stages: all
            .stages
            .iter()
            .filter(|stage| !stage.items.is_empty())
            .map(|stage| Shown {
                id: stage.stage.as_str(),
                title: stage.stage.title(),
                rows: stage.items.iter().map(|item| Row::of(item, now, &zone)).collect(),
            })
            .collect(),
        unlooked,
    })?;
    Ok(show::answer(html))
}

impl Row {
    fn of(item: &Item, now: Timestamp, zone: &TimeZone) -> Self {
        let sums = item.at_risk.iter().map(|sum| amount(&sum.currency, sum.amount_minor));
        Self {
            badge: item.severity.into(),
            id: item.id.clone(),
            summary: Prose::new(&item.summary),
            code: item.code.clone(),
            check: item.check.clone(),
            since: item.since.map(|at| When::new(at, now, zone)),
            money: sums.collect::<Vec<_>>().join(", "),
            incident: item.incident.clone(),
            waived: item.waived,
        }
    }
}

/// Each check once, with everything that it would look for.
fn missed(all: &OutOfStep) -> Vec<Missed> {
    let mut missed: Vec<(&Unlooked, Vec<&'static str>)> = Vec::new();
    for stage in &all.stages {
        for unlooked in &stage.unlooked {
            match missed.iter_mut().find(|(known, _)| known.check == unlooked.check) {
                Some((_, titles)) => titles.push(stage.stage.title()),
                None => missed.push((unlooked, vec![stage.stage.title()])),
            }
        }
    }
    missed
        .into_iter()
        .map(|(unlooked, titles)| Missed {
            check: unlooked.check.clone(),
            titles: titles.join("; "),
            reason: Prose::new(&unlooked.reason),
            unlock: Some(Prose::new(&unlooked.unlock)).filter(|_| !unlooked.unlock.is_empty()),
        })
        .collect()
}
