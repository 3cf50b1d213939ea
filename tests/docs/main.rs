//! What stands in README and docs is so: every command can be typed, every snippet is a config, and every
//! default is the one in force.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

mod connectors;

use std::collections::BTreeMap;
use std::path::Path;

use clap::Parser as _;
use launchready::cli::{Cli, Command};
use launchready::config::{AgentTable, PolicyTable, parse};
use launchready::incident::Policy;
use launchready::report::GOALS;
use launchready_checks::contract::ATTESTATIONS;
use launchready_checks::registry;
use serde_json::Value;

const PAGES: [&str; 13] = [
    "README.md",
    "docs/start.md",
    "docs/agent.md",
    "docs/agency.md",
    "docs/alerts.md",
    "docs/goals.md",
    "docs/runbooks.md",
    "docs/ci.md",
    "docs/trace.md",
    "docs/upgrade.md",
    "SECURITY.md",
    "packaging/README.md",
    "dashboards/README.md",
];

/// The pages of accounts, by name.
fn accounts() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/connectors");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let named = |path: std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read_to_string(path).unwrap())
    };
    files.map(named).collect()
}

/// The names of all pages, those of accounts included.
fn pages() -> Vec<String> {
    let accounts = accounts().into_keys().map(|name| format!("docs/connectors/{name}.md"));
    PAGES.into_iter().map(str::to_owned).chain(accounts).collect()
}

fn page(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// Text between fences, each with the word behind the first one.
fn fenced(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(_), Some(block)) => found.push(block),
            (Some(word), None) => open = Some((word.to_owned(), String::new())),
            (None, Some((word, block))) => open = Some((word, block + line + "\n")),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fence stays open");
    found
}

/// What can be typed: lines of shell blocks, and pieces of code within sentences and tables.
fn commands(text: &str) -> Vec<String> {
    let shell = fenced(text).into_iter().filter(|(word, _)| word == "sh").map(|(_, block)| block);
    let lines: Vec<String> =
        shell.flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    let mut outside = String::new();
    let mut is_fenced = false;
    for line in text.lines() {
        is_fenced ^= line.starts_with("```");
        if !is_fenced && !line.starts_with("```") {
            outside.push_str(line);
            outside.push('\n');
        }
    }
    let pieces = outside.split('`').skip(1).step_by(2).map(str::to_owned);
    let all = lines.into_iter().chain(pieces);
    all.filter_map(|line| {
        let line = line.strip_prefix("sudo -u launchready ").unwrap_or(&line);
        let cargo = line.strip_prefix("cargo run --release -- ");
        match cargo {
            Some(rest) => Some(format!("launchready {rest}")),
            None => line.starts_with("launchready ").then(|| line.to_owned()),
        }
    })
    .collect()
}

/// The words of a command as a shell gives them to the program.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match (c, quote) {
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            ('>' | '#', None) => break,
            (' ', None) => words.push(String::new()),
            _ => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn every_command_can_be_typed() {
    let mut seen = 0;
    for name in &pages() {
        for line in commands(&page(name)) {
            let cli = Cli::try_parse_from(words(&line));
            let cli = cli.unwrap_or_else(|error| panic!("{name}: {line}\n{error}"));
            let known =
                |id: &str| registry::find(id).is_some() || registry::find_code(id).is_some();
            match &cli.command {
                Command::Check(args) => assert!(registry::find(&args.id).is_some(), "{line}"),
                Command::Explain(args) => {
                    let topics = launchready::handbook::topics();
                    let accounts = accounts();
                    let is_known = |name: &String| {
                        known(name)
                            || topics.iter().any(|topic| topic.name == name)
                            || accounts.contains_key(name)
                    };
                    assert!(args.name.as_ref().is_none_or(is_known), "{name}: {line}");
                }
                _ => {}
            }
            seen += 1;
        }
    }
    assert!(seen > 30, "only {seen} commands were found");
}

#[test]
fn a_shell_takes_words_apart_as_the_test_does() {
    let line = "launchready silence add --for 2h --reason \"a b\" --by 'c d' > file # why";
    let wanted = ["launchready", "silence", "add", "--for", "2h", "--reason", "a b", "--by", "c d"];
    assert_eq!(words(line), wanted);
    let text = "Type `launchready man` or `this`.\n```sh\nlaunchready agent\n```\n```text\nlaunchready x\n```\n";
    assert_eq!(commands(text), ["launchready agent", "launchready man"]);
}

#[test]
fn every_snippet_is_a_config() {
    let mut seen = 0;
    for name in &pages() {
        for (word, block) in fenced(&page(name)) {
            if word == "toml" {
                let read = parse(&block, Path::new("."));
                assert!(read.is_ok(), "{name}:\n{block}\n{}", read.unwrap_err());
                seen += 1;
            }
        }
    }
    assert!(seen >= 5, "only {seen} snippets were found");
}

