//! The eight tests before a launch: six drills, the search for secrets that anybody can read, and the speed
//! of the endpoints.

use std::path::Path;
use std::time::Duration;

use launchready_checks::contract::{Status, Unit};
use serde::Serialize;

use crate::app::{Plan, Session};
use crate::cli::args::{DrillWord, NetworkArgs};
use crate::cli::project::recheck;
use crate::config::Project;
use crate::drill::{Outcome, Record};
use crate::engine::Silent;
use crate::report::{CheckReport, build};

/// How long the checks of one test may take.
const LIMIT: Duration = Duration::from_mins(2);

/// One of the eight.
#[derive(Debug, Clone, Copy)]
pub(super) struct Test {
    pub(super) word: DrillWord,
    pub(super) question: &'static str,
    /// The checks that answer it; none for a drill.
    checks: &'static [&'static str],
}

impl Test {
    /// What it is called.
    pub(super) const fn name(self) -> &'static str {
        match (self.word.drill(), self.word) {
            (Some(drill), _) => drill.as_str(),
            (None, DrillWord::Secrets) => "secrets",
            (None, _) => "speed",
        }
    }
}

const fn drill(word: DrillWord) -> Test {
    let question = match word.drill() {
        Some(drill) => drill.question(),
        None => "",
    };
    Test { word, question, checks: &[] }
}

/// In the order in which they are run.
pub(super) const TESTS: [Test; 8] = [
    drill(DrillWord::PaymentSuccess),
    drill(DrillWord::PaymentFailure),
    drill(DrillWord::WebhookReplay),
    Test {
        word: DrillWord::Secrets,
        question: "No secret is where anybody can read it",
        checks: &["secrets-bundle", "secrets-files", "secrets-source"],
    },
    drill(DrillWord::TwoUsers),
    drill(DrillWord::SupportRouting),
    drill(DrillWord::Alert),
    Test {
        word: DrillWord::Speed,
        question: "95 of 100 answers of the endpoints come within 300 ms",
        checks: &["web-uptime"],
    },
];

/// What came of one of the eight.
#[derive(Debug, Serialize)]
pub(super) struct Tested {
    /// Its name.
    pub(super) test: &'static str,
    /// What it asks.
    pub(super) question: &'static str,
    /// How it ended.
    pub(super) outcome: Outcome,
    /// What was seen, in a few lines.
    pub(super) saw: Vec<String>,
    /// What to do, where it is not passed.
    pub(super) fixes: Vec<String>,
    /// The whole record of a drill.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) record: Option<Record>,
}

/// What came of a drill.
pub(super) fn of_drill(test: Test, record: Record) -> Tested {
    use crate::drill::StepState::{Broken, Held, Left, Unseen};
    let wrong = record.steps.iter().filter(|step| matches!(step.state, Broken | Unseen));
    let mut saw: Vec<String> = wrong.map(|step| format!("{}: {}", step.what, step.saw)).collect();
    let count = |state| record.steps.iter().filter(|step| step.state == state).count();
    if saw.is_empty() && record.lacks.is_empty() {
        let left = match count(Left) {
            0 => String::new(),
            left => format!(", {left} do not apply"),
        };
        saw.push(format!(
            "{} of {} steps hold{left}",
            count(Held),
            record.steps.len() - count(Left)
        ));
    }
    let fixes = record.steps.iter().filter_map(|step| step.fix.clone());
    let fixes = record.lacks.iter().cloned().chain(fixes).collect();
    Tested {
        test: test.name(),
        question: test.question,
        outcome: record.outcome,
        saw,
        fixes,
        record: Some(record),
    }
}

/// Runs the checks of a test.
pub(super) async fn look(
    test: Test,
    project: &Project,
    session: &Session,
    path: &Path,
) -> anyhow::Result<Tested> {
    let plan = Plan {
        ids: test.checks.to_vec(),
        time_limit: LIMIT,
        baseline: crate::app::Baseline::new(),
        recheck: recheck(None, Some(path), Some(&project.target.project), &NetworkArgs::default()),
        config: Some(path.display().to_string()),
        handover: None,
        checkouts: None,
    };
    let report = build(&session.audit(project, &plan, &Silent).await?);
    let mut saw = Vec::new();
    let mut fixes = Vec::new();
    let mut outcome = Outcome::Passed;
    for check in &report.checks {
        saw.push(line(check));
        fixes.extend(check.unlock.clone());
        fixes.extend(check.findings.iter().filter(|one| is_wrong(one)).map(|one| one.fix.clone()));
        match check.status {
            Status::Fail => outcome = Outcome::Failed,
            Status::Unknown | Status::Skipped if outcome == Outcome::Passed => {
                outcome = Outcome::NotRun;
            }
            Status::Pass | Status::Warn | Status::Skipped | Status::Unknown => {}
        }
        // What the mission asks for is a number, and a warning about it is a test that is not passed.
        if check.findings.iter().any(is_wrong) {
            outcome = Outcome::Failed;
        }
    }
    Ok(Tested { test: test.name(), question: test.question, outcome, saw, fixes, record: None })
}

/// A critical finding, or an endpoint that is too slow.
fn is_wrong(finding: &crate::report::FindingReport) -> bool {
    finding.severity == launchready_checks::contract::Severity::Critical
        || finding.code == "endpoint-slow"
}

fn line(check: &CheckReport) -> String {
    let word = check.status.as_str();
    let reason = check.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let findings: Vec<&str> = check.findings.iter().map(|one| one.summary.as_str()).collect();
    let findings =
        if findings.is_empty() { String::new() } else { format!(": {}", findings.join(" ")) };
    let slowest = check
        .measurements
        .iter()
        .filter(|one| one.unit == Unit::Seconds && one.name.contains("p95"))
        .map(|one| one.value)
        .max_by(f64::total_cmp);
    let slowest =
        slowest.map(|s| format!(", slowest p95 {:.0} ms", s * 1000.0)).unwrap_or_default();
    format!("{} {word}{slowest}{reason}{findings}", check.id)
}
