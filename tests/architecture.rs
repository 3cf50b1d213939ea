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

use std::path::{Path, PathBuf};
use std::process::Command;

/// What one part of a crate may import.
struct Part {
    name: &'static str,
    /// Parts of its own crate; `name::Item` allows this item alone.
    own: &'static [&'static str],
    /// Parts of `launchready_checks`.
    checks: &'static [&'static str],
}

/// The parts of the program. Only `cli` imports `app`, and looking is below judging.
const PROGRAM: &[Part] = &[
    Part {
        name: "cli",
        own: &[
            "app",
            "clock",
            "config",
            "discover",
            "drill",
            "engine",
            "files",
            "handbook",
            "incident",
            "probe",
            "report",
            "schedule::Schedule",
            "store",
            "telemetry",
        ],
        checks: &["contract", "registry"],
    },
    // The only place that builds concretes, and so the only one that knows them all.
    Part {
        name: "app",
        own: &[
            "clock", "config", "connect", "discover", "drill", "engine", "incident", "metrics",
            "notify", "probe", "report", "schedule", "store", "web",
        ],
        checks: &[
            "contract",
            "crm",
            "dns::names",
            "mail::selectors",
            "orders::Difference",
            "orders::Standing",
            "orders::minor",
            "orders::reconcile",
            "orders::references",
            "probe",
            "registry",
            "secrets::downloads",
            "suffix",
            "webhook::processing",
        ],
    },
    Part { name: "clock", own: &[], checks: &[] },
    Part {
        name: "config",
        own: &[
            "files",
            "probe",
            "incident",
            "notify::ChannelKind",
            "notify::ChannelSettings",
            "notify::SmtpSecurity",
            "schedule",
        ],
        checks: &["contract", "probe::Missing", "probe::TableRole", "registry", "suffix"],
    },
    // One file per outside system; a credential is exposed here and nowhere else.
    Part {
        name: "connect",
        own: &[
            "clock",
            "config::AccountSettings",
            "config::Secret",
            "config::SecretRef",
            "config::AutomationKind",
            "config::AutomationTable",
            "config::CrmKind",
            "config::CrmTable",
            "config::DatabaseTable",
            "config::EdgeKind",
            "config::EdgeTable",
            "config::HostingKind",
            "config::HostingTable",
            "probe::Sharers",
            "config::StripeTable",
            "config::SupabaseTable",
            "config::SupportKind",
            "config::SupportTable",
            "files",
            "probe::bounded",
            "probe::fault",
        ],
        checks: &["contract", "probe"],
    },
    // The only part that changes anything outside, and only in test mode.
    Part {
        name: "drill",
        own: &["clock", "config", "connect", "probe::bounded", "probe::fault", "store"],
        checks: &["contract", "orders::Standing", "probe"],
    },
    // Pure: it is handed what was seen, and gives back text.
    Part {
        name: "discover",
        own: &[],
        checks: &[
            "document",
            "mail::providers",
            "mail::selectors",
            "stripe::RIGHTS",
            "suffix",
            "vendor",
        ],
    },
    Part {
        name: "engine",
        own: &["clock", "files", "incident", "store"],
        checks: &["contract", "probe", "registry"],
    },
    Part { name: "files", own: &[], checks: &[] },
    // Pure: pages of our own as text and HTML; who writes them to files is the command line.
    Part {
        name: "handbook",
        own: &["metrics::families", "report"],
        checks: &["contract", "registry"],
    },
    Part { name: "incident", own: &["schedule"], checks: &["contract"] },
    // How trust in a certificate is built has one home, the adapters.
    Part {
        name: "notify",
        own: &[
            "clock",
            "config::Secret",
            "incident",
            "probe::Network",
            "probe::Reach",
            "probe::RootsError",
            "probe::provider",
            "probe::roots",
            "store",
        ],
        checks: &["contract", "ops::hand_work", "registry"],
    },
    // Files are searched while they are read: no byte of them ever reaches a check.
    Part {
        name: "probe",
        own: &[
            "clock",
            "metrics::ProbeCertificate",
            "metrics::ProbeDns",
            "metrics::ProbeHttp",
            "metrics::ProbeResult",
        ],
        checks: &["contract", "probe", "secrets::detector"],
    },
    Part { name: "metrics", own: &["store", "report"], checks: &["contract", "registry"] },
    Part {
        name: "report",
        own: &[
            "clock::last_day",
            "engine::AuditRecord",
            "engine::Account",
            "engine::Handover",
            "engine::RunRecord",
            "engine::Outcome",
            "engine::judge_run",
            "incident::Incident",
            "incident::State",
            "incident::Waiver",
            "store::LatestRun",
        ],
        checks: &[
            "contract",
            "ops::hand_work",
            "registry",
            "suffix::ends_in_suffix",
            "suffix::registrable",
        ],
    },
    Part { name: "schedule", own: &[], checks: &[] },
    Part { name: "store", own: &["clock", "incident", "schedule"], checks: &["contract"] },
    Part { name: "telemetry", own: &[], checks: &[] },
    // A page shows what is stored: it never runs a check.
    Part {
        name: "web",
        own: &[
            "clock",
            "config::Secret",
            "config::secret",
            "engine::Handover",
            "handbook::Doc",
            "incident",
            "report",
            "schedule",
            "store",
        ],
        checks: &["contract", "registry"],
    },
];

