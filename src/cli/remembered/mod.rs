//! `launchready incidents`, `silence`, `waiver`, `baseline` and `backup`: what the agent remembers.

mod baseline;
mod lines;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use launchready_checks::registry;
use serde::Serialize;

pub(super) use self::baseline::run as baseline;
use self::lines::when;
use super::args::{
    BackupArgs, IncidentsAction, IncidentsArgs, SilenceAction, SilenceArgs, StoreArgs,
    WaiverAction, WaiverArgs,
};
use super::explain::closest;
use super::output::print;
use super::{Exit, UsageError};
use crate::app::{open_store, store_is_there};
use crate::clock::{Clock as _, SystemClock, later, whole_second};
use crate::config::{Agent, Config, load, login_name, shell_word};
use crate::incident::{Incident, Said, Silence, State, Waiver, some_text};
use crate::report::incident_rank;
use crate::store::{IncidentFilter, Store, StoreError};

/// The most incidents of one list; who has more narrows it to a project.
const LISTED: usize = 500;

/// The config and the store that it names.
struct Remembered {
    path: PathBuf,
    config: Config,
    settings: Agent,
    store: Arc<dyn Store>,
    now: Timestamp,
    /// This command has made the store.
    is_new: bool,
}

impl Remembered {
    /// What an agent has left. A store that is not there is no empty one: it means that no agent has run
    /// with this config, and nobody may read that as good news.
    async fn open(path: &Path) -> anyhow::Result<Self> {
        let config = load(path)?;
        let settings = config.settings();
        if !store_is_there(&settings).await? {
            let text = format!(
                "no agent has run with {0} yet: there is no store {1}; start one with `launchready \
                 agent --config {2}`, or name another file with --config",
                path.display(),
                settings.store,
                shell_word(path.display())
            );
            return Err(UsageError(text).into());
        }
        Self::of(path, config, settings).await
    }

    /// The same, or a new store: what is muted or accepted before the agent runs for the first time.
    async fn open_or_make(path: &Path) -> anyhow::Result<Self> {
        let config = load(path)?;
        let settings = config.settings();
        let is_new = !store_is_there(&settings).await?;
        let here = Self::of(path, config, settings).await?;
        Ok(Self { is_new, ..here })
    }

    async fn of(path: &Path, config: Config, settings: Agent) -> anyhow::Result<Self> {
        let store = open_store(&settings).await?;
        // What begins and ends here is compared with what agents on other machines do.
        let time = store.time().await?;
        let now = whole_second(time.unwrap_or_else(|| SystemClock.now()));
        Ok(Self { path: path.to_owned(), config, settings, store, now, is_new: false })
    }

    /// Whether any check has looked yet. Without it, that no incident is there says nothing: silences and
    /// waivers make a store before the first agent runs.
    async fn has_looked(&self) -> anyhow::Result<()> {
        let latest = self.store.latest(None).await?;
        if latest.iter().any(|run| run.at.is_some()) {
            return Ok(());
        }
        let text = format!(
            "no agent has run with {0} yet: no check has looked, and nothing is known; start one with \
             `launchready agent --config {1}`, or name another file with --config",
            self.path.display(),
            shell_word(self.path.display())
        );
        Err(UsageError(text).into())
    }

    /// The project that is meant.
    fn project(&self, name: Option<&str>) -> anyhow::Result<String> {
        let project = super::project::pick(&self.config.projects, name)?;
        Ok(project.target.project.clone())
    }

    /// The project of an option that may be left out.
    fn some_project(&self, name: Option<&String>) -> anyhow::Result<Option<String>> {
        name.map(|name| self.project(Some(name))).transpose()
    }

    /// That this command has made the store, where it did: a slip in --config is noticed by it.
    fn made(&self) -> String {
        if !self.is_new {
            return String::new();
        }
        format!(
            "no agent has run here yet, so this is kept for the first:\n{}\n",
            self.settings.store
        )
    }

    /// A command that can be typed next to this one.
    fn command(&self, words: &str) -> String {
        format!("launchready {words}{}", super::project::named(&self.path))
    }

    /// The value of a call; an id that nothing has comes with the command that lists them.
    fn named<T>(&self, done: Result<T, StoreError>, list: &str) -> anyhow::Result<T> {
        done.map_err(|error| match error {
            StoreError::Missing { .. } => {
                UsageError(format!("{error}; `{}` prints their ids", self.command(list))).into()
            }
            other => other.into(),
        })
    }
}

pub(super) fn incidents(args: &IncidentsArgs) -> anyhow::Result<Exit> {
    crate::app::runtime(false)?.block_on(async {
        let here = Remembered::open(&args.store.config).await?;
        let book = &here.settings.book;
        match &args.action {
            IncidentsAction::List { project, all } => {
                let mut states = vec![State::Open, State::Acknowledged];
                if *all {
                    states.push(State::Resolved);
                }
                let project = here.some_project(project.as_ref())?;
                let filter =
                    IncidentFilter { project, states, limit: LISTED, ..IncidentFilter::default() };
                let mut found = here.store.incidents(&filter).await?;
                if found.is_empty() {
                    here.has_looked().await?;
                }
                found.sort_by_key(incident_rank);
                let none = if *all { "there was no incident yet" } else { "no incident is open" };
                show(&args.store, &found, none, lines::incident);
                if found.len() == LISTED && !args.store.json {
                    print(&format!("these are the newest {LISTED}; narrow them with --project\n"));
                }
            }
            IncidentsAction::Ack { id, by, note } => {
                let by = who(by.as_ref())?;
                let done = here.store.acknowledge(id, &by, note, book, here.now).await;
                let incident = here.named(done, "incidents list")?;
                let before = incident.acknowledged.as_ref().and_then(|it| it.before.as_ref());
                let before = before.map(|name| format!(", taken over from {name}"));
                let before = before.unwrap_or_default();
                let title = &incident.title;
                let text = format!("{by} is on {id}{before}; reminders stop\n  {title}");
                tell(&args.store, &incident, &text);
            }
            IncidentsAction::Resolve { id, by } => {
                let by = who(by.as_ref())?;
                let done = here.store.resolve(id, &by, book, here.now).await;
                let incident = here.named(done, "incidents list")?;
                let title = &incident.title;
                let text = format!("{id} is over; it opens again when a look sees it\n  {title}");
                tell(&args.store, &incident, &text);
            }
        }
        here.store.close().await;
        Ok(Exit::Clean)
    })
}