#[test]
fn every_line_that_calls_a_heartbeat_tries_again_where_nothing_listens() {
    let mut seen = 0;
    let unheard = page("tests/snapshots/fixtures/ops-heartbeat__unheard.snap");
    for text in PAGES.map(page).into_iter().chain([unheard]) {
        for (at, _) in text.match_indices("curl -") {
            let line = text[at..].lines().next().unwrap();
            let (flags, address) = line.split_once("/dev/null ").unwrap_or_default();
            if address.split(' ').next().unwrap().contains("/heartbeat/") {
                let wanted = "-fsS -m 10 --retry 5 --retry-connrefused --retry-delay 10 -o ";
                assert_eq!(flags, format!("curl {wanted}"), "{line}");
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 5, "four in the handbook and one in the fix");
}

/// ``- `key`: …; default `value`.``
fn defaults(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("- `"));
    lines
        .filter_map(|line| {
            let (key, rest) = line.split_once("`: ")?;
            let value = rest.split_once("; default `")?.1.strip_suffix("`.")?;
            Some((key.to_owned(), value.to_owned()))
        })
        .collect()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[test]
fn the_defaults_of_alerts_are_those_in_force_and_none_is_left_out() {
    let rules = serde_json::to_value(PolicyTable::from(&Policy::default())).unwrap();
    let wanted: BTreeMap<String, String> =
        rules.as_object().unwrap().iter().map(|(key, value)| (key.clone(), plain(value))).collect();
    assert_eq!(defaults(&page("docs/alerts.md")), wanted);
}

#[test]
fn the_numbers_in_the_sentences_of_alerts_are_the_defaults_too() {
    let policy = Policy::default();
    let text = page("docs/alerts.md");
    for sentence in [
        format!("looks again after {} seconds", policy.look_again.as_secs()),
        format!("opens within {} seconds", policy.group_wait.as_secs()),
        format!("sent after {} minutes", policy.first_look_wait.as_secs() / 60),
        format!("again every {} hours", policy.reminder.as_secs() / 3_600),
        format!("{} times within {} hour", policy.flap_turns, policy.flap_window.as_secs() / 3_600),
        format!("After {} minutes without a change", policy.flap_calm.as_secs() / 60),
        format!(
            "for {} due runs in a row, or for {} hour",
            policy.blind_runs,
            policy.blind_after.as_secs() / 3_600
        ),
    ] {
        assert!(text.contains(&sentence), "{sentence:?} does not stand in docs/alerts.md");
    }
    assert_eq!(
        (policy.confirmations, policy.recoveries),
        (2, 1),
        "the life of an incident says so"
    );
}

#[test]
fn the_page_of_goals_lists_what_each_goal_demands_and_nothing_else() {
    let text = page("docs/goals.md");
    for goal in GOALS {
        let heading = format!("\n## {}\n", goal.goal.as_str());
        let section = text.split_once(&heading).unwrap().1.split("\n## ").next().unwrap();
        let told: Vec<&str> = section
            .lines()
            .filter_map(|line| line.strip_prefix("- `")?.split('`').next())
            .collect();
        let raised = goal.raised.iter().map(|(code, _)| *code);
        let wanted: Vec<&str> = raised.chain(goal.proven.iter().map(|(id, _)| *id)).collect();
        assert_eq!(told, wanted, "{heading}");
        for (id, part) in goal.proven {
            let excuse = part.map(|part| format!("- `{id}`, unless `not_used` names `{part}`"));
            assert!(excuse.is_none_or(|excuse| section.contains(&excuse)), "{id}");
        }
    }
}

#[test]
fn the_page_of_attestations_lists_every_item_and_how_long_it_holds() {
    let page = registry::find("ops-attestation").unwrap().meta.doc;
    for item in ATTESTATIONS {
        assert!(page.contains(&format!("- `{}` ({}): ", item.id, item.valid)), "{}", item.id);
    }
    let section = page.split_once("## What it checks").unwrap().1.split("\n## ").next().unwrap();
    assert_eq!(section.matches("\n- `").count(), ATTESTATIONS.len());
}

#[test]
fn the_defaults_of_the_agent_are_those_in_force() {
    let table = serde_json::to_value(AgentTable::default()).unwrap();
    let told = defaults(&page("docs/agent.md"));
    assert!(!told.is_empty());
    for (key, value) in told {
        assert_eq!(plain(&table[&key]), value, "{key}");
    }
}

#[test]
fn files_that_a_page_links_to_exist() {
    let also = ["ARCHITECTURE.md", "CHANGELOG.md"].map(str::to_owned);
    for name in pages().iter().chain(&also) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        for piece in page(name).split("](").skip(1) {
            let target = piece.split(')').next().unwrap();
            if !target.contains("::") && !target.contains("://") {
                let path = folder.parent().unwrap().join(target);
                assert!(path.exists(), "{name} links to {target}");
            }
        }
    }
}

#[test]
fn the_readme_counts_the_planted_defects() {
    let planted = launchready_lab::World::load("broken").unwrap().defects().len();
    let readme = page("README.md");
    assert!(readme.contains(&format!("and {planted} planted defects")), "{planted} are planted");
}

#[test]
fn the_readme_counts_the_dashboards() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let count = files.filter(|path| path.extension().is_some_and(|end| end == "json")).count();
    let word = ["no", "one", "two", "three", "four", "five", "six"][count];
    assert!(page("README.md").contains(&format!("has {word} Grafana dashboards")), "{count}");
}
