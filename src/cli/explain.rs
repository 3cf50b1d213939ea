//! `launchready explain`: the handbook in the terminal, or as a folder of HTML.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use launchready_checks::contract::Area;
use launchready_checks::registry;

use super::args::ExplainArgs;
use super::output::{paint, print};
use super::{Exit, UsageError};
use crate::drill::Drill;
use crate::handbook::{GENERATOR, accounts, code_page, site, topics};
use crate::report::{Paint, page_to_terminal};

pub(super) fn run(args: &ExplainArgs) -> anyhow::Result<Exit> {
    if let Some(folder) = &args.html {
        return write(folder);
    }
    let Some(name) = args.name.as_deref() else {
        print(&catalogue(paint()));
        return Ok(Exit::Clean);
    };
    print(&page_to_terminal(&page(name)?, paint()));
    Ok(Exit::Clean)
}

/// The page of this name.
fn page(name: &str) -> Result<String, UsageError> {
    if let Some(plugin) = registry::find(name) {
        return Ok(plugin.meta.doc.to_owned());
    }
    if let Some((plugin, spec)) = registry::find_code(name) {
        return Ok(code_page(plugin.meta, spec));
    }
    let topics: Vec<_> = topics().into_iter().chain(accounts()).collect();
    // A drill has no page of its own.
    let is_drill = Drill::ALL.iter().any(|drill| drill.as_str() == name);
    let name = if is_drill { "drills" } else { name };
    if let Some(topic) = topics.iter().find(|topic| topic.name == name) {
        return Ok(topic.text.to_string());
    }
    let codes = registry::ALL.iter().flat_map(|p| p.meta.findings.iter().map(|spec| spec.code));
    let topics = topics.iter().map(|topic| topic.name);
    let remedy = closest(name, ids().chain(codes).chain(topics));
    Err(UsageError(format!("there is no check or finding {name:?}{remedy}")))
}

/// Writes the handbook; it writes over its own files alone and takes none away.
fn write(folder: &Path) -> anyhow::Result<Exit> {
    let leaves = site()?;
    for leaf in &leaves {
        let path = folder.join(&leaf.file);
        // What is there and cannot be read as text is no page of ours either.
        let foreign = path.symlink_metadata().is_ok()
            && !std::fs::read_to_string(&path).is_ok_and(|text| text.contains(GENERATOR));
        if foreign {
            let text = format!(
                "{} is there and is no page of this handbook; name another folder after --html, or \
                 move that file away",
                path.display()
            );
            return Err(UsageError(text).into());
        }
    }
    std::fs::create_dir_all(folder).with_context(|| {
        format!("could not make the folder {}; name one that you can write to", folder.display())
    })?;
    for leaf in &leaves {
        let path = folder.join(&leaf.file);
        std::fs::write(&path, &leaf.html).with_context(|| {
            format!("could not write {}; look at the rights and the free space", path.display())
        })?;
    }
    let index = folder.join("index.html");
    print(&format!(
        "{} pages are written. Open {} in a browser.\n",
        leaves.len(),
        std::path::absolute(&index).unwrap_or(index).display()
    ));
    Ok(Exit::Clean)
}

/// The ids of all checks.
pub(super) fn ids() -> impl Iterator<Item = &'static str> {
    registry::ALL.iter().map(|plugin| plugin.meta.id)
}

/// What follows the message that a name is not known: the closest one, or where all are listed.
pub(super) fn closest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let name = name.to_ascii_lowercase();
    if Area::ALL.iter().any(|area| area.as_str() == name)
        && ids().any(|id| id.starts_with(&format!("{name}-")))
    {
        return format!("; `launchready audit --only '{name}-*'` runs all of that area");
    }
    let best = known
        .map(|known| {
            // A part of the name, such as `spf`, means more than letters that are alike.
            let part = name.len() > 2 && known.split('-').any(|part| part == name);
            let within = name.len() > 2 && known.contains(&name);
            let last = part && known.ends_with(&name);
            let bonus =
                [within, part, last].map(|yes| f64::from(u8::from(yes))).iter().sum::<f64>();
            (bonus + strsim::jaro_winkler(known, &name), known)
        })
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match best {
        Some((score, known)) if score > 0.75 => format!("; did you mean {known:?}?"),
        _ => "; `launchready explain` lists them".to_owned(),
    }
}

fn catalogue(paint: Paint) -> String {
    let mut text = String::new();
    let topics = [("The agent", topics()), ("Accounts that it reads", accounts())];
    let names = topics.iter().flat_map(|(_, pages)| pages).map(|page| page.name);
    let width = ids().chain(names).map(str::len).max().unwrap_or_default();
    let row = |name: &str, title: &str| {
        let mut row = String::new();
        for (index, line) in paint.lines(title, width + 3).iter().enumerate() {
            let name = if index == 0 { name } else { "" };
            _ = writeln!(row, "  {name:<width$} {line}");
        }
        row
    };
    for area in Area::ALL {
        _ = writeln!(text, "{}", area.title());
        for plugin in registry::ALL.iter().filter(|plugin| plugin.meta.area == area) {
            text += &row(plugin.meta.id, plugin.meta.title);
        }
    }
    for (heading, pages) in &topics {
        _ = writeln!(text, "{heading}");
        for page in pages {
            text += &row(page.name, page.title);
        }
    }
    text.push_str(
        "\nlaunchready explain NAME prints the page of a check, finding, topic or account.\n\
         launchready explain --html DIR writes all of them as HTML.\n",
    );
    text
}
