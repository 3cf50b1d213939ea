//! config.toml, the schema and the registry are kept in step, by name, both ways.
//!
//! The part of config.toml below its last heading is written from the registry; `UPDATE=1 cargo test
//! --test config` writes it anew.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and reads its own setting"
)]

mod design;
mod mishaps;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use launchready::config::{PolicyTable, Project, load, parse, schema};
use launchready::incident::Policy;
use launchready_checks::contract::Target;
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
            // What has no default is shown by its example, which can be switched on.
            let example = schema.pointer(&format!("/properties/{name}/examples/0"));
            let (lead, value) = match (value, example) {
                (Value::Null, Some(example)) => ("# ", example),
                (Value::Null, None) => panic!("{}.{name} has no example", plugin.meta.id),
                (value, _) => ("", value),
            };
            let value: toml::Value = serde_json::from_value(value.clone()).unwrap();
            writeln!(text, "{lead}{name} = {value}").unwrap();
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

/// config.toml above its last heading, and the same with what is commented out put in: settings that have
/// no default, and examples.
fn head() -> (String, String) {
    let text = std::fs::read_to_string(path()).unwrap();
    let (head, _) = text.split_once(MARK).unwrap();
    (head.to_owned(), switched_on(head))
}

/// What a line begins with that is a setting or the head of a table, and commented out.
fn example() -> regex::Regex {
    regex::Regex::new(r"^(# )+([a-z_]+ = |\[)").unwrap()
}

