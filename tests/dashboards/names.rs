//! Every metric that dashboards and rules name is one that the agent exports.

use std::collections::BTreeSet;

use launchready::metrics::{Kind, families, probe_families};
use launchready_checks::registry;
use regex::Regex;

use super::{DASHBOARDS, read};

/// Names as queries have them: of a histogram with its suffixes.
fn known() -> BTreeSet<String> {
    let mut names: BTreeSet<String> = probe_families().map(str::to_owned).collect();
    for family in families() {
        if family.kind == Kind::Histogram {
            names.extend(["bucket", "sum", "count"].map(|end| format!("{}_{end}", family.name)));
        } else {
            names.insert(family.name.to_owned());
        }
    }
    names
}

#[test]
fn dashboards_and_rules_name_only_metrics_that_exist() {
    let name = Regex::new(r"\b(launchready|process|probe)_[a-z0-9_]+(\.|\()?").unwrap();
    let known = known();
    let files = DASHBOARDS.iter().chain(&["alerts.yml", "alerts_test.yml"]);
    for file in files {
        let mut count = 0;
        for found in name.find_iter(&read(file)) {
            let found = found.as_str();
            count += 1;
            // `launchready_dns_.+` and `launchready_(dns|mail)_.+` are patterns over several.
            let is_known = match found.strip_suffix(['.', '(']) {
                Some(start) => known.iter().any(|name| name.starts_with(start)),
                None => known.contains(found),
            };
            assert!(is_known, "{file} names {found}, which the agent does not export");
        }
        assert!(count > 5, "{file} names no metrics");
    }
}

#[test]
fn every_label_of_a_query_is_one_of_its_metric() {
    let selector = Regex::new(r"\b(launchready_[a-z0-9_]+)\{([^}]*)\}").unwrap();
    let label = Regex::new(r"([a-z_]+)(?:=~|!~|!=|=)").unwrap();
    for file in DASHBOARDS.iter().chain(&["alerts.yml"]) {
        for found in selector.captures_iter(&read(file)) {
            let name = &found[1];
            let Some(family) = families().iter().find(|family| {
                name == family.name
                    || name
                        .strip_prefix(family.name)
                        .is_some_and(|end| matches!(end, "_bucket" | "_sum" | "_count"))
            }) else {
                continue;
            };
            for label in label.captures_iter(&found[2]) {
                let label = &label[1];
                let added = matches!(label, "instance" | "job" | "le");
                let is_known = added || family.labels.contains(&label);
                assert!(is_known, "{file}: {name} has no label {label}");
            }
        }
    }
}

#[test]
fn what_a_rule_tells_to_explain_has_a_page() {
    let command = Regex::new(r"launchready explain ([a-z][a-z-]+)").unwrap();
    let rules = read("alerts.yml");
    let mut count = 0;
    for found in command.captures_iter(&rules) {
        count += 1;
        let id = &found[1];
        let known = registry::find(id).is_some() || registry::find_code(id).is_some();
        assert!(known, "there is no page {id}");
    }
    assert!(count > 5);
}
