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

/// What the steps of a job run, in their order, with the environment of each.
fn steps(job: &Value) -> Vec<(String, Value)> {
    let steps = job["steps"].as_array().unwrap().iter();
    steps.filter_map(|step| Some((step["run"].as_str()?.to_owned(), step["env"].clone()))).collect()
}

/// What a workflow runs.
fn runs(workflow: &Value) -> Vec<(String, Value)> {
    workflow["jobs"].as_object().unwrap().values().flat_map(steps).collect()
}

/// Fails unless a workflow runs once a week by itself.
#[track_caller]
fn is_weekly(workflow: &Value) {
    let cron = workflow["on"]["schedule"][0]["cron"].as_str().unwrap();
    let fields: Vec<&str> = cron.split(' ').collect();
    assert!(fields.len() == 5 && fields[2..4] == ["*", "*"] && fields[4] != "*", "{cron}");
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
    is_weekly(workflow);
    let runs = runs(workflow);
    assert!(runs.last().unwrap().0.contains("cargo-deny --locked check advisories"), "{runs:?}");
}

#[test]
fn a_release_is_tested_as_it_is_handed_out() {
    let runs = steps(&workflows()["release"]["jobs"]["build"]);
    let at = |word: &str| runs.iter().position(|(run, _)| run.contains(word)).unwrap();
    assert!(at("packaging/build") < at("--test packaging"));
    let environment = &runs[at("--test packaging")].1;
    assert_eq!(environment["LAUNCHREADY_RELEASE"], "target/release-files");
    assert_eq!(environment["LAUNCHREADY_TEST_REQUIRE"], "all");
}

#[test]
fn what_is_handed_out_is_built_and_tested_each_week_as_for_a_release() {
    let all = workflows();
    is_weekly(&all["ci"]);
    let weekly = &all["ci"]["jobs"]["release-files"];
    assert!(weekly["if"].as_str().unwrap().contains("github.event_name == 'schedule'"));
    assert_eq!(steps(weekly), steps(&all["release"]["jobs"]["build"]));
}

#[test]
fn the_tests_of_package_and_image_may_do_what_they_need() {
    let mut seen = 0;
    for (name, workflow) in workflows() {
        for (id, job) in workflow["jobs"].as_object().unwrap() {
            let is_meant = |run: &str| run.contains("--test packaging") || run.contains(".ci/run");
            if steps(job).iter().any(|(run, _)| is_meant(run)) {
                assert_eq!(job["container"]["options"], "--privileged", "{name}: {id}");
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 3);
}

#[test]
fn a_release_says_on_which_base_its_image_can_be_built() {
    let release = &workflows()["release"];
    let image = &release["jobs"]["image"];
    assert_eq!(steps(image), [("packaging/image release".to_owned(), Value::Null)]);
    let kept = image["steps"].as_array().unwrap().last().unwrap();
    assert_eq!(kept["with"]["path"], "release/image/IMAGE_BASE");
    let publish = &release["jobs"]["publish"];
    assert!(publish["needs"].as_array().unwrap().contains(&"image".into()), "{publish}");
    assert!(publish["steps"].to_string().contains(kept["with"]["name"].as_str().unwrap()));
}
