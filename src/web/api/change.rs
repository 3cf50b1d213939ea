//! What the API may change: acknowledgements, silences, waivers, and when a check is due.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use launchready_checks::registry;
use serde::Deserialize;
use serde_json::{Value, json};

use super::shape::IncidentV1;
use crate::incident::{Said, Silence, Waiver, some_text};
use crate::web::fault::Fault;
use crate::web::forms::{self, Sent};
use crate::web::pages::{check_scope, check_waiver};
use crate::web::route::Web;
use crate::web::standing;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct Taken {
    #[serde(default)]
    by: String,
    #[serde(default)]
    note: String,
}

pub(in crate::web) async fn acknowledge(
    State(web): State<Arc<Web>>,
    Path(id): Path<String>,
    Sent(taken): Sent<Taken>,
) -> Result<Json<IncidentV1>, Fault> {
    let site = &*web.site;
    let by = forms::by(&taken.by)?;
    let note = forms::bounded(&taken.note, "note", forms::NOTE)?;
    let incident =
        site.store.acknowledge(&id, &by, &note, &site.facts().book, site.clock.now()).await?;
    Ok(Json(incident.into()))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct Over {
    #[serde(default)]
    by: String,
}

pub(in crate::web) async fn resolve(
    State(web): State<Arc<Web>>,
    Path(id): Path<String>,
    Sent(over): Sent<Over>,
) -> Result<Json<IncidentV1>, Fault> {
    let site = &*web.site;
    let by = forms::by(&over.by)?;
    let incident = site.store.resolve(&id, &by, &site.facts().book, site.clock.now()).await?;
    Ok(Json(incident.into()))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct NewSilence {
    project: Option<String>,
    check: Option<String>,
    code: Option<String>,
    from: Option<Timestamp>,
    until: Timestamp,
    #[serde(default)]
    by: String,
    reason: String,
}

pub(in crate::web) async fn add_silence(
    State(web): State<Arc<Web>>,
    Sent(new): Sent<NewSilence>,
) -> Result<(StatusCode, Json<Value>), Fault> {
    let site = &*web.site;
    let now = site.clock.now();
    let silence = Silence {
        id: String::new(),
        project: new.project,
        check: new.check,
        code: new.code,
        from: new.from.unwrap_or(now),
        until: new.until,
        by: forms::by(&new.by)?,
        reason: forms::needed(&new.reason, Said::Reason)?,
    };
    if silence.until <= now.max(silence.from) {
        return Err(Fault::bad("The silence ends before it begins.", "Set until to a later time."));
    }
    check_scope(site, &silence)?;
    let id = site.store.add_silence(&silence).await?;
    Ok((StatusCode::CREATED, Json(json!({"id": id}))))
}

pub(in crate::web) async fn end_silence(
    State(web): State<Arc<Web>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Fault> {
    web.site.store.end_silence(&id, web.site.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct NewWaiver {
    project: String,
    code: String,
    subject: Option<String>,
    by: String,
    reason: String,
    until: Timestamp,
}

pub(in crate::web) async fn add_waiver(
    State(web): State<Arc<Web>>,
    Sent(new): Sent<NewWaiver>,
) -> Result<(StatusCode, Json<Value>), Fault> {
    let site = &*web.site;
    let now = site.clock.now();
    let waiver = Waiver {
        id: String::new(),
        project: new.project,
        code: new.code,
        subject: some_text(new.subject.as_deref()),
        by: forms::needed(&new.by, Said::Name)?,
        reason: forms::needed(&new.reason, Said::Reason)?,
        at: now,
        until: new.until,
        last_used: None,
    };
    if waiver.until <= now {
        return Err(Fault::bad("The waiver would have expired.", "Set until to a later time."));
    }
    check_waiver(site, &waiver)?;
    let id = site.store.add_waiver(&waiver).await?;
    Ok((StatusCode::CREATED, Json(json!({"id": id}))))
}

pub(in crate::web) async fn remove_waiver(
    State(web): State<Arc<Web>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Fault> {
    web.site.store.remove_waiver(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Default, Deserialize)]
pub(in crate::web) struct Which {
    check: Option<String>,
}

/// Makes a check of a project, or all of them, due now.
pub(in crate::web) async fn run(
    State(web): State<Arc<Web>>,
    Path(name): Path<String>,
    Query(which): Query<Which>,
) -> Result<(StatusCode, Json<Value>), Fault> {
    let site = &*web.site;
    let facts = site.facts();
    let project = standing::project(&facts, &name)?;
    if which.check.as_deref().is_some_and(|check| registry::find(check).is_none()) {
        return Err(Fault::bad("There is no check of that name.", "Leave check out for all."));
    }
    let due = site.store.make_due(&project.name, which.check.as_deref(), site.clock.now()).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({"due": due}))))
}