/// The parts of the checks. An area never imports another one, nor the list of all checks.
const CHECKS: &[Part] = &[
    Part {
        name: "contract",
        own: &["probe::AgentFault", "probe::Missing", "probe::ProbeError", "probe::Probes"],
        checks: &[],
    },
    Part { name: "probe", own: &["contract::Target"], checks: &[] },
    Part { name: "document", own: &[], checks: &[] },
    Part { name: "suffix", own: &[], checks: &[] },
    Part { name: "vendor", own: &[], checks: &[] },
    Part {
        name: "registry",
        own: &[
            "automation",
            "contract",
            "crm",
            "dns",
            "domain",
            "external",
            "mail",
            "ops",
            "orders",
            "secrets",
            "stripe",
            "supabase",
            "support",
            "tls",
            "web",
            "webhook",
        ],
        checks: &[],
    },
    Part { name: "dns", own: AREA, checks: &[] },
    Part { name: "domain", own: AREA, checks: &[] },
    Part { name: "mail", own: AREA, checks: &[] },
    Part { name: "ops", own: AREA, checks: &[] },
    Part { name: "secrets", own: AREA, checks: &[] },
    Part { name: "tls", own: AREA, checks: &[] },
    Part { name: "web", own: AREA, checks: &[] },
    Part { name: "automation", own: AREA, checks: &[] },
    Part { name: "crm", own: AREA, checks: &[] },
    Part { name: "external", own: AREA, checks: &[] },
    Part { name: "ops", own: AREA, checks: &[] },
    Part { name: "orders", own: AREA, checks: &[] },
    Part { name: "stripe", own: AREA, checks: &[] },
    Part { name: "supabase", own: AREA, checks: &[] },
    Part { name: "support", own: AREA, checks: &[] },
    Part { name: "webhook", own: AREA, checks: &[] },
];

/// What every area of checks may import.
const AREA: &[&str] = &["contract", "probe", "document", "suffix", "vendor"];

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

/// The module of a file, such as `["mail", "spf"]` of `checks/src/mail/spf/mod.rs`.
fn module(file: &Path) -> Vec<String> {
    let parts = file.iter().map(|part| part.to_str().unwrap());
    let mut module: Vec<String> =
        parts.skip_while(|part| *part != "src").skip(1).map(str::to_owned).collect();
    let last = module.pop().unwrap();
    if !matches!(last.as_str(), "mod.rs" | "lib.rs" | "main.rs") {
        module.push(last.trim_end_matches(".rs").to_owned());
    }
    module
}

