//! One incident in a message: what, since when, why, what to do, how to undo, what was seen, look again.

use jiff::Timestamp;

use super::words::{self, Zone};
use super::{Tone, harmless};
use crate::incident::{ChangeKind, Incident, Member, State};
use crate::store::Told;

/// Members that are named one by one; the rest is counted.
pub(super) const MEMBERS: usize = 5;
/// Lines of evidence of all members together.
const EVIDENCE: usize = 8;
/// Different fixes, and ways to undo them.
const FIXES: usize = 3;
/// The most characters of a title or subject.
const SHORT: usize = 160;
/// The most characters of a paragraph.
const LONG: usize = 900;
/// The most characters of a line of evidence.
const SEEN: usize = 300;

/// What a part of a section says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// What happened.
    What,
    /// Since when, or how long.
    Since,
    /// Why it matters.
    Why,
    /// What to do.
    Fix,
    /// How to take that back.
    Undo,
    /// What was seen.
    Seen,
    /// The command that looks again.
    Recheck,
}

/// One part of a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) role: Role,
    pub(crate) label: &'static str,
    pub(crate) lines: Vec<String>,
}

/// One incident as a message tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) tone: Tone,
    pub(crate) badge: String,
    pub(crate) title: String,
    /// Its one member, or how many.
    pub(crate) about: String,
    pub(crate) stakes: Option<&'static str>,
    pub(crate) points: Vec<Point>,
    pub(crate) link: Option<String>,
}

/// The colour and the order of a change.
pub(super) fn tone(kind: ChangeKind, incident: &Incident) -> Tone {
    match kind {
        ChangeKind::Resolved => Tone::Good,
        ChangeKind::Calm if incident.state == State::Resolved => Tone::Good,
        ChangeKind::Expired | ChangeKind::Calm | ChangeKind::Acknowledged => Tone::Quiet,
        ChangeKind::Opened
        | ChangeKind::Worsened
        | ChangeKind::Unmuted
        | ChangeKind::Joined
        | ChangeKind::Reminded
        | ChangeKind::Escalated
        | ChangeKind::Flapping => Tone::of(incident.severity),
    }
}

/// The members that a change is about, those that were there first in front, and how many there are.
fn about(told: &Told, kind: ChangeKind) -> (Vec<&Member>, u64) {
    let incident = &told.incident;
    let only = kind == ChangeKind::Joined && !told.members.is_empty();
    let mut members: Vec<&Member> = incident
        .members
        .iter()
        .filter(|(print, _)| !only || told.members.contains(print))
        .map(|(_, member)| member)
        .collect();
    members.sort_by(|a, b| (a.first_seen, &a.subject).cmp(&(b.first_seen, &b.subject)));
    let count = if only {
        u64::try_from(told.members.len()).unwrap_or(u64::MAX)
    } else {
        incident.member_count()
    };
    (members, count)
}

/// The member that is named first.
pub(super) fn first_member(told: &Told, kind: ChangeKind) -> Option<&Member> {
    about(told, kind).0.first().copied()
}

/// The subject that is named first, for the order of a message.
pub(super) fn first_subject(told: &Told, kind: ChangeKind) -> String {
    first_member(told, kind).map(|member| member.subject.clone()).unwrap_or_default()
}

/// What it is about in one line: the subject of the one member, or the count.
pub(super) fn subject(told: &Told, kind: ChangeKind) -> String {
    let (members, count) = about(told, kind);
    match members.as_slice() {
        [one] if count == 1 => {
            harmless::line(&harmless::seen(&one.subject, &told.incident.key.target, SHORT), SHORT)
        }
        _ if kind == ChangeKind::Joined => format!("{count} more"),
        _ if count == 0 => harmless::line(&told.incident.key.target, SHORT),
        _ => format!("{count} affected"),
    }
}

/// The title of an incident as one bounded line.
pub(super) fn title(incident: &Incident) -> String {
    harmless::line(&harmless::ours(&incident.title, SHORT), SHORT)
}

