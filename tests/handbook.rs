//! The handbook as a folder of HTML: every page and code is there, every link leads somewhere, and nothing
//! is loaded from outside.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output};

use launchready::handbook::{accounts, topics};
use launchready_checks::registry;
use regex::Regex;

fn explain(folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_launchready"));
    command.args(["explain", "--html"]).arg(folder).output().unwrap()
}

fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let read = |entry: std::fs::DirEntry| {
        let text = std::fs::read_to_string(entry.path()).unwrap();
        (entry.file_name().into_string().unwrap(), text)
    };
    entries.map(read).collect()
}

/// The handbook as the program writes it.
fn handbook() -> BTreeMap<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let written = explain(&folder.path().join("new/handbook"));
    assert!(written.status.success(), "{written:?}");
    files(&folder.path().join("new/handbook"))
}

fn all<'t>(pattern: &str, text: &'t str) -> Vec<&'t str> {
    let pattern = Regex::new(pattern).unwrap();
    pattern.captures_iter(text).map(|found| found.get(1).unwrap().as_str()).collect()
}

#[test]
fn every_page_and_every_code_is_there() {
    let pages = handbook();
    let listed = Command::new(env!("CARGO_BIN_EXE_launchready")).arg("explain").output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let listed = all(r"(?m)^  ([a-z0-9-]+) ", &listed);
    let names: BTreeSet<String> = listed.iter().map(|name| format!("{name}.html")).collect();
    assert!(names.len() > 70 && names.len() == listed.len(), "{listed:?}");
    let own = ["index.html", "codes.html"].map(str::to_owned);
    let wanted: BTreeSet<String> = names.iter().cloned().chain(own).collect();
    assert_eq!(pages.keys().cloned().collect::<BTreeSet<_>>(), wanted);
    // The table of contents names each of them once.
    let list = pages["index.html"].split_once("class=\"columns\"").unwrap().1;
    let linked = all("href=\"([^\"]+)\"", list);
    assert_eq!(linked.len(), names.len());
    assert_eq!(linked.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), names);
    for plugin in registry::ALL {
        let meta = plugin.meta;
        let page = &pages[&format!("{}.html", meta.id)];
        for part in ["What it checks", "How to fix", "How to undo"] {
            assert!(page.contains(&format!("<h2>{part}</h2>")), "{} lacks {part}", meta.id);
        }
        for spec in meta.findings {
            let anchor = format!("id=\"{}\"", spec.code);
            assert_eq!(page.matches(&anchor).count(), 1, "{}", spec.code);
            let codes = &pages["codes.html"];
            assert_eq!(codes.matches(&anchor).count(), 1, "{}", spec.code);
            assert!(codes.contains(&format!("href=\"{}.html#{}\"", meta.id, spec.code)));
        }
    }
    // Every word of a topic is on its page.
    let tags = Regex::new("<[^>]*>").unwrap();
    for topic in topics().iter().chain(&accounts()) {
        let drawn = tags.replace_all(&pages[&format!("{}.html", topic.name)], "").into_owned();
        let drawn =
            [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")]
                .iter()
                .fold(drawn, |text, (mark, letter)| text.replace(mark, letter));
        let words: BTreeSet<&str> = drawn.split_whitespace().collect();
        for word in topic.text.lines().filter(|line| !line.starts_with("```")).flat_map(|line| {
            line.split_whitespace().map(|word| word.trim_matches('`').trim_end_matches("`."))
        }) {
            let is_mark = word.chars().all(|c| !c.is_alphanumeric()) || word.contains('`');
            let is_step = word.trim_end_matches('.').parse::<u32>().is_ok();
            let has = is_mark || is_step || words.iter().any(|drawn| drawn.contains(word));
            assert!(has, "{} lacks {word:?}", topic.name);
        }
    }
}

