//! `/incidents`: what lasts, and what is over.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;

use super::frame::Frame;
use crate::incident::{Incident, State as Life, Unheard};
use crate::report::incident_rank;
use crate::store::IncidentFilter;
use crate::web::Facts;
use crate::web::fault::Fault;
use crate::web::guard::Caller;
use crate::web::route::Web;
use crate::web::show::{self, Badge, Prose, Segment, count};
use crate::web::time::{When, zone};

/// Incidents on one page.
const INCIDENTS: usize = 50;
/// The last page that is served: what lasts is ordered by how bad it is, and read whole for that.
const LAST_PAGE: usize = 40;

#[derive(Debug, Default, Deserialize)]
pub(in crate::web) struct Wanted {
    #[serde(default)]
    state: String,
    #[serde(default)]
    project: String,
    page: Option<usize>,
}

/// One incident in a list.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) severity: Badge,
    pub(super) state: Badge,
    pub(super) title: Prose,
    pub(super) project: String,
    pub(super) check: String,
    pub(super) about: String,
    pub(super) since: When,
    pub(super) until: Option<When>,
    pub(super) note: Option<String>,
    /// Where the note leads, if anywhere.
    pub(super) cause: Option<String>,
}

/// The rows of incidents: what lasts before what is over, and the worst of it first.
pub(super) fn rows(facts: &Facts, incidents: &[Incident], now: Timestamp) -> Vec<Row> {
    let mut ordered: Vec<_> = incidents.iter().collect();
    ordered.sort_by_key(|incident| incident_rank(incident));
    ordered.into_iter().map(|incident| Row::of(facts, incident, now)).collect()
}

/// Why an incident is not told at present.
pub(super) fn unheard(unheard: &Unheard) -> String {
    match unheard {
        Unheard::Silenced { .. } => "silenced".to_owned(),
        Unheard::Maintenance { window } => format!("held back during {window}"),
        Unheard::DependsOn { .. } => "hangs on another incident".to_owned(),
        Unheard::Flapping => "opens and closes too often to be told each time".to_owned(),
        Unheard::Digest => "for the weekly summary".to_owned(),
    }
}

/// The address of the incident on which one hangs.
pub(super) fn cause(incident: &Incident) -> Option<String> {
    match &incident.unheard {
        Some(Unheard::DependsOn { incident }) if !incident.is_empty() => {
            Some(format!("/incidents/{}", Segment(incident)))
        }
        _ => None,
    }
}

/// What an incident is about: its one member, or how many.
pub(super) fn about(incident: &Incident) -> String {
    let first = incident.members.values().min_by_key(|member| &member.subject);
    match (first, incident.member_count()) {
        (Some(only), 1) => only.subject.clone(),
        (Some(first), number) => {
            format!("{} and {}", first.subject, count(number - 1, "other"))
        }
        (None, _) => incident.key.target.clone(),
    }
}

impl Row {
    fn of(facts: &Facts, incident: &Incident, now: Timestamp) -> Self {
        let project = facts.project(&incident.key.project);
        let zone = zone(project.map_or("UTC", |project| project.timezone.as_str()));
        let when = |at| When::new(at, now, &zone);
        Self {
            id: incident.id.clone(),
            severity: incident.severity.into(),
            state: incident.state.into(),
            title: Prose::new(&incident.title),
            project: incident.key.project.clone(),
            check: incident.key.check.clone(),
            about: about(incident),
            since: when(incident.opened_at.unwrap_or(incident.first_seen)),
            until: incident.resolved_at.map(when),
            note: incident.unheard.as_ref().map(unheard),
            cause: cause(incident),
        }
    }
}

#[derive(Template)]
#[template(path = "web/incidents.html")]
struct Page<'a> {
    frame: Frame,
    tabs: Vec<(&'static str, &'static str, bool)>,
    state: &'a str,
    project: &'a str,
    projects: Vec<&'a str>,
    incidents: Vec<Row>,
    number: usize,
    has_more: bool,
}

const TABS: [(&str, &str, &[Life]); 4] = [
    ("unresolved", "Unresolved", &[Life::Open, Life::Acknowledged]),
    ("suspected", "Suspected", &[Life::Suspected]),
    ("resolved", "Resolved", &[Life::Resolved]),
    ("all", "All", &[Life::Suspected, Life::Open, Life::Acknowledged, Life::Resolved]),
];

pub(in crate::web) async fn incidents(
    State(web): State<Arc<Web>>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Fault> {
    let site = &*web.site;
    let facts = site.facts();
    let tab = TABS.iter().find(|(name, _, _)| *name == wanted.state).or(TABS.first());
    let (state, states) = tab.map_or(("", &[][..]), |(name, _, states)| (*name, *states));
    let page = wanted.page.unwrap_or(1).clamp(1, LAST_PAGE);
    let project = wanted.project.trim();
    // What is worst must not stand on a later page; what is over stands by its time.
    let all_last = !states.contains(&Life::Resolved);
    let before = (page - 1) * INCIDENTS;
    let (offset, limit) =
        if all_last { (0, LAST_PAGE * INCIDENTS + 1) } else { (before, INCIDENTS + 1) };
    let filter = IncidentFilter {
        project: Some(project.to_owned()).filter(|project| !project.is_empty()),
        check: None,
        states: states.to_vec(),
        limit,
        offset,
    };
    let mut found = site.store.incidents(&filter).await?;
    let has_more = offset + found.len() > page * INCIDENTS && page < LAST_PAGE;
    if all_last {
        found.sort_by_key(incident_rank);
    }
    let shown: Vec<_> = found.into_iter().skip(before - offset).take(INCIDENTS).collect();
    let html = show::draw(&Page {
        frame: Frame::new("Incidents", "incidents", &caller).live(),
        tabs: TABS.iter().map(|(name, words, _)| (*name, *words, *name == state)).collect(),
        state,
        project,
        projects: facts.projects.iter().map(|project| project.name.as_str()).collect(),
        incidents: rows(&facts, &shown, site.clock.now()),
        number: page,
        has_more,
    })?;
    Ok(show::answer(html))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::IncidentKey;

    #[test]
    fn what_hangs_on_another_incident_leads_to_it() {
        let key = |check: &str| IncidentKey {
            project: "harbor".to_owned(),
            check: check.to_owned(),
            code: "x".to_owned(),
            target: "harbor.example".to_owned(),
        };
        let mut hangs = Incident::begin(key("tls-certificate"), Timestamp::UNIX_EPOCH);
        assert_eq!(cause(&hangs), None);
        hangs.unheard = Some(Unheard::DependsOn { incident: "inc_1".to_owned() });
        assert_eq!(cause(&hangs).as_deref(), Some("/incidents/inc_1"));
        let html = Table { incidents: vec![Row::of(&facts(), &hangs, Timestamp::UNIX_EPOCH)] };
        let html = html.render().unwrap();
        assert!(
            html.contains("<a href=\"/incidents/inc_1\">hangs on another incident</a>"),
            "{html}"
        );
    }

    #[derive(Template)]
    #[template(path = "web/incident_rows.html")]
    struct Table {
        incidents: Vec<Row>,
    }

    fn facts() -> Facts {
        Facts {
            projects: Vec::new(),
            book: Arc::default(),
            password: None,
            metrics_token: None,
            public_url: None,
            listen: "127.0.0.1:9797".parse().unwrap(),
            heartbeats: Vec::new(),
        }
    }
}
