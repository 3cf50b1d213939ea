//! `launchready explain`: the handbook in the terminal.

use std::fmt::Write as _;

use launchready_checks::contract::Area;
use launchready_checks::registry;

use super::args::ExplainArgs;
use super::output::print;
use super::{Exit, UsageError};

pub(super) fn run(args: &ExplainArgs) -> anyhow::Result<Exit> {
    let Some(name) = args.name.as_deref() else {
        print(&catalogue());
        return Ok(Exit::Clean);
    };
    if let Some(plugin) = registry::find(name) {
        print(plugin.meta.doc);
        return Ok(Exit::Clean);
    }
    if let Some((plugin, spec)) = registry::find_code(name) {
        let meta = plugin.meta;
        let section = section(meta.doc, &format!("### {name}"));
        let text = format!(
            "# {name}\n\n{}.\n{}\n\n{}\nA finding of {}; the whole page: launchready explain {}\n",
            spec.title, spec.why, section, meta.id, meta.id
        );
        print(&text);
        return Ok(Exit::Clean);
    }
    let codes = registry::ALL.iter().flat_map(|p| p.meta.findings.iter().map(|spec| spec.code));
    let remedy = closest(name, ids().chain(codes));
    Err(UsageError(format!("there is no check or finding {name:?}{remedy}")).into())
}

/// The lines below a heading, up to the next one.
fn section(doc: &str, heading: &str) -> String {
    let lines = doc.lines().skip_while(|line| *line != heading).skip(1);
    let lines = lines.take_while(|line| !line.starts_with('#'));
    lines.fold(String::new(), |mut text, line| {
        if !(text.is_empty() && line.is_empty()) {
            _ = writeln!(text, "{line}");
        }
        text
    })
}

/// The ids of all checks.
pub(super) fn ids() -> impl Iterator<Item = &'static str> {
    registry::ALL.iter().map(|plugin| plugin.meta.id)
}

/// What follows the message that a name is not known: the closest one, or where all are listed.
pub(super) fn closest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let best = known
        .map(|known| (strsim::jaro_winkler(known, name), known))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match best {
        Some((score, known)) if score > 0.75 => format!("; did you mean {known:?}?"),
        _ => "; `launchready explain` lists them".to_owned(),
    }
}

fn catalogue() -> String {
    let mut text = String::new();
    for area in Area::ALL {
        _ = writeln!(text, "{}", area.title());
        for plugin in registry::ALL.iter().filter(|plugin| plugin.meta.area == area) {
            _ = writeln!(text, "  {:<22} {}", plugin.meta.id, plugin.meta.title);
        }
    }
    text.push_str("\nlaunchready explain ID prints the handbook page of a check or finding.\n");
    text
}