impl Section {
    pub(super) fn of(told: &Told, kind: ChangeKind, zone: &Zone, page: Option<&str>) -> Self {
        let incident = &told.incident;
        let (members, count) = about(told, kind);
        let shown = members.get(..MEMBERS.min(members.len())).unwrap_or_default();
        let mut points = vec![
            Point { role: Role::What, label: "What", lines: what(told, shown, count, kind) },
            Point { role: Role::Since, label: since_label(kind), lines: since(told, kind, zone) },
        ];
        let mut add = |role, label, lines: Vec<String>| {
            if !lines.is_empty() {
                points.push(Point { role, label, lines });
            }
        };
        let over = kind.is_end() || (kind == ChangeKind::Calm && incident.state == State::Resolved);
        if !over {
            add(Role::Fix, "What to do", distinct(shown.iter().map(|m| m.fix.as_str())));
            add(Role::Undo, "To undo that", distinct(shown.iter().map(|m| m.undo.as_str())));
            add(Role::Why, "Why it matters", paragraph(&incident.why));
            add(Role::Seen, "What we saw", evidence(shown, &incident.key.target));
        }
        add(Role::Recheck, "Look again", paragraph(&incident.recheck));
        let stakes = (!over && kind != ChangeKind::Acknowledged).then(|| words::stakes(incident));
        Self {
            tone: tone(kind, incident),
            badge: words::badge(kind, incident, told.at),
            title: title(incident),
            about: subject(told, kind),
            stakes,
            points,
            link: page.map(|page| format!("{page}/incidents/{}", incident.id)),
        }
    }

    /// The lines of one part.
    pub(crate) fn point(&self, role: Role) -> Option<&Point> {
        self.points.iter().find(|point| point.role == role)
    }
}

fn what(told: &Told, shown: &[&Member], count: u64, kind: ChangeKind) -> Vec<String> {
    let target = &told.incident.key.target;
    let mut lines: Vec<String> = shown
        .iter()
        .map(|member| {
            let summary = harmless::line(&harmless::seen(&member.summary, target, LONG), LONG);
            let subject = harmless::line(&harmless::seen(&member.subject, target, SHORT), SHORT);
            if summary.contains(&subject) { summary } else { format!("{subject}: {summary}") }
        })
        .collect();
    let rest = count.saturating_sub(u64::try_from(shown.len()).unwrap_or(u64::MAX));
    if rest > 0 && !lines.is_empty() {
        lines.push(format!("and {rest} more"));
    }
    if kind == ChangeKind::Joined {
        lines.push(format!("{} in all", told.incident.member_count()));
    }
    match (kind, &told.incident.acknowledged) {
        (ChangeKind::Acknowledged, Some(taken)) => {
            let by = harmless::line(&harmless::ours(&taken.by, SHORT), SHORT);
            let before = taken.before.as_ref().map(|name| {
                let name = harmless::line(&harmless::ours(name, SHORT), SHORT);
                format!(", taken over from {name}")
            });
            let before = before.unwrap_or_default();
            let note = harmless::line(&harmless::ours(&taken.note, LONG), LONG);
            let note = if note.is_empty() { String::new() } else { format!(": {note}") };
            lines.push(format!("{by} is on it{before}{note}"));
        }
        (ChangeKind::Expired, _) => lines.push(
            "It is too old for the other side to show it still, so nobody can say that it was fixed"
                .to_owned(),
        ),
        (ChangeKind::Flapping, _) => lines.push(
            "It opens and closes so often that we stay silent until it is calm again".to_owned(),
        ),
        _ => {}
    }
    if lines.is_empty() {
        lines.push(title(&told.incident));
    }
    lines
}

fn since_label(kind: ChangeKind) -> &'static str {
    if kind.is_end() { "Lasted" } else { "Since" }
}

fn since(told: &Told, kind: ChangeKind, zone: &Zone) -> Vec<String> {
    let incident = &told.incident;
    let began = incident.first_seen;
    if kind.is_end() {
        let ended = incident.resolved_at.unwrap_or(told.at);
        let span = words::lasting(ended.duration_since(began));
        return vec![format!("{span}: {}", zone.between(began, ended))];
    }
    let good = |good: Timestamp| format!("; last seen fine {}", zone.short(good, began));
    let good = match (incident.last_good, incident.from_start) {
        (Some(at), _) => good(at),
        (None, true) => "; it was there at our first look".to_owned(),
        (None, false) => String::new(),
    };
    let mut lines = vec![format!("{}{good}", zone.when(began))];
    if matches!(kind, ChangeKind::Reminded | ChangeKind::Escalated) {
        let span = words::lasting(told.at.duration_since(began));
        let seen = zone.short(incident.last_seen, began);
        lines.push(format!("open for {span}, last seen {seen}"));
    }
    lines
}

fn paragraph(text: &str) -> Vec<String> {
    let text = harmless::ours(text, LONG);
    if text.is_empty() { Vec::new() } else { vec![text] }
}

fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for text in texts {
        let text = harmless::ours(text, LONG);
        if !text.is_empty() && kept.len() < FIXES && !kept.contains(&text) {
            kept.push(text);
        }
    }
    kept
}

fn evidence(shown: &[&Member], target: &str) -> Vec<String> {
    let each = EVIDENCE.div_ceil(shown.len().max(1));
    let lines = shown.iter().flat_map(|member| member.evidence.iter().take(each));
    lines
        .take(EVIDENCE)
        .map(|line| harmless::line(&harmless::seen(line, target, SEEN), SEEN))
        .collect()
}
