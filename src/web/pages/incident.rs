//! `/incidents/ID`: one incident with all that happened to it, and what a person can do about it.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::frame::{Done, Frame, after};
use super::incidents::{about, cause, unheard};
use crate::incident::{ChangeKind, Incident, Member, Silence, State as Life};
use crate::store::{Delivery, DeliveryState, IncidentRecord, RecordedChange, StoreError};
use crate::web::Site;
use crate::web::fault::Fault;
use crate::web::forms::{self, Filled};
use crate::web::guard::Caller;
use crate::web::route::Web;
use crate::web::show::{self, Badge, Prose, Segment};
use crate::web::time::{When, length, zone};

/// Members that are shown one by one.
const MEMBERS: usize = 50;

#[derive(Template)]
#[template(path = "web/incident.html")]
struct Page<'a> {
    frame: Frame,
    incident: &'a Incident,
    title: Prose,
    why: Prose,
    about: String,
    severity: Badge,
    state: Badge,
    project_href: String,
    check_href: String,
    since: When,
    last_seen: When,
    last_good: Option<When>,
    lasted: Option<String>,
    unheard: Option<String>,
    cause: Option<String>,
    taken: Option<(String, When, String)>,
    members: Vec<Item<'a>>,
    more_members: u64,
    timeline: Vec<Entry<'a>>,
    is_over: bool,
    is_believed: bool,
    is_acknowledged: bool,
    lengths: [(&'static str, &'static str, i64); 4],
}

/// One member.
struct Item<'a> {
    member: &'a Member,
    summary: Prose,
    seen: String,
    fix: Prose,
    undo: Prose,
    first: When,
}

/// One change with what was told of it.
struct Entry<'a> {
    words: &'static str,
    tone: &'static str,
    at: When,
    by: Option<&'a str>,
    unheard: Option<&'a str>,
    deliveries: Vec<Told<'a>>,
}

struct Told<'a> {
    delivery: &'a Delivery,
    state: Badge,
    words: String,
    at: Option<When>,
}

const fn words(kind: ChangeKind) -> (&'static str, &'static str) {
    match kind {
        ChangeKind::Opened => ("Opened", "critical"),
        ChangeKind::Worsened => ("Became critical", "critical"),
        ChangeKind::Unmuted => ("Told: what had held it back is over", "warning"),
        ChangeKind::Joined => ("More of the same joined", "warning"),
        ChangeKind::Reminded => ("Reminded: it lasts", "quiet"),
        ChangeKind::Acknowledged => ("Acknowledged", "info"),
        ChangeKind::Escalated => ("Escalated: nobody was on it", "critical"),
        ChangeKind::Resolved => ("Resolved", "pass"),
        ChangeKind::Expired => ("Expired: out of sight, and not known to be mended", "quiet"),
        ChangeKind::Flapping => ("Opens and closes too often; the last notice for now", "warning"),
        ChangeKind::Calm => ("Calm again", "pass"),
    }
}

impl<'a> Told<'a> {
    fn of(delivery: &'a Delivery, now: Timestamp, zone: &TimeZone) -> Self {
        let tries = match delivery.attempts {
            0 => "not tried yet".to_owned(),
            number => show::count(u64::from(number), "try").replace("trys", "tries"),
        };
        let (state, words, at) = match delivery.state {
            DeliveryState::Sent => {
                (Badge::new("pass", "✓", "sent"), format!("after {tries}"), delivery.sent_at)
            }
            DeliveryState::Pending => {
                let words = format!("{tries}, due");
                (Badge::new("warning", "…", "waits"), words, Some(delivery.due_at))
            }
            DeliveryState::Failed => {
                (Badge::new("critical", "◆", "refused"), format!("for good after {tries}"), None)
            }
        };
        Self { delivery, state, words, at: at.map(|at| When::new(at, now, zone)) }
    }
}

/// The changes, newest first. What was told once for several of them stands at the last.
fn timeline<'a>(record: &'a IncidentRecord, now: Timestamp, zone: &TimeZone) -> Vec<Entry<'a>> {
    let mut by_notification: BTreeMap<&str, Vec<&Delivery>> = BTreeMap::new();
    for delivery in &record.deliveries {
        by_notification.entry(&delivery.notification).or_default().push(delivery);
    }
    let entry = |change: &'a RecordedChange| {
        let (words, tone) = words(change.kind);
        let told = change.notification.as_deref().and_then(|id| by_notification.remove(id));
        let told = told.unwrap_or_default().into_iter();
        Entry {
            words,
            tone,
            at: When::new(change.at, now, zone),
            by: change.by.as_deref(),
            unheard: change.unheard.as_deref(),
            deliveries: told.map(|delivery| Told::of(delivery, now, zone)).collect(),
        }
    };
    record.changes.iter().rev().map(entry).collect()
}

