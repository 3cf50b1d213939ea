//! `/silences`: what is muted at present.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use launchready_checks::registry;

use super::frame::{Done, Frame, after};
use crate::incident::{Said, Silence};
use crate::web::Site;
use crate::web::fault::Fault;
use crate::web::forms::{self, Filled};
use crate::web::guard::{Caller, Told};
use crate::web::route::Web;
use crate::web::show;
use crate::web::standing;
use crate::web::time::{When, zone};

#[derive(Template)]
#[template(path = "web/silences.html")]
struct Page<'a> {
    frame: Frame,
    rows: Vec<Row>,
    projects: Vec<&'a str>,
    checks: Vec<&'static str>,
    lengths: [(&'static str, &'static str, i64); 4],
    /// What was typed into the form before, and what is wrong with it.
    typed: &'a Filled,
    fault: Option<&'a Fault>,
}

struct Row {
    silence: Silence,
    scope: String,
    from: When,
    until: When,
    pending: bool,
}

/// What a silence mutes, in words.
fn scope(silence: &Silence) -> String {
    let named =
        [("project", &silence.project), ("check", &silence.check), ("finding", &silence.code)];
    let parts: Vec<_> = named
        .iter()
        .filter_map(|(word, name)| name.as_ref().map(|name| format!("{word} {name}")))
        .collect();
    if parts.is_empty() { "everything".to_owned() } else { parts.join(", ") }
}

pub(in crate::web) async fn silences(
    State(web): State<Arc<Web>>,
    Extension(caller): Extension<Caller>,
    Query(done): Query<Done>,
) -> Result<Response, Fault> {
    let frame = Frame::new("Silences", "silences", &caller).done(&done);
    page(&web, frame, &Filled::default(), None).await
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
    let mut silences = site.store.silences(now).await?;
    silences.sort_by_key(|silence| silence.until);
    let row = |silence: Silence| {
        let project = silence.project.as_deref().and_then(|name| facts.project(name));
        let zone = zone(project.map_or("UTC", |project| &project.timezone));
        Row {
            scope: scope(&silence),
            from: When::new(silence.from, now, &zone),
            until: When::new(silence.until, now, &zone),
            pending: silence.from > now,
            silence,
        }
    };
    let html = show::draw(&Page {
        frame,
        rows: silences.into_iter().map(row).collect(),
        projects: facts.projects.iter().map(|project| project.name.as_str()).collect(),
        checks: registry::ALL.iter().map(|plugin| plugin.meta.id).collect(),
        lengths: forms::SILENCES,
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

/// Adds a silence; what cannot be one is drawn again with all that was typed.
pub(in crate::web) async fn add_silence(
    State(web): State<Arc<Web>>,
    Extension(caller): Extension<Caller>,
    form: Filled,
) -> Result<Response, Fault> {
    match add(&web.site, &form).await {
        Err(fault) if fault.status.is_client_error() => {
            page(&web, Frame::new("Silences", "silences", &caller), &form, Some(&fault)).await
        }
        done => done,
    }
}

async fn add(site: &Site, form: &Filled) -> Result<Response, Fault> {
    let now = site.clock.now();
    let silence = Silence {
        id: String::new(),
        project: form.some("project"),
        check: form.some("check"),
        code: form.some("code"),
        from: now,
        until: forms::silence_end(form.text("length"), now)?,
        by: forms::by(form.text("by"))?,
        reason: forms::needed(form.text("reason"), Said::Reason)?,
    };
    check_scope(site, &silence)?;
    site.store.add_silence(&silence).await?;
    Ok(after("/silences", "silenced"))
}

/// A silence of something that does not exist would mute nothing, unnoticed.
pub(in crate::web) fn check_scope(site: &Site, silence: &Silence) -> Result<(), Fault> {
    if let Some(name) = &silence.project {
        standing::project(&site.facts(), name)?;
    }
    if silence.check.as_deref().is_some_and(|check| registry::find(check).is_none()) {
        return Err(Fault::bad(
            "There is no check of that name.",
            "Choose one from the list at /checks, or leave it out for all.",
        ));
    }
    if let Some(code) = &silence.code {
        known_code(code)?;
    }
    Ok(())
}

/// A finding code of the registry, or that of what cannot be seen.
pub(in crate::web) fn known_code(code: &str) -> Result<(), Fault> {
    if registry::find_code(code).is_some() || code == crate::incident::Incident::BLIND {
        return Ok(());
    }
    Err(Fault::bad(
        "There is no finding of that code.",
        "Copy the code from a finding, such as spf-too-many-lookups; /checks lists all of them.",
    ))
}

pub(in crate::web) async fn end_silence(
    State(web): State<Arc<Web>>,
    Path(id): Path<String>,
    _form: Filled,
) -> Result<Response, Fault> {
    web.site.store.end_silence(&id, web.site.clock.now()).await?;
    Ok(after("/silences", "ended"))
}
