//! What a message says, drawn once from a notification and then given each channel's form. Pure.

mod section;
mod text;
mod words;

use std::collections::BTreeMap;

use launchready_checks::contract::Severity;
use launchready_checks::registry;
use url::Url;

pub(crate) use section::{Point, Role, Section};
pub(crate) use text::text;
pub(crate) use words::{Zone, counted, lasting, severity};

use super::{Envelope, harmless};
use crate::incident::{ChangeKind, Incident};
use crate::store::{Notification, NotificationKind, Told};

/// Incidents that a message tells in full; the rest is counted.
pub(crate) const IN_FULL: usize = 20;
/// The most characters of a subject line.
const SUBJECT: usize = 160;
/// Paragraphs of a message that is not about incidents.
const PARAGRAPHS: usize = 80;

/// The colour of a message, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tone {
    /// Blocks the launch.
    Critical,
    /// A condition of the launch.
    Warning,
    /// Can be mended later.
    Info,
    /// Neither good nor bad.
    Quiet,
    /// Over.
    Good,
}

impl Tone {
    const fn of(severity: Severity) -> Self {
        match severity {
            Severity::Critical => Self::Critical,
            Severity::Warning => Self::Warning,
            Severity::Info => Self::Info,
        }
    }

    /// The sign that stands for the colour where there is none.
    pub(crate) const fn sign(self) -> &'static str {
        match self {
            Self::Critical => "🔴",
            Self::Warning => "🟡",
            Self::Info => "🔵",
            Self::Quiet => "⚪",
            Self::Good => "🟢",
        }
    }
}

/// One line of the message about the first look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) tone: Tone,
    pub(crate) badge: &'static str,
    pub(crate) title: String,
    pub(crate) what: String,
    pub(crate) fix: Option<String>,
    pub(crate) link: Option<String>,
}

/// A message before it has a channel's form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) tone: Tone,
    pub(crate) subject: String,
    pub(crate) headline: String,
    /// The words above the headline.
    pub(crate) badge: String,
    pub(crate) stakes: Option<&'static str>,
    pub(crate) sections: Vec<Section>,
    pub(crate) list: Vec<Item>,
    pub(crate) paragraphs: Vec<String>,
    /// What was counted and not told in full.
    pub(crate) more: Option<String>,
    pub(crate) page: Option<String>,
    /// The small print: the id, and why this channel.
    pub(crate) notes: Vec<String>,
}

/// Draws the message of a notification.
pub(crate) fn draw(notification: &Notification, envelope: &Envelope) -> Message {
    let page = envelope.public_url.as_deref().map(|url| url.trim_end_matches('/'));
    let project = harmless::line(&harmless::ours(&notification.project, 60), 60);
    let mut message = if notification.told.is_empty() {
        plain(notification)
    } else {
        let zone = Zone::of(&envelope.timezone);
        let changes = latest(&notification.told);
        if notification.kind == NotificationKind::FirstLook {
            first_look(&changes, page, &notification.project)
        } else {
            told(&changes, &zone, page)
        }
    };
    let scope = if project.is_empty() { "launchready" } else { &project };
    message.subject = harmless::cut(&format!("[{scope}] {}", message.subject), SUBJECT);
    if message.page.is_none() {
        message.page = page.map(str::to_owned);
    }
    if let Some(other) = &envelope.instead_of {
        let other = harmless::line(other, 60);
        message.notes.push(format!("Sent here because the channel \"{other}\" did not take it."));
    }
    let who = if project.is_empty() { String::new() } else { format!(" for {project}") };
    message.notes.push(format!(
        "From launchready{who}. Message {}: should it come twice, it is the same one.",
        envelope.id
    ));
    message
}

/// One change of each incident, the last one, worst first: by tone, urgency, whether money is at stake,
/// the order of the checks, and subject. What opened within the message has opened, whatever else happened
/// to it short of its end.
pub(crate) fn latest(told: &[Told]) -> Vec<(&Told, ChangeKind)> {
    let mut by_incident: BTreeMap<&str, (&Told, ChangeKind)> = BTreeMap::new();
    for change in told {
        let id = change.incident.id.as_str();
        let opened = by_incident.get(id).is_some_and(|(_, kind)| *kind == ChangeKind::Opened);
        let within = matches!(change.kind, ChangeKind::Joined | ChangeKind::Worsened);
        let kind = if opened && within { ChangeKind::Opened } else { change.kind };
        by_incident.insert(id, (change, kind));
    }
    let mut changes: Vec<_> = by_incident.into_values().collect();
    changes.sort_by_key(|(told, kind)| {
        let incident = &told.incident;
        (
            section::tone(*kind, incident),
            std::cmp::Reverse((incident.urgency, words::is_money(&incident.key.check))),
            registry::place(&incident.key.check),
            section::first_subject(told, *kind),
            incident.key.code.clone(),
        )
    });
    changes
}

