//! `launchready incidents`, `silence`, `waiver` and `backup`: what the agent remembers.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use launchready_checks::registry;
use serde::Serialize;

use super::args::{
    BackupArgs, IncidentsAction, IncidentsArgs, SilenceAction, SilenceArgs, StoreArgs,
    WaiverAction, WaiverArgs,
};
use super::explain::closest;
use super::output::print;
use super::{Exit, UsageError};
use crate::clock::{Clock as _, SystemClock, later};
use crate::config::{Agent, Config, load};
use crate::incident::{Incident, Silence, State, Waiver};
use crate::store::{IncidentFilter, Store};

/// The config and the store that it names.
struct Remembered {
    config: Config,
    settings: Agent,
    store: Arc<dyn Store>,
    now: Timestamp,
}

impl Remembered {
    async fn open(path: &Path) -> anyhow::Result<Self> {
        let config = load(path)?;
        let settings = config.settings();
        let store = crate::store::open(&settings.store, &settings.folder).await?;
        Ok(Self { config, settings, store, now: SystemClock.now() })
    }

    /// The project that is meant.
    fn project(&self, name: Option<&str>) -> anyhow::Result<String> {
        let project = super::project::pick(&self.config.projects, name)?;
        Ok(project.target.project.clone())
    }
}

pub(super) fn incidents(args: &IncidentsArgs) -> anyhow::Result<Exit> {
    crate::app::runtime(false)?.block_on(async {
        let here = Remembered::open(&args.store.config).await?;
        match &args.action {
            IncidentsAction::List { project, all } => {
                let states = if *all {
                    vec![State::Open, State::Acknowledged, State::Resolved]
                } else {
                    vec![State::Open, State::Acknowledged]
                };
                let project = match project {
                    Some(name) => Some(here.project(Some(name))?),
                    None => None,
                };
                let filter = IncidentFilter { project, states, ..IncidentFilter::default() };
                let found = here.store.incidents(&filter).await?;
                show(&args.store, &found, "no incident is open", incident_line);
            }
            IncidentsAction::Ack { id, by, note } => {
                let book = &here.settings.book;
                let incident = here.store.acknowledge(id, by, note, book, here.now).await?;
                print(&format!("{by} is on {}: {}\n", incident.id, incident.title));
            }
            IncidentsAction::Resolve { id, by } => {
                let book = &here.settings.book;
                let incident = here.store.resolve(id, by, book, here.now).await?;
                print(&format!(
                    "{} is over: {}; it opens again when the next look sees it\n",
                    incident.id, incident.title
                ));
            }
        }
        here.store.close().await;
        Ok(Exit::Clean)
    })
}

pub(super) fn silence(args: &SilenceArgs) -> anyhow::Result<Exit> {
    crate::app::runtime(false)?.block_on(async {
        let here = Remembered::open(&args.store.config).await?;
        match &args.action {
            SilenceAction::Add { span, reason, by, project, check, code } => {
                let project = match project {
                    Some(name) => Some(here.project(Some(name))?),
                    None => None,
                };
                if let Some(id) = check {
                    known_check(id)?;
                }
                if let Some(code) = code {
                    known_code(code)?;
                }
                let silence = Silence {
                    id: String::new(),
                    project,
                    check: check.clone(),
                    code: code.clone(),
                    from: here.now,
                    until: later(here.now, *span),
                    by: by.clone(),
                    reason: reason.clone(),
                };
                let id = here.store.add_silence(&silence).await?;
                print(&format!(
                    "{id} mutes messages until {}; end it with `launchready silence remove {id}`\n",
                    silence.until
                ));
            }
            SilenceAction::List => {
                let found = here.store.silences(here.now).await?;
                show(&args.store, &found, "nothing is muted", silence_line);
            }
            SilenceAction::Remove { id } => {
                here.store.end_silence(id, here.now).await?;
                print(&format!("{id} has ended\n"));
            }
        }
        here.store.close().await;
        Ok(Exit::Clean)
    })
}

