//! `launchready explain`: the handbook in the terminal.

use std::fmt::Write as _;

use launchready_checks::contract::{Area, CheckMeta, FindingSpec};
use launchready_checks::registry;

use super::args::ExplainArgs;
use super::connector_pages::CONNECTORS;
use super::output::{paint, print};
use super::{Exit, UsageError};
use crate::metrics::families;
use crate::report::page_to_terminal;

/// Pages that belong to no check, each with what it is about.
const TOPICS: [(&str, &str, &str); 7] = [
    (
        "start",
        "The first ten minutes: from nothing to a product that is watched",
        include_str!("../../docs/start.md"),
    ),
    (
        "agent",
        "Running the agent: secrets, systemd, https, backup",
        include_str!("../../docs/agent.md"),
    ),
    (
        "agency",
        "How an agency runs it: two agents, one PostgreSQL, Prometheus and Alertmanager",
        include_str!("../../docs/agency.md"),
    ),
    ("alerts", "What becomes of a defect, and who is told", include_str!("../../docs/alerts.md")),
    (
        "goals",
        "What each goal demands, and what becomes of it",
        include_str!("../../docs/goals.md"),
    ),
    (
        "runbooks",
        "What to do on a bad day, in the first 15 minutes",
        include_str!("../../docs/runbooks.md"),
    ),
    ("trace", "One payment from Stripe to the ticket", include_str!("../../docs/trace.md")),
];
/// The topic whose page is drawn from the list of metrics.
const METRICS: (&str, &str) = ("metrics", "What /metrics answers");

pub(super) fn run(args: &ExplainArgs) -> anyhow::Result<Exit> {
    let Some(name) = args.name.as_deref() else {
        print(&catalogue());
        return Ok(Exit::Clean);
    };
    if let Some(plugin) = registry::find(name) {
        print(&page_to_terminal(plugin.meta.doc, paint()));
        return Ok(Exit::Clean);
    }
    if let Some((plugin, spec)) = registry::find_code(name) {
        print(&page_to_terminal(&page_of(plugin.meta, spec), paint()));
        return Ok(Exit::Clean);
    }
    let mut pages = TOPICS.iter().chain(&CONNECTORS);
    if let Some((_, _, page)) = pages.find(|(topic, _, _)| *topic == name) {
        print(&page_to_terminal(page, paint()));
        return Ok(Exit::Clean);
    }
    if name == METRICS.0 {
        print(&page_to_terminal(&metrics(), paint()));
        return Ok(Exit::Clean);
    }
    let codes = registry::ALL.iter().flat_map(|p| p.meta.findings.iter().map(|spec| spec.code));
    let pages = TOPICS.iter().chain(&CONNECTORS);
    let topics = pages.map(|(topic, _, _)| *topic).chain([METRICS.0]);
    let remedy = closest(name, ids().chain(codes).chain(topics));
    Err(UsageError(format!("there is no check or finding {name:?}{remedy}")).into())
}

/// The sections of a check's page that say what to do about its findings.
const ADVICE: [&str; 3] = ["## How to fix", "## How to undo", "## Options"];

/// What the page of a check says about one of its findings.
fn page_of(meta: &CheckMeta, spec: &FindingSpec) -> String {
    let mut page = format!(
        "# {}\n\n{}.\n{}\n\n{}\n",
        spec.code,
        spec.title,
        spec.why,
        section(meta.doc, &format!("### {}", spec.code))
    );
    for heading in ADVICE {
        let text = section(meta.doc, heading);
        if !text.trim().is_empty() {
            _ = writeln!(page, "{heading}\n\n{text}");
        }
    }
    _ = writeln!(
        page,
        "A finding of {}; the whole page: `launchready explain {}`",
        meta.id, meta.id
    );
    page
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

fn catalogue() -> String {
    let mut text = String::new();
    for area in Area::ALL {
        _ = writeln!(text, "{}", area.title());
        for plugin in registry::ALL.iter().filter(|plugin| plugin.meta.area == area) {
            _ = writeln!(text, "  {:<22} {}", plugin.meta.id, plugin.meta.title);
        }
    }
    text.push_str("The agent\n");
    let topics = TOPICS.iter().map(|(topic, title, _)| (*topic, *title));
    for (topic, title) in topics.chain([METRICS]) {
        _ = writeln!(text, "  {topic:<22} {title}");
    }
    text.push_str("Accounts that it reads\n");
    for (name, title, _) in CONNECTORS {
        _ = writeln!(text, "  {name:<22} {title}");
    }
    text.push_str(
        "\nlaunchready explain NAME prints the page of a check, finding, topic or account.\n",
    );
    text
}

/// Every metric with its labels and what it says.
fn metrics() -> String {
    let mut page =
        "# metrics\n\nPrometheus reads them from /metrics; dashboards and alert rules are in the \
                    folder `dashboards` of the source.\n\n"
            .to_owned();
    for family in families() {
        let labels = if family.labels.is_empty() {
            String::new()
        } else {
            format!("{{{}}}", family.labels.join(","))
        };
        let (name, kind, help) = (family.name, family.kind.as_str(), family.help);
        _ = writeln!(page, "- {name}{labels} ({kind}): {help}");
    }
    page
}
