//! `/waivers`: what was accepted, by whom, why and until when.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use jiff::Timestamp;
use launchready_checks::registry;
use serde::Deserialize;

use super::frame::{Done, Frame, after};
use super::silences::known_code;
use crate::incident::{Said, Waiver};
use crate::report::AREAS_BY_SETTING;
use crate::web::Site;
use crate::web::fault::Fault;
use crate::web::forms::{self, Filled};
use crate::web::guard::{Caller, Told};
use crate::web::route::Web;
use crate::web::show::{self, Badge};
use crate::web::standing;
use crate::web::time::{When, zone};

/// What a link to the form fills in.
#[derive(Debug, Default, Deserialize)]
pub(in crate::web) struct Wanted {
    #[serde(default)]
    project: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    subject: String,
}

#[derive(Template)]
#[template(path = "web/waivers.html")]
struct Page<'a> {
    frame: Frame,
    rows: Vec<Row>,
    projects: Vec<&'a str>,
    codes: Vec<&'static str>,
    /// What was typed into the form before or a link fills in, and what is wrong with it.
    typed: &'a Filled,
    fault: Option<&'a Fault>,
}

struct Row {
    waiver: Waiver,
    state: Badge,
    until: When,
    last_used: Option<When>,
}

/// Codes, subjects and projects of what is found at present.
async fn found(site: &Site) -> Result<BTreeSet<(String, String, String)>, Fault> {
    let latest = site.store.latest(None).await?;
    let findings = latest.into_iter().flat_map(|run| {
        let project = run.key.project;
        run.assessment
            .findings
            .into_iter()
            .map(move |finding| (project.clone(), finding.code, finding.subject))
    });
    Ok(findings.collect())
}

fn state(waiver: &Waiver, now: Timestamp, found: &BTreeSet<(String, String, String)>) -> Badge {
    let accepts = |(project, code, subject): &(String, String, String)| {
        *project == waiver.project
            && *code == waiver.code
            && waiver.subject.as_ref().is_none_or(|wanted| wanted == subject)
    };
    // What accepts that something is not looked at has no finding.
    let is_about_unseen = registry::find_code(&waiver.code).is_none();
    if waiver.until <= now {
        Badge::new("warning", "▲", "expired")
    } else if is_about_unseen || found.iter().any(accepts) {
        Badge::new("info", "●", "in force")
    } else {
        Badge::new("quiet", "–", "unused")
    }
}

pub(in crate::web) async fn waivers(
    State(web): State<Arc<Web>>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Wanted>,
    Query(done): Query<Done>,
) -> Result<Response, Fault> {
    let typed = Filled::of([
        ("project", wanted.project.as_str()),
        ("code", wanted.code.as_str()),
        ("subject", wanted.subject.as_str()),
    ]);
    page(&web, Frame::new("Waivers", "waivers", &caller).done(&done), &typed, None).await
}

async fn page(
    web: &Web,
    frame: Frame,
    typed: &Filled,
    fault: Option<&Fault>,
) -> Result<Response, Fault> {
    let site = &*web.site;
    let facts = site.facts();
    let now = site.clock.now();
    let waivers = site.store.waivers().await?;
    let found = if waivers.is_empty() { BTreeSet::new() } else { found(site).await? };
    let row = |waiver: Waiver| {
        let zone = zone(facts.project(&waiver.project).map_or("UTC", |project| &project.timezone));
        Row {
            state: state(&waiver, now, &found),
            until: When::end(waiver.until, now, &zone),
            last_used: waiver.last_used.map(|at| When::new(at, now, &zone)),
            waiver,
        }
    };
    let html = show::draw(&Page {
        frame,
        rows: waivers.into_iter().map(row).collect(),
        projects: facts.projects.iter().map(|project| project.name.as_str()).collect(),
        codes: registry::ALL
            .iter()
            .flat_map(|plugin| plugin.meta.findings.iter().map(|spec| spec.code))
            .collect(),
        typed,
        fault,
    })?;
    let mut response = show::answer(html);
    if let Some(fault) = fault {
        *response.status_mut() = fault.status;
        response.extensions_mut().insert(Told);
    }
    Ok(response)
}

/// A waiver that can be used: of a finding, of a check that cannot look, or of an area that is not
/// looked at.
pub(in crate::web) fn check_waiver(site: &Site, waiver: &Waiver) -> Result<(), Fault> {
    standing::project(&site.facts(), &waiver.project)?;
    let is_unseen = registry::find(&waiver.code).is_some()
        || AREAS_BY_SETTING.iter().any(|(setting, _)| *setting == waiver.code);
    if is_unseen { Ok(()) } else { known_code(&waiver.code) }
}

/// Adds a waiver; what cannot be one is drawn again with all that was typed.
pub(in crate::web) async fn add_waiver(
    State(web): State<Arc<Web>>,
    Extension(caller): Extension<Caller>,
    form: Filled,
) -> Result<Response, Fault> {
    match add(&web.site, &form).await {
        Err(fault) if fault.status.is_client_error() => {
            page(&web, Frame::new("Waivers", "waivers", &caller), &form, Some(&fault)).await
        }
        done => done,
    }
}

async fn add(site: &Site, form: &Filled) -> Result<Response, Fault> {
    let now = site.clock.now();
    let waiver = Waiver {
        id: String::new(),
        project: form.text("project").to_owned(),
        code: form.text("code").to_owned(),
        subject: form.some("subject"),
        by: forms::needed(form.text("by"), Said::Name)?,
        reason: forms::needed(form.text("reason"), Said::Reason)?,
        at: now,
        until: forms::date_end(form.text("until"), now)?,
        last_used: None,
    };
    check_waiver(site, &waiver)?;
    site.store.add_waiver(&waiver).await?;
    Ok(after("/waivers", "waived"))
}

pub(in crate::web) async fn remove_waiver(
    State(web): State<Arc<Web>>,
    Path(id): Path<String>,
    _form: Filled,
) -> Result<Response, Fault> {
    web.site.store.remove_waiver(&id).await?;
    Ok(after("/waivers", "removed"))
}
