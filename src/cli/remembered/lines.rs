//! What the agent remembers, drawn for a terminal of 80 columns.

use jiff::Timestamp;

use crate::clock::last_day;
use crate::incident::{Incident, Silence, State, Unheard, Waiver};
use crate::report::visible;

/// Columns; the narrowest terminal that people still use.
const WIDTH: usize = 80;
/// Subjects that are named; the rest is counted.
const SUBJECTS: usize = 3;

/// A time to the second, as people write it.
pub(super) fn when(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// The end of a waiver: the last day on which it holds where it ends with a day, else the time.
pub(super) fn until(at: Timestamp) -> String {
    match last_day(at) {
        Some(day) => format!("the end of {day} UTC"),
        None => when(at),
    }
}

/// An incident: what to type, what it is, what it is about, and who knows of it.
pub(super) fn incident(incident: &Incident) -> String {
    let key = &incident.key;
    let begun = when(incident.opened_at.unwrap_or(incident.first_seen));
    let (severity, state) = (incident.severity.as_str(), incident.state.as_str());
    let mut text = format!("{}  {severity:<8}  {state:<12}  since {begun}\n", incident.id);
    below(&mut text, &format!("{}, {}: {}", key.project, key.check, incident.title));
    let subjects: Vec<&str> =
        incident.members.values().take(SUBJECTS).map(|member| member.subject.as_str()).collect();
    let rest = incident.member_count().saturating_sub(subjects.len() as u64);
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    below(&mut text, &format!("{}{more}", subjects.join(", ")));
    match (incident.state, &incident.acknowledged) {
        (State::Resolved, _) => below(&mut text, &ended(incident)),
        (_, Some(taken)) => {
            let before = taken.before.as_ref();
            let before = before.map(|name| format!(", taken over from {name}")).unwrap_or_default();
            let colon = if taken.note.is_empty() { "" } else { ": " };
            below(&mut text, &format!("{} is on it{before}{colon}{}", taken.by, taken.note));
        }
        (_, None) => {}
    }
    if let Some(why) = incident.unheard.as_ref().filter(|_| incident.state != State::Resolved) {
        below(&mut text, &format!("nobody is told of it: {}", unheard(why)));
    }
    text
}

fn ended(incident: &Incident) -> String {
    let at = when(incident.resolved_at.unwrap_or(incident.last_seen));
    match &incident.resolved_by {
        Some(by) => format!("over since {at}; {by} ended it"),
        None => format!("over since {at}"),
    }
}

fn unheard(why: &Unheard) -> String {
    match why {
        Unheard::Silenced { silence } => format!("{silence} mutes it"),
        Unheard::Maintenance { window } => format!("{window:?} is announced"),
        Unheard::DependsOn { incident } => format!("it hangs on {incident}"),
        Unheard::Flapping => "it opens and closes too often".to_owned(),
        Unheard::Digest => "it waits for the weekly summary".to_owned(),
    }
}

/// A silence: until when, of what, and why.
pub(super) fn silence(silence: &Silence) -> String {
    let mut text = format!("{}  until {}\n", silence.id, when(silence.until));
    below(&mut text, &muted(silence));
    below(&mut text, &format!("by {}: {}", silence.by, silence.reason));
    text
}

/// What a silence mutes.
pub(super) fn muted(silence: &Silence) -> String {
    let all = |what: &Option<String>, word: &str| what.clone().unwrap_or_else(|| word.to_owned());
    let what = [
        all(&silence.project, "all projects"),
        all(&silence.check, "all checks"),
        all(&silence.code, "all findings"),
    ];
    what.join(", ")
}

/// A waiver: whether it holds, of what, and why.
pub(super) fn waiver(waiver: &Waiver, now: Timestamp) -> String {
    let state = match (waiver.until <= now, waiver.last_used) {
        (true, _) => "expired",
        (false, None) => "never used",
        (false, Some(_)) => "in force",
    };
    let mut text = format!("{}  {state:<10}  until {}\n", waiver.id, until(waiver.until));
    let subject = waiver.subject.as_deref().unwrap_or("every subject");
    below(&mut text, &format!("{}: {} of {subject}", waiver.project, waiver.code));
    below(&mut text, &format!("by {}: {}", waiver.by, waiver.reason));
    text
}

/// Adds a paragraph under the line that an entry begins with. Subjects come from outside: what would
/// act on the terminal is shown instead.
fn below(text: &mut String, paragraph: &str) {
    let paragraph = visible(paragraph).replace('\n', " ");
    // A web address stays whole where it fits, so that it can be copied.
    let options = textwrap::Options::new(WIDTH)
        .initial_indent("  ")
        .subsequent_indent("  ")
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    for line in textwrap::wrap(&paragraph, options) {
        text.push_str(&line);
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use launchready_checks::contract::Severity;

    use super::*;
    use crate::incident::{Acknowledgement, IncidentKey, Member};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn sample() -> Incident {
        let key = IncidentKey {
            project: "harbor".to_owned(),
            check: "web-uptime".to_owned(),
            code: "endpoint-down".to_owned(),
            target: "harbor.example".to_owned(),
        };
        let start = at("2026-11-28T00:39:12.732Z");
        let mut incident = Incident::begin(key, start);
        "inc_0123456789abcdef0123".clone_into(&mut incident.id);
        "An endpoint does not give the right answer".clone_into(&mut incident.title);
        incident.severity = Severity::Critical;
        incident.state = State::Open;
        for number in 1..=5 {
            let member = Member {
                subject: format!("https://app{number}.harbor.example/checkout\u{1b}[2J"),
                summary: String::new(),
                evidence: Vec::new(),
                fix: String::new(),
                undo: String::new(),
                first_seen: start,
                last_seen: start,
                told: true,
            };
            incident.members.insert(number.to_string(), member);
        }
        incident
    }

    #[test]
    fn an_incident_fits_and_nothing_of_it_acts_on_the_terminal() {
        let mut one = sample();
        one.unheard = Some(Unheard::Silenced { silence: "sil_1".to_owned() });
        let text = incident(&one);
        let mut lines = text.lines();
        assert_eq!(
            lines.next(),
            Some("inc_0123456789abcdef0123  critical  open          since 2026-11-28 00:39:12 UTC")
        );
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(" and 2 more nobody is told of it: sil_1 mutes it"), "{text}");
        assert!(text.contains("  https://app2.harbor.example/checkout"), "{text}");
        assert!(!text.contains('\u{1b}') && text.contains("‹U+001B›"), "{text}");
        one.acknowledged = Some(Acknowledgement {
            by: "founder".to_owned(),
            at: one.first_seen,
            before: Some("ana".to_owned()),
            note: "rolling back".to_owned(),
        });
        one.state = State::Acknowledged;
        let longest = incident(&one);
        assert!(
            longest.contains("  founder is on it, taken over from ana: rolling back\n"),
            "{longest}"
        );
        one.state = State::Resolved;
        one.resolved_at = Some(at("2026-11-28T00:51:00Z"));
        one.resolved_by = Some("founder".to_owned());
        let over = incident(&one);
        assert!(
            over.contains("  over since 2026-11-28 00:51:00 UTC; founder ended it\n"),
            "{over}"
        );
        assert!(!over.contains("nobody is told"), "{over}");
        for line in [text, longest, over].concat().lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
    }

    #[test]
    fn silences_and_waivers_say_until_when_of_what_by_whom_and_why() {
        let now = at("2026-11-28T00:00:00Z");
        let muted = Silence {
            id: "sil_1".to_owned(),
            project: None,
            check: Some("mail-spf".to_owned()),
            code: None,
            from: now,
            until: at("2026-11-28T02:00:00.5Z"),
            by: "founder".to_owned(),
            reason: "the provider moves".to_owned(),
        };
        assert_eq!(
            silence(&muted),
            "sil_1  until 2026-11-28 02:00:00 UTC\n  all projects, mail-spf, all findings\n  \
             by founder: the provider moves\n"
        );
        let mut accepted = Waiver {
            id: "wav_1".to_owned(),
            project: "harbor".to_owned(),
            code: "csp-missing".to_owned(),
            subject: None,
            by: "founder".to_owned(),
            reason: "after the launch".to_owned(),
            at: now,
            until: at("2027-03-02T00:00:00Z"),
            last_used: None,
        };
        assert_eq!(
            waiver(&accepted, now),
            "wav_1  never used  until the end of 2027-03-01 UTC\n  \
             harbor: csp-missing of every subject\n  by founder: after the launch\n"
        );
        accepted.last_used = Some(now);
        accepted.subject = Some("https://www.harbor.example/".to_owned());
        assert!(waiver(&accepted, now).contains("in force    until"));
        let later = accepted.until.checked_add(SignedDuration::from_secs(1)).unwrap();
        assert!(waiver(&accepted, later).contains("expired     until"));
    }
}
