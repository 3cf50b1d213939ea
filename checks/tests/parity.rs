//! Keeps every mention of a check in step with `registry::ALL`, by name, both ways.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use launchready_checks::contract::{Area, CheckMeta, Need, Plugin};
use launchready_checks::registry;

/// The headings of a handbook page, in order.
const HEADINGS: [&str; 9] = [
    "What it checks",
    "Why it matters",
    "How to fix",
    "How to undo",
    "Options",
    "Findings",
    "Measurements",
    "Limits",
    "References",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The lines below a `##` heading of a page.
fn section<'a>(meta: &CheckMeta, heading: &str) -> Vec<&'a str> {
    let doc: &'static str = meta.doc;
    doc.lines()
        .skip_while(|line| *line != format!("## {heading}"))
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
        .collect()
}

/// The names in lines such as "- `name`: text".
fn bullets(lines: &[&str]) -> Vec<String> {
    let name = |line: &&str| Some(line.strip_prefix("- `")?.split_once('`')?.0.to_owned());
    lines.iter().filter_map(name).collect()
}

fn option_names(plugin: &Plugin) -> Vec<(String, serde_json::Value)> {
    let defaults = (plugin.defaults)();
    let object = defaults.as_object().cloned().unwrap_or_default();
    object.into_iter().collect()
}

#[test]
fn every_page_has_the_fixed_headings_codes_options_and_measurements() {
    let mut wrong = Vec::new();
    for plugin in registry::ALL {
        let (id, meta) = (plugin.meta.id, plugin.meta);
        let mut mismatches = Vec::new();
        let mut expect = |what: &str, found: Vec<String>, wanted: Vec<String>| {
            if found != wanted {
                mismatches.push(format!("{id}: {what}\n  page: {found:?}\n  code: {wanted:?}"));
            }
        };
        let first = meta.doc.lines().next().unwrap_or_default().to_owned();
        expect("first line", vec![first], vec![format!("# {id}")]);
        let headings = meta.doc.lines().filter_map(|line| line.strip_prefix("## "));
        expect(
            "headings",
            headings.map(str::to_owned).collect(),
            HEADINGS.iter().map(|heading| (*heading).to_owned()).collect(),
        );
        let findings = section(meta, "Findings");
        let codes = findings.iter().filter_map(|line| line.strip_prefix("### "));
        expect(
            "finding codes",
            codes.map(str::to_owned).collect(),
            meta.findings.iter().map(|spec| spec.code.to_owned()).collect(),
        );
        let options = option_names(plugin);
        expect(
            "options",
            bullets(&section(meta, "Options")),
            options.iter().map(|(name, _)| name.clone()).collect(),
        );
        for (name, default) in options {
            let text = match default {
                serde_json::Value::String(text) => format!("`{text}`"),
                serde_json::Value::Array(list) if list.is_empty() => "none".to_owned(),
                serde_json::Value::Null => "none".to_owned(),
                other => format!("`{other}`"),
            };
            let line = format!("- `{name}`:");
            let options = section(meta, "Options");
            let documented = options.iter().find(|l| l.starts_with(&line));
            if !documented.is_some_and(|line| line.contains(&format!("default {text}"))) {
                wrong
                    .push(format!("{id}: option {name} is not documented with \"default {text}\""));
            }
        }
        let measurements = section(meta, "Measurements");
        expect(
            "measurements",
            bullets(&measurements),
            meta.measurements.iter().map(|spec| spec.name.to_owned()).collect(),
        );
        wrong.extend(mismatches);
        for spec in meta.measurements {
            if !measurements.iter().any(|line| line.contains(&format!("(`{}`)", spec.metric))) {
                wrong.push(format!("{id}: the page does not name the metric {}", spec.metric));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_id_is_its_file_and_every_file_a_check() {
    let mut files = BTreeSet::new();
    for area in Area::ALL.map(Area::as_str) {
        // An area whose checks are still to come has no folder.
        let Ok(entries) = std::fs::read_dir(root().join("checks/src").join(area)) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "md") {
                let stem = path.file_stem().unwrap().to_string_lossy().replace('_', "-");
                assert!(path.with_extension("rs").exists() || path.with_extension("").is_dir());
                files.insert(format!("{area}-{stem}"));
            }
        }
    }
    let ids: BTreeSet<String> = registry::ALL.iter().map(|p| p.meta.id.to_owned()).collect();
    assert_eq!(files, ids, "pages on the left, registry on the right");
    assert_eq!(ids.len(), registry::ALL.len(), "ids are unique");
    for plugin in registry::ALL {
        assert!(plugin.meta.id.starts_with(&format!("{}-", plugin.meta.area.as_str())));
    }
}

#[test]
fn fixtures_and_snapshots_belong_to_a_check() {
    let ids: BTreeSet<String> = registry::ALL.iter().map(|p| p.meta.id.to_owned()).collect();
    for plugin in &ids {
        assert!(root().join("tests/fixtures").join(plugin).is_dir(), "no fixtures of {plugin}");
    }
    let snapshots = root().join("tests/snapshots/fixtures");
    for entry in std::fs::read_dir(snapshots).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        let (id, case) = name.strip_suffix(".snap").unwrap().split_once("__").unwrap();
        let fixture = root().join("tests/fixtures").join(id).join(format!("{case}.toml"));
        assert!(fixture.exists(), "{name} has no case");
    }
}

#[test]
fn codes_and_metrics_are_unique_and_well_named() {
    let mut codes = BTreeSet::new();
    let mut metrics = BTreeSet::new();
    for plugin in registry::ALL {
        for spec in plugin.meta.findings {
            assert!(codes.insert(spec.code), "{} is used twice", spec.code);
            let well_named = spec.code.split('-').all(|word| {
                !word.is_empty()
                    && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
            });
            assert!(well_named, "{}", spec.code);
            for banned in ["check-", "verify-", "validate-", "use-", "should-"] {
                assert!(!spec.code.starts_with(banned), "{} names a remedy", spec.code);
            }
            assert!(!spec.title.ends_with('.') && spec.why.ends_with('.'), "{}", spec.code);
        }
        for spec in plugin.meta.measurements {
            assert!(metrics.insert(spec.metric), "{} is used twice", spec.metric);
            assert!(spec.metric.starts_with("launchready_"), "{}", spec.metric);
            assert!(spec.help.ends_with('.'), "{}", spec.metric);
        }
    }
}

/// The closed list of codes, with severity, urgency and what unseen means, pinned as a whole.
#[test]
fn the_list_of_codes_is_pinned() {
    let mut text = String::new();
    for plugin in registry::ALL {
        for spec in plugin.meta.findings {
            let line = format!(
                "{} {} {:?} {:?} {:?}\n",
                plugin.meta.id, spec.code, spec.severity, spec.urgency, spec.unseen
            );
            text.push_str(&line);
        }
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(root().join("tests/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!("codes", text));
}

/// A check that counts what others measure names them; a name that vanishes would be counted as unseen.
#[test]
fn every_figure_that_a_check_counts_is_measured_by_another_one() {
    for plugin in registry::ALL {
        let figures = plugin.meta.needs.iter().filter_map(|need| match need {
            Need::Figures(figures) => Some(*figures),
            Need::Ownership | Need::Setting(_) => None,
        });
        for (check, measurement) in figures.flatten() {
            let counted = registry::find(check).unwrap().meta;
            assert_ne!(counted.id, plugin.meta.id);
            let known = counted.measurements.iter().any(|spec| spec.name == *measurement);
            assert!(known, "{} counts {measurement} of {check}", plugin.meta.id);
        }
    }
}
