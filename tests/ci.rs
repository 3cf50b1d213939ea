//! What a user copies into continuous integration: the action, the workflow and the script are run for real
//! against the lab, and every option that they pass is one of the command line.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says so when it is skipped"
)]

#[path = "support/sarif.rs"]
mod schema;

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use clap::Parser as _;
use launchready::cli::{Cli, Command as Typed};
use launchready::clock::{Clock as _, SystemClock};
use launchready_lab::{Lab, LabOptions, World};
use regex::Regex;
use serde_json::Value;
use toml::Table;

const PROGRAM: &str = env!("CARGO_BIN_EXE_launchready");

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(file(name)).unwrap()
}

fn yaml(text: &str) -> Value {
    serde_yaml_ng::from_str(text).unwrap()
}

/// The apex of the product in both scenarios, which moves in these tests.
const APEX: &str = "76.76.21.21:443";

/// A scenario that runs, its config, and where its apex answers.
struct Product {
    lab: Lab,
    folder: tempfile::TempDir,
    apex: String,
}

impl Product {
    /// Starts it; nothing answers where the name leads, as before the first deployment, unless it is live.
    async fn start(scenario: &str, live: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().to_owned();
        let options = LabOptions { now: SystemClock.now(), delay: Duration::ZERO, speed: 1.0, dir };
        let lab = Lab::start(&World::load(scenario).unwrap(), options).await.unwrap();
        let mut config: Table = lab.config_toml().parse().unwrap();
        let rules = config["network"]["connect_to"].as_array_mut().unwrap();
        let to = |rules: &[toml::Value], from: &str| {
            let rule = rules.iter().find(|rule| rule["from"].as_str() == Some(from)).unwrap();
            rule["to"].as_str().unwrap().to_owned()
        };
        let (apex, nowhere) = (to(rules, APEX), to(rules, "*:*"));
        for rule in rules.iter_mut().filter(|rule| rule["from"].as_str() == Some(APEX) && !live) {
            rule.as_table_mut().unwrap().insert("to".to_owned(), nowhere.clone().into());
        }
        // Beside the config lie its secrets and what people have signed.
        std::fs::write(folder.path().join("shop.toml"), config.to_string()).unwrap();
        Self { lab, folder, apex }
    }