pub(super) fn silence(args: &SilenceArgs) -> anyhow::Result<Exit> {
    crate::app::runtime(false)?.block_on(async {
        let here = match &args.action {
            SilenceAction::Add { .. } => Remembered::open_or_make(&args.store.config).await?,
            _ => Remembered::open(&args.store.config).await?,
        };
        match &args.action {
            SilenceAction::Add { span, reason, by, project, check, code } => {
                if let Some(id) = check {
                    known_check(id)?;
                }
                if let Some(code) = code {
                    known_code(code)?;
                }
                let mut silence = Silence {
                    id: String::new(),
                    project: here.some_project(project.as_ref())?,
                    check: check.clone(),
                    code: code.clone(),
                    from: here.now,
                    until: later(here.now, *span),
                    by: who(by.as_ref())?,
                    reason: said(Said::Reason, "--reason", reason)?,
                };
                silence.id = here.store.add_silence(&silence).await?;
                let end = here.command(&format!("silence remove {}", silence.id));
                let until = when(silence.until);
                let text = format!(
                    "{}{} mutes messages\nof {}\nuntil {until}; end it with\n{end}",
                    here.made(),
                    silence.id,
                    lines::muted(&silence)
                );
                tell(&args.store, &silence, &text);
            }
            SilenceAction::List => {
                let found = here.store.silences(here.now).await?;
                show(&args.store, &found, "nothing is muted", lines::silence);
            }
            SilenceAction::Remove { id } => {
                here.named(here.store.end_silence(id, here.now).await, "silence list")?;
                tell(&args.store, &Id { id }, &format!("{id} has ended; messages go out again"));
            }
        }
        here.store.close().await;
        Ok(Exit::Clean)
    })
}

pub(super) fn waiver(args: &WaiverArgs) -> anyhow::Result<Exit> {
    crate::app::runtime(false)?.block_on(async {
        let here = match &args.action {
            WaiverAction::Add { .. } => Remembered::open_or_make(&args.store.config).await?,
            _ => Remembered::open(&args.store.config).await?,
        };
        match &args.action {
            WaiverAction::Add { project, code, subject, by, reason, until, span } => {
                known_code(code)?;
                let until = until.or(span.map(|span| later(here.now, span))).unwrap_or(here.now);
                if until <= here.now {
                    let until = lines::until(until);
                    let text = format!("{until} is past; name a later day with --until");
                    return Err(UsageError(text).into());
                }
                let mut waiver = Waiver {
                    id: String::new(),
                    project: here.project(project.as_deref())?,
                    code: code.clone(),
                    subject: some_text(subject.as_deref()),
                    by: said(Said::Name, "--by", by)?,
                    reason: said(Said::Reason, "--reason", reason)?,
                    at: here.now,
                    until,
                    last_used: None,
                };
                waiver.id = here.store.add_waiver(&waiver).await?;
                let end = here.command(&format!("waiver remove {}", waiver.id));
                let (id, of, until) = (&waiver.id, &waiver.project, lines::until(until));
                let made = here.made();
                let text = format!(
                    "{made}{id} accepts {code} of {of}\nuntil {until}; take it back with\n{end}"
                );
                tell(&args.store, &waiver, &text);
            }
            WaiverAction::List => {
                let found = here.store.waivers().await?;
                let now = here.now;
                show(&args.store, &found, "nothing is accepted", |one| lines::waiver(one, now));
            }
            WaiverAction::Remove { id } => {
                here.named(here.store.remove_waiver(id).await, "waiver list")?;
                tell(&args.store, &Id { id }, &format!("{id} is taken away"));
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

/// What is left of something that was taken away.
#[derive(Serialize)]
struct Id<'a> {
    id: &'a str,
}

/// Prints what was done for people, or what came of it for programs.
fn tell<T: Serialize>(args: &StoreArgs, became: &T, text: &str) {
    if args.json {
        print(&(serde_json::to_string_pretty(became).unwrap_or_default() + "\n"));
    } else {
        print(&format!("{text}\n"));
    }
}

/// Prints a list for people or for programs.
fn show<T: Serialize>(args: &StoreArgs, all: &[T], none: &str, entry: impl Fn(&T) -> String) {
    if args.json {
        print(&(serde_json::to_string_pretty(all).unwrap_or_default() + "\n"));
    } else if all.is_empty() {
        print(&format!("{none}\n"));
    } else {
        for one in all {
            print(&entry(one));
        }
    }
}

/// Who does this: as they say, or as they signed in.
fn who(by: Option<&String>) -> Result<String, UsageError> {
    let none = || UsageError("nobody is signed in here; say who you are with --by NAME".to_owned());
    match by {
        Some(by) => said(Said::Name, "--by", by),
        None => login_name().ok_or_else(none),
    }
}

/// What an option says of who or why, by the rule of the page.
fn said(what: Said, option: &str, text: &str) -> Result<String, UsageError> {
    what.read(text).map_err(|refused| UsageError(format!("{option}: {refused}")))
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
