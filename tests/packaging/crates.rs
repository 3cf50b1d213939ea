//! Every crate of the program has a licence that may be handed on, comes from crates.io, and is there once;
//! `.deny.toml` says so, and cargo-deny reads it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::repository;
use crate::support::missing::lacks;

/// Where `tests/tools/cargo-deny.sh` puts it; nothing where it has not run.
fn tool() -> Option<PathBuf> {
    let tool = repository("target/test-tools/cargo-deny");
    if tool.is_file() {
        return Some(tool);
    }
    lacks("cargo-deny", "it is missing; run tests/tools/cargo-deny.sh");
    None
}

/// What cargo-deny says of our crates by a config.
fn check(tool: &Path, config: &Path) -> (bool, String) {
    let mut command = Command::new(tool);
    command.args(["--locked", "--offline", "--config"]).arg(config);
    command.args(["check", "--hide-inclusion-graph", "bans", "licenses", "sources"]);
    command.current_dir(repository("."));
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (status.success(), text(&stdout) + &text(&stderr))
}

#[test]
fn every_crate_is_one_that_may_be_in_the_program() {
    let Some(tool) = tool() else { return };
    let (good, said) = check(&tool, &repository(".deny.toml"));
    assert!(good && said.contains("bans ok, licenses ok, sources ok"), "{said}");
    // A reason that no longer holds is a warning, and goes.
    assert!(!said.contains("warning["), "{said}");
}

#[test]
fn a_second_version_a_licence_and_a_source_that_are_not_listed_are_refused() {
    let Some(tool) = tool() else { return };
    let text = std::fs::read_to_string(repository(".deny.toml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (taken, put, said) in [
        ("    \"MIT\",\n", "", "licenses FAILED"),
        ("{ crate = \"nom@7\"", "{ crate = \"nom@1\"", "bans FAILED"),
        ("{ crate = \"ring\"", "{ crate = \"rustls\"", "bans FAILED"),
        ("unknown-git = \"deny\"", "unknown-git = \"deny\"\nallow-registry = []", "sources FAILED"),
    ] {
        assert_eq!(text.matches(taken).count(), 1, "{taken}");
        let config = folder.path().join("deny.toml");
        std::fs::write(&config, text.replace(taken, put)).unwrap();
        let (good, told) = check(&tool, &config);
        assert!(!good && told.contains(said), "{taken}: {told}");
    }
}

#[test]
fn each_exception_says_why() {
    let text = std::fs::read_to_string(repository(".deny.toml")).unwrap();
    let table: toml::Table = text.parse().unwrap();
    let mut seen = 0;
    for list in ["skip", "deny"] {
        for entry in table["bans"][list].as_array().unwrap() {
            let reason = entry["reason"].as_str().unwrap_or_default();
            assert!(reason.len() > 8, "{entry}");
            seen += 1;
        }
    }
    assert!(seen > 10, "only {seen} entries were found");
}
