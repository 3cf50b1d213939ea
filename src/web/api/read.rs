//! What the API shows.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use jiff::{SignedDuration, Timestamp};
use launchready_checks::registry;
use serde::Deserialize;
use serde_json::{Value, json};

use super::shape::{IncidentV1, PointV1, ProjectV1, RecordV1, SilenceV1, SpanV1, WaiverV1};
use crate::incident::State as Life;
use crate::report::{CheckReport, Report};
use crate::store::{IncidentFilter, StoreError};
use crate::web::fault::Fault;
use crate::web::guard::Caller;
use crate::web::pages::ranked;
use crate::web::route::Web;
use crate::web::standing;

/// Projects in one answer.
const PROJECTS: usize = 50;
/// The most incidents in one answer.
const INCIDENTS: usize = 1_000;
/// How far back the history of a check goes unless `since` says otherwise.
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The token that writes with this session's cookie have to send.
pub(in crate::web) async fn session(Extension(caller): Extension<Caller>) -> Json<Value> {
    Json(json!({"csrf_token": caller.token}))
}

#[derive(Debug, Default, Deserialize)]
pub(in crate::web) struct Listed {
    #[serde(default)]
    q: String,
    page: Option<usize>,
}

pub(in crate::web) async fn projects(
    State(web): State<Arc<Web>>,
    Query(wanted): Query<Listed>,
) -> Result<Json<Value>, Fault> {
    let site = &*web.site;
    let facts = site.facts();
    let counts = site.store.incident_counts(None).await?;
    let waivers = site.store.waivers().await?;
    let found = ranked(&facts.projects, &wanted.q, &counts);
    let pages = found.len().div_ceil(PROJECTS).max(1);
    let page = wanted.page.unwrap_or(1).clamp(1, pages);
    let mut shown = Vec::new();
    for project in found.into_iter().skip((page - 1) * PROJECTS).take(PROJECTS) {
        let known = standing::known_with(site, project, &waivers).await?;
        let mine = counts.iter().filter(|count| count.project == project.name);
        let open = mine.map(|count| count.count).sum();
        let last = known.latest.iter().filter_map(|run| run.at).max();
        shown.push(ProjectV1::new(&known.report, open, last));
    }
    Ok(Json(json!({"projects": shown, "page": page, "pages": pages})))
}

pub(in crate::web) async fn report(
    State(web): State<Arc<Web>>,
    Path(name): Path<String>,
) -> Result<Json<Report>, Fault> {
    let facts = web.site.facts();
    let project = standing::project(&facts, &name)?;
    Ok(Json(standing::known(&web.site, project).await?.report))
}

#[derive(Debug, Default, Deserialize)]
pub(in crate::web) struct Since {
    since: Option<Timestamp>,
}

pub(in crate::web) async fn check(
    State(web): State<Arc<Web>>,
    Path((name, id)): Path<(String, String)>,
    Query(Since { since }): Query<Since>,
) -> Result<Json<Value>, Fault> {
    let site = &*web.site;
    let facts = site.facts();
    let project = standing::project(&facts, &name)?;
    let known = standing::known(site, project).await?;
    let report: Option<&CheckReport> = known.report.checks.iter().find(|check| check.id == id);
    let (Some(report), Some(plugin)) = (report, registry::find(&id)) else {
        return Err(Fault::missing(
            "The agent does not run such a check for this project.",
            "GET /api/v1/projects/NAME/report lists those that it runs.",
        ));
    };
    let now = site.clock.now();
    let since = since.or_else(|| now.checked_sub(WEEK).ok()).unwrap_or(now);
    let id = plugin.meta.id;
    let spans = site.store.spans(&project.name, id, since).await?;
    let history = site.store.history(&project.name, id, since).await?;
    let spans: Vec<_> = spans.into_iter().map(SpanV1::from).collect();
    let history: Vec<_> = history.into_iter().map(PointV1::from).collect();
    Ok(Json(json!({"check": report, "since": since, "spans": spans, "history": history})))
}

#[derive(Debug, Default, Deserialize)]
pub(in crate::web) struct Filter {
    project: Option<String>,
    check: Option<String>,
    #[serde(default)]
    state: String,
    limit: Option<usize>,
    offset: Option<usize>,
}

/// States with commas between them.
fn states(text: &str) -> Result<Vec<Life>, Fault> {
    let all = [Life::Suspected, Life::Open, Life::Acknowledged, Life::Resolved];
    let read = |word: &str| all.into_iter().find(|state| state.as_str() == word);
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    words.map(read).collect::<Option<_>>().ok_or_else(|| {
        Fault::bad(
            "There is no such state.",
            "Name any of suspected, open, acknowledged, resolved, with commas between them.",
        )
    })
}

pub(in crate::web) async fn incidents(
    State(web): State<Arc<Web>>,
    Query(wanted): Query<Filter>,
) -> Result<Json<Value>, Fault> {
    let filter = IncidentFilter {
        states: states(&wanted.state)?,
        project: wanted.project,
        check: wanted.check,
        limit: wanted.limit.unwrap_or(200).clamp(1, INCIDENTS),
        offset: wanted.offset.unwrap_or(0),
    };
    let found = web.site.store.incidents(&filter).await?;
    let found: Vec<_> = found.into_iter().map(IncidentV1::from).collect();
    Ok(Json(json!({"incidents": found})))
}

pub(in crate::web) async fn incident(
    State(web): State<Arc<Web>>,
    Path(id): Path<String>,
) -> Result<Json<RecordV1>, Fault> {
    let record = web.site.store.incident(&id).await?;
    let record = record.ok_or(StoreError::Missing { what: "incident", id })?;
    Ok(Json(record.into()))
}

pub(in crate::web) async fn silences(State(web): State<Arc<Web>>) -> Result<Json<Value>, Fault> {
    let silences = web.site.store.silences(web.site.clock.now()).await?;
    let silences: Vec<_> = silences.into_iter().map(SilenceV1::from).collect();
    Ok(Json(json!({"silences": silences})))
}

pub(in crate::web) async fn waivers(State(web): State<Arc<Web>>) -> Result<Json<Value>, Fault> {
    let waivers = web.site.store.waivers().await?;
    let waivers: Vec<_> = waivers.into_iter().map(WaiverV1::from).collect();
    Ok(Json(json!({"waivers": waivers})))
}
