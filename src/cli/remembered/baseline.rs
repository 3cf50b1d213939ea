//! `launchready baseline`: what is approved, and what differs from it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use launchready_checks::contract::{Change, Fact, changes};
use launchready_checks::registry;
use serde::Serialize;
use serde_json::Value;

use super::super::args::{BaselineAction, BaselineArgs, Cli};
use super::super::output::print;
use super::super::{Exit, UsageError, progress};
use super::lines::when;
use super::{Remembered, known_check, show, who};
use crate::app::{Baseline, Plan, Session};
use crate::clock::SystemClock;
use crate::config::Project;
use crate::engine::{Outcome, RunRecord};
use crate::store::Approved;

/// All looks together may take this long.
const LIMIT: Duration = Duration::from_secs(45);

pub(in crate::cli) fn run(cli: &Cli, args: &BaselineArgs) -> anyhow::Result<Exit> {
    crate::app::runtime(false)?.block_on(async {
        let here = Remembered::open_or_make(&args.store.config).await?;
        let name = here.project(args.project.as_deref())?;
        let approved = here.store.approved(&name).await?;
        let exit = match &args.action {
            BaselineAction::Approve { checks, by, note } => {
                let by = who(by.as_ref())?;
                approve(cli, args, &here, &approved, checks, (&by, note)).await?
            }
            BaselineAction::Show => {
                let all = approved.iter().map(Shown::of).collect::<anyhow::Result<Vec<_>>>()?;
                show(&args.store, &all, &none(&here), Shown::text);
                Exit::Clean
            }
            BaselineAction::Diff => diff(cli, args, &here, &approved).await?,
        };
        here.store.close().await;
        Ok(exit)
    })
}

fn none(here: &Remembered) -> String {
    format!(
        "nothing is approved; `{}` approves the state of today",
        here.command("baseline approve")
    )
}

/// The checks that measure drift, each with what of it is approved.
fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    registry::ALL.iter().filter_map(|plugin| Some((plugin.meta.id, plugin.baseline?)))
}

fn what(check: &str) -> &'static str {
    all().find(|(id, _)| *id == check).map_or("", |(_, what)| what)
}

/// Looks with some of those checks.
async fn look(
    cli: &Cli,
    here: &Remembered,
    project: &Project,
    ids: Vec<&'static str>,
) -> anyhow::Result<Vec<RunRecord>> {
    let session = Session::new(here.config.network.clone(), Arc::new(SystemClock))?;
    let plan = Plan {
        ids,
        time_limit: LIMIT,
        baseline: Baseline::new(),
        recheck: here.command("baseline diff"),
        config: Some(here.path.display().to_string()),
        checkouts: None,
        handover: None,
    };
    Ok(session.audit(project, &plan, progress::of(cli).as_ref()).await?.runs)
}

/// Stored evidence as facts.
fn facts(check: &str, evidence: &Value) -> anyhow::Result<Vec<Fact>> {
    let Some(plugin) = registry::find(check) else { return Ok(Vec::new()) };
    Ok((plugin.build)(&Value::Null)?.facts(evidence)?)
}

/// What is approved of one check.
#[derive(Serialize)]
struct Shown {
    check: String,
    what: &'static str,
    at: jiff::Timestamp,
    by: String,
    note: String,
    facts: BTreeMap<String, Vec<String>>,
    /// It was approved with another version of launchready, whose evidence cannot be compared.
    outdated: bool,
}

impl Shown {
    fn of(one: &Approved) -> anyhow::Result<Self> {
        let version = registry::find(&one.check).map(|plugin| plugin.meta.evidence_version);
        let outdated = version != Some(one.version);
        let facts = if outdated { Vec::new() } else { facts(&one.check, &one.evidence)? };
        Ok(Self {
            check: one.check.clone(),
            what: what(&one.check),
            at: one.at,
            by: one.by.clone(),
            note: one.note.clone(),
            facts: facts.into_iter().map(|fact| (fact.subject, fact.state)).collect(),
            outdated,
        })
    }

    fn text(&self) -> String {
        let mut text = format!("{} ({})\n  approved {}\n", self.what, self.check, self.who());
        if self.outdated {
            text += "  by another version of launchready: approve it again\n";
        }
        // Writing into a string cannot fail.
        for (subject, state) in &self.facts {
            _ = writeln!(text, "  {subject}");
            for line in state {
                _ = writeln!(text, "    {line}");
            }
        }
        text
    }

    fn who(&self) -> String {
        let note = if self.note.is_empty() { String::new() } else { format!(": {}", self.note) };
        format!("{} by {}{note}", when(self.at), self.by)
    }
}

/// What became of one check in an approval.
#[derive(Serialize)]
struct Became {
    check: &'static str,
    what: &'static str,
    approved: bool,
    facts: usize,
    /// Lines that differ from what was approved before.
    differ: usize,
    reason: Option<String>,
}

