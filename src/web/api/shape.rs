//! The JSON of the API. Times are RFC 3339, lists stand under a name so that they can be added to.

use jiff::Timestamp;
use launchready_checks::contract::{Severity, Status, Urgency};
use serde::Serialize;

use crate::incident::{Incident, Silence, Waiver};
use crate::report::{Coverage, Report, Verdict};
use crate::store::{Delivery, HistoryPoint, IncidentRecord, RecordedChange, Span};

/// A project in short.
#[derive(Debug, Serialize)]
pub(in crate::web) struct ProjectV1 {
    name: String,
    domain: String,
    verdict: Verdict,
    verdict_reasons: Vec<String>,
    coverage: Coverage,
    open_incidents: u64,
    last_look: Option<Timestamp>,
}

impl ProjectV1 {
    pub(super) fn new(report: &Report, open: u64, last_look: Option<Timestamp>) -> Self {
        Self {
            name: report.project.clone(),
            domain: report.domain.clone(),
            verdict: report.verdict,
            verdict_reasons: report.verdict_reasons.clone(),
            coverage: report.coverage,
            open_incidents: open,
            last_look,
        }
    }
}

/// A stretch of runs that ended in the same status.
#[derive(Debug, Serialize)]
pub(in crate::web) struct SpanV1 {
    status: Status,
    from: Timestamp,
    to: Timestamp,
    runs: u64,
    reason: Option<String>,
}

impl From<Span> for SpanV1 {
    fn from(span: Span) -> Self {
        let Span { status, from, to, runs, reason } = span;
        Self { status, from, to, runs, reason }
    }
}

/// One hour of one measurement.
#[derive(Debug, Serialize)]
pub(in crate::web) struct PointV1 {
    name: String,
    subject: Option<String>,
    hour: Timestamp,
    count: u64,
    min: f64,
    mean: f64,
    p95: f64,
    max: f64,
}

impl From<HistoryPoint> for PointV1 {
    fn from(point: HistoryPoint) -> Self {
        let HistoryPoint { name, subject, hour, count, min, mean, p95, max } = point;
        Self { name, subject, hour, count, min, mean, p95, max }
    }
}

/// An incident.
#[derive(Debug, Serialize)]
pub(in crate::web) struct IncidentV1 {
    id: String,
    project: String,
    check: String,
    code: String,
    target: String,
    state: &'static str,
    severity: Severity,
    urgency: Urgency,
    title: String,
    why: String,
    recheck: String,
    member_count: u64,
    members: Vec<MemberV1>,
    first_seen: Timestamp,
    last_seen: Timestamp,
    opened_at: Option<Timestamp>,
    resolved_at: Option<Timestamp>,
    resolved_by: Option<String>,
    acknowledged: Option<AcknowledgedV1>,
    flapping: bool,
}

#[derive(Debug, Serialize)]
struct MemberV1 {
    fingerprint: String,
    subject: String,
    summary: String,
    evidence: Vec<String>,
    fix: String,
    undo: String,
    first_seen: Timestamp,
    last_seen: Timestamp,
}

#[derive(Debug, Serialize)]
struct AcknowledgedV1 {
    by: String,
    at: Timestamp,
    note: String,
}

impl From<Incident> for IncidentV1 {
    fn from(incident: Incident) -> Self {
        let member_count = incident.member_count();
        let members = incident.members.into_iter().map(|(fingerprint, member)| MemberV1 {
            fingerprint,
            subject: member.subject,
            summary: member.summary,
            evidence: member.evidence,
            fix: member.fix,
            undo: member.undo,
            first_seen: member.first_seen,
            last_seen: member.last_seen,
        });
        Self {
            id: incident.id,
            project: incident.key.project,
            check: incident.key.check,
            code: incident.key.code,
            target: incident.key.target,
            state: incident.state.as_str(),
            severity: incident.severity,
            urgency: incident.urgency,
            title: incident.title,
            why: incident.why,
            recheck: incident.recheck,
            member_count,
            members: members.collect(),
            first_seen: incident.first_seen,
            last_seen: incident.last_seen,
            opened_at: incident.opened_at,
            resolved_at: incident.resolved_at,
            resolved_by: incident.resolved_by,
            acknowledged: incident.acknowledged.map(|taken| AcknowledgedV1 {
                by: taken.by,
                at: taken.at,
                note: taken.note,
            }),
            flapping: incident.flapping,
        }
    }
}

/// An incident with its past.
#[derive(Debug, Serialize)]
pub(in crate::web) struct RecordV1 {
    incident: IncidentV1,
    changes: Vec<ChangeV1>,
    deliveries: Vec<DeliveryV1>,
}

#[derive(Debug, Serialize)]
struct ChangeV1 {
    kind: &'static str,
    at: Timestamp,
    by: Option<String>,
    notification: Option<String>,
    unheard: Option<String>,
}

#[derive(Debug, Serialize)]
struct DeliveryV1 {
    id: String,
    notification: String,
    channel: String,
    state: crate::store::DeliveryState,
    due_at: Timestamp,
    attempts: u32,
    last_error: Option<String>,
    sent_at: Option<Timestamp>,
}

impl From<IncidentRecord> for RecordV1 {
    fn from(record: IncidentRecord) -> Self {
        let change = |change: RecordedChange| ChangeV1 {
            kind: change.kind.as_str(),
            at: change.at,
            by: change.by,
            notification: change.notification,
            unheard: change.unheard,
        };
        let delivery = |delivery: Delivery| DeliveryV1 {
            id: delivery.id,
            notification: delivery.notification,
            channel: delivery.channel,
            state: delivery.state,
            due_at: delivery.due_at,
            attempts: delivery.attempts,
            last_error: delivery.last_error,
            sent_at: delivery.sent_at,
        };
        Self {
            incident: record.incident.into(),
            changes: record.changes.into_iter().map(change).collect(),
            deliveries: record.deliveries.into_iter().map(delivery).collect(),
        }
    }
}

/// A silence.
#[derive(Debug, Serialize)]
pub(in crate::web) struct SilenceV1 {
    id: String,
    project: Option<String>,
    check: Option<String>,
    code: Option<String>,
    from: Timestamp,
    until: Timestamp,
    by: String,
    reason: String,
}

impl From<Silence> for SilenceV1 {
    fn from(silence: Silence) -> Self {
        let Silence { id, project, check, code, from, until, by, reason } = silence;
        Self { id, project, check, code, from, until, by, reason }
    }
}

/// A waiver.
#[derive(Debug, Serialize)]
pub(in crate::web) struct WaiverV1 {
    id: String,
    project: String,
    code: String,
    subject: Option<String>,
    by: String,
    reason: String,
    at: Timestamp,
    until: Timestamp,
    last_used: Option<Timestamp>,
}

impl From<Waiver> for WaiverV1 {
    fn from(waiver: Waiver) -> Self {
        let Waiver { id, project, code, subject, by, reason, at, until, last_used } = waiver;
        Self { id, project, code, subject, by, reason, at, until, last_used }
    }
}
