//! Part 13: what was accepted and confirmed, by whom, and the lines for the signatures.

use launchready_checks::contract::Severity;

use super::super::Report;
use super::{Block, day, without_config, words};

pub(super) fn blocks(report: &Report) -> Vec<Block> {
    let mut blocks = Vec::new();
    if report.waivers.is_empty() {
        blocks.push(words("Nobody has accepted a risk."));
    } else {
        let rows = report.waivers.iter().map(|waiver| {
            let subject = waiver.subject.as_ref().map_or(String::new(), |one| format!(" of {one}"));
            let state = if waiver.holds { "holds" } else { "has ended" };
            vec![
                format!("`{}`{subject}", waiver.code),
                waiver.by.clone(),
                waiver.reason.clone(),
                format!("{} ({state})", day(waiver.until)),
            ]
        });
        blocks.push(words("Accepted risks:"));
        blocks.push(Block::Table(&["What", "By", "Why", "Until"], rows.collect()));
    }
    if !report.attestations.is_empty() {
        let rows = report.attestations.iter().map(|one| {
            let state = if one.holds { "holds" } else { "has ended" };
            let note = if one.note.is_empty() { "–".to_owned() } else { one.note.clone() };
            vec![
                one.title.clone(),
                format!("{}, {}", one.by, day(one.at)),
                format!("{} ({state})", day(one.until)),
                note,
            ]
        });
        blocks.push(words("Confirmed by a person:"));
        blocks.push(Block::Table(&["What", "Signed", "Until", "Note"], rows.collect()));
    } else if report.handover.is_some() {
        blocks.push(words(
            "Nobody has signed what only a person can confirm: `launchready attest list` names it.",
        ));
    } else {
        blocks.push(without_config("People sign beside it what only they can confirm."));
    }
    blocks.push(words(read(report)));
    blocks.push(Block::Lines(&[
        "Handed over by (name, day, signature)",
        "Taken over by (name, day, signature)",
        "On call from then on (name, telephone)",
    ]));
    blocks
}

/// What whoever signs has read: every part that the verdict hangs on.
fn read(report: &Report) -> String {
    let mut found = report.checks.iter().flat_map(|check| &check.findings);
    let blocks = found.any(|finding| finding.severity == Severity::Critical);
    let (parts, first) =
        if blocks { ("1, 3, 4 and 6", " what comes first,") } else { ("1, 4 and 6", "") };
    format!(
        "We have read parts {parts}: the verdict {} for the goal {},{first} what remains, and what nobody has looked at.",
        report.title(),
        report.goal.as_str()
    )
}

#[cfg(test)]
mod tests {
    use launchready_checks::contract::{Status, Target, Vantage};
    use launchready_checks::registry;

    use super::*;
    use crate::engine::AuditRecord;
    use crate::report::{CheckReport, FindingReport, build};

    #[test]
    fn whoever_signs_has_read_every_part_that_the_verdict_hangs_on() {
        let at = "2026-11-23T09:00:00Z".parse().unwrap();
        let mut report = build(&AuditRecord {
            version: "0.0.0".to_owned(),
            started_at: at,
            finished_at: at,
            target: Target::default(),
            not_used: Vec::new(),
            waivers: Vec::new(),
            handover: None,
            recheck: String::new(),
            config: None,
            clock_behind_s: None,
            runs: Vec::new(),
        });
        assert!(read(&report).starts_with("We have read parts 1, 4 and 6: the verdict "));
        let (_, spec) = registry::find_code("spf-missing").unwrap();
        let mut finding = FindingReport::new(spec.finding("harbor.example"), String::new());
        finding.severity = Severity::Critical;
        report.checks = vec![CheckReport {
            id: "mail-spf".to_owned(),
            title: "Sender policy".to_owned(),
            area: "mail".to_owned(),
            target: "harbor.example".to_owned(),
            vantage: Vantage::Outside,
            status: Status::Fail,
            reason: None,
            unlock: None,
            duration_ms: 0,
            evidence_sha256: None,
            measurements: Vec::new(),
            not_checked: Vec::new(),
            findings: vec![finding],
        }];
        let text = read(&report);
        assert!(
            text.contains("parts 1, 3, 4 and 6:") && text.contains("what comes first"),
            "{text}"
        );
    }
}