/// One path in the source that leads out of its module.
#[derive(Debug, PartialEq, Eq)]
struct Import {
    line: usize,
    /// The crate, then the parts, such as `["crate", "mail", "spf"]`.
    path: Vec<String>,
}

/// Every path that begins with `crate`, `super` or one of our crates; code of tests is left out.
fn imports(module: &[String], text: &str) -> Vec<Import> {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap();
        let before: usize = text.lines().take(number).map(|line| line.len() + 1).sum();
        for start in ["crate", "super", "launchready", "launchready_checks", "launchready_lab"] {
            for (at, _) in code.match_indices(&format!("{start}::")) {
                let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
                let preceding = &code[..at];
                if preceding.ends_with(is_word) || preceding.ends_with("in ") {
                    continue;
                }
                let mut paths = Vec::new();
                tree(&text[before + at..], &[], &mut paths);
                for path in paths {
                    found.push(Import { line: number + 1, path: absolute(module, path) });
                }
            }
        }
    }
    found
}

/// Reads one use tree, such as `a::{b, c::d}`, and gives back what follows it.
fn tree<'t>(text: &'t str, before: &[String], paths: &mut Vec<Vec<String>>) -> &'t str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let (name, mut rest) = text.split_at(end);
    let mut path = before.to_vec();
    if !name.is_empty() {
        path.push(name.to_owned());
    }
    if let Some(after) = rest.strip_prefix("::") {
        if let Some(inside) = after.strip_prefix('{') {
            rest = inside.trim_start();
            while !rest.is_empty() && !rest.starts_with('}') {
                rest = tree(rest, &path, paths).trim_start();
                // What is left of an entry is `as name`.
                rest = rest.trim_start_matches(|c| !matches!(c, ',' | '}'));
                rest = rest.trim_start_matches(',').trim_start();
            }
            return rest.strip_prefix('}').unwrap_or(rest);
        }
        if after.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            return tree(after, &path, paths);
        }
    }
    paths.push(path);
    rest
}

/// `super` in terms of `crate`.
fn absolute(module: &[String], path: Vec<String>) -> Vec<String> {
    let ups = path.iter().take_while(|part| *part == "super").count();
    if ups == 0 {
        return path;
    }
    let above = &module[..module.len().saturating_sub(ups)];
    let start = ["crate".to_owned()];
    start.iter().chain(above).chain(&path[ups..]).cloned().collect()
}

/// Whether `part` or `part::Item` of a list allows a path.
fn allows(list: &[&str], path: &[String]) -> bool {
    list.iter().any(|entry| match entry.split_once("::") {
        Some((part, item)) => {
            path.first().is_some_and(|p| p == part) && path.iter().any(|p| p == item)
        }
        None => path.first().is_some_and(|part| part == entry),
    })
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

#[test]
fn paths_are_found_wherever_they_stand() {
    let module = ["mail".to_owned(), "spf".to_owned()];
    let text = "use crate::{dns::{a, b as c},\n    web::d};\n// crate::tls\nfn f() { super::super::tls::x(); }\n\
                pub(in super::super) fn g() {}\nuse launchready_checks::probe;\n\
                #[cfg(test)]\nmod tests {\n use crate::registry;\n}";
    let found: Vec<String> = imports(&module, text)
        .into_iter()
        .map(|import| format!("{} {}", import.line, import.path.join("::")))
        .collect();
    let wanted = [
        "1 crate::dns::a",
        "1 crate::dns::b",
        "1 crate::web::d",
        "4 crate::tls::x",
        "6 launchready_checks::probe",
    ];
    assert_eq!(found, wanted);
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
        #[allow(clippy::disallowed_methods, reason = "the runner says what must not be skipped")]
        let strict = std::env::var("LAUNCHREADY_TEST_REQUIRE").is_ok_and(|all| all == "all");
        assert!(!strict, "git does not list the files");
        println!("SKIPPED folders of one machine: git does not list the files");
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
