//! The hosted workflows: they are YAML, run files that exist, end, and may only read, but for the job that drafts a
//! release, which runs nothing of the repository.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use crate::repository;

/// Each workflow by the name of its file.
fn workflows() -> BTreeMap<String, Value> {
    let folder = std::fs::read_dir(repository(".github/workflows")).unwrap();
    let read = folder.map(|entry| {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, serde_yaml_ng::from_str(&text).unwrap())
    });
    read.collect()
}

/// What the steps of a workflow run, in their order, with the environment of each.
fn runs(workflow: &Value) -> Vec<(String, Value)> {
    let jobs = workflow["jobs"].as_object().unwrap().values();
    let steps = jobs.flat_map(|job| job["steps"].as_array().unwrap());
    steps.filter_map(|step| Some((step["run"].as_str()?.to_owned(), step["env"].clone()))).collect()
}

#[test]
fn each_reads_only_ends_and_runs_what_exists() {
    let all = workflows();
    assert_eq!(all.keys().collect::<Vec<_>>(), ["advisories", "ci", "fuzz", "release"]);
    let mut seen = 0;
    for (name, workflow) in &all {
        assert_eq!(workflow["permissions"], serde_json::json!({ "contents": "read" }), "{name}");
        assert!(workflow["on"].is_object(), "{name}");
        for (id, job) in workflow["jobs"].as_object().unwrap() {
            let may_write = (name.as_str(), id.as_str()) == ("release", "publish");
            assert_eq!(job["permissions"].is_object(), may_write, "{name}: {id}");
            let checks_out = job["steps"].to_string().contains("actions/checkout");
            assert!(!(may_write && checks_out), "{id} runs what the repository holds");
            assert!(job["timeout-minutes"].is_u64() && job["runs-on"].is_string(), "{name}");
        }
        for (run, _) in runs(workflow) {
            for word in run.split_whitespace().filter(|word| {
                ["tests/", "packaging/", ".ci/"].iter().any(|start| word.starts_with(start))
            }) {
                let file = repository(word);
                assert!(file.is_file(), "{name} runs {word}");
                let read = Command::new("bash").arg("-n").arg(&file).status().unwrap();
                assert!(read.success(), "{word}");
                seen += 1;
            }
        }
    }
    assert!(seen >= 4, "only {seen} files are run");
}

#[test]
fn known_holes_are_looked_up_each_week_and_on_each_push() {
    let workflow = &workflows()["advisories"];
    assert!(workflow["on"].as_object().unwrap().contains_key("push"));
    let cron = workflow["on"]["schedule"][0]["cron"].as_str().unwrap();
    let fields: Vec<&str> = cron.split(' ').collect();
    assert!(fields.len() == 5 && fields[2..4] == ["*", "*"] && fields[4] != "*", "{cron}");
    let runs = runs(workflow);
    assert!(runs.last().unwrap().0.contains("cargo-deny --locked check advisories"), "{runs:?}");
}

#[test]
fn a_release_is_tested_as_it_is_handed_out() {
    let runs = runs(&workflows()["release"]);
    let at = |word: &str| runs.iter().position(|(run, _)| run.contains(word)).unwrap();
    assert!(at("packaging/build") < at("--test packaging"));
    let environment = &runs[at("--test packaging")].1;
    assert_eq!(environment["LAUNCHREADY_RELEASE"], "target/release-files");
    assert_eq!(environment["LAUNCHREADY_TEST_REQUIRE"], "all");
}