fn told(changes: &[(&Told, ChangeKind)], zone: &Zone, page: Option<&str>) -> Message {
    let shown = changes.iter().take(IN_FULL);
    let sections: Vec<Section> =
        shown.map(|(told, kind)| Section::of(told, *kind, zone, page)).collect();
    let first = sections.first();
    let tone = first.map_or(Tone::Quiet, |section| section.tone);
    let worst = first.map(|section| section.title.clone()).unwrap_or_default();
    let (subject, headline, badge) = if let ([_], Some(one)) = (changes, first) {
        let end = match changes.first() {
            Some((told, kind)) if kind.is_end() => {
                let ended = told.incident.resolved_at.unwrap_or(told.at);
                format!(", after {}", lasting(ended.duration_since(told.incident.first_seen)))
            }
            _ => String::new(),
        };
        let subject = format!("{}: {} ({}){end}", one.badge, one.title, one.about);
        (subject, format!("{} ({}){end}", one.title, one.about), one.badge.clone())
    } else {
        let counts = counts(changes);
        (format!("{counts}. First: {worst}"), counts, "Several changes".to_owned())
    };
    let link = match sections.as_slice() {
        [one] => one.link.clone(),
        _ => None,
    };
    let money = changes.iter().any(|(told, kind)| {
        words::is_money(&told.incident.key.check)
            && matches!(section::tone(*kind, &told.incident), Tone::Critical | Tone::Warning)
    });
    let stakes = match sections.as_slice() {
        [one] => one.stakes,
        _ if money => Some("Money is involved: some of this is about payments or orders."),
        _ => None,
    };
    let more = changes.get(IN_FULL..).filter(|rest| !rest.is_empty());
    Message {
        tone,
        subject: harmless::line(&subject, SUBJECT),
        headline,
        badge,
        stakes,
        sections,
        list: Vec::new(),
        paragraphs: Vec::new(),
        more: more.map(|rest| format!("And {}; they are not listed here.", counts(rest))),
        page: link,
        notes: Vec::new(),
    }
}

/// `3 new problems, 1 resolved`.
fn counts(changes: &[(&Told, ChangeKind)]) -> String {
    use ChangeKind as K;
    let of = |kinds: &[ChangeKind]| changes.iter().filter(|(_, kind)| kinds.contains(kind)).count();
    let groups: [(usize, &str); 9] = [
        (of(&[K::Opened]), "new"),
        (of(&[K::Worsened, K::Joined]), "grown"),
        (of(&[K::Reminded]), "still open"),
        (of(&[K::Escalated]), "with nobody on it"),
        (of(&[K::Acknowledged]), "taken"),
        (of(&[K::Flapping]), "coming and going"),
        (of(&[K::Resolved]), "resolved"),
        (of(&[K::Calm]), "calm again"),
        (of(&[K::Expired]), "closed as too old"),
    ];
    let words: Vec<String> = groups
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(n, word)| format!("{n} {word}"))
        .collect();
    format!("{}: {}", counted(changes.len(), "problem"), words.join(", "))
}

/// The command that prints the checklist of a project, with the config that its checks name.
fn audit(changes: &[(&Told, ChangeKind)]) -> String {
    let rest = changes.first().and_then(|(told, _)| {
        let incident = &told.incident;
        let check = format!("launchready check {}", incident.key.check);
        incident.recheck.strip_prefix(&check).map(|rest| harmless::line(rest, 300))
    });
    format!("launchready audit{}", rest.map(|rest| format!(" {rest}")).unwrap_or_default())
}

/// The page with the checklist of a project.
fn checklist(page: &str, project: &str) -> Option<String> {
    let mut url = Url::parse(page).ok()?;
    url.path_segments_mut().ok()?.pop_if_empty().push("projects").push(project);
    Some(url.to_string())
}

