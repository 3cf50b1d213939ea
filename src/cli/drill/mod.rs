//! `launchready drill`: synthetic customers, with a dry run, a proof and an undo.

mod draw;
mod regression;

use std::fmt::Write as _;
use std::sync::Arc;

use super::args::{Cli, DrillArgs, DrillWord};
use super::output::{paint, print};
use super::{Exit, UsageError, progress, project};
use crate::app::Session;
use crate::app::drills::Drills;
use crate::clock::SystemClock;
use crate::config::{Project, load, shell_word};
use crate::drill::{Drill, Outcome, is_left};

pub(super) fn run(cli: &Cli, args: &DrillArgs) -> anyhow::Result<Exit> {
    let config = load(&args.config)?;
    let project = project::pick(&config.projects, args.project.as_deref())?;
    if !args.skip.is_empty() && args.what != DrillWord::All {
        let text = "--skip is for `launchready drill all`";
        return Err(UsageError(text.to_owned()).into());
    }
    crate::app::runtime(true)?.block_on(async {
        let mut session = Session::new(config.network.clone(), Arc::new(SystemClock))?;
        project::remember(&mut session, Some(&config.settings())).await;
        let drills = session.drills(project, &config.settings()).await?;
        match (args.what, args.what.drill()) {
            (DrillWord::Undo, _) => undo(&drills, args).await,
            (_, Some(drill)) if args.dry_run => plans(&drills, &[drill], args).await,
            (_, Some(drill)) => one(cli, &drills, drill, args).await,
            (DrillWord::All, None) => {
                let wanted: Vec<Drill> = chosen(args).collect();
                if args.dry_run {
                    return plans(&drills, &wanted, args).await;
                }
                all(cli, project, &session, &drills, args).await
            }
            (word, None) => {
                let text = format!("{word:?} is a word for --skip; type launchready drill all");
                Err(UsageError(text.to_lowercase()).into())
            }
        }
    })
}

fn chosen(args: &DrillArgs) -> impl Iterator<Item = Drill> {
    let skipped: Vec<Drill> = args.skip.iter().filter_map(|word| word.drill()).collect();
    Drill::ALL.into_iter().filter(move |drill| !skipped.contains(drill))
}

/// The command that runs something again with this config.
fn command(what: &str, args: &DrillArgs) -> String {
    let mut command = format!("launchready drill {what}{}", project::named(&args.config));
    if let Some(name) = &args.project {
        _ = write!(command, " --project {}", shell_word(name));
    }
    command
}

async fn plans(drills: &Drills<'_>, wanted: &[Drill], args: &DrillArgs) -> anyhow::Result<Exit> {
    let mut plans = Vec::new();
    for drill in wanted {
        plans.push(drills.plan(*drill).await?);
    }
    if args.json {
        print(&(serde_json::to_string_pretty(&plans)? + "\n"));
    } else {
        let command = |drill: Drill| command(drill.as_str(), args);
        print(&draw::plans(&plans, &command, paint()));
    }
    let lacking = plans.iter().any(|plan| !plan.lacks.is_empty());
    Ok(if lacking { Exit::Failed } else { Exit::Clean })
}

async fn one(
    cli: &Cli,
    drills: &Drills<'_>,
    drill: Drill,
    args: &DrillArgs,
) -> anyhow::Result<Exit> {
    progress::note(cli, &format!("drill {}: {}", drill.as_str(), drill.question()));
    let record = drills.run(drill, args.keep).await?;
    if args.json {
        print(&(serde_json::to_string_pretty(&record)? + "\n"));
    } else {
        print(&draw::record(&record, &command("undo", args), paint()));
    }
    Ok(match record.outcome {
        Outcome::Passed if is_left(&record.undo) => Exit::Failed,
        Outcome::Passed => Exit::Clean,
        Outcome::Failed => Exit::Found,
        Outcome::NotRun => Exit::Failed,
    })
}

async fn undo(drills: &Drills<'_>, args: &DrillArgs) -> anyhow::Result<Exit> {
    let undone = drills.undo().await?;
    if args.json {
        print(&(serde_json::to_string_pretty(&undone)? + "\n"));
    } else {
        print(&draw::undone(&undone, paint()));
    }
    Ok(if undone.iter().any(|(_, undo)| is_left(undo)) { Exit::Failed } else { Exit::Clean })
}

/// The eight tests before a launch.
async fn all(
    cli: &Cli,
    project: &Project,
    session: &Session,
    drills: &Drills<'_>,
    args: &DrillArgs,
) -> anyhow::Result<Exit> {
    if regression::TESTS.iter().all(|test| args.skip.contains(&test.word)) {
        return Err(
            UsageError("nothing is left to run; leave a word out of --skip".to_owned()).into()
        );
    }
    let mut results = Vec::new();
    for test in regression::TESTS {
        if args.skip.contains(&test.word) {
            continue;
        }
        progress::note(cli, &format!("{}: {}", test.name(), test.question));
        results.push(match test.word.drill() {
            Some(drill) => regression::of_drill(test, drills.run(drill, args.keep).await?),
            None => regression::look(test, project, session, &args.config).await?,
        });
    }
    if args.json {
        print(&(serde_json::to_string_pretty(&results)? + "\n"));
    } else {
        print(&draw::results(&results, &command("undo", args), paint()));
    }
    Ok(if results.iter().any(|one| one.outcome == Outcome::Failed) {
        Exit::Found
    } else if results.iter().any(|one| {
        one.outcome == Outcome::NotRun || one.record.as_ref().is_some_and(|it| is_left(&it.undo))
    }) {
        Exit::Failed
    } else {
        Exit::Clean
    })
}
