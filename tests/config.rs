//! config.toml, the schema and the registry are kept in step, by name, both ways.
//!
//! The part of config.toml below its last heading is written from the registry; `UPDATE=1 cargo test
//! --test config` writes it anew.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and reads its own setting"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use launchready::config::{load, parse, schema};
use launchready_checks::registry;
use serde_json::Value;

/// The last line that is written by hand.
const MARK: &str =
    "# Everything from here on is the default. `launchready explain ID` has the handbook page.\n";

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config.toml")
}

/// Every check's table with its defaults, each option below its description.
fn defaults() -> String {
    let mut text = String::new();
    for plugin in registry::ALL {
        let defaults = (plugin.defaults)();
        let schema = (plugin.schema)().to_value();
        writeln!(text, "\n# {}\n[checks.{}]", plugin.meta.title, plugin.meta.id).unwrap();
        for (name, value) in defaults.as_object().into_iter().flatten() {
            let description = schema.pointer(&format!("/properties/{name}/description"));
            let description = description.and_then(Value::as_str).unwrap_or_default();
            for line in textwrap::wrap(&description.replace('\n', " "), 98) {
                writeln!(text, "# {line}").unwrap();
            }
            if value.is_null() {
                writeln!(text, "# {name} = …").unwrap();
            } else {
                let value: toml::Value = serde_json::from_value(value.clone()).unwrap();
                writeln!(text, "{name} = {value}").unwrap();
            }
        }
    }
    text
}

#[test]
fn the_example_loads_and_names_every_check_with_its_defaults() {
    let text = std::fs::read_to_string(path()).unwrap();
    let (head, tail) = text.split_once(MARK).expect("config.toml lacks its last heading");
    if std::env::var("UPDATE").is_ok() {
        std::fs::write(path(), format!("{head}{MARK}{}", defaults())).unwrap();
        return;
    }
    assert_eq!(tail, defaults(), "run UPDATE=1 cargo test --test config");
    let config = load(&path()).unwrap_or_else(|error| panic!("{error}"));
    for plugin in registry::ALL {
        let project = config.projects.first().unwrap();
        let options = project.options_of(plugin.meta.id);
        let built = (plugin.build)(&options).unwrap();
        assert_eq!(built.options(), (plugin.defaults)(), "{}", plugin.meta.id);
    }
}

#[test]
fn the_schema_knows_every_check_and_no_other() {
    let schema = schema();
    let known = schema.pointer("/$defs/Checks/properties").unwrap().as_object().unwrap();
    let known: BTreeSet<_> = known.keys().map(String::as_str).collect();
    let ids: BTreeSet<_> = registry::ALL.iter().map(|plugin| plugin.meta.id).collect();
    assert_eq!(known, ids);
    assert!(jsonschema::meta::is_valid(&schema), "the schema is a schema");
    let text = std::fs::read_to_string(path()).unwrap();
    let example: Value = toml::from_str(&text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> = validator.iter_errors(&example).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn a_misspelt_option_of_every_check_is_one_error_with_its_line() {
    for plugin in registry::ALL {
        let text = format!("[checks.{}]\nno_such_option_here = 1\n", plugin.meta.id);
        let errors = parse(&text, Path::new(".")).unwrap_err();
        assert_eq!(errors.0.len(), 1, "{errors}");
        assert_eq!(errors.0.first().unwrap().line, 2, "{errors}");
    }
}
