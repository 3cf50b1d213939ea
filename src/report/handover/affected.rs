//! Part 2: what the defects cost, and whom they hurt, at this moment.

use launchready_checks::contract::{Severity, Status};

use super::super::words::money;
use super::super::{CheckReport, Report};
use super::{Block, words};

/// The areas whose findings are about customers and their money.
const AREAS: [&str; 6] = ["stripe", "orders", "webhook", "crm", "support", "automation"];

pub(super) fn blocks(report: &Report) -> Vec<Block> {
    let mut blocks = Vec::new();
    let about = || report.checks.iter().filter(|check| AREAS.contains(&check.area.as_str()));
    let looked = about().filter(|check| is_looked(check)).count();
    let found = about().any(|check| !check.findings.is_empty());
    if looked == 0 && !found && report.money_at_risk.is_empty() {
        blocks.push(words(
            "Not known: no account of the product was looked at, neither payments nor orders, CRM or support. \
             Part 6 says what unlocks each.",
        ));
        return blocks;
    }
    if report.money_at_risk.is_empty() {
        blocks.push(words("No sum is known to hang on a defect."));
    } else {
        let money = report.money_at_risk.iter().map(money);
        blocks.push(words("Money that hangs on defects which nobody has accepted:"));
        blocks.push(Block::Items(money.collect()));
    }
    let mut rows = Vec::new();
    for (check, finding) in report.findings() {
        let is_serious = finding.severity > Severity::Info && finding.waived.is_none();
        if !is_serious || !AREAS.contains(&check.area.as_str()) {
            continue;
        }
        let at_risk: Vec<_> = finding.at_risk.iter().map(money).collect();
        rows.push(vec![
            finding.severity.as_str().to_owned(),
            finding.summary.clone(),
            if at_risk.is_empty() { "–".to_owned() } else { at_risk.join(", ") },
            format!("`{}`", finding.code),
        ]);
    }
    if rows.is_empty() {
        blocks.push(words("No customer was found to be affected."));
    } else {
        blocks.push(Block::Table(&["How bad", "What", "Money", "Finding"], rows));
        blocks.push(words("Each finding lists the ids below, in parts 3 and 4."));
    }
    let blind: Vec<String> = about()
        .filter(|check| !is_looked(check))
        .map(|check| {
            let reason = check.reason.clone().unwrap_or_else(|| check.status.as_str().to_owned());
            format!("{}: {reason}", check.title)
        })
        .collect();
    if !blind.is_empty() {
        blocks.push(words("Not looked at, so that nothing is known of it:"));
        blocks.push(Block::Items(blind));
    }
    blocks
}

fn is_looked(check: &CheckReport) -> bool {
    matches!(check.status, Status::Pass | Status::Warn | Status::Fail)
}
