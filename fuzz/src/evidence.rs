//! What earlier audits have written: evidence that is judged again, and reports that are compared.

use launchready::config::read_domain;
use launchready::engine::{AuditRecord, Outcome, RunRecord, judge_run};
use launchready::report::{
    Difference, Paint, Report, build, difference_to_markdown, difference_to_terminal, redact,
    to_html, to_json, to_junit, to_markdown, to_sarif, to_terminal,
};
use launchready_checks::contract::{CheckError, Severity};

use super::holds::{assess, is_stable, target, text};
use super::world::{NEXT, now, parts};

/// Every form of a report, which is not many times longer than what it is made of.
fn drawn(report: &Report) -> Vec<String> {
    let forms = vec![
        to_terminal(report, Paint::default()),
        to_html(report),
        to_markdown(report),
        to_sarif(report),
        to_junit(report, Severity::Critical),
        to_json(report),
    ];
    let most = 512 * 1024 + 60 * text(report).len();
    for form in &forms {
        assert!(form.len() <= most, "a form of {} bytes", form.len());
    }
    let plain = forms.first().map(String::as_str).unwrap_or_default();
    let drives = |c: char| c.is_control() && c != '\n';
    assert!(!plain.contains(drives), "the report drives a terminal");
    forms
}

/// The record of an audit, then its runs. Judged twice, it is the same to the byte.
pub(super) fn evidence(data: &[u8]) {
    let parts = parts(data, NEXT, 6);
    let first = parts.first().copied().unwrap_or_default();
    let rest = parts.get(1..).unwrap_or_default();
    let record = serde_json::from_slice::<AuditRecord>(first).ok();
    let mut record = record.unwrap_or_else(|| AuditRecord {
        version: "0.1.0".to_owned(),
        started_at: now(),
        finished_at: now(),
        target: target(),
        not_used: Vec::new(),
        waivers: Vec::new(),
        handover: None,
        recheck: "launchready check {id}".to_owned(),
        config: None,
        clock_behind_s: None,
        runs: Vec::new(),
    });
    for run in rest.iter().filter_map(|run| serde_json::from_slice::<RunRecord>(run).ok()) {
        is_stable(&run);
        if let (Outcome::Looked { evidence }, Some(_)) =
            (&run.outcome, launchready_checks::registry::find(&run.id))
        {
            assess(&run.id, &run.options, &record.target, evidence);
        }
        if let Err(CheckError::Unknown { cause, .. }) = judge_run(&record, &run) {
            assert!(!cause.contains("internal error"), "{cause}");
        }
        record.runs.push(run);
    }
    let report = build(&record);
    assert_eq!(text(&report), text(&build(&record)), "the same record gives another report");
    drawn(&report);
}

/// Reports, the oldest first: what has changed, and one that can be shown to others.
pub(super) fn report(data: &[u8]) {
    let parts = parts(data, NEXT, 4);
    let reports: Vec<Report> =
        parts.iter().filter_map(|part| serde_json::from_slice(part).ok()).collect();
    for report in &reports {
        is_stable(report);
        assert_eq!(drawn(report), drawn(report), "the same report is drawn differently");
        let shared = redact(report);
        drawn(&shared);
        // What the project is called in the net is in no place of it.
        if read_domain(&report.domain).is_ok_and(|domain| domain == report.domain) {
            assert!(
                !text(&shared).contains(&report.domain),
                "redacted, it names {}",
                report.domain
            );
        }
    }
    match Difference::of(&reports) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(difference) => {
            let plain = difference_to_terminal(&difference, Paint::default());
            assert!(!plain.contains(|c: char| c.is_control() && c != '\n'), "it drives a terminal");
            difference_to_markdown(&difference);
            text(&difference);
        }
    }
}