async fn approve(
    cli: &Cli,
    args: &BaselineArgs,
    here: &Remembered,
    before: &[Approved],
    checks: &[String],
    (by, note): (&str, &str),
) -> anyhow::Result<Exit> {
    for check in checks {
        known_check(check)?;
        if what(check).is_empty() {
            let ids: Vec<&str> = all().map(|(id, _)| id).collect();
            let text = format!("{check} measures no drift; those that do are {}", ids.join(", "));
            return Err(UsageError(text).into());
        }
    }
    let project = super::super::project::pick(&here.config.projects, args.project.as_deref())?;
    let wanted = |id: &str| checks.is_empty() || checks.iter().any(|check| check == id);
    let ids = all().map(|(id, _)| id).filter(|id| wanted(id)).collect();
    let runs = look(cli, here, project, ids).await?;
    let (mut all_became, mut approved) = (Vec::new(), Vec::new());
    for run in runs {
        let Some(plugin) = registry::find(&run.id) else { continue };
        let mut became = Became {
            check: plugin.meta.id,
            what: what(&run.id),
            approved: false,
            facts: 0,
            differ: 0,
            reason: reason(&run.outcome),
        };
        if let Outcome::Looked { evidence } = run.outcome {
            let now = facts(&run.id, &evidence)?;
            let own = before.iter().find(|one| one.check == run.id);
            let then = own.and_then(|one| facts(&one.check, &one.evidence).ok());
            became.facts = now.len();
            became.differ = then.map_or(0, |then| changes(&then, &now).len());
            became.approved = !now.is_empty();
            became.reason =
                now.is_empty().then(|| "nothing was seen that could be approved".to_owned());
            if became.approved {
                approved.push(Approved {
                    project: project.target.project.clone(),
                    check: run.id,
                    version: plugin.meta.evidence_version,
                    evidence,
                    at: here.now,
                    by: by.to_owned(),
                    note: note.to_owned(),
                });
            }
        }
        all_became.push(became);
    }
    here.store.approve(&approved).await?;
    let text = |one: &Became| match &one.reason {
        None if one.differ > 0 => {
            format!(
                "approved      {} ({}): {} facts, {} of them new or changed\n",
                one.what, one.check, one.facts, one.differ
            )
        }
        None => format!("approved      {} ({}): {} facts\n", one.what, one.check, one.facts),
        Some(reason) => format!("not approved  {} ({}): {reason}\n", one.what, one.check),
    };
    show(&args.store, &all_became, "no check measures drift", text);
    if approved.is_empty() {
        let text =
            "nothing was approved: no check could look; what was approved before still counts";
        anyhow::bail!("{text}");
    }
    Ok(Exit::Clean)
}

fn reason(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Looked { .. } => None,
        Outcome::Skipped { reason, unlock } => Some(format!("{reason}; {unlock}")),
        Outcome::Unknown { cause, unlock } => Some(format!("{cause}; {unlock}")),
    }
}

/// One subject that differs.
#[derive(Serialize)]
struct Differs {
    check: String,
    subject: String,
    gone: Vec<String>,
    new: Vec<String>,
}

impl Differs {
    fn of(check: &str, change: &Change<'_>) -> Self {
        let owned = |lines: Vec<&str>| lines.into_iter().map(str::to_owned).collect();
        Self {
            check: check.to_owned(),
            subject: change.subject.to_owned(),
            gone: owned(change.gone()),
            new: owned(change.new_lines()),
        }
    }

    fn text(&self) -> String {
        let mut text = format!("{} ({})\n", self.subject, self.check);
        let lines =
            self.gone.iter().map(|line| ('-', line)).chain(self.new.iter().map(|line| ('+', line)));
        for (sign, line) in lines {
            _ = writeln!(text, "  {sign} {line}");
        }
        text
    }
}

async fn diff(
    cli: &Cli,
    args: &BaselineArgs,
    here: &Remembered,
    approved: &[Approved],
) -> anyhow::Result<Exit> {
    if approved.is_empty() {
        return Err(UsageError(none(here)).into());
    }
    let project = super::super::project::pick(&here.config.projects, args.project.as_deref())?;
    let ids =
        all().map(|(id, _)| id).filter(|id| approved.iter().any(|one| one.check == *id)).collect();
    let mut differ = Vec::new();
    let mut unseen = Vec::new();
    for run in look(cli, here, project, ids).await? {
        let Some(then) = approved.iter().find(|one| one.check == run.id) else { continue };
        match &run.outcome {
            Outcome::Looked { evidence } => {
                let (then, now) = (facts(&run.id, &then.evidence)?, facts(&run.id, evidence)?);
                differ
                    .extend(changes(&then, &now).iter().map(|change| Differs::of(&run.id, change)));
            }
            other => {
                let of = what(&run.id);
                let line = |reason| format!("not compared: {of} ({}): {reason}\n", run.id);
                unseen.extend(reason(other).map(line));
            }
        }
    }
    show(&args.store, &differ, "nothing differs from what is approved", Differs::text);
    if !args.store.json {
        print(&unseen.concat());
    }
    if !differ.is_empty() {
        return Ok(Exit::Found);
    }
    Ok(if unseen.is_empty() { Exit::Clean } else { Exit::Failed })
}
