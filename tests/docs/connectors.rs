//! The pages of accounts of outside systems.

use std::collections::BTreeSet;
use std::path::Path;

use clap::Parser as _;
use launchready::cli::Cli;
use launchready::config::parse;
use launchready_checks::registry;
use launchready_checks::stripe::{RIGHTS, rights};

use super::{accounts, fenced, page};

/// Files of `src/connect` that belong to no account of an outside system.
const GROUND: [&str; 13] = [
    "answer",
    "api",
    "checkouts_file",
    "database",
    "grant",
    "mod",
    "outlying",
    "pace",
    "pages",
    "reach",
    "relations",
    "shape",
    "shown",
];

/// What each page of an account says, in this order.
const HEADINGS: [&str; 6] = [
    "## What to create",
    "## Least rights",
    "## What is read",
    "## What is never done",
    "## What cannot be seen",
    "## Limits and pace",
];

#[test]
fn every_connector_has_a_page_with_the_fixed_headings() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/connect");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files: BTreeSet<String> =
        files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    let own = files.into_iter().filter(|file| !GROUND.contains(&file.as_str()));
    let pages = accounts();
    assert_eq!(own.collect::<Vec<_>>(), pages.keys().cloned().collect::<Vec<_>>());
    for (name, text) in &pages {
        let headings: Vec<_> = text.lines().filter(|line| line.starts_with("## ")).collect();
        assert_eq!(headings, HEADINGS, "{name}");
        let mut parts = text.split("\n## ").skip(1);
        assert!(parts.all(|part| part.lines().any(|line| line.ends_with('.'))), "{name}");
        assert!(text.starts_with("# "), "{name}");
        let cli = Cli::try_parse_from(["launchready", "explain", name]);
        assert!(cli.is_ok(), "{name}");
    }
}

#[test]
fn the_page_of_an_account_shows_its_credentials_and_the_config_knows_them() {
    for (name, text) in accounts() {
        let toml: String = fenced(&text).into_iter().map(|(_, block)| block).collect();
        let config = parse(&toml, Path::new(".")).unwrap();
        let tables = serde_json::to_value(&config.projects[0].accounts.tables).unwrap();
        let (table, values) = tables
            .as_object()
            .unwrap()
            .iter()
            .find(|(table, values)| **table == name || values["kind"] == name.as_str())
            .unwrap_or_else(|| panic!("{name}: {tables}"));
        assert!(text.contains(&format!("[project.{table}]")), "{name}");
        // A credential is what says where it is.
        let fields = values.as_object().unwrap().iter();
        let secrets = fields.filter(|(_, value)| value.get("env").is_some());
        let secrets: Vec<_> = secrets.map(|(key, _)| key.clone()).collect();
        assert!(!secrets.is_empty(), "{name}: {values}");
        for key in secrets {
            assert!(text.contains(&format!("`{key}`")), "{name} says nothing of {key}");
        }
    }
}

#[test]
fn the_rights_of_a_stripe_key_are_one_list() {
    let stripe = page("docs/connectors/stripe.md");
    let line = format!("- Read for {}; nothing with Write.\n", rights());
    assert!(stripe.contains(&line), "{line}");
    let example = page("config.toml").replace("\n# ", " ");
    let line = format!("with Read for {}, and nothing else.", rights());
    assert!(example.contains(&line), "{line}");
    // The lab refuses what a key has no right to, and its key reads all that the checks ask for.
    let slugs = stripe.lines().find_map(|line| line.strip_prefix("- By their slugs: ")).unwrap();
    let slugs: BTreeSet<_> = slugs.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    let lab = page("lab/scenarios/healthy.toml");
    let granted = lab.lines().filter(|line| line.starts_with("    \"rak_"));
    let granted = granted.map(|line| line.split('"').nth(1).unwrap().to_owned());
    assert_eq!(slugs, granted.collect::<BTreeSet<_>>());
    assert_eq!(slugs.len(), RIGHTS.len());
}

#[test]
fn the_variable_of_a_stripe_key_has_one_name() {
    for name in
        ["docs/connectors/stripe.md", "docs/ci.md", "examples/github-workflow.yml", "config.toml"]
    {
        let text = page(name);
        assert!(text.contains("STRIPE_RESTRICTED_KEY"), "{name}");
        assert!(!text.contains("STRIPE_KEY"), "{name}");
    }
}

#[test]
fn codes_that_a_page_of_an_account_names_exist() {
    let mut seen = 0;
    for (name, text) in accounts() {
        for piece in text.split('`').skip(1).step_by(2) {
            let start = piece.split('-').next().unwrap();
            let known = registry::ALL.iter().any(|plugin| plugin.meta.area.as_str() == start);
            if known && piece.contains('-') && !piece.contains(' ') && !piece.ends_with('*') {
                let is_known =
                    registry::find(piece).is_some() || registry::find_code(piece).is_some();
                assert!(is_known, "{name} names {piece}");
                seen += 1;
            }
        }
    }
    assert!(seen > 15, "only {seen} names were found");
}
