//! `launchready config`.

use launchready_checks::registry;
use serde_json::{Value, json};

use super::Exit;
use super::args::{ConfigAction, ConfigArgs};
use super::output::print;
use crate::config::{load, schema};

/// The annotated example at the top of the repository.
const EXAMPLE: &str = include_str!("../../config.toml");

pub(super) fn run(args: &ConfigArgs) -> anyhow::Result<Exit> {
    match &args.action {
        ConfigAction::Check(file) => {
            let loaded = load(file.path())?;
            let names: Vec<_> = loaded.projects.iter().map(|p| p.target.project.as_str()).collect();
            let list =
                if names.is_empty() { "no project yet".to_owned() } else { names.join(", ") };
            print(&format!("{} is good: {list}\n", file.path().display()));
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

/// A project with the options in force, defaults filled in.
fn show(project: &crate::config::Project) -> Value {
    let options: serde_json::Map<String, Value> = registry::ALL
        .iter()
        .filter_map(|plugin| {
            let built = (plugin.build)(&project.options_of(plugin.meta.id)).ok()?;
            Some((plugin.meta.id.to_owned(), built.options()))
        })
        .collect();
    json!({"target": project.target, "not_used": project.not_used, "checks": options})
}