    /// Runs a command in its folder while the lab answers.
    async fn run(&self, mut command: Command) -> Output {
        command.current_dir(self.folder.path());
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// The codes in a SARIF file that the schema accepts.
    fn codes(&self, name: &str) -> BTreeSet<String> {
        let text = std::fs::read_to_string(self.folder.path().join(name)).unwrap();
        let log: Value = serde_json::from_str(&text).unwrap();
        if let Some(validator) = schema::validator() {
            assert_eq!(schema::faults(&validator, &log), Vec::<String>::new());
        }
        let results = log["runs"][0]["results"].as_array().unwrap();
        results.iter().map(|result| result["ruleId"].as_str().unwrap().to_owned()).collect()
    }
}

fn script() -> Command {
    let mut command = Command::new(file("examples/pre-deploy.sh"));
    command.env("LAUNCHREADY", PROGRAM).args(["--time-limit", "2m"]);
    command
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_script_lets_a_sound_deployment_pass_before_the_name_leads_to_it() {
    let product = Product::start("healthy", false).await;
    let deploy = |new: &str| {
        let mut command = script();
        command.env("DOMAIN", "harbor.example").env("CONFIG", "shop.toml").env("NEW", new);
        command
    };
    let said = product.run(deploy(&product.apex)).await;
    let error = String::from_utf8(said.stderr).unwrap();
    assert_eq!(said.status.code(), Some(0), "{error}");
    assert!(String::from_utf8(said.stdout).unwrap().ends_with("; switch the name over\n"));
    assert_eq!(product.codes("launchready.sarif"), BTreeSet::new());

    // Without the new address the name leads to nothing, so it was the new one that was looked at.
    let mut plain = Command::new(PROGRAM);
    plain.args(["audit", "--config", "shop.toml", "--time-limit", "2m", "--out", "plain.sarif"]);
    assert_eq!(product.run(plain).await.status.code(), Some(1));
    assert!(!product.codes("plain.sarif").is_empty());
    product.lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_script_stops_a_deployment_that_is_no_go() {
    let product = Product::start("broken", false).await;
    let mut command = script();
    command.env("DOMAIN", "harbor.example").env("CONFIG", "shop.toml").env("SARIF", "found.sarif");
    command.env("NEW", &product.apex).env("GOAL", "paid-traffic").env("HOSTS", "harbor.example");
    let said = product.run(command).await;
    let error = String::from_utf8(said.stderr).unwrap();
    assert_eq!(said.status.code(), Some(1), "{error}");
    assert!(error.contains("pre-deploy: no-go for harbor.example"), "{error}");
    assert!(product.codes("found.sarif").len() > 50);
    product.lab.stop().await;
}

#[test]
fn the_script_says_what_it_lacks_and_passes_on_how_the_audit_ended() {
    let checked = Command::new("bash").arg("-n").arg(file("examples/pre-deploy.sh")).output();
    assert!(checked.unwrap().status.success());
    let bare = |name: &str, value: &str| {
        let mut command = script();
        command.env_remove("DOMAIN").env_remove("NEW").env(name, value);
        let said = command.output().unwrap();
        assert_ne!(said.status.code(), Some(0));
        String::from_utf8(said.stderr).unwrap()
    };
    assert!(bare("NEW", "127.0.0.1:9").contains("name the domain of the product in DOMAIN"));
    assert!(bare("DOMAIN", "harbor.example").contains("say in NEW where"));
    let mut wrong = script();
    wrong.env("DOMAIN", "harbor.example").env("NEW", "nowhere");
    let said = wrong.current_dir(tempfile::tempdir().unwrap().path()).output().unwrap();
    assert_eq!(said.status.code(), Some(2));
    let error = String::from_utf8(said.stderr).unwrap();
    assert!(error.contains("the audit has ended with 2, so nothing is known"), "{error}");
}

/// A program that writes down what it was given, one word a line, and ends as told.
fn recorder(folder: &Path) -> PathBuf {
    let path = folder.join("recorder");
    std::fs::write(&path, "#!/bin/sh\nprintf '%s\\n' \"$@\" > words\nexit 0\n").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// What a command gave to the program, as the real command line reads it.
fn typed(folder: &Path, mut command: Command) -> Typed {
    let said = command.current_dir(folder).output().unwrap();
    assert!(said.status.success(), "{said:?}");
    let words = std::fs::read_to_string(folder.join("words")).unwrap();
    let words = ["launchready"].into_iter().chain(words.lines());
    let words: Vec<&str> = words.collect();
    Cli::try_parse_from(&words).unwrap_or_else(|error| panic!("{words:?}\n{error}")).command
}

#[test]
fn every_option_of_the_script_is_one_of_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(file("examples/pre-deploy.sh"));
    command.env("LAUNCHREADY", recorder(folder.path())).env("DOMAIN", "shop.example");
    command.env("NEW", "203.0.113.7:443").env("NEW_PLAIN", "203.0.113.7:80");
    command.env("HOSTS", "shop.example www.shop.example").env("CONFIG", "our shop.toml");
    command.env("GOAL", "handover").args(["--only", "web-*,tls-*"]);
    let Typed::Audit(audit) = typed(folder.path(), command) else { panic!("it audits") };
    assert_eq!(audit.domain.as_deref(), Some("shop.example"));
    assert_eq!(audit.project.config, Some(PathBuf::from("our shop.toml")));
    assert_eq!(
        audit.project.network.connect_to,
        [
            "shop.example:443=203.0.113.7:443",
            "shop.example:80=203.0.113.7:80",
            "www.shop.example:443=203.0.113.7:443",
            "www.shop.example:80=203.0.113.7:80",
        ]
    );
    assert_eq!(audit.output.only, ["web-*", "tls-*"]);
    assert_eq!(audit.output.goal.unwrap().as_str(), "handover");
    // Each variable that the head of the script explains is one that it reads, and the other way round.
    let script = text("examples/pre-deploy.sh");
    let told = Regex::new("(?m)^# ([A-Z_]+)  +[a-z]").unwrap();
    let read = Regex::new(r"\$\{([A-Z_]+):").unwrap();
    let names = |pattern: &Regex| -> BTreeSet<String> {
        pattern.captures_iter(&script).map(|found| found[1].to_owned()).collect()
    };
    assert_eq!(names(&told), names(&read));
}

/// The steps of the action and the command of one of them, with what its inputs become.
fn step(action: &Value, name: &str, inputs: &[(&str, &str)]) -> Command {
    let defaults = action["inputs"].as_object().unwrap();
    let value = |input: &str| {
        let given = inputs.iter().find(|(name, _)| *name == input).map(|(_, value)| *value);
        given.unwrap_or_else(|| defaults[input]["default"].as_str().unwrap()).to_owned()
    };
    let steps = action["runs"]["steps"].as_array().unwrap();
    let step = steps.iter().find(|step| step["name"] == name).unwrap();
    assert_eq!(step["shell"], "bash");
    let mut command = Command::new("bash");
    // As the runner starts it.
    command.args(["--noprofile", "--norc", "-e", "-o", "pipefail", "-c"]);
    command.arg(step["run"].as_str().unwrap()).env("RUNNER_TEMP", "/nonexistent");
    for (name, expression) in step["env"].as_object().unwrap() {
        let input = expression.as_str().unwrap().strip_prefix("${{ inputs.");
        let input = input.and_then(|rest| rest.strip_suffix(" }}")).unwrap();
        command.env(name, value(input));
    }
    command
}

#[test]
fn every_option_of_the_action_is_one_of_the_command_line() {
    let source = text("action.yml");
    let action = yaml(&source);
    let folder = tempfile::tempdir().unwrap();
    let binary = recorder(folder.path()).display().to_string();
    let all = [
        ("binary", binary.as_str()),
        ("domain", "shop.example"),
        ("config", "our shop.toml"),
        ("project", "shop"),
        ("goal", "paid-traffic"),
        ("fail-on", "warning"),
        ("out", "found.sarif"),
    ];
    let known: BTreeSet<&str> =
        action["inputs"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(all.iter().map(|(name, _)| *name).collect::<BTreeSet<_>>(), known);
    let Typed::Audit(audit) = typed(folder.path(), step(&action, "Audit", &all)) else {
        panic!("it audits")
    };
    assert_eq!(audit.domain.as_deref(), Some("shop.example"));
    assert_eq!(audit.project.config, Some(PathBuf::from("our shop.toml")));
    assert_eq!(audit.project.project.as_deref(), Some("shop"));
    assert_eq!(audit.output.goal.unwrap().as_str(), "paid-traffic");
    assert_eq!(format!("{:?}", audit.output.fail_on), "Warning");
    assert_eq!(audit.output.out, Some(PathBuf::from("found.sarif")));
    let Typed::Audit(bare) = typed(folder.path(), step(&action, "Audit", &all[..1])) else {
        panic!("it audits")
    };
    assert_eq!((bare.domain, bare.project.config), (None, None));
    // An input reaches a script through its environment alone, where no text of it is run.
    for step in action["runs"]["steps"].as_array().unwrap() {
        assert!(!step["run"].as_str().unwrap().contains("${{"), "{step}");
    }
    // It builds what this repository holds.
    assert!(source.contains("cargo install --locked --path . --root"));
    assert!(file("Cargo.lock").is_file() && file("src/main.rs").is_file());
}

/// The steps of a workflow or a snippet that use the action, with what they give to it.
fn uses(steps: &Value) -> Vec<BTreeMap<String, String>> {
    let steps = steps.as_array().unwrap().iter().filter(|step| step["uses"] == "./.launchready");
    steps
        .map(|step| {
            let with = step["with"].as_object().unwrap().iter();
            with.map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned())).collect()
        })
        .collect()
}

#[test]
fn the_workflow_and_the_handbook_give_the_action_what_it_knows() {
    let action = yaml(&text("action.yml"));
    let workflow = yaml(&text("examples/github-workflow.yml"));
    let page = text("docs/ci.md");
    let snippet = page.split_once("```yaml\n").unwrap().1.split_once("```").unwrap().0;
    let steps = &workflow["jobs"]["audit"]["steps"];
    let snippet = yaml(snippet);
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(folder.path()).display().to_string();
    let inputs = action["inputs"].as_object().unwrap();
    for used in [uses(steps), uses(&snippet)].concat() {
        assert!(used.keys().all(|key| inputs.contains_key(key)), "{used:?}");
        let mut given: Vec<(&str, &str)> =
            used.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        given.retain(|(key, _)| *key != "binary");
        given.push(("binary", &recorder));
        let typed = typed(folder.path(), step(&action, "Audit", &given));
        assert!(matches!(typed, Typed::Audit(_)));
    }
    // The file that is uploaded is the one that the audit writes, also when it has failed the job.
    for steps in [steps, &snippet] {
        let upload = steps.as_array().unwrap().last().unwrap();
        assert!(upload["uses"].as_str().unwrap().starts_with("github/codeql-action/upload-sarif@"));
        assert_eq!(upload["with"]["sarif_file"], inputs["out"]["default"]);
        assert!(upload["if"].as_str().unwrap().contains("!cancelled()"));
    }
    assert_eq!(workflow["permissions"]["security-events"], "write");
    assert!(
        workflow["on"]["schedule"][0]["cron"].is_string() && workflow["on"]["push"].is_object()
    );
    // The handbook lists every input of the action.
    for name in inputs.keys() {
        assert!(page.contains(&format!("\n- `{name}`: ")), "docs/ci.md says nothing of {name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_action_ends_as_the_audit_does_and_leaves_what_was_found() {
    let action = yaml(&text("action.yml"));
    for (scenario, code) in [("healthy", 0), ("broken", 1)] {
        let product = Product::start(scenario, true).await;
        let inputs = [("binary", PROGRAM), ("config", "shop.toml"), ("goal", "launch")];
        let said = product.run(step(&action, "Audit", &inputs)).await;
        assert_eq!(said.status.code(), Some(code), "{scenario}: {said:?}");
        let codes = product.codes("launchready.sarif");
        assert_eq!(codes.is_empty(), code == 0, "{codes:?}");
        product.lab.stop().await;
    }
}
