//! `launchready config`.

use launchready_checks::contract::Age;
use launchready_checks::registry;
use serde_json::{Value, json};

use super::Exit;
use super::args::{ConfigAction, ConfigArgs};
use super::output::print;
use crate::config::{PolicyTable, load, schema};
use crate::schedule::Schedule;

/// The annotated example at the top of the repository.
const EXAMPLE: &str = include_str!("../../config.toml");

pub(super) fn run(args: &ConfigArgs) -> anyhow::Result<Exit> {
    match &args.action {
        ConfigAction::Check(file) => {
            let loaded = load(file.path())?;
            let names: Vec<_> = loaded.projects.iter().map(|p| p.target.project.as_str()).collect();
            let list =
                if names.is_empty() { "no project yet".to_owned() } else { names.join(", ") };
            let mut text = format!("{} is good: {list}\n", file.path().display());
            for warning in loaded.warnings() {
                // A missing credential of an account matters to an audit as well.
                if !warning.key.starts_with("project[") {
                    text.push_str("for the agent: ");
                }
                text.push_str(&warning.to_string());
                text.push('\n');
            }
            print(&text);
        }
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