/// The text with what is commented out put in.
fn switched_on(text: &str) -> String {
    let example = example();
    // The first names a file that is not there, the second is given above, and the third is cut short.
    let left_out = ["# redirect_map", "# connect_to", "# ownership"];
    let full = text.lines().map(|line| {
        let put_in = example.is_match(line) && !left_out.iter().any(|l| line.starts_with(l));
        if put_in { line.trim_start_matches("# ") } else { line }
    });
    full.collect::<Vec<_>>().join("\n")
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

#[test]
fn what_config_toml_holds_commented_out_is_right_as_well() {
    let (_, full) = head();
    let config = parse(&full, &path()).unwrap_or_else(|errors| panic!("{errors}"));
    let missing: BTreeSet<_> = config.warnings().into_iter().map(|warning| warning.key).collect();
    let secrets = [
        "agent.auth.metrics_token",
        "agent.auth.password",
        "agent.heartbeat_url",
        "channel[0].password",
        "channel[1].url",
        "channel[2].key",
        "channel[2].url",
        "channel[3].routing_key",
        "channel[4].token",
        "project[0].automation.token",
        "project[0].crm.token",
        "project[0].database.url",
        "project[0].drill.crm_token",
        "project[0].drill.database",
        "project[0].drill.support_token",
        "project[0].drill.undo_database",
        "project[0].drill.user[0].password",
        "project[0].drill.user[1].password",
        "project[0].drill.webhook_secret",
        "project[0].edge.token",
        "project[0].heartbeat[0].token",
        "project[0].heartbeat[1].token",
        "project[0].hosting.token",
        "project[0].pagespeed.key",
        "project[0].stripe.key",
        "project[0].supabase.public_key",
        "project[0].supabase.token",
        "project[0].support.token",
    ];
    assert_eq!(missing, secrets.map(str::to_owned).into());
    let full: Value = toml::from_str(&full.replace("expires = 2027-03-01", "")).unwrap();
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let errors: Vec<_> = validator.iter_errors(&full).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn every_line_that_is_commented_out_is_toml_without_its_hash() {
    let text = std::fs::read_to_string(path()).unwrap();
    let (example, mut seen) = (example(), 0);
    for line in text.lines().filter(|line| example.is_match(line)) {
        let plain = line.trim_start_matches("# ");
        assert!(plain.parse::<toml::Table>().is_ok(), "{line}");
        seen += 1;
    }
    assert!(seen > 100, "only {seen} lines were found");
    // Those of the checks are options that the checks take.
    let config = parse(&switched_on(&text), &path()).unwrap_or_else(|errors| panic!("{errors}"));
    let project = &config.projects[0];
    assert_eq!(project.options_of("web-speed")["lighthouse"], "/usr/local/bin/lighthouse");
    assert_eq!(project.options_of("ops-deployment")["version_url"], "/version");
}

#[test]
fn config_toml_names_every_setting_of_the_schema_and_no_other() {
    let (_, full) = head();
    let full: Value = toml::from_str(&full.replace("redirects.csv", "")).unwrap();
    let schema = schema();
    let known = |table: &str| keys(&schema["$defs"][table]["properties"]);
    assert_eq!(keys(&full["agent"]), known("AgentTable"));
    assert_eq!(keys(&full["agent"]["auth"]), known("AuthTable"));
    assert_eq!(keys(&full["metrics"]), known("MetricsTable"));
    assert_eq!(keys(&full["defaults"]), known("PolicyTable"));
    assert_eq!(keys(&full["network"]), known("NetworkTable"));
    let windows = full["maintenance"].as_array().unwrap().iter();
    assert_eq!(windows.flat_map(keys).collect::<BTreeSet<_>>(), known("MaintenanceTable"));
    let promises = full["project"][0]["heartbeat"].as_array().unwrap().iter();
    assert_eq!(promises.flat_map(keys).collect::<BTreeSet<_>>(), known("HeartbeatTable"));
    // Keys of [defaults] may stand in a project, and their list is not repeated there.
    let project = &known("ProjectTable") - &known("PolicyTable");
    let given = &keys(&full["project"][0]) - &known("PolicyTable");
    let named_in_words = ["ownership"].map(str::to_owned).into();
    assert_eq!(given, &project - &named_in_words);
    assert!(known("ProjectTable").is_superset(&known("PolicyTable")));

    let branches = schema["$defs"]["ChannelTable"]["oneOf"].as_array().unwrap();
    let channels = full["channel"].as_array().unwrap();
    assert_eq!(channels.len(), branches.len(), "one example of each kind");
    let everywhere: BTreeSet<String> = branches
        .iter()
        .map(|branch| keys(&branch["properties"]))
        .reduce(|common, other| &common & &other)
        .unwrap();
    let used: BTreeSet<String> = channels.iter().flat_map(keys).collect();
    assert!(used.is_superset(&everywhere), "{:?} is in no example", &everywhere - &used);
    for (branch, channel) in branches.iter().zip(channels) {
        assert_eq!(branch["properties"]["kind"]["const"], channel["kind"]);
        let own = &(&keys(&branch["properties"]) - &everywhere) - &["summary".to_owned()].into();
        let given = &(&keys(channel) - &everywhere) - &["summary".to_owned()].into();
        assert_eq!(given, own, "{}", channel["kind"]);
    }
}

#[test]
fn the_defaults_of_config_toml_the_schema_and_the_program_are_the_same() {
    let (head, full) = head();
    let given: Value = toml::from_str(&head).unwrap();
    let schema = schema();
    for (table, name) in
        [("agent", "AgentTable"), ("metrics", "MetricsTable"), ("defaults", "PolicyTable")]
    {
        for (key, value) in given[table].as_object().unwrap() {
            let default = &schema["$defs"][name]["properties"][key]["default"];
            assert_eq!(value, default, "{table}.{key}");
        }
    }
    let policy = serde_json::to_value(PolicyTable::from(&Policy::default())).unwrap();
    assert_eq!(given["defaults"], policy);
    let full: Value = toml::from_str(&full.replace("redirects.csv", "")).unwrap();
    let email = &schema["$defs"]["ChannelTable"]["oneOf"][0]["properties"];
    for key in ["severities", "urgency", "timeout"] {
        assert_eq!(full["channel"][0][key], email[key]["default"], "{key}");
    }

    let with = load(&path()).unwrap();
    let without = parse("", path().parent().unwrap()).unwrap();
    let print = |config: &launchready::config::Config| {
        let mut agent = config.agent().unwrap();
        agent.book.policies.clear();
        format!("{agent:?}")
    };
    assert_eq!(print(&with), print(&without));
    assert_eq!(with.projects[0].watch.policy, Policy::default());
}

/// config.toml with the name and domain of somebody's own product.
fn mine() -> String {
    let example = "name = \"harbor\"\ndomain = \"harbor.example\"\n";
    let text = std::fs::read_to_string(path()).unwrap();
    assert_eq!(text.matches(example).count(), 1, "the two lines that everybody changes");
    text.replace(example, "name = \"mine\"\ndomain = \"mine.test\"\n")
}

#[test]
fn who_changes_only_name_and_domain_declares_nothing_else() {
    let config = parse(&mine(), Path::new(".")).unwrap_or_else(|errors| panic!("{errors}"));
    let [project] = config.projects.as_slice() else { panic!("one project") };
    let alone = Project::of_domain("mine.test");
    // Beside a config people can sign, and nobody has yet.
    let attestations = Some(Vec::new());
    let target = Target { project: "mine".to_owned(), attestations, ..alone.target };
    assert_eq!(project.target, target);
    assert_eq!((&project.not_used, &project.ownership), (&alone.not_used, &alone.ownership));
    let in_force: toml::Table = mine().parse().unwrap();
    assert!(!in_force.to_string().contains("harbor"), "{in_force}");
    let warnings = config.warnings();
    assert_eq!(warnings.len(), 1, "only that there is no channel yet: {warnings:?}");
}

#[test]
fn a_block_needs_nothing_but_its_first_hashes_taken_away() {
    let (text, mut blocks) = (mine(), 0);
    for block in text.split("\n\n").filter(|block| block.contains("# [[")) {
        let lines = block.lines().skip_while(|line| !line.starts_with("# [["));
        let taken: String =
            lines.map(|line| line.strip_prefix("# ").unwrap().to_owned() + "\n").collect();
        let config = parse(&format!("{text}\n{taken}"), Path::new("."));
        let config = config.unwrap_or_else(|errors| panic!("{taken}\n{errors}"));
        if taken.starts_with("[[channel]]") {
            assert_eq!(config.untold(), None, "{taken}");
            let missing: Vec<_> = config.warnings().into_iter().map(|one| one.message).collect();
            let most = usize::from(!taken.contains("alertmanager"));
            assert_eq!(missing.len(), most, "only the secret it cannot do without: {missing:?}");
        }
        blocks += 1;
    }
    assert_eq!(
        blocks, 17,
        "five kinds of channel, three of announced work, two of jobs that call, three questions, an account, \
         a request, users and a table of drills"
    );
}
