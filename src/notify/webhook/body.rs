//! The body of a webhook: what happened as data, below the 20 KB that Standard Webhooks asks for.

use serde::Serialize;
use serde_json::{Value, json};

use crate::incident::{Incident, Member};
use crate::notify::message::{Message, draw, latest, page_of};
use crate::notify::{Envelope, harmless};
use crate::store::{Notification, NotificationKind, Told};

/// The most bytes of a body.
const BYTES: usize = 20_000;
/// More changes than this never fit with their incidents, however short.
const FULL: usize = 32;
/// Changes beyond the limit that are named by their ids and titles; what is past it is counted.
const NAMED: usize = 100;
/// Characters of such a title.
const NAME_CHARS: usize = 80;
/// So many stay with their incidents while fewer are named.
const KEPT_FULL: usize = 8;
/// So many stay named while fewer come with their incidents.
const KEPT_NAMED: usize = 25;
/// Levels of detail that are tried until the body fits: members of each incident, lines of evidence of
/// each member, characters of each text.
const DETAIL: [(usize, usize, usize); 4] = [(20, 8, 600), (5, 4, 300), (1, 2, 200), (1, 0, 120)];

#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    timestamp: String,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    id: &'a str,
    project: &'a str,
    subject: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instead_of: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lines: Vec<String>,
    changes: Vec<Value>,
    /// Changes without their incidents, because the body would be too large.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    more: Vec<Value>,
    /// Changes that are not even named.
    #[serde(skip_serializing_if = "is_none")]
    left_out: usize,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_none(count: &usize) -> bool {
    *count == 0
}

/// The body, the same on every try.
pub(super) fn body(notification: &Notification, envelope: &Envelope) -> Vec<u8> {
    let message = &draw(notification, envelope);
    let told = in_order(notification);
    let mut size = Size { full: told.len().min(FULL), named: NAMED };
    for detail in DETAIL {
        let body = draft(notification, envelope, message, &told, detail, size);
        if body.len() < BYTES {
            return body;
        }
    }
    let least = DETAIL.last().copied().unwrap_or_default();
    while size.shrink() {
        let body = draft(notification, envelope, message, &told, least, size);
        if body.len() < BYTES {
            return body;
        }
    }
    draft(notification, envelope, message, &[], least, size)
}

/// The changes as they are told: those of the first look worst first, others as they happened.
fn in_order(notification: &Notification) -> Vec<&Told> {
    let mut told: Vec<&Told> = notification.told.iter().collect();
    if notification.kind == NotificationKind::FirstLook {
        let worst_first = latest(&notification.told);
        let place = |told: &&Told| {
            worst_first.iter().position(|(other, _)| other.incident.id == told.incident.id)
        };
        told.sort_by_key(place);
    }
    told
}

/// How many changes come with their incidents, and how many more are named.
#[derive(Debug, Clone, Copy)]
struct Size {
    full: usize,
    named: usize,
}

impl Size {
    /// Takes the next smaller size; false where there is none.
    const fn shrink(&mut self) -> bool {
        if self.full == 0 && self.named == 0 {
            return false;
        }
        if self.full > KEPT_FULL || self.named <= KEPT_NAMED && self.full > 0 {
            self.full /= 2;
        } else {
            self.named /= 2;
        }
        true
    }
}

fn draft(
    notification: &Notification,
    envelope: &Envelope,
    message: &Message,
    told: &[&Told],
    detail: (usize, usize, usize),
    size: Size,
) -> Vec<u8> {
    let (_, _, chars) = detail;
    let (first, rest) = told.split_at_checked(size.full).unwrap_or((told, &[]));
    let named = rest.get(..size.named.min(rest.len())).unwrap_or_default();
    let body = Body {
        r#type: event(notification),
        timestamp: notification.at.to_string(),
        data: Data {
            id: &envelope.id,
            project: &notification.project,
            subject: &message.subject,
            instead_of: envelope.instead_of.as_deref(),
            lines: message.paragraphs.iter().take(40).map(|l| harmless::cut(l, chars)).collect(),
            changes: first.iter().map(|told| change(told, envelope, detail)).collect(),
            more: named
                .iter()
                .map(|told| {
                    json!({
                        "change_id": told.change,
                        "kind": told.kind,
                        "incident_id": told.incident.id,
                        "severity": told.incident.severity,
                        "title": harmless::ours(&told.incident.title, NAME_CHARS),
                    })
                })
                .collect(),
            left_out: rest.len() - named.len(),
        },
    };
    // Strings and numbers alone: this cannot fail.
    serde_json::to_vec(&body).unwrap_or_default()
}

