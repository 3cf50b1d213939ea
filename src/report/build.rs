//! Judges what an audit saw. Pure: the same record gives the same report, byte for byte.

use jiff::Timestamp;
use launchready_checks::contract::{
    ATTESTATIONS, AtRisk, AttestationFacts, AttestationItem, CheckError, CheckMeta, FindingSpec,
    Need, Status, Unseen,
};
use launchready_checks::registry;
use sha2::{Digest as _, Sha256};

use super::blind::blind;
use super::handover::repeats_later;
use super::verdict::NOT_PROVEN;
use super::waivers::Accepted;
use super::{
    AREAS_BY_SETTING, AttestationReport, CheckReport, Coverage, FindingReport, NotCheckedReport,
    Report, Tool, UnseenPart, decide, rules,
};
use crate::engine::{AuditRecord, Handover, Outcome, RunRecord, judge_run};

/// The report of an audit.
pub fn build(record: &AuditRecord) -> Report {
    let goal = rules(record.target.goal);
    let mut accepted = Accepted::new(&record.waivers, &record.target.project, record.started_at);
    let mut checks = Vec::new();
    let mut not_checked = Vec::new();
    for run in &record.runs {
        let Some(plugin) = registry::find(&run.id) else { continue };
        let mut check = judge(record, run, plugin.meta);
        if record.config.is_none() {
            by_option(&mut check);
        }
        goal.judge(&mut check);
        accepted.mark(&mut check);
        not_checked.extend(goal.weigh(&check, &record.not_used, unseen_parts(&check, plugin.meta)));
        checks.push(check);
    }
    let configured = record.target.accounts.configured();
    let settled = record.not_used.iter().map(String::as_str).chain(configured);
    let settled: Vec<&str> = settled.collect();
    repeats_later(&mut checks, &record.recheck);
    not_checked.extend(unseen_areas(&settled));
    not_checked.extend(blind_areas(&settled, &record.not_used, &checks));
    not_checked.extend(left_out(
        &checks,
        "audit",
        "--only or --skip leaves them out",
        "audit without --only and --skip",
    ));
    not_checked.extend(goal.missing(&checks, &record.not_used));
    not_checked.extend(record.clock_off().map(|(reason, unlock)| UnseenPart {
        of: "clock".to_owned(),
        part: "what depends on the time".to_owned(),
        reason,
        unlock,
        unseen: Unseen::Blocks,
    }));
    let mut not_checked: Vec<_> = not_checked.into_iter().map(|part| accepted.part(part)).collect();
    let (verdict, mut verdict_reasons) = decide(record.target.goal, &checks, &not_checked);
    if let Some(blind) = blind(&checks) {
        let found = checks.iter().any(|check| !check.findings.is_empty());
        verdict_reasons.retain(|reason| found && !reason.starts_with(NOT_PROVEN));
        verdict_reasons.insert(0, blind.headline());
    }
    not_checked.extend(accepted.idle());
    Report {
        schema_version: 1,
        tool: Tool { name: "launchready".to_owned(), version: record.version.clone() },
        project: record.target.project.clone(),
        domain: record.target.domain.clone(),
        config: record.config.clone(),
        goal: record.target.goal,
        verdict,
        verdict_reasons,
        started_at: record.started_at,
        finished_at: record.finished_at,
        coverage: Coverage::of(&checks),
        money_at_risk: at_risk(&checks),
        checks,
        ownership: record.handover.as_ref().map_or_else(Vec::new, |said| said.accounts.clone()),
        attestations: attestations(
            record.target.attestations.as_deref().unwrap_or_default(),
            record.started_at,
        ),
        waivers: accepted.all(),
        handover: record.handover.clone(),
        not_checked,
    }
}

/// The report with what config and store say for whoever takes the project over.
pub fn with_handover(
    report: Report,
    handover: Handover,
    signed: &[AttestationFacts],
    now: Timestamp,
) -> Report {
    Report {
        ownership: handover.accounts.clone(),
        attestations: attestations(signed, now),
        handover: Some(handover),
        ..report
    }
}

/// What people have signed: the last signature of each item.
fn attestations(signed: &[AttestationFacts], now: Timestamp) -> Vec<AttestationReport> {
    let last = |item: &AttestationItem| {
        let mine = signed.iter().filter(|one| one.item == item.id && one.at <= now);
        let last = mine.max_by_key(|one| one.at)?;
        Some(AttestationReport {
            item: item.id.to_owned(),
            title: item.title.to_owned(),
            by: last.by.clone(),
            at: last.at,
            until: last.ends(),
            holds: last.holds(now),
            note: last.note.clone(),
        })
    };
    ATTESTATIONS.iter().filter_map(last).collect()
}

/// The money that hangs on findings that nobody has accepted.
pub(super) fn at_risk(checks: &[CheckReport]) -> Vec<AtRisk> {
    let findings = checks.iter().flat_map(|check| &check.findings);
    let live = findings.filter(|finding| finding.waived.is_none());
    AtRisk::sum(live.flat_map(|finding| finding.at_risk.iter().cloned()))
}

