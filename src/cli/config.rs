//! `launchready config`.

use std::path::Path;
use std::sync::Arc;

use launchready_checks::contract::{Age, OwnershipRecord};
use launchready_checks::registry;
use serde_json::{Value, json};

use super::args::{ConfigAction, ConfigArgs};
use super::output::{paint, print};
use super::{Exit, UsageError};
use crate::app::Session;
use crate::app::agent::rehearse;
use crate::clock::SystemClock;
use crate::config::{ConfigErrors, LoadError, PolicyTable, load, schema};
use crate::schedule::Schedule;

/// The annotated example at the top of the repository.
const EXAMPLE: &str = include_str!("../../config.toml");

pub(super) fn run(args: &ConfigArgs) -> anyhow::Result<Exit> {
    match &args.action {
        ConfigAction::Check(file) => check(file.path())?,
        ConfigAction::Schema => print(&(serde_json::to_string_pretty(&schema())? + "\n")),
        ConfigAction::Show(file) => {
            let loaded = load(file.path())?;
            let projects: Vec<Value> = loaded.projects.iter().map(show).collect();
            print(&(serde_json::to_string_pretty(&projects)? + "\n"));
        }
        ConfigAction::Example => print(EXAMPLE),
    }
    Ok(Exit::Clean)
}

/// Says what an audit and the agent would do with a config.
fn check(path: &Path) -> anyhow::Result<()> {
    let config = load(path)?;
    // An audit has to read the extra roots too.
    Session::new(config.network.clone(), Arc::new(SystemClock))?;
    let names: Vec<_> = config.projects.iter().map(|p| p.target.project.as_str()).collect();
    let missing = config.missing_credentials();
    let (list, audit) = if names.is_empty() {
        let audit = "needs a domain behind it, or a [[project]] with name and domain";
        ("no project yet".to_owned(), audit)
    } else if !missing.is_empty() {
        (names.join(", "), "lacks these credentials of accounts")
    } else if config.has_credentials() {
        (
            names.join(", "),
            "needs nothing more; of secrets it reads the credentials of accounts alone",
        )
    } else {
        (names.join(", "), "needs nothing more; it reads no secret")
    };
    say(&format!("{} is good: {list}\nlaunchready audit: {audit}", path.display()));
    if !missing.is_empty() {
        say(&ConfigErrors(missing).together());
    }
    for project in &config.projects {
        if let Some(token) = &project.ownership {
            let record = OwnershipRecord::new(&project.target.domain, token);
            say(&format!("active probes of {}: need this record", project.target.project));
            // It stays whole, so that it can be copied.
            print(&format!("  {record}\n"));
        }
    }
    let agent = rehearse(path).map_err(|error| {
        if error.is::<LoadError>() {
            return error;
        }
        UsageError(format!("the agent cannot start: {error:#}")).into()
    })?;
    let mut text =
        format!("launchready agent: would start, with its page at http://{}/", agent.listen);
    match agent.channels.as_slice() {
        [] => {}
        [one] => text = format!("{text} and the channel {one}"),
        all => text = format!("{text} and the channels {}", all.join(", ")),
    }
    if let Some(untold) = config.untold() {
        text = format!("{text}\n  but {}", untold.message);
    }
    say(&text);
    Ok(())
}

/// Prints lines as wide as the terminal; what goes on stands a little further right.
fn say(text: &str) {
    let paint = paint();
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        for (index, part) in paint.lines(line.trim_start(), indent + 2).iter().enumerate() {
            let space = if index == 0 { indent } else { indent + 2 };
            print(&format!("{:space$}{part}\n", ""));
        }
    }
}

/// A project with the options and schedules in force, defaults filled in.
fn show(project: &crate::config::Project) -> Value {
    let options: serde_json::Map<String, Value> = registry::ALL
        .iter()
        .filter_map(|plugin| {
            let built = (plugin.build)(&project.options_of(plugin.meta.id)).ok()?;
            Some((plugin.meta.id.to_owned(), built.options()))
        })
        .collect();
    let watch = &project.watch;
    let schedules: serde_json::Map<String, Value> =
        watch.schedules.iter().map(|(id, schedule)| ((*id).to_owned(), when(schedule))).collect();
    json!({
        "target": project.target,
        "not_used": project.not_used,
        "checks": options,
        "public": watch.public,
        "policy": PolicyTable::from(&watch.policy),
        "schedules": schedules,
    })
}

/// When a check runs, as the config says it.
fn when(schedule: &Schedule) -> Value {
    match schedule {
        Schedule::Every(interval) => json!({"every": Age(*interval)}),
        Schedule::Cron(cron) => json!({"schedule": cron.text()}),
    }
}