/// `incident.opened` where all changes are of one kind, `launchready.changes` where they differ.
fn event(notification: &Notification) -> String {
    let kind = notification.told.first().map(|told| told.kind);
    match (notification.kind, kind) {
        (NotificationKind::Changes | NotificationKind::Escalation, Some(kind))
            if notification.told.iter().all(|told| told.kind == kind) =>
        {
            format!("incident.{}", kind.as_str())
        }
        (kind, _) => format!("launchready.{}", kind.as_str()),
    }
}

fn change(told: &Told, envelope: &Envelope, detail: (usize, usize, usize)) -> Value {
    let incident = &told.incident;
    let (members, _, chars) = detail;
    let only = !told.members.is_empty();
    let concerned =
        incident.members.iter().filter(|(print, _)| !only || told.members.contains(print));
    let concerned: Vec<(&String, &Member)> = concerned.collect();
    let count = if only {
        u64::try_from(told.members.len()).unwrap_or(u64::MAX)
    } else {
        incident.member_count()
    };
    let listed: Vec<Value> = concerned
        .iter()
        .take(members)
        .map(|(print, one)| member(print, one, incident, detail))
        .collect();
    let more = count.saturating_sub(u64::try_from(listed.len()).unwrap_or(u64::MAX));
    let ours = |text: &str| harmless::ours(text, chars);
    json!({
        "change_id": told.change,
        "kind": told.kind,
        "at": told.at,
        "incident": {
            "id": incident.id,
            "project": incident.key.project,
            "check": incident.key.check,
            "code": incident.key.code,
            "target": incident.key.target,
            "state": incident.state,
            "severity": incident.severity,
            "urgency": incident.urgency,
            "title": ours(&incident.title),
            "why": ours(&incident.why),
            "recheck": ours(&incident.recheck),
            "first_seen": incident.first_seen,
            "last_seen": incident.last_seen,
            "last_good": incident.last_good,
            "opened_at": incident.opened_at,
            "resolved_at": incident.resolved_at,
            "url": page_of(incident, envelope),
            "member_count": incident.member_count(),
        },
        "members": listed,
        "more_members": more,
    })
}

fn member(
    print: &str,
    member: &Member,
    incident: &Incident,
    (_, lines, chars): (usize, usize, usize),
) -> Value {
    let seen = |text: &str| harmless::seen(text, &incident.key.target, chars);
    let evidence: Vec<String> = member.evidence.iter().take(lines).map(|line| seen(line)).collect();
    json!({
        "fingerprint": print,
        "subject": seen(&member.subject),
        "summary": seen(&member.summary),
        "evidence": evidence,
        "fix": harmless::ours(&member.fix, chars),
        "undo": harmless::ours(&member.undo, chars),
        "first_seen": member.first_seen,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::sample;

    #[test]
    fn each_message_is_data_below_the_limit() {
        for (name, notification, envelope) in sample::all() {
            let body = body(&notification, &envelope);
            assert!(body.len() < BYTES, "{name}: {} bytes", body.len());
            let value: Value = serde_json::from_slice(&body).unwrap();
            insta::assert_json_snapshot!(format!("webhook_{name}"), value);
        }
    }

    #[test]
    fn the_first_look_is_worst_first() {
        let mut first = sample::many(40, "a page");
        first.kind = NotificationKind::FirstLook;
        for (told, number) in first.told.iter_mut().zip(0..) {
            if number % 2 == 0 {
                told.incident.severity = launchready_checks::contract::Severity::Warning;
            }
        }
        let value: Value = serde_json::from_slice(&body(&first, &sample::envelope())).unwrap();
        let listed = |name: &str| value["data"][name].as_array().unwrap().clone();
        let mut words: Vec<Value> =
            listed("changes").iter().map(|one| one["incident"]["severity"].clone()).collect();
        words.extend(listed("more").iter().map(|one| one["severity"].clone()));
        assert_eq!(words.len(), 40);
        assert!(words.is_sorted_by_key(|word| word != "critical"), "{words:?}");
    }

    #[test]
    fn a_body_never_passes_the_limit_and_names_every_change_that_it_can() {
        for count in [2, 20, 100, 200] {
            let notification = sample::many(count, &"\u{1f4a9}".repeat(700));
            let body = body(&notification, &sample::envelope());
            assert!(body.len() < BYTES, "{count}: {} bytes", body.len());
            let value: Value = serde_json::from_slice(&body).unwrap();
            let data = &value["data"];
            let listed = |name: &str| data[name].as_array().map_or(0, Vec::len);
            let more = data["more"].as_array().into_iter().flatten();
            assert!(more.clone().all(|one| one["title"].as_str().is_some_and(|it| !it.is_empty())));
            let left_out = usize::try_from(data["left_out"].as_u64().unwrap_or(0)).unwrap();
            assert_eq!(listed("changes") + listed("more") + left_out, count);
        }
    }
}