fn judge(record: &AuditRecord, run: &RunRecord, meta: &'static CheckMeta) -> CheckReport {
    let recheck = record.recheck(meta.id);
    let mut check = CheckReport {
        id: meta.id.to_owned(),
        title: meta.title.to_owned(),
        area: meta.area.as_str().to_owned(),
        target: record.target.domain.clone(),
        vantage: meta.vantage,
        status: Status::Unknown,
        reason: None,
        unlock: None,
        duration_ms: run.duration_ms,
        evidence_sha256: match &run.outcome {
            Outcome::Looked { evidence } => {
                Some(hex::encode(Sha256::digest(evidence.to_string().as_bytes())))
            }
            Outcome::Skipped { .. } | Outcome::Unknown { .. } => None,
        },
        measurements: Vec::new(),
        not_checked: Vec::new(),
        findings: Vec::new(),
    };
    let mut ended = |status, reason: String, unlock: String| {
        check.status = status;
        check.reason = Some(reason);
        check.unlock = Some(unlock).filter(|unlock| !unlock.is_empty());
    };
    match judge_run(record, run) {
        Ok(assessment) => {
            check.status = assessment.status();
            check.measurements = assessment.measurements;
            check.not_checked = assessment
                .not_checked
                .into_iter()
                .map(|part| NotCheckedReport {
                    part: part.part,
                    reason: part.reason,
                    unlock: part.unlock,
                    unseen: part.unseen,
                })
                .collect();
            let findings = assessment.findings.into_iter();
            check.findings =
                findings.map(|finding| FindingReport::new(finding, recheck.clone())).collect();
        }
        Err(CheckError::Skipped { reason, unlock }) => ended(Status::Skipped, reason, unlock),
        Err(CheckError::Unknown { cause, unlock }) => ended(Status::Unknown, cause, unlock),
    }
    check
}

/// Says the option where a step names a key of the config, because there is no config.
fn by_option(check: &mut CheckReport) {
    let parts = check.not_checked.iter_mut().map(|part| &mut part.unlock);
    for unlock in check.unlock.iter_mut().chain(parts) {
        for (key, option) in [
            ("network.resolvers = [\"1.1.1.1\"]", "--resolver 1.1.1.1"),
            (
                "network.resolvers = [\"1.1.1.1\", \"8.8.8.8\"]",
                "--resolver 1.1.1.1 --resolver 8.8.8.8",
            ),
        ] {
            *unlock = unlock.replace(key, option);
        }
    }
}

/// What one check did not see; a run that could not look at all did not see any of its codes.
pub(super) fn unseen_parts(check: &CheckReport, meta: &CheckMeta) -> Vec<UnseenPart> {
    let whole = |unseen| UnseenPart {
        of: check.id.clone(),
        part: meta.title.to_owned(),
        reason: check.reason.clone().unwrap_or_default(),
        unlock: check.unlock.clone().unwrap_or_default(),
        unseen,
    };
    let worst = |findings: &[FindingSpec]| {
        findings.iter().map(|spec| spec.unseen).max().unwrap_or(Unseen::Condition)
    };
    match check.status {
        // What is not configured is mentioned; whether a whole area may be missing is said by
        // `not_used`.
        Status::Skipped if check.reason.is_some() => vec![whole(Unseen::Noted)],
        Status::Unknown if check.reason.is_some() => vec![whole(worst(meta.findings))],
        Status::Pass | Status::Warn | Status::Fail | Status::Unknown | Status::Skipped => {
            let part = |part: &NotCheckedReport| UnseenPart {
                of: check.id.clone(),
                part: part.part.clone(),
                reason: part.reason.clone(),
                unlock: part.unlock.clone(),
                unseen: part.unseen,
            };
            check.not_checked.iter().map(part).collect()
        }
    }
}

/// The checks that were left out: what is left is no verdict on the launch.
pub(super) fn left_out(
    checks: &[CheckReport],
    of: &str,
    reason: &str,
    unlock: &str,
) -> Option<UnseenPart> {
    let (ran, all) = (checks.len(), registry::ALL.len());
    (ran < all).then(|| UnseenPart {
        of: of.to_owned(),
        part: format!("{} of {all} checks", all - ran),
        reason: reason.to_owned(),
        unlock: unlock.to_owned(),
        unseen: Unseen::Condition,
    })
}

/// Areas that are neither configured nor said to be missing on purpose.
pub(super) fn unseen_areas(settled: &[&str]) -> Vec<UnseenPart> {
    // Mail is seen from outside; the others need a connector with a credential.
    let looked_at = |setting: &str| setting == "mail" || settled.contains(&setting);
    AREAS_BY_SETTING
        .iter()
        .filter(|(setting, _)| !looked_at(setting))
        .map(|(setting, words)| UnseenPart {
            of: (*setting).to_owned(),
            part: (*words).to_owned(),
            reason: "it is not configured".to_owned(),
            unlock: format!(
                "add [project.{setting}] to the config, or say not_used = [\"{setting}\"] where the \
                 product has no such part"
            ),
            unseen: Unseen::Condition,
        })
        .collect()
}

/// Areas that are configured and of which no check could look: most often their credential is not there.
pub(super) fn blind_areas(
    settled: &[&str],
    not_used: &[String],
    checks: &[CheckReport],
) -> Vec<UnseenPart> {
    let is_used = |area: &str| settled.contains(&area) && not_used.iter().all(|one| one != area);
    let blind = |(area, words): &(&str, &str)| {
        let mut own = checks.iter().filter(|check| needs_area(check, area)).peekable();
        let first = *own.peek()?;
        own.all(|check| check.status == Status::Skipped).then(|| UnseenPart {
            of: (*area).to_owned(),
            part: (*words).to_owned(),
            reason: first.reason.clone().unwrap_or_default(),
            unlock: first.unlock.clone().unwrap_or_default(),
            unseen: Unseen::Condition,
        })
    };
    AREAS_BY_SETTING.iter().filter(|(area, _)| is_used(area)).filter_map(blind).collect()
}

/// Whether a check needs the table of an area, or a key in it.
fn needs_area(check: &CheckReport, area: &str) -> bool {
    let needs = registry::find(&check.id).map_or(&[][..], |plugin| plugin.meta.needs);
    needs.iter().any(|need| match need {
        Need::Setting(setting) => setting.split('.').nth(1) == Some(area),
        Need::Ownership | Need::Figures(_) => false,
    })
}
