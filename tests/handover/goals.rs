//! One record, judged for each goal and at other times.

use jiff::{SignedDuration, Timestamp};
use launchready::engine::AuditRecord;
use launchready::incident::Waiver;
use launchready::report::{Report, Verdict, build};
use launchready_checks::contract::{Goal, Severity};

use crate::world::records;

fn judged(record: &AuditRecord, goal: Goal) -> Report {
    let mut record = record.clone();
    record.target.goal = goal;
    build(&record)
}

fn later(at: Timestamp, days: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_hours(24 * days)).unwrap()
}

/// The codes of one check as the report has them.
fn codes<'r>(report: &'r Report, check: &str) -> Vec<&'r str> {
    let check = report.checks.iter().find(|one| one.id == check).unwrap();
    check.findings.iter().map(|finding| finding.code.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_healthy_product_is_ready_for_each_goal_once_its_records_are_approved() {
    let [first, second] = records().await;
    for (goal, wanted) in [
        (Goal::Launch, Verdict::Go),
        (Goal::PaidTraffic, Verdict::Go),
        (Goal::Handover, Verdict::NoGo),
    ] {
        let report = judged(&first, goal);
        assert_eq!(report.verdict, wanted, "{goal:?}: {:?}", report.verdict_reasons);
        if goal == Goal::Handover {
            let reasons = report.verdict_reasons.join("\n");
            assert!(reasons.contains("Not proven: "), "{reasons}");
        }
    }
    let report = judged(&second, Goal::Handover);
    assert_eq!(report.verdict, Verdict::Go, "{:?}", report.verdict_reasons);

    // The same evidence, when the signatures have ended.
    assert!(codes(&report, "ops-attestation").is_empty());
    let mut old = second.clone();
    old.started_at = later(second.started_at, 100);
    let report = judged(&old, Goal::Launch);
    assert!(codes(&report, "ops-attestation").contains(&"attestation-expired"));
    let severity = |report: &Report| {
        report
            .findings()
            .iter()
            .find(|(_, one)| one.code == "attestation-expired")
            .unwrap()
            .1
            .severity
    };
    assert_eq!(severity(&report), Severity::Warning);
    assert_eq!(severity(&judged(&old, Goal::Handover)), Severity::Critical);
    assert!(report.attestations.iter().any(|one| !one.holds));

    // Accepted until then, and counted again afterwards.
    let waiver = |until| Waiver {
        id: "wav_1".to_owned(),
        project: old.target.project.clone(),
        code: "attestation-expired".to_owned(),
        subject: None,
        by: "Ada".to_owned(),
        reason: "the restore is on Monday".to_owned(),
        at: second.started_at,
        until,
        last_used: None,
    };
    old.waivers = vec![waiver(later(old.started_at, 1))];
    let report = judged(&old, Goal::Handover);
    let waived = report.findings().iter().filter(|(_, one)| one.waived.is_some()).count();
    assert!(waived >= 1, "{:?}", report.findings());
    old.started_at = later(old.started_at, 2);
    let report = judged(&old, Goal::Handover);
    assert!(report.findings().iter().all(|(_, one)| one.waived.is_none()));
    let idle = report.not_checked.iter().find(|part| part.of == "waiver").unwrap();
    assert!(idle.reason.contains("counts again"), "{idle:?}");
}
