//! Every text of a report, for what has to be done to each of them.

use super::{CheckReport, Report};
use crate::engine::{Account, Handover};

/// Hands every text to `edit`.
pub(super) fn each_text(report: &mut Report, edit: &mut dyn FnMut(&mut String)) {
    let texts =
        [&mut report.tool.name, &mut report.tool.version, &mut report.project, &mut report.domain];
    texts.into_iter().for_each(&mut *edit);
    report.config.iter_mut().for_each(&mut *edit);
    report.verdict_reasons.iter_mut().for_each(&mut *edit);
    report.money_at_risk.iter_mut().for_each(|money| edit(&mut money.currency));
    report.ownership.iter_mut().for_each(|account| each_of_account(account, edit));
    for signed in &mut report.attestations {
        let texts = [&mut signed.item, &mut signed.title, &mut signed.by, &mut signed.note];
        texts.into_iter().for_each(&mut *edit);
    }
    for waiver in &mut report.waivers {
        let texts = [&mut waiver.code, &mut waiver.by, &mut waiver.reason];
        texts.into_iter().chain(&mut waiver.subject).for_each(&mut *edit);
    }
    if let Some(handover) = &mut report.handover {
        each_of_handover(handover, edit);
    }
    for part in &mut report.not_checked {
        let texts = [&mut part.of, &mut part.part, &mut part.reason, &mut part.unlock];
        texts.into_iter().for_each(&mut *edit);
    }
    report.checks.iter_mut().for_each(|check| each_of_check(check, edit));
}

fn each_of_account(account: &mut Account, edit: &mut dyn FnMut(&mut String)) {
    edit(&mut account.system);
    let maybe = [
        &mut account.account,
        &mut account.owner,
        &mut account.second,
        &mut account.recovery,
        &mut account.cost,
    ];
    maybe.into_iter().flatten().for_each(edit);
}

fn each_of_handover(handover: &mut Handover, edit: &mut dyn FnMut(&mut String)) {
    handover.accounts.iter_mut().for_each(|account| each_of_account(account, edit));
    for secret in &mut handover.secrets {
        [&mut secret.key, &mut secret.kept].into_iter().for_each(&mut *edit);
    }
    for channel in &mut handover.channels {
        let texts = [&mut channel.name, &mut channel.kind];
        texts.into_iter().chain(&mut channel.fallback).for_each(&mut *edit);
    }
    for one in &mut handover.watched {
        [&mut one.check, &mut one.rhythm].into_iter().for_each(&mut *edit);
    }
    for one in &mut handover.mended {
        [&mut one.title, &mut one.code].into_iter().chain(&mut one.by).for_each(&mut *edit);
    }
}

/// Hands every text of a check to `edit`.
pub(super) fn each_of_check(check: &mut CheckReport, edit: &mut dyn FnMut(&mut String)) {
    let texts = [&mut check.id, &mut check.title, &mut check.area, &mut check.target];
    texts.into_iter().for_each(&mut *edit);
    check.reason.iter_mut().chain(&mut check.unlock).for_each(&mut *edit);
    check.measurements.iter_mut().filter_map(|of| of.subject.as_mut()).for_each(&mut *edit);
    for part in &mut check.not_checked {
        let texts = [&mut part.part, &mut part.reason, &mut part.unlock];
        texts.into_iter().for_each(&mut *edit);
    }
    for finding in &mut check.findings {
        let texts = [
            &mut finding.code,
            &mut finding.subject,
            &mut finding.fingerprint,
            &mut finding.summary,
            &mut finding.why,
            &mut finding.fix,
            &mut finding.undo,
            &mut finding.recheck,
            &mut finding.docs,
        ];
        texts.into_iter().for_each(&mut *edit);
        finding.evidence.iter_mut().for_each(&mut *edit);
        if let Some(waived) = &mut finding.waived {
            [&mut waived.by, &mut waived.reason].into_iter().for_each(&mut *edit);
        }
    }
}
