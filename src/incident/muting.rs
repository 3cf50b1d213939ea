//! What keeps a change from being told at a moment: silences, announced work, something that is down.

use jiff::Timestamp;
use launchready_checks::contract::{Severity, Urgency};

use super::causes::Causes;
use super::span::{after, since};
use super::{Book, Incident, IncidentKey, Silence, Unheard, Window, WindowTimes};

/// The most silences and windows in a row that are waited for; after them it is told anyway.
const CHAINED: usize = 16;

/// What mutes the incidents of one project at one moment.
pub(super) struct Muting<'a> {
    silences: Vec<&'a Silence>,
    window: Option<&'a str>,
    causes: Causes<'a>,
}

impl<'a> Muting<'a> {
    /// Finds what is muted; `others` are the incidents on which one may hang.
    pub(super) fn new(
        others: impl IntoIterator<Item = &'a Incident>,
        project: &str,
        book: &'a Book,
        at: Timestamp,
    ) -> Self {
        let silences = book.silences.iter();
        let silences = silences.filter(|silence| silence.from <= at && at < silence.until);
        let mut windows = book.windows.iter();
        Self {
            silences: silences.collect(),
            window: windows
                .find(|window| covers(window, project) && is_active(&window.times, at))
                .map(|window| window.name.as_str()),
            causes: Causes::among(others),
        }
    }

    /// Why nobody is told at present that something is wrong, flapping aside.
    pub(super) fn of_trouble(&self, incident: &Incident) -> Option<Unheard> {
        if is_for_digest(incident) {
            return Some(Unheard::Digest);
        }
        self.of_end(incident).or_else(|| {
            let cause = self.causes.of(incident)?;
            Some(Unheard::DependsOn { incident: cause.id.clone() })
        })
    }

    /// Why people are not told at present of what is no trouble: what hangs on something recovers aloud.
    pub(super) fn of_end(&self, incident: &Incident) -> Option<Unheard> {
        let silence = self.silences.iter().find(|silence| matches(silence, &incident.key));
        if let Some(silence) = silence {
            return Some(Unheard::Silenced { silence: silence.id.clone() });
        }
        self.window.map(|window| Unheard::Maintenance { window: window.to_owned() })
    }
}

/// What a silence or announced work mutes of an incident at a moment, and when that may be over at the
/// earliest.
pub(super) fn mute(
    incident: &Incident,
    book: &Book,
    at: Timestamp,
) -> Option<(Unheard, Timestamp)> {
    let reason = Muting::new([], &incident.key.project, book, at).of_end(incident)?;
    Some((reason, ends(&incident.key, book, at).min().unwrap_or(Timestamp::MIN)))
}

/// When the silences and windows are over that mute an incident at a moment, one after the other; nothing
/// where none does.
pub(super) fn end_of_mute(incident: &Incident, book: &Book, now: Timestamp) -> Option<Timestamp> {
    let mut end = now;
    for _ in 0..CHAINED {
        let Some(next) = ends(&incident.key, book, end).max() else { break };
        end = next;
    }
    (end > now).then_some(end)
}

/// When each silence and each window ends that mutes an incident at a moment: later than that moment.
fn ends(key: &IncidentKey, book: &Book, at: Timestamp) -> impl Iterator<Item = Timestamp> {
    let silences = book.silences.iter();
    let silences = silences.filter(move |it| it.from <= at && at < it.until && matches(it, key));
    let windows = book.windows.iter().filter(|window| covers(window, &key.project));
    let windows = windows.filter_map(move |window| end_of_window(&window.times, at));
    silences.map(|silence| silence.until).chain(windows)
}

/// When the window ends that is under way at a moment.
fn end_of_window(times: &WindowTimes, at: Timestamp) -> Option<Timestamp> {
    let end = match times {
        WindowTimes::Once { to, .. } => *to,
        WindowTimes::Cron { schedule, length } => {
            after(schedule.last_within(at, *length)?, *length)
        }
    };
    (is_active(times, at) && end > at).then_some(end)
}

/// It waits for the weekly summary.
pub(super) fn is_for_digest(incident: &Incident) -> bool {
    incident.severity == Severity::Info || incident.urgency == Urgency::Digest
}

fn matches(silence: &Silence, key: &IncidentKey) -> bool {
    let is = |wanted: &Option<String>, own: &str| wanted.as_ref().is_none_or(|one| one == own);
    is(&silence.project, &key.project)
        && is(&silence.check, &key.check)
        && is(&silence.code, &key.code)
}

fn covers(window: &Window, project: &str) -> bool {
    window.projects.is_empty() || window.projects.iter().any(|one| one == project)
}

