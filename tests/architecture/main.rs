//! Who may import whom, and the other rules that a reader of the source relies on.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says so when it is skipped"
)]

mod imports;
mod parts;

#[path = "../support/missing.rs"]
mod missing;

use std::path::{Path, PathBuf};
use std::process::Command;

use imports::{Import, allows, imports, module};
use parts::{CHECKS, PROGRAM, Part};

/// What the checks may depend on: data and parsers of bytes, and nothing that reaches the world.
const DEPENDENCIES: &[&str] = &[
    "aho-corasick",
    "base64",
    "bytes",
    "futures-util",
    "hex",
    "html5ever",
    "jiff",
    "psl",
    "regex",
    "schemars",
    "serde",
    "serde_json",
    "sha2",
    "thiserror",
    "url",
    "x509-parser",
];

/// The most lines of a source file.
const LINES: usize = 400;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every source file below a folder, by its path from the root.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut left = vec![root().join(folder)];
    while let Some(folder) = left.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(root()).unwrap().to_owned(), text));
            }
        }
    }
    found.sort();
    found
}

/// What breaks the table.
fn broken(folder: &str, parts: &[Part]) -> Vec<String> {
    let mut wrong = Vec::new();
    assert!(!sources(folder).is_empty(), "{folder} holds no source");
    for (file, text) in sources(folder) {
        let module = module(&file);
        let Some(name) = module.first() else { continue };
        let Some(part) = parts.iter().find(|part| part.name == name) else {
            wrong.push(format!("{}: the table does not know the part {name}", file.display()));
            continue;
        };
        for Import { line, path } in imports(&module, &text) {
            let (start, rest) = path.split_first().unwrap();
            let good = match start.as_str() {
                "crate" => rest.first().is_none_or(|first| first == name) || allows(part.own, rest),
                "launchready_checks" => allows(part.checks, rest),
                "launchready_lab" => name == "cli",
                _ => false,
            };
            if !good {
                wrong.push(format!("{}:{line}: {}", file.display(), path.join("::")));
            }
        }
    }
    wrong
}

#[test]
fn every_part_imports_only_what_it_may() {
    let mut wrong = broken("src", PROGRAM);
    wrong.extend(broken("checks/src", CHECKS));
    for (file, text) in sources("lab/src") {
        for Import { line, path } in imports(&module(&file), &text) {
            let good = matches!(path[0].as_str(), "crate" | "launchready_lab")
                || path.starts_with(&["launchready_checks".to_owned(), "contract".to_owned()]);
            if !good {
                wrong.push(format!("{}:{line}: {}", file.display(), path.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "imports that the table forbids:\n{}", wrong.join("\n"));
}

/// What starts programs: those that the config names, and git for the folder of a source.
const STARTERS: [&str; 2] = ["src/probe/command.rs", "src/probe/files/git.rs"];

#[test]
fn programs_are_started_out_of_reach_of_the_page() {
    let starts = |line: &str| line.contains("process::") && line.contains("Command");
    let mut starters = Vec::new();
    for folder in ["src", "checks/src"] {
        for (file, text) in sources(folder) {
            if text.contains("tokio::process") || text.lines().any(starts) {
                starters.push(file.to_str().unwrap().to_owned());
            }
        }
    }
    assert_eq!(starters, STARTERS);
    // Neither the page nor what it imports as a whole imports the part that holds them, nor who builds it.
    let mut reached = vec!["web"];
    let mut next = 0;
    while let Some(name) = reached.get(next) {
        next += 1;
        let part = PROGRAM.iter().find(|part| part.name == *name).unwrap();
        for own in part.own {
            if !own.contains("::") && !reached.contains(own) {
                reached.push(own);
            }
        }
    }
    assert!(reached.contains(&"store"), "{reached:?}");
    assert!(!reached.iter().any(|part| ["app", "cli", "connect", "probe"].contains(part)));
}

#[test]
fn checks_depend_on_nothing_that_reaches_the_world() {
    let text = std::fs::read_to_string(root().join("checks/Cargo.toml")).unwrap();
    let manifest: toml::Table = text.parse().unwrap();
    for name in manifest["dependencies"].as_table().unwrap().keys() {
        assert!(DEPENDENCIES.contains(&name.as_str()), "the checks depend on {name}");
    }
}

#[test]
fn one_library_does_all_cryptography() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    for name in ["openssl", "openssl-sys", "native-tls"] {
        assert!(!lock.contains(&format!("name = \"{name}\"\n")), "{name} is in Cargo.lock");
    }
    // The lock names what any feature could ask for; the tree holds what is built.
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--workspace", "--locked", "--offline", "--edges", "normal,build"])
        .args(["--prefix", "none", "--format", "{p}"])
        .current_dir(root())
        .output()
        .unwrap();
    let built = String::from_utf8(tree.stdout).unwrap();
    assert!(built.lines().any(|line| line.starts_with("aws-lc-rs ")), "{built}");
    assert!(!built.lines().any(|line| line.starts_with("ring ")), "ring is built");
}

#[test]
fn every_source_file_is_short_and_says_what_it_is() {
    let mut wrong = Vec::new();
    for folder in ["src", "checks/src", "lab/src"] {
        for (file, text) in sources(folder) {
            let lines = text.lines().count();
            if lines > LINES {
                wrong.push(format!("{} has {lines} lines; {LINES} are the most", file.display()));
            }
        }
    }
    for folder in ["src", "checks", "lab", "tests", "benches"] {
        for (file, text) in sources(folder) {
            let is_told = text.starts_with("//! ") || text.starts_with("#![doc = include_str!");
            if !is_told {
                wrong.push(format!("{} does not begin with //!", file.display()));
            }
            for unfinished in ["todo", "unimplemented"] {
                if text.contains(&format!("{unfinished}!(")) {
                    wrong.push(format!("{} holds {unfinished}!", file.display()));
                }
            }
            if text.contains(concat!("#[", "ignore")) {
                wrong.push(format!("{} holds a test that never runs", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_names_a_folder_of_one_machine() {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output();
    let Some(listed) = listed.ok().filter(|output| output.status.success()) else {
        missing::lacks("folders of one machine", "git does not list the files");
        return;
    };
    let machines = [concat!("/wo", "rk/"), concat!("/ro", "ot/")];
    for name in String::from_utf8(listed.stdout).unwrap().split_terminator('\0') {
        // A file may be listed and taken away, and some are no text.
        let Ok(text) = std::fs::read_to_string(root().join(name)) else { continue };
        for (number, line) in text.lines().enumerate() {
            let found = machines.iter().any(|folder| line.contains(folder));
            assert!(!found, "{name}:{}: {line}", number + 1);
        }
    }
}
