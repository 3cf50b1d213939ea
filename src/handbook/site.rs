//! The handbook as a folder of HTML files that need no server, no script and nothing from outside.

use std::collections::BTreeMap;

use askama::Template;
use launchready_checks::contract::{Area, FindingSpec};
use launchready_checks::registry;

use super::{Doc, Topic, accounts, topics};

/// What every file of the handbook says of itself, so that it is known again.
pub const GENERATOR: &str = "<meta name=\"generator\" content=\"launchready\">";

/// The file with the table of contents.
const INDEX: &str = "index.html";
/// The file in which every finding code can be looked up.
const CODES: &str = "codes.html";
/// Headings of the table of contents beside the areas of checks.
const AGENT: &str = "The agent";
const ACCOUNTS: &str = "Accounts that it reads";

/// One file of the handbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// Its name, such as `mail-spf.html`; the first one is the table of contents.
    pub file: String,
    /// All of it.
    pub html: String,
}

/// Every file of the handbook; the same program gives the same bytes.
///
/// # Errors
/// A page cannot be drawn, which is a fault of the program.
pub fn site() -> Result<Vec<Leaf>, askama::Error> {
    let (topics, accounts) = (topics(), accounts());
    let links = Links::of(topics.iter().chain(&accounts));
    let mut leaves = vec![
        leaf(INDEX, "Handbook", &Index { groups: groups(&topics, &accounts) })?,
        leaf(CODES, "Finding codes", &Codes { letters: letters(&links) })?,
    ];
    for plugin in registry::ALL {
        let meta = plugin.meta;
        let own = file(meta.id);
        leaves.push(leaf(
            &own,
            meta.title,
            &Page {
                group: meta.area.title(),
                title: meta.title,
                name: meta.id,
                doc: links.draw(&own, meta.doc),
            },
        )?);
    }
    for (group, pages) in [(AGENT, &topics), (ACCOUNTS, &accounts)] {
        for Topic { name, title, text } in pages {
            let own = file(name);
            let doc = links.draw(&own, text);
            leaves.push(leaf(&own, title, &Page { group, title: first(text), name, doc })?);
        }
    }
    Ok(leaves)
}

fn file(name: &str) -> String {
    format!("{name}.html")
}

/// The heading with which a page begins.
fn first(text: &str) -> &str {
    text.lines().next().unwrap_or_default().trim_start_matches('#').trim()
}

fn leaf(file: &str, title: &str, main: &impl Template) -> Result<Leaf, askama::Error> {
    let main = Drawn(main.render()?);
    let frame = Frame { title, main, inside: file != INDEX, version: env!("CARGO_PKG_VERSION") };
    Ok(Leaf { file: file.to_owned(), html: frame.render()? })
}

/// The table of contents: heading, then name, title of each page.
fn groups<'a>(topics: &'a [Topic], accounts: &'a [Topic]) -> Vec<(&'static str, Vec<Line<'a>>)> {
    let of = |pages: &'a [Topic]| pages.iter().map(|page| (page.name, page.title)).collect();
    let mut groups = vec![(AGENT, of(topics))];
    for area in Area::ALL {
        let metas = registry::ALL.iter().map(|plugin| plugin.meta);
        let mine = metas.filter(|meta| meta.area == area).map(|meta| (meta.id, meta.title));
        groups.push((area.title(), mine.collect()));
    }
    groups.push((ACCOUNTS, of(accounts)));
    groups
}

type Line<'a> = (&'a str, &'a str);

/// Every finding code by its first letter.
fn letters(links: &Links) -> Vec<(char, Vec<Entry>)> {
    let mut letters: BTreeMap<char, BTreeMap<&str, Entry>> = BTreeMap::new();
    for plugin in registry::ALL {
        for spec in plugin.meta.findings {
            let letter = spec.code.chars().next().unwrap_or('?').to_ascii_uppercase();
            let why = Doc::words(spec.why, &|word| links.of_word(CODES, word));
            let entry = Entry { spec, check: plugin.meta.id, why };
            letters.entry(letter).or_default().insert(spec.code, entry);
        }
    }
    letters.into_iter().map(|(letter, entries)| (letter, entries.into_values().collect())).collect()
}

/// Where each name that our pages write as code leads.
struct Links(BTreeMap<String, String>);

impl Links {
    fn of<'a>(topics: impl Iterator<Item = &'a Topic>) -> Self {
        let mut links = BTreeMap::new();
        // A topic may have a word of everyday use as its name: only the command leads to it.
        for topic in topics {
            links.insert(command(topic.name), file(topic.name));
        }
        for plugin in registry::ALL {
            let id = plugin.meta.id;
            let codes = plugin.meta.findings.iter();
            let codes = codes.map(|spec| (spec.code, format!("{}#{}", file(id), spec.code)));
            for (name, to) in codes.chain([(id, file(id))]) {
                links.insert(command(name), to.clone());
                links.insert(name.to_owned(), to);
            }
        }
        links.insert("launchready explain".to_owned(), INDEX.to_owned());
        Self(links)
    }

    /// Where a word on this page leads; nowhere, where that is the page itself.
    fn of_word(&self, own: &str, word: &str) -> Option<String> {
        self.0.get(word).filter(|to| *to != own).cloned()
    }

    fn draw(&self, own: &str, text: &str) -> Doc {
        Doc::linked(text, &|word| self.of_word(own, word))
    }
}

fn command(name: &str) -> String {
    format!("launchready explain {name}")
}

/// HTML that one of the templates has drawn.
struct Drawn(String);

impl std::fmt::Display for Drawn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl askama::filters::HtmlSafe for Drawn {}

#[derive(Template)]
#[template(path = "handbook/frame.html")]
struct Frame<'a> {
    title: &'a str,
    main: Drawn,
    inside: bool,
    version: &'static str,
}

#[derive(Template)]
#[template(path = "handbook/index.html")]
struct Index<'a> {
    groups: Vec<(&'static str, Vec<Line<'a>>)>,
}

#[derive(Template)]
#[template(path = "handbook/codes.html")]
struct Codes {
    letters: Vec<(char, Vec<Entry>)>,
}

struct Entry {
    spec: &'static FindingSpec,
    check: &'static str,
    why: Doc,
}

#[derive(Template)]
#[template(path = "handbook/page.html")]
struct Page<'a> {
    group: &'a str,
    title: &'a str,
    name: &'a str,
    doc: Doc,
}