fn is_active(times: &WindowTimes, at: Timestamp) -> bool {
    match times {
        WindowTimes::Once { from, to } => *from <= at && at < *to,
        WindowTimes::Cron { schedule, length } => schedule
            .last_within(at, *length)
            .is_some_and(|start| since(start, at) < *length && at < after(start, *length)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::tests::sample::{at, incident, silence};
    use super::*;
    use crate::schedule::{Cron, read_zone};

    fn heard(book: &Book, incident: &Incident, when: &str) -> Option<Unheard> {
        Muting::new([], "harbor", book, at(when)).of_trouble(incident)
    }

    type Part = fn(&mut Silence) -> &mut Option<String>;

    #[test]
    fn a_silence_mutes_what_it_names_while_it_lasts() {
        let mut book = Book::default();
        let one = incident("web-uptime", "endpoint-down");
        book.silences.push(silence("2026-11-22T10:00:00Z", "2026-11-22T11:00:00Z"));
        let muted = Some(Unheard::Silenced { silence: "sil_1".to_owned() });
        assert_eq!(heard(&book, &one, "2026-11-22T09:59:59Z"), None);
        assert_eq!(heard(&book, &one, "2026-11-22T10:00:00Z"), muted);
        assert_eq!(heard(&book, &one, "2026-11-22T10:59:59Z"), muted);
        assert_eq!(heard(&book, &one, "2026-11-22T11:00:00Z"), None);
        let parts: [(Part, &str); 3] = [
            (|silence| &mut silence.project, "harbor"),
            (|silence| &mut silence.check, "web-uptime"),
            (|silence| &mut silence.code, "endpoint-down"),
        ];
        for (part, own) in parts {
            *part(&mut book.silences[0]) = Some("another".to_owned());
            assert_eq!(heard(&book, &one, "2026-11-22T10:30:00Z"), None);
            *part(&mut book.silences[0]) = Some(own.to_owned());
            assert_eq!(heard(&book, &one, "2026-11-22T10:30:00Z"), muted);
        }
    }

    #[test]
    fn a_mute_ends_with_the_last_of_those_that_follow_each_other() {
        let mut book = Book::default();
        let one = incident("web-uptime", "endpoint-down");
        let end =
            |book: &Book, now: &str| end_of_mute(&one, book, at(now)).map(|end| end.to_string());
        assert_eq!(end(&book, "2026-11-22T10:30:00Z"), None);
        book.silences.push(silence("2026-11-22T10:00:00Z", "2026-11-22T11:00:00Z"));
        let hourly = Cron::new("0 11 * * *", read_zone("UTC").unwrap()).unwrap();
        book.windows.push(Window {
            name: "daily".to_owned(),
            projects: Vec::new(),
            times: WindowTimes::Cron { schedule: hourly, length: Duration::from_mins(30) },
        });
        let noon = Some("2026-11-22T11:30:00Z".to_owned());
        assert_eq!(end(&book, "2026-11-22T10:30:00Z"), noon);
        assert_eq!(end(&book, "2026-11-22T11:10:00Z"), noon);
        assert_eq!(end(&book, "2026-11-22T11:30:00Z"), None);
        let always = Cron::new("* * * * *", read_zone("UTC").unwrap()).unwrap();
        let times = WindowTimes::Cron { schedule: always, length: Duration::from_hours(1) };
        book.windows.push(Window { name: "always".to_owned(), projects: Vec::new(), times });
        assert!(end(&book, "2026-11-22T10:30:00Z").is_some(), "what never ends is cut off");
        let soonest = mute(&one, &book, at("2026-11-22T10:30:00Z"));
        let soonest = soonest.map(|(_, end)| end.to_string());
        assert_eq!(soonest.as_deref(), Some("2026-11-22T11:00:00Z"), "time looks at it then");
    }

    #[test]
    fn announced_work_mutes_its_projects_once_and_by_cron() {
        let mut book = Book::default();
        let one = incident("web-uptime", "endpoint-down");
        let nightly = Cron::new("0 2 * * *", read_zone("UTC").unwrap()).unwrap();
        let length = Duration::from_hours(1);
        book.windows.push(Window {
            name: "nightly".to_owned(),
            projects: vec!["harbor".to_owned()],
            times: WindowTimes::Cron { schedule: nightly, length },
        });
        book.windows.push(Window {
            name: "move".to_owned(),
            projects: Vec::new(),
            times: WindowTimes::Once {
                from: at("2026-11-22T12:00:00Z"),
                to: at("2026-11-22T13:00:00Z"),
            },
        });
        let muted = |name: &str| Some(Unheard::Maintenance { window: name.to_owned() });
        assert_eq!(heard(&book, &one, "2026-11-22T01:59:59Z"), None);
        assert_eq!(heard(&book, &one, "2026-11-22T02:00:00Z"), muted("nightly"));
        assert_eq!(heard(&book, &one, "2026-11-22T02:59:59Z"), muted("nightly"));
        assert_eq!(heard(&book, &one, "2026-11-22T03:00:00Z"), None);
        assert_eq!(heard(&book, &one, "2026-11-22T12:30:00Z"), muted("move"));
        assert_eq!(heard(&book, &one, "2026-11-22T13:00:00Z"), None);
        book.windows[0].projects = vec!["quay".to_owned()];
        assert_eq!(heard(&book, &one, "2026-11-22T02:30:00Z"), None);
    }
}