fn first_look(changes: &[(&Told, ChangeKind)], page: Option<&str>, project: &str) -> Message {
    let item = |(told, kind): &(&Told, ChangeKind)| {
        let incident = &told.incident;
        let member = section::first_member(told, *kind);
        let fix = member.map(|member| harmless::line(&harmless::ours(&member.fix, 300), 300));
        Item {
            tone: Tone::of(incident.severity),
            badge: severity(incident.severity),
            title: section::title(incident),
            what: section::subject(told, *kind),
            fix: fix.filter(|fix| !fix.is_empty()),
            link: page.map(|page| format!("{page}/incidents/{}", incident.id)),
        }
    };
    let at = |wanted: Severity, from: usize| {
        changes.iter().skip(from).filter(|(told, _)| told.incident.severity == wanted).count()
    };
    let sum = |from: usize| {
        let all = [
            (Severity::Critical, "critical"),
            (Severity::Warning, "warning"),
            (Severity::Info, "to note"),
        ];
        let words: Vec<String> = all
            .iter()
            .map(|(severity, word)| (at(*severity, from), *word))
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| match word {
                "warning" => counted(count, word),
                _ => format!("{count} {word}"),
            })
            .collect();
        words.join(", ")
    };
    let money = changes.iter().any(|(told, _)| words::is_money(&told.incident.key.check));
    let count = counted(changes.len(), "problem");
    Message {
        tone: changes.first().map_or(Tone::Quiet, |(told, _)| Tone::of(told.incident.severity)),
        subject: format!("First look: {count} ({})", sum(0)),
        headline: format!("Our first look found {count} ({})", sum(0)),
        badge: "First look".to_owned(),
        stakes: money.then_some("Money is involved: some of this is about payments or orders."),
        sections: Vec::new(),
        list: changes.iter().take(IN_FULL).map(item).collect(),
        paragraphs: vec![
            "All of it was there before we began to watch. From here on you hear of what changes."
                .to_owned(),
        ],
        more: Some({
            let rest = changes.len().saturating_sub(IN_FULL);
            let rest = (rest > 0).then(|| format!("And {rest} more ({}). ", sum(IN_FULL)));
            let place =
                if page.is_some() { "is on the page and printed by" } else { "is printed by" };
            format!(
                "{}The whole checklist, with what was not looked at, {place} `{}`.",
                rest.unwrap_or_default(),
                audit(changes)
            )
        }),
        page: page.and_then(|page| checklist(page, project)),
        notes: Vec::new(),
    }
}

fn plain(notification: &Notification) -> Message {
    let (badge, tone) = match notification.kind {
        NotificationKind::Summary => ("Weekly summary", Tone::Quiet),
        NotificationKind::Agent => ("The agent itself", Tone::Warning),
        NotificationKind::Test => ("Test", Tone::Good),
        NotificationKind::Changes | NotificationKind::FirstLook | NotificationKind::Escalation => {
            ("launchready", Tone::Quiet)
        }
    };
    let (title, lines) = match &notification.text {
        Some(text) => (text.title.clone(), text.lines.clone()),
        None => (
            "This channel works".to_owned(),
            vec!["A test of launchready. Nothing is wrong, and there is nothing to do.".to_owned()],
        ),
    };
    let title = harmless::line(&harmless::ours(&title, SUBJECT), SUBJECT);
    let lines = lines.iter().take(PARAGRAPHS);
    Message {
        tone,
        subject: title.clone(),
        headline: title,
        badge: badge.to_owned(),
        stakes: None,
        sections: Vec::new(),
        list: Vec::new(),
        paragraphs: lines.map(|line| harmless::seen(line, &notification.project, 1_000)).collect(),
        more: None,
        page: None,
        notes: Vec::new(),
    }
}

/// The page of an incident, where the agent has one.
pub(crate) fn page_of(incident: &Incident, envelope: &Envelope) -> Option<String> {
    let page = envelope.public_url.as_deref()?.trim_end_matches('/');
    Some(format!("{page}/incidents/{}", incident.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::sample;

    #[test]
    fn each_message_reads_well_as_text() {
        for (name, notification, envelope) in sample::all() {
            let message = draw(&notification, &envelope);
            let shown = format!("Subject: {}\n\n{}", message.subject, text(&message));
            insta::assert_snapshot!(format!("text_{name}"), shown);
        }
    }

    #[test]
    fn the_worst_comes_first_and_what_is_past_the_limit_is_counted() {
        let message = draw(&sample::many(50, "Something is wrong"), &sample::envelope());
        assert_eq!(message.sections.len(), IN_FULL);
        assert!(message.sections.iter().take(16).all(|section| section.tone == Tone::Critical));
        let more = message.more.clone().unwrap();
        assert_eq!(more, "And 30 problems: 30 new; they are not listed here.");
        let long = draw(&sample::many(200, &"x".repeat(5_000)), &sample::envelope());
        assert!(long.subject.chars().count() <= SUBJECT);
        assert!(text(&long).len() < 300_000);
    }

    #[test]
    fn a_problem_that_opened_and_grew_within_a_message_is_new_and_one_that_ended_is_over() {
        let (_, mut notification, envelope) = sample::all().remove(0);
        let mut second = notification.told[0].clone();
        second.kind = ChangeKind::Worsened;
        notification.told.push(second.clone());
        assert_eq!(draw(&notification, &envelope).sections[0].badge, "Critical");
        second.kind = ChangeKind::Resolved;
        notification.told.push(second);
        let message = draw(&notification, &envelope);
        assert_eq!((message.sections.len(), message.tone), (1, Tone::Good));
    }
}