pub(super) fn waiver(args: &WaiverArgs) -> anyhow::Result<Exit> {
    crate::app::runtime(false)?.block_on(async {
        let here = Remembered::open(&args.store.config).await?;
        match &args.action {
            WaiverAction::Add { project, code, subject, by, reason, until, span } => {
                known_code(code)?;
                let until = until.or(span.map(|span| later(here.now, span))).unwrap_or(here.now);
                if until <= here.now {
                    let text = format!("{until} is past; name a later day with --until");
                    return Err(UsageError(text).into());
                }
                let waiver = Waiver {
                    id: String::new(),
                    project: here.project(project.as_deref())?,
                    code: code.clone(),
                    subject: subject.clone(),
                    by: by.clone(),
                    reason: reason.clone(),
                    at: here.now,
                    until,
                    last_used: None,
                };
                let id = here.store.add_waiver(&waiver).await?;
                print(&format!("{id} accepts {code} of {} until {until}\n", waiver.project));
            }
            WaiverAction::List => {
                let found = here.store.waivers().await?;
                let now = here.now;
                show(&args.store, &found, "nothing is accepted", |waiver| waiver_line(waiver, now));
            }
            WaiverAction::Remove { id } => {
                here.store.remove_waiver(id).await?;
                print(&format!("{id} is taken away\n"));
            }
        }
        here.store.close().await;
        Ok(Exit::Clean)
    })
}

pub(super) fn backup(args: &BackupArgs) -> anyhow::Result<Exit> {
    crate::app::runtime(false)?.block_on(async {
        let here = Remembered::open(&args.config).await?;
        here.store.backup(&args.file).await?;
        here.store.close().await;
        print(&format!("copied the store to {}\n", args.file.display()));
        Ok(Exit::Clean)
    })
}

/// Prints a list for people or for programs.
fn show<T: Serialize>(args: &StoreArgs, all: &[T], none: &str, line: impl Fn(&T) -> String) {
    if args.json {
        let text = serde_json::to_string_pretty(all).unwrap_or_default();
        print(&(text + "\n"));
    } else if all.is_empty() {
        print(&format!("{none}\n"));
    } else {
        for one in all {
            print(&(line(one) + "\n"));
        }
    }
}

fn incident_line(incident: &Incident) -> String {
    let subjects: Vec<&str> =
        incident.members.values().take(3).map(|member| member.subject.as_str()).collect();
    let more = incident.member_count().saturating_sub(subjects.len() as u64);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!(
        "{}  {:<12} {:<8} {}  {}  {}: {}{more}",
        incident.id,
        incident.state.as_str(),
        incident.severity.as_str(),
        incident.opened_at.unwrap_or(incident.first_seen),
        incident.key.project,
        incident.title,
        subjects.join(", ")
    )
}

fn silence_line(silence: &Silence) -> String {
    let all = |what: &Option<String>, word: &str| what.clone().unwrap_or_else(|| word.to_owned());
    format!(
        "{}  until {}  {}, {}, {}  by {}: {}",
        silence.id,
        silence.until,
        all(&silence.project, "all projects"),
        all(&silence.check, "all checks"),
        all(&silence.code, "all findings"),
        silence.by,
        silence.reason
    )
}

fn waiver_line(waiver: &Waiver, now: Timestamp) -> String {
    let state = match (waiver.until <= now, waiver.last_used) {
        (true, _) => "expired",
        (false, None) => "never used",
        (false, Some(_)) => "in force",
    };
    let subject = waiver.subject.as_deref().unwrap_or("every subject");
    format!(
        "{}  {state}, until {}  {}  {} of {subject}  by {}: {}",
        waiver.id, waiver.until, waiver.project, waiver.code, waiver.by, waiver.reason
    )
}

fn known_check(id: &str) -> Result<(), UsageError> {
    if registry::find(id).is_some() {
        return Ok(());
    }
    let ids = registry::ALL.iter().map(|plugin| plugin.meta.id);
    Err(UsageError(format!("there is no check {id:?}{}", closest(id, ids))))
}

fn known_code(code: &str) -> Result<(), UsageError> {
    let codes =
        || registry::ALL.iter().flat_map(|plugin| plugin.meta.findings).map(|spec| spec.code);
    if codes().chain([Incident::BLIND]).any(|known| known == code) {
        return Ok(());
    }
    Err(UsageError(format!("there is no finding code {code:?}{}", closest(code, codes()))))
}