#[test]
fn every_link_leads_to_a_page_and_a_place_on_it() {
    let pages = handbook();
    let mut seen = 0;
    for (name, html) in &pages {
        for link in all("href=\"([^\"]*)\"", html) {
            let (file, place) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                html
            } else {
                pages.get(file).unwrap_or_else(|| panic!("{name} leads to {link}"))
            };
            let is_there = place.is_empty() || target.contains(&format!(" id=\"{place}\""));
            assert!(is_there, "{name} leads to {link}");
            seen += 1;
        }
    }
    assert!(seen > 1000, "only {seen} links were found");
    // What a page names as code can be followed.
    assert!(
        pages["start.html"]
            .contains("<a href=\"agent.html\"><code>launchready explain agent</code></a>")
    );
    assert!(pages["goals.html"].contains("<a href=\"web-speed.html#page-performance-low\">"));
}

#[test]
fn nothing_is_loaded_from_outside_and_each_page_is_whole() {
    for (name, html) in handbook() {
        assert!(html.starts_with("<!doctype html>\n<html lang=\"en\">"), "{name}");
        for loads in
            [" src=", "<script", "<link", "<img", "<iframe", "@import", "url(", " style=", " on"]
        {
            let tags = all("(<[^>]*>)", &html).concat();
            assert!(!tags.contains(loads), "{name} holds {loads}");
        }
        let style = html.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
        assert!(!style.contains("url(") && !style.contains("@import"), "{name}");
        assert!(style.contains("@media print") && style.contains("prefers-color-scheme: dark"));
        assert!(html.contains("Content-Security-Policy\" content=\"default-src 'none'"), "{name}");
        assert!(html.contains("width=device-width"), "{name}");
        assert_eq!(html.matches("<h1>").count(), 1, "{name}");
        let mut depth = 0;
        for level in all("<h([1-6])", &html) {
            let level: usize = level.parse().unwrap();
            assert!(level <= depth + 1, "{name}: h{level} follows h{depth}");
            depth = level;
        }
        let ids = all(" id=\"([^\"]*)\"", &html);
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{name} uses an id twice");
        for rest in ["<p>#", "<p>- ", "<p>|", "<p>1. ", "```", "**"] {
            assert!(!html.contains(rest), "{name} holds {rest}");
        }
        for list in ["ul", "ol"] {
            let (opened, closed) = (format!("<{list}"), format!("</{list}>"));
            assert_eq!(html.matches(&opened).count(), html.matches(&closed).count(), "{name}");
        }
    }
}

#[test]
fn it_writes_over_its_own_files_and_over_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("notes.txt"), "mine").unwrap();
    let first = explain(at);
    assert!(first.status.success(), "{first:?}");
    let said = String::from_utf8(first.stdout).unwrap();
    let index = at.join("index.html");
    assert!(said.contains(&format!("Open {} in a browser.", index.display())), "{said}");
    let before = files(at);
    assert!(said.starts_with(&format!("{} pages", before.len() - 1)), "{said}");
    let torn = before["mail-spf.html"].split_once("<title>").unwrap().0.to_owned();
    std::fs::write(at.join("mail-spf.html"), torn).unwrap();
    assert!(explain(at).status.success());
    assert_eq!(files(at), before, "the same program gives the same bytes");

    std::fs::write(&index, "<h1>My own site</h1>").unwrap();
    std::fs::remove_file(at.join("mail-spf.html")).unwrap();
    let refused = explain(at);
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        said.contains(&index.display().to_string()) && said.contains("another folder"),
        "{said}"
    );
    assert_eq!(std::fs::read_to_string(&index).unwrap(), "<h1>My own site</h1>");
    assert!(!at.join("mail-spf.html").exists(), "nothing is written beside it");

    let both = Command::new(env!("CARGO_BIN_EXE_launchready"))
        .args(["explain", "mail-spf", "--html"])
        .arg(at)
        .output()
        .unwrap();
    assert_eq!(both.status.code(), Some(2));
    let file = explain(&at.join("notes.txt"));
    assert_eq!(file.status.code(), Some(3), "a file is no folder: {file:?}");
}
