//! Waivers: which of them hold, what they accept, and which of them accept nothing.

use jiff::Timestamp;
use launchready_checks::contract::Unseen;

use super::{CheckReport, UnseenPart, Waived, WaiverReport};
use crate::clock::last_day;
use crate::incident::Waiver;

/// The waivers of one project at one time, with a note of those that accepted something.
#[derive(Debug)]
pub(super) struct Accepted<'a> {
    waivers: Vec<(&'a Waiver, bool)>,
    now: Timestamp,
}

impl<'a> Accepted<'a> {
    /// Waivers of other projects are passed over.
    pub(super) fn new(waivers: &'a [Waiver], project: &str, now: Timestamp) -> Self {
        let mine = waivers.iter().filter(|waiver| waiver.project == project);
        Self { waivers: mine.map(|waiver| (waiver, false)).collect(), now }
    }

    /// Marks the findings of a check that a waiver accepts.
    pub(super) fn mark(&mut self, check: &mut CheckReport) {
        for finding in &mut check.findings {
            finding.waived = self.waived(&finding.code, &finding.subject);
        }
    }

    /// The waiver that accepts something, and marks it as used.
    fn waived(&mut self, code: &str, subject: &str) -> Option<Waived> {
        let now = self.now;
        let holds = |waiver: &Waiver| {
            waiver.code == code
                && waiver.subject.as_deref().is_none_or(|wanted| wanted == subject)
                && waiver.until > now
        };
        let mut waived = None;
        for (waiver, used) in &mut self.waivers {
            if holds(waiver) {
                *used = true;
                waived.get_or_insert_with(|| Waived {
                    by: waiver.by.clone(),
                    reason: waiver.reason.clone(),
                    until: waiver.until,
                });
            }
        }
        waived
    }

    /// What was not seen can be accepted too, by a waiver of the check's id or the area's setting: it is
    /// then mentioned, and changes nothing.
    pub(super) fn part(&mut self, part: UnseenPart) -> UnseenPart {
        match self.waived(&part.of, &part.part) {
            None => part,
            Some(waived) => UnseenPart {
                reason: format!("{}; accepted by {}: {}", part.reason, waived.by, waived.reason),
                unseen: Unseen::Noted,
                ..part
            },
        }
    }

    /// All of them, for the record.
    pub(super) fn all(&self) -> Vec<WaiverReport> {
        let report = |(waiver, _): &(&Waiver, bool)| WaiverReport {
            code: waiver.code.clone(),
            subject: waiver.subject.clone(),
            by: waiver.by.clone(),
            reason: waiver.reason.clone(),
            until: waiver.until,
            holds: waiver.until > self.now,
        };
        self.waivers.iter().map(report).collect()
    }

    /// Waivers that accept nothing at present.
    pub(super) fn idle(&self) -> Vec<UnseenPart> {
        let idle = self.waivers.iter().filter(|(_, used)| !used);
        idle.map(|(waiver, _)| self.idle_part(waiver)).collect()
    }

    fn idle_part(&self, waiver: &Waiver) -> UnseenPart {
        let subject = waiver.subject.as_ref();
        let about = subject.map_or(String::new(), |subject| format!(" of {subject}"));
        let (reason, unlock) = if waiver.until <= self.now {
            let date = last_day(waiver.until).map_or_else(
                || waiver.until.strftime("%Y-%m-%d").to_string(),
                |day| day.to_string(),
            );
            (
                format!("it expired on {date}: what it accepted counts again"),
                "mend what it accepted, or waive it anew",
            )
        } else {
            ("it accepts nothing: no such finding is there".to_owned(), "take it away")
        };
        UnseenPart {
            of: "waiver".to_owned(),
            part: format!("waiver of {}{about} by {}", waiver.code, waiver.by),
            reason,
            unlock: unlock.to_owned(),
            unseen: Unseen::Noted,
        }
    }
}
