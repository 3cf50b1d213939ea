//! Runs the audit as its users do and compares the report with what is expected.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use launchready_checks::contract::Vantage;
use launchready_checks::registry;
use serde_json::Value;

use crate::world::World;

/// What one check must say.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Expected {
    /// The check's id.
    pub(crate) check: &'static str,
    /// Severity, code and subject of each finding.
    pub(crate) findings: &'static [&'static str],
    /// The parts that cannot be seen from here.
    pub(crate) not_checked: &'static [&'static str],
}

/// Checks that need more than servers: people, Lighthouse that may be on this machine or not, and questions of the user
/// are asked nowhere.
const LEFT_OUT: [&str; 4] = ["ops-attestation", "external-command", "external-http", "web-speed"];

/// Checks that these servers have no part in: those, and all that look into an account or a database.
fn left_out() -> Vec<String> {
    let apart = |id: &String| {
        let vantage = registry::find(id).map(|plugin| plugin.meta.vantage);
        LEFT_OUT.contains(&id.as_str())
            || matches!(vantage, Some(Vantage::Provider | Vantage::Database))
    };
    known().into_iter().filter(apart).collect()
}

/// A check that sees everything and finds nothing.
pub(crate) const fn sound(check: &'static str) -> Expected {
    Expected { check, findings: &[], not_checked: &[] }
}

/// A check that sees everything and finds this.
pub(crate) const fn finds(check: &'static str, findings: &'static [&'static str]) -> Expected {
    Expected { check, findings, not_checked: &[] }
}

/// The ids of all checks of this build.
fn known() -> BTreeSet<String> {
    let listed = String::from_utf8(launchready(&["explain"]).1).unwrap();
    let rows = listed.lines().filter_map(|line| line.strip_prefix("  "));
    // A title that goes on stands further right.
    let rows = rows.filter(|row| !row.starts_with(' '));
    let names = rows.filter_map(|row| row.split_whitespace().next());
    // The topics about the agent are listed too; the id of a check names its area.
    names.filter(|name| name.contains('-')).map(str::to_owned).collect()
}

fn launchready(arguments: &[&str]) -> (Option<i32>, Vec<u8>) {
    let output = Command::new(env!("CARGO_BIN_EXE_launchready")).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    // 0 and 1 are verdicts; anything else is a failure of the program.
    assert!(matches!(output.status.code(), Some(0 | 1)), "{arguments:?}: {errors}");
    (output.status.code(), output.stdout)
}

/// A report.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) exit: Option<i32>,
    pub(crate) json: Value,
}

impl World {
    /// Audits the project with the checks of these expectations alone and compares.
    pub(crate) fn expect(&self, project: &str, expected: &[Expected]) {
        let known = known();
        let only: Vec<&str> =
            expected.iter().map(|e| e.check).filter(|id| known.contains(*id)).collect();
        if !only.is_empty() {
            self.audit(project, &["--only", &only.join(",")]).compare(expected);
        }
    }

    /// Audits the project with every check and compares; each check must be expected.
    pub(crate) fn expect_all(&self, project: &str, expected: &[Expected]) -> Report {
        let left_out = left_out();
        for id in known().iter().filter(|id| !left_out.contains(id)) {
            assert!(expected.iter().any(|e| e.check == id), "nothing is expected of {id}");
        }
        let report = self.audit(project, &["--skip", &left_out.join(",")]);
        report.compare(expected);
        report
    }

    fn audit(&self, project: &str, more: &[&str]) -> Report {
        let config = self.config(project);
        let start = ["audit", "--config", config.to_str().unwrap(), "--format", "json", "--quiet"];
        let (exit, output) = launchready(&[&start[..], more].concat());
        Report { exit, json: serde_json::from_slice(&output).unwrap() }
    }
}

impl Report {
    /// Compares both ways: what is missing and what is too much.
    fn compare(&self, expected: &[Expected]) {
        let seen: BTreeMap<String, Vec<String>> =
            self.checks().iter().map(|check| (text(&check["id"]), said(check))).collect();
        let wanted: BTreeMap<String, Vec<String>> = expected
            .iter()
            .filter(|e| seen.contains_key(e.check))
            .map(|e| (e.check.to_owned(), e.lines()))
            .collect();
        let differing: Vec<_> =
            seen.iter().filter(|(id, lines)| wanted.get(*id) != Some(lines)).collect();
        let details: Vec<_> = self
            .checks()
            .iter()
            .filter(|check| differing.iter().any(|(id, _)| **id == text(&check["id"])))
            .collect();
        assert!(
            differing.is_empty(),
            "seen {differing:#?}\nwanted {wanted:#?}\n{}",
            serde_json::to_string_pretty(&details).unwrap()
        );
    }

    pub(crate) fn checks(&self) -> &[Value] {
        self.json["checks"].as_array().unwrap()
    }
}

impl Expected {
    fn lines(&self) -> Vec<String> {
        let parts = self.not_checked.iter().map(|part| format!("not checked: {part}"));
        sorted(self.findings.iter().map(|line| (*line).to_owned()).chain(parts))
    }
}

/// What a check says, in short; a check that could not look at all says so.
fn said(check: &Value) -> Vec<String> {
    let findings = check["findings"].as_array().unwrap().iter().map(|finding| {
        let [severity, code, subject] = ["severity", "code", "subject"].map(|k| text(&finding[k]));
        format!("{severity} {code} {subject}")
    });
    let parts = check["not_checked"].as_array().unwrap().iter();
    let parts = parts.map(|part| format!("not checked: {}", text(&part["part"])));
    let status = text(&check["status"]);
    let blind = matches!(status.as_str(), "unknown" | "skipped").then(|| status.clone());
    sorted(findings.chain(parts).chain(blind))
}

fn sorted(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<String> = lines.collect();
    lines.sort();
    lines
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
