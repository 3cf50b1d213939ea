//! Runs as the engine stores them, from what they found.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use launchready::incident::{Book, RunSeen, SeenFinding, Sight};
use launchready::store::{Finished, JobKey, Store};
use launchready_checks::contract::{Assessment, Finding, Status, Unseen};
use launchready_checks::registry;

/// A run of a check with what it concluded.
pub(crate) struct Run<'a> {
    pub(crate) project: &'a str,
    pub(crate) check: &'a str,
    pub(crate) at: Timestamp,
    pub(crate) assessment: Assessment,
    pub(crate) reason: Option<(Status, &'a str, &'a str)>,
}

impl Run<'_> {
    fn finished(self) -> Finished {
        let plugin = registry::find(self.check).unwrap();
        let target = format!("{}.example", self.project.replace(' ', "-"));
        let seen = |finding: &Finding| SeenFinding {
            code: finding.code.clone(),
            severity: finding.severity,
            urgency: finding.urgency,
            fingerprint: finding.fingerprint.clone(),
            title: registry::find_code(&finding.code).unwrap().1.title.to_owned(),
            subject: finding.subject.clone(),
            summary: finding.summary.clone(),
            why: finding.why.clone(),
            evidence: finding.evidence.clone(),
            fix: finding.fix.clone(),
            undo: finding.undo.clone(),
            certain: true,
        };
        let sight = match self.reason {
            None => Sight::Looked { unseen_parts: Vec::new() },
            Some((Status::Skipped, _, _)) => Sight::Skipped,
            Some((_, cause, unlock)) => Sight::Blind {
                cause: cause.to_owned(),
                unlock: unlock.to_owned(),
                unseen: Unseen::Condition,
                runs: 1,
                since: self.at,
                own_network: false,
            },
        };
        let next = SignedDuration::from_mins(5);
        Finished {
            key: JobKey { project: self.project.to_owned(), check: self.check.to_owned() },
            due_at: self.at,
            started_at: self.at,
            duration: Duration::from_millis(184),
            status: self.reason.map_or_else(|| self.assessment.status(), |(status, _, _)| status),
            reason: self.reason.map(|(_, why, unlock)| (why.to_owned(), unlock.to_owned())),
            evidence: None,
            carry: None,
            windows: Vec::new(),
            seen: RunSeen {
                project: self.project.to_owned(),
                check: self.check.to_owned(),
                check_title: plugin.meta.title.to_owned(),
                target,
                at: self.at,
                first: false,
                last_look: None,
                sight,
                findings: self.assessment.findings.iter().map(seen).collect(),
                expired: Vec::new(),
                recheck: format!(
                    "launchready check {} --config config.toml --project {}",
                    self.check, self.project
                ),
            },
            assessment: self.assessment,
            next_due: self.at.checked_add(next).unwrap(),
        }
    }
}

pub(super) fn finding(code: &str, subject: &str) -> Finding {
    registry::find_code(code).unwrap().1.finding(subject)
}

/// The measurements of a check at some time, with a daily wave in them.
pub(super) fn measured(check: &str, hour: i64, slow: f64) -> Assessment {
    let mut assessment = Assessment::default();
    let wave = (hour as f64 / 24.0 * std::f64::consts::TAU).sin();
    let plugin = registry::find(check).unwrap();
    for spec in plugin.meta.measurements {
        let value = match (check, spec.name) {
            ("web-uptime", "p95") => 0.42 + 0.12 * wave + slow,
            ("web-uptime", "first-byte-p95") => 0.21 + 0.06 * wave + slow / 2.0,
            ("web-uptime", _) => 1.0,
            ("tls-certificate", _) => 1_798_000_000.0,
            ("mail-spf", "lookups") => 11.0,
            _ => 0.0,
        };
        let subject = spec.label.map(|label| match label {
            "endpoint" => "checkout",
            "domain" => "harbor.example",
            _ => "app.harbor.example",
        });
        let bounds = match spec.name {
            "p95" => (Some(0.8), Some(2.0)),
            "lookups" => (None, Some(10.0)),
            _ => (None, None),
        };
        assessment.measure(spec.value(subject, value).bounds(bounds.0, bounds.1));
    }
    assessment
}

pub(super) async fn commit(store: &dyn Store, book: &Book, runs: Vec<Run<'_>>) {
    let runs: Vec<_> = runs.into_iter().map(Run::finished).collect();
    store.commit(&runs, book).await.unwrap();
}