async fn record(site: &Site, id: &str) -> Result<IncidentRecord, Fault> {
    site.store
        .incident(id)
        .await?
        .ok_or_else(|| StoreError::Missing { what: "incident", id: id.to_owned() }.into())
}

pub(in crate::web) async fn incident(
    State(web): State<Arc<Web>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Query(done): Query<Done>,
) -> Result<Response, Fault> {
    let site = &*web.site;
    let facts = site.facts();
    let record = record(site, &id).await?;
    let incident = &record.incident;
    let key = &incident.key;
    let zone = zone(facts.project(&key.project).map_or("UTC", |project| &project.timezone));
    let now = site.clock.now();
    let when = |at| When::new(at, now, &zone);
    let since = incident.opened_at.unwrap_or(incident.first_seen);
    let lasted = incident
        .resolved_at
        .map(|end| length(u64::try_from(end.duration_since(since).as_secs()).unwrap_or_default()));
    let project = format!("/projects/{}", Segment(&key.project));
    let mut in_order: Vec<&Member> = incident.members.values().collect();
    in_order.sort_by(|a, b| (a.first_seen, &a.subject).cmp(&(b.first_seen, &b.subject)));
    let members: Vec<_> = in_order
        .into_iter()
        .take(MEMBERS)
        .map(|member| Item {
            member,
            summary: Prose::new(&member.summary),
            seen: member.evidence.join("\n"),
            fix: Prose::new(&member.fix),
            undo: Prose::new(&member.undo),
            first: when(member.first_seen),
        })
        .collect();
    let shown = u64::try_from(members.len()).unwrap_or(u64::MAX);
    let html = show::draw(&Page {
        frame: Frame::new(format!("{} · {}", incident.title, key.project), "incidents", &caller)
            .done(&done),
        incident,
        title: Prose::new(&incident.title),
        why: Prose::new(&incident.why),
        about: about(incident),
        severity: incident.severity.into(),
        state: incident.state.into(),
        check_href: format!("{project}/checks/{}", Segment(&key.check)),
        project_href: project,
        since: when(since),
        last_seen: when(incident.last_seen),
        last_good: incident.last_good.map(when),
        lasted,
        unheard: incident.unheard.as_ref().map(unheard),
        cause: cause(incident),
        taken: incident
            .acknowledged
            .as_ref()
            .map(|taken| (taken.by.clone(), when(taken.at), taken.note.clone())),
        is_believed: matches!(incident.state, Life::Open | Life::Acknowledged),
        is_acknowledged: incident.state == Life::Acknowledged,
        members,
        more_members: incident.member_count().saturating_sub(shown),
        timeline: timeline(&record, now, &zone),
        is_over: incident.state == Life::Resolved,
        lengths: forms::SILENCES,
    })?;
    Ok(show::answer(html))
}

fn path(id: &str) -> String {
    format!("/incidents/{}", Segment(id))
}

pub(in crate::web) async fn acknowledge(
    State(web): State<Arc<Web>>,
    Path(id): Path<String>,
    form: Filled,
) -> Result<Response, Fault> {
    let site = &*web.site;
    let by = forms::by(form.text("by"))?;
    let note = forms::bounded(form.text("note"), "note", forms::NOTE)?;
    site.store.acknowledge(&id, &by, &note, &site.facts().book, site.clock.now()).await?;
    Ok(after(&path(&id), "acknowledged"))
}

pub(in crate::web) async fn resolve(
    State(web): State<Arc<Web>>,
    Path(id): Path<String>,
    form: Filled,
) -> Result<Response, Fault> {
    let site = &*web.site;
    let by = forms::by(form.text("by"))?;
    site.store.resolve(&id, &by, &site.facts().book, site.clock.now()).await?;
    Ok(after(&path(&id), "resolved"))
}

pub(in crate::web) async fn silence_incident(
    State(web): State<Arc<Web>>,
    Path(id): Path<String>,
    form: Filled,
) -> Result<Response, Fault> {
    let site = &*web.site;
    let key = record(site, &id).await?.incident.key;
    let now = site.clock.now();
    let silence = Silence {
        id: String::new(),
        project: Some(key.project),
        check: Some(key.check),
        code: Some(key.code),
        from: now,
        until: forms::silence_end(form.text("length"), now)?,
        by: forms::by(form.text("by"))?,
        reason: forms::bounded(form.text("reason"), "reason", forms::NOTE)?,
    };
    site.store.add_silence(&silence).await?;
    Ok(after(&path(&id), "silenced"))
}
