//! `launchready baseline`: what is approved, and what differs from it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use launchready_checks::contract::{AssessInput, Fact, History, NotChecked, changes};
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
    registry::ALL.iter().filter_map(|plugin| Some((plugin.meta.id, plugin.baseline?.what)))
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

impl Became {
    fn text(&self) -> String {
        let about = format!("{} ({})", self.what, self.check);
        let facts = format!("{} fact{}", self.facts, if self.facts == 1 { "" } else { "s" });
        match &self.reason {
            None if self.differ > 0 => {
                format!("approved      {about}: {facts}, {} of them new or changed\n", self.differ)
            }
            None => format!("approved      {about}: {facts}\n"),
            Some(reason) => format!("not approved  {about}: {reason}\n"),
        }
    }
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
            // What one of both looks has not seen says nothing.
            let differ = |then: Vec<Fact>| {
                let both = changes(&then, &now).into_iter();
                both.filter(|change| change.now.is_some()).count()
            };
            became.differ = then.map_or(0, differ);
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
    show(&args.store, &all_became, "no check measures drift", Became::text);
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

/// One subject that differs, as the check tells it.
#[derive(Serialize)]
struct Differs {
    check: String,
    code: String,
    subject: String,
    summary: String,
    /// What is gone begins with `gone:`, what is new with `new:`.
    evidence: Vec<String>,
}

impl Differs {
    fn text(&self) -> String {
        let mut text = format!("{} ({})\n", self.summary, self.check);
        for line in &self.evidence {
            let line = line.replacen("gone:", "-", 1).replacen("new:", "+", 1);
            _ = writeln!(text, "  {line}");
        }
        text
    }
}

/// What `baseline diff` answers.
#[derive(Serialize, Default)]
struct Compared {
    differs: Vec<Differs>,
    /// What was not compared, and why.
    not_compared: Vec<String>,
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
    let is_approved = |id: &str| approved.iter().any(|one| one.check == id);
    let ids = all().map(|(id, _)| id).filter(|id| is_approved(id)).collect();
    let mut compared = Compared::default();
    for run in look(cli, here, project, ids).await? {
        let Some(then) = approved.iter().find(|one| one.check == run.id) else { continue };
        compare(project, then, &run, here.now, &mut compared)?;
    }
    if args.store.json {
        print(&(serde_json::to_string_pretty(&compared)? + "\n"));
    } else {
        compared.differs.iter().for_each(|one| print(&one.text()));
        if compared.differs.is_empty() && compared.not_compared.is_empty() {
            print("nothing differs from what is approved\n");
        }
        for line in &compared.not_compared {
            print(&format!("not compared: {line}\n"));
        }
    }
    if !compared.differs.is_empty() {
        return Ok(Exit::Found);
    }
    Ok(if compared.not_compared.is_empty() { Exit::Clean } else { Exit::Failed })
}

/// Has the check itself judge what it saw against what was approved, with the options of the project.
fn compare(
    project: &Project,
    then: &Approved,
    run: &RunRecord,
    now: jiff::Timestamp,
    compared: &mut Compared,
) -> anyhow::Result<()> {
    let Some(plugin) = registry::find(&run.id) else { return Ok(()) };
    let Some(approvable) = plugin.baseline else { return Ok(()) };
    let of = format!("{} ({})", approvable.what, run.id);
    let evidence = match &run.outcome {
        Outcome::Looked { evidence } => evidence,
        other => {
            compared.not_compared.extend(reason(other).map(|reason| format!("{of}: {reason}")));
            return Ok(());
        }
    };
    if then.version != plugin.meta.evidence_version {
        let why = "approved by another version of launchready; approve it again";
        compared.not_compared.push(format!("{of}: {why}"));
        return Ok(());
    }
    let options = project.options.get(&run.id).cloned().unwrap_or(Value::Null);
    let check = (plugin.build)(&options)?;
    let judge = |baseline: Option<&Value>| {
        check.assess(
            evidence,
            &AssessInput {
                now,
                target: &project.target,
                previous: None,
                history: &History::default(),
                baseline,
            },
        )
    };
    let (with, without) = (judge(Some(&then.evidence))?, judge(None)?);
    let told = with.findings.iter().filter(|one| approvable.codes.contains(&one.code.as_str()));
    compared.differs.extend(told.map(|one| Differs {
        check: run.id.clone(),
        code: one.code.clone(),
        subject: one.subject.clone(),
        summary: one.summary.clone(),
        evidence: one.evidence.clone(),
    }));
    // What only the comparison could not see.
    let is_new = |part: &&NotChecked| without.not_checked.iter().all(|it| it.part != part.part);
    let unseen = with.not_checked.iter().filter(is_new);
    compared
        .not_compared
        .extend(unseen.map(|part| format!("{of}: {}, {}", part.part, part.reason)));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_approved_is_counted_in_its_number() {
        let of = |facts, differ| {
            let what = "DNS records";
            Became { check: "dns-drift", what, approved: true, facts, differ, reason: None }.text()
        };
        assert_eq!(of(1, 0), "approved      DNS records (dns-drift): 1 fact\n");
        assert_eq!(
            of(3, 1),
            "approved      DNS records (dns-drift): 3 facts, 1 of them new or changed\n"
        );
    }
}
