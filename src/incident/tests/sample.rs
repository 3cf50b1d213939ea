//! Incidents, runs and rules for the tests of this part.

use std::collections::BTreeMap;

use jiff::Timestamp;
use launchready_checks::contract::{Severity, Unseen, Urgency};

use crate::incident::{
    ChannelRule, Incident, IncidentKey, Member, RunSeen, SeenFinding, Sight, Silence,
};

/// Reads a time.
pub(in crate::incident) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A suspected incident of `harbor` without members.
pub(in crate::incident) fn incident(check: &str, code: &str) -> Incident {
    let key = IncidentKey {
        project: "harbor".to_owned(),
        check: check.to_owned(),
        code: code.to_owned(),
        target: "harbor.example".to_owned(),
    };
    let mut incident = Incident::begin(key, at("2026-11-22T09:00:00Z"));
    (incident.severity, incident.urgency) = (Severity::Critical, Urgency::Now);
    incident.members = BTreeMap::new();
    incident
}

/// A member that nobody has heard of.
pub(in crate::incident) fn member(subject: &str) -> Member {
    Member {
        subject: subject.to_owned(),
        summary: format!("{subject} is down."),
        evidence: Vec::new(),
        fix: "Roll back.".to_owned(),
        undo: "Roll forward.".to_owned(),
        first_seen: at("2026-11-22T09:00:00Z"),
        last_seen: at("2026-11-22T09:00:00Z"),
        told: false,
    }
}

/// A critical finding of urgency now; its fingerprint is its subject.
pub(in crate::incident) fn finding(code: &str, subject: &str) -> SeenFinding {
    SeenFinding {
        code: code.to_owned(),
        severity: Severity::Critical,
        urgency: Urgency::Now,
        fingerprint: subject.to_owned(),
        title: "It does not answer".to_owned(),
        subject: subject.to_owned(),
        summary: format!("{subject} does not answer."),
        why: "Nobody can pay.".to_owned(),
        evidence: vec!["connection refused".to_owned()],
        fix: "Roll back.".to_owned(),
        undo: "Roll forward.".to_owned(),
        certain: false,
    }
}

/// A run of a check of `harbor` that looked and found nothing.
pub(in crate::incident) fn run(check: &str, when: &str) -> RunSeen {
    RunSeen {
        project: "harbor".to_owned(),
        check: check.to_owned(),
        check_title: "Uptime and response time".to_owned(),
        target: "harbor.example".to_owned(),
        at: at(when),
        first: false,
        last_look: None,
        sight: Sight::Looked { unseen_parts: Vec::new() },
        findings: Vec::new(),
        expired: Vec::new(),
        recheck: format!("launchready check {check} harbor.example"),
    }
}

/// A run that could not look.
pub(in crate::incident) fn blind(check: &str, when: &str, runs: u32, since: &str) -> RunSeen {
    let sight = Sight::Blind {
        cause: "The key was refused.".to_owned(),
        unlock: "Make a new key.".to_owned(),
        unseen: Unseen::Condition,
        runs,
        since: at(since),
        own_network: false,
    };
    RunSeen { sight, ..run(check, when) }
}

/// A silence for everything.
pub(in crate::incident) fn silence(from: &str, until: &str) -> Silence {
    Silence {
        id: "sil_1".to_owned(),
        project: None,
        check: None,
        code: None,
        from: at(from),
        until: at(until),
        by: "ana".to_owned(),
        reason: "a move".to_owned(),
    }
}

/// A channel that takes everything.
pub(in crate::incident) fn channel(name: &str) -> ChannelRule {
    ChannelRule {
        name: name.to_owned(),
        severities: vec![Severity::Info, Severity::Warning, Severity::Critical],
        urgencies: vec![Urgency::Digest, Urgency::Day, Urgency::Now],
        projects: Vec::new(),
        quiet: None,
        escalation: false,
        summary: false,
        fallback: None,
        ungrouped: false,
    }
}
