//! Orders out of step for programs.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use jiff::Timestamp;
use launchready_checks::contract::{AtRisk, Severity};
use serde::Serialize;

use crate::report::{Item, OutOfStep, StageReport, out_of_step as sort};
use crate::web::fault::Fault;
use crate::web::route::Web;
use crate::web::standing;

/// What is out of step in a project.
#[derive(Debug, Serialize)]
pub(in crate::web) struct OutOfStepV1 {
    project: String,
    totals: Vec<AtRisk>,
    count: usize,
    stages: Vec<StageV1>,
}

#[derive(Debug, Serialize)]
struct StageV1 {
    stage: &'static str,
    title: &'static str,
    items: Vec<ItemV1>,
    not_looked_at: Vec<UnlookedV1>,
}

#[derive(Debug, Serialize)]
struct ItemV1 {
    id: String,
    code: String,
    check: String,
    severity: Severity,
    summary: String,
    since: Option<Timestamp>,
    age_s: Option<i64>,
    at_risk: Vec<AtRisk>,
    incident: Option<String>,
    waived: bool,
}

#[derive(Debug, Serialize)]
struct UnlookedV1 {
    check: String,
    reason: String,
    unlock: String,
}

impl OutOfStepV1 {
    fn of(project: &str, all: OutOfStep, now: Timestamp) -> Self {
        let item = |item: Item| ItemV1 {
            id: item.id,
            code: item.code,
            check: item.check,
            severity: item.severity,
            summary: item.summary,
            since: item.since,
            age_s: item.since.map(|since| now.duration_since(since).as_secs()),
            at_risk: item.at_risk,
            incident: item.incident,
            waived: item.waived,
        };
        let stage = |stage: StageReport| StageV1 {
            stage: stage.stage.as_str(),
            title: stage.stage.title(),
            items: stage.items.into_iter().map(item).collect(),
            not_looked_at: stage
                .unlooked
                .into_iter()
                .map(|one| UnlookedV1 { check: one.check, reason: one.reason, unlock: one.unlock })
                .collect(),
        };
        Self {
            project: project.to_owned(),
            count: all.count(),
            totals: all.totals,
            stages: all.stages.into_iter().map(stage).collect(),
        }
    }
}

pub(in crate::web) async fn out_of_step(
    State(web): State<Arc<Web>>,
    Path(name): Path<String>,
) -> Result<Json<OutOfStepV1>, Fault> {
    let site = &*web.site;
    let facts = site.facts();
    let project = standing::project(&facts, &name)?;
    let known = standing::known(site, project).await?;
    let all = sort(&known.report, &known.incidents);
    Ok(Json(OutOfStepV1::of(&project.name, all, site.clock.now())))
}
