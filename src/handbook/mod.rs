//! The handbook: every page that `launchready explain` knows, and the same pages as a folder of HTML.

mod accounts;
mod html;
mod site;

use std::borrow::Cow;
use std::fmt::Write as _;

use launchready_checks::contract::{CheckMeta, FindingSpec};

use self::accounts::ACCOUNTS;
pub(crate) use self::html::Doc;
pub use self::site::{GENERATOR, Leaf, site};
use crate::metrics::families;

/// Name, title and text.
type Entry = (&'static str, &'static str, &'static str);

/// A page that belongs to no check.
#[derive(Debug, Clone)]
pub struct Topic {
    /// What `launchready explain` calls it.
    pub name: &'static str,
    /// What it is about.
    pub title: &'static str,
    /// The page, in the Markdown that our pages keep to.
    pub text: Cow<'static, str>,
}

/// Pages about running launchready, in the order in which they are needed.
const TOPICS: [Entry; 10] = [
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
    ("drills", "Drills: try it before a customer does", include_str!("../../docs/drills.md")),
    ("ci", "In continuous integration, and before a deployment", include_str!("../../docs/ci.md")),
    ("trace", "One payment from Stripe to the ticket", include_str!("../../docs/trace.md")),
    ("upgrade", "Upgrade, go back, and check what you run", include_str!("../../docs/upgrade.md")),
];

/// The pages about launchready itself; the one of the metrics is drawn from their list.
pub fn topics() -> Vec<Topic> {
    let metrics =
        Topic { name: "metrics", title: "What /metrics answers", text: Cow::Owned(metrics()) };
    TOPICS.into_iter().map(Topic::of).chain([metrics]).collect()
}

/// The pages of the accounts that launchready reads, by name.
pub fn accounts() -> Vec<Topic> {
    ACCOUNTS.into_iter().map(Topic::of).collect()
}

impl Topic {
    fn of((name, title, text): Entry) -> Self {
        Self { name, title, text: Cow::Borrowed(text) }
    }
}

/// The sections of a check's page that say what to do about its findings.
const ADVICE: [&str; 3] = ["## How to fix", "## How to undo", "## Options"];

/// What the page of a check says about one of its findings.
pub fn code_page(meta: &CheckMeta, spec: &FindingSpec) -> String {
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
