//! What two or more audits of one project have told differently.

use std::collections::{BTreeMap, BTreeSet};

use launchready_checks::contract::{AtRisk, Severity, Status};
use serde::Serialize;

use super::words::{minute, money};
use super::{CheckReport, FindingReport, Report, Verdict};

/// The difference between the last of some audits and the one before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The project's domain.
    pub domain: String,
    /// The verdict before and after.
    pub verdict: (Verdict, Verdict),
    /// When both audits began.
    pub at: (jiff::Timestamp, jiff::Timestamp),
    /// Never seen before.
    pub new: Vec<Noted>,
    /// Seen in an earlier audit or accepted before, gone or accepted meanwhile, and there again.
    pub came_back: Vec<Noted>,
    /// There in both, with another severity, money or waiver.
    pub changed: Vec<Noted>,
    /// There before, looked for, and not there any more.
    pub fixed: Vec<Noted>,
    /// There before, and not looked for this time.
    pub not_seen: Vec<Noted>,
}

/// One finding of a difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Noted {
    /// The check's id.
    pub check: String,
    /// The finding's code.
    pub code: String,
    /// How bad it is, or was.
    pub severity: Severity,
    /// What it is about.
    pub subject: String,
    /// One plain sentence.
    pub summary: String,
    /// What has changed, or why it was not looked for; empty where the list says it all.
    pub note: String,
    /// It is worse than before: new, back, or of a higher severity, and nobody has accepted it.
    pub is_worse: bool,
}

/// Why reports cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DifferenceError {
    /// There is nothing to compare with.
    #[error("one report says nothing of what has changed; name an older one and a newer one")]
    One,
    /// They are of two projects.
    #[error("one report is of {0} and another of {1}; compare reports of one project")]
    Projects(String, String),
    /// They are in no order.
    #[error("the report of {0} stands before that of {1}; name the older one first")]
    Order(String, String),
}

type Known<'a> = BTreeMap<&'a str, (&'a CheckReport, &'a FindingReport)>;

fn known(report: &Report) -> Known<'_> {
    let all = report.findings().into_iter();
    all.map(|(check, finding)| (finding.fingerprint.as_str(), (check, finding))).collect()
}

impl Difference {
    /// Compares the last report with the one before it; earlier ones tell what came back.
    ///
    /// # Errors
    /// Fewer than two reports, reports of two projects, or not the oldest first.
    pub fn of(reports: &[Report]) -> Result<Self, DifferenceError> {
        let [earlier @ .., before, after] = reports else { return Err(DifferenceError::One) };
        for (one, next) in reports.iter().zip(reports.iter().skip(1)) {
            if one.domain != next.domain {
                return Err(DifferenceError::Projects(one.domain.clone(), next.domain.clone()));
            }
            if one.started_at > next.started_at {
                let (one, next) = (minute(one.started_at), minute(next.started_at));
                return Err(DifferenceError::Order(one, next));
            }
        }
        let once: BTreeSet<&str> =
            earlier.iter().flat_map(|report| known(report).into_keys()).collect();
        let (then, now) = (known(before), known(after));
        let mut difference = Self {
            domain: after.domain.clone(),
            verdict: (before.verdict, after.verdict),
            at: (before.started_at, after.started_at),
            new: Vec::new(),
            came_back: Vec::new(),
            changed: Vec::new(),
            fixed: Vec::new(),
            not_seen: Vec::new(),
        };
        for (check, finding) in after.findings() {
            let id = finding.fingerprint.as_str();
            let accepted =
                finding.waived.as_ref().map(|waived| format!("accepted by {}", waived.by));
            let is_open = accepted.is_none();
            let note =
                |note: String, is_worse| Noted::of(check, finding, note, is_worse && is_open);
            match then.get(id) {
                // Nobody looked in between: it never went away.
                None if once.contains(id) && unseen(before, &check.id).is_some() => {}
                None if once.contains(id) => {
                    difference.came_back.push(note(accepted.unwrap_or_default(), true));
                }
                None => difference.new.push(note(accepted.unwrap_or_default(), true)),
                Some((_, old)) if old.waived.is_some() && finding.waived.is_none() => {
                    let text = "it was accepted, and is not any more".to_owned();
                    difference.came_back.push(note(text, true));
                }
                Some((_, old)) => {
                    let what = what_changed(old, finding);
                    let is_worse = finding.severity > old.severity;
                    difference.changed.extend((!what.is_empty()).then(|| note(what, is_worse)));
                }
            }
        }
        for (check, finding) in before.findings() {
            if now.contains_key(finding.fingerprint.as_str()) {
                continue;
            }
            match unseen(after, &check.id).or_else(|| newly_unseen(check, after)) {
                Some(why) => difference.not_seen.push(Noted::of(check, finding, why, false)),
                None => difference.fixed.push(Noted::of(check, finding, String::new(), false)),
            }
        }
        Ok(difference)
    }

    /// Whether anything at or above a severity is new, came back or became worse, and nobody has accepted it.
    pub fn is_worse(&self, from: Severity) -> bool {
        let mut all = self.new.iter().chain(&self.came_back).chain(&self.changed);
        all.any(|noted| noted.is_worse && noted.severity >= from)
    }

    /// The lists with their titles.
    pub(super) fn lists(&self) -> [(&'static str, &[Noted]); 5] {
        [
            ("New", &self.new),
            ("Came back", &self.came_back),
            ("Changed", &self.changed),
            ("Fixed", &self.fixed),
            ("Not looked for this time", &self.not_seen),
        ]
    }
}

/// Why a check did not look; nothing where it did.
fn unseen(report: &Report, id: &str) -> Option<String> {
    let Some(check) = report.checks.iter().find(|check| check.id == id) else {
        return Some("the check was left out".to_owned());
    };
    let looked = matches!(check.status, Status::Pass | Status::Warn | Status::Fail);
    (!looked).then(|| check.reason.clone().unwrap_or_else(|| "the check did not look".to_owned()))
}

/// The parts of a check that it saw then and does not see now: what was found there may still be so.
fn newly_unseen(then: &CheckReport, after: &Report) -> Option<String> {
    let now = after.checks.iter().find(|check| check.id == then.id)?;
    let is_new = |part: &str| then.not_checked.iter().all(|known| known.part != part);
    let mut new = now.not_checked.iter().filter(|part| is_new(&part.part));
    new.next().map(|part| format!("not seen this time: {}, {}", part.part, part.reason))
}

fn what_changed(old: &FindingReport, new: &FindingReport) -> String {
    let mut parts = Vec::new();
    if old.severity != new.severity {
        parts.push(format!("{} before", old.severity.as_str()));
    }
    if old.at_risk != new.at_risk {
        parts.push(format!("at risk before: {}", sum(&old.at_risk)));
    }
    match (&old.waived, &new.waived) {
        (None, Some(waived)) => parts.push(format!("accepted by {}", waived.by)),
        (Some(old), Some(new)) if old != new => parts.push(format!("accepted anew by {}", new.by)),
        _ => {}
    }
    parts.join(", ")
}

fn sum(at_risk: &[AtRisk]) -> String {
    let sums: Vec<String> = at_risk.iter().map(money).collect();
    if sums.is_empty() { "nothing".to_owned() } else { sums.join(", ") }
}

impl Noted {
    fn of(check: &CheckReport, finding: &FindingReport, note: String, is_worse: bool) -> Self {
        Self {
            check: check.id.clone(),
            code: finding.code.clone(),
            severity: finding.severity,
            subject: finding.subject.clone(),
            summary: finding.summary.clone(),
            note,
            is_worse,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{
        Coverage, Paint, Tool, Waived, difference_to_markdown, difference_to_terminal,
    };
    use launchready_checks::contract::{Goal, Urgency, Vantage};

    fn finding(subject: &str) -> FindingReport {
        FindingReport {
            code: "csp-missing".to_owned(),
            severity: Severity::Warning,
            urgency: Urgency::Day,
            subject: subject.to_owned(),
            fingerprint: format!("f-{subject}"),
            summary: format!("{subject} sends no policy."),
            why: String::new(),
            evidence: Vec::new(),
            fix: String::new(),
            undo: String::new(),
            at_risk: Vec::new(),
            recheck: String::new(),
            docs: String::new(),
            since: None,
            waived: None,
        }
    }

    fn waived() -> Waived {
        let until = "2026-12-01T00:00:00Z".parse().unwrap();
        Waived { by: "Ada".to_owned(), reason: "later".to_owned(), until }
    }

    fn report(day: u32, status: Status, findings: Vec<FindingReport>) -> Report {
        let at: jiff::Timestamp = format!("2026-11-{day}T09:00:00Z").parse().unwrap();
        Report {
            schema_version: 1,
            tool: Tool { name: "launchready".to_owned(), version: "0".to_owned() },
            project: "harbor".to_owned(),
            domain: "harbor.example".to_owned(),
            config: None,
            goal: Goal::Launch,
            verdict: Verdict::GoWithConditions,
            verdict_reasons: Vec::new(),
            started_at: at,
            finished_at: at,
            coverage: Coverage::default(),
            money_at_risk: Vec::new(),
            checks: vec![CheckReport {
                id: "web-headers".to_owned(),
                title: "Headers".to_owned(),
                area: "web".to_owned(),
                target: "harbor.example".to_owned(),
                vantage: Vantage::Outside,
                status,
                reason: (status == Status::Unknown).then(|| "no network".to_owned()),
                unlock: None,
                duration_ms: 1,
                evidence_sha256: None,
                measurements: Vec::new(),
                not_checked: Vec::new(),
                findings,
            }],
            ownership: Vec::new(),
            attestations: Vec::new(),
            waivers: Vec::new(),
            handover: None,
            not_checked: Vec::new(),
        }
    }

    fn subjects(list: &[Noted]) -> Vec<&str> {
        list.iter().map(|noted| noted.subject.as_str()).collect()
    }

    #[test]
    fn findings_are_new_fixed_changed_or_back() {
        let worse = FindingReport { severity: Severity::Critical, ..finding("worse") };
        let accepted = FindingReport { waived: Some(waived()), ..finding("accepted") };
        let reports = [
            report(10, Status::Warn, vec![finding("once"), finding("same")]),
            report(
                11,
                Status::Warn,
                vec![finding("same"), finding("gone"), finding("worse"), accepted],
            ),
            report(
                12,
                Status::Warn,
                vec![
                    finding("same"),
                    finding("once"),
                    finding("fresh"),
                    worse,
                    finding("accepted"),
                ],
            ),
        ];
        let found = Difference::of(&reports).unwrap();
        assert_eq!(subjects(&found.new), ["fresh"]);
        assert_eq!(subjects(&found.came_back), ["accepted", "once"]);
        assert_eq!(subjects(&found.changed), ["worse"]);
        assert_eq!(found.changed[0].note, "warning before");
        assert_eq!(subjects(&found.fixed), ["gone"]);
        assert!(found.is_worse(Severity::Critical), "a warning has become critical");
        let text = difference_to_terminal(&found, Paint::default());
        assert!(
            text.contains("GO WITH CONDITIONS, as before") && text.contains("Came back (2)"),
            "{text}"
        );
        assert!(difference_to_markdown(&found).contains("## Fixed (1)"));
    }

    #[test]
    fn what_was_not_looked_for_is_not_fixed() {
        let before = report(10, Status::Warn, vec![finding("www")]);
        let found =
            Difference::of(&[before.clone(), report(11, Status::Unknown, Vec::new())]).unwrap();
        assert_eq!(
            (subjects(&found.not_seen), found.not_seen[0].note.as_str()),
            (vec!["www"], "no network")
        );
        assert!(found.fixed.is_empty());
        let mut less = report(11, Status::Pass, Vec::new());
        less.checks.clear();
        let found = Difference::of(&[before.clone(), less]).unwrap();
        assert_eq!(found.not_seen[0].note, "the check was left out");
        let same = Difference::of(&[before.clone(), before]).unwrap();
        assert!(difference_to_terminal(&same, Paint::default()).contains("Nothing has changed."));
    }

    #[test]
    fn reports_that_cannot_be_compared_are_refused() {
        let (first, second) =
            (report(10, Status::Pass, Vec::new()), report(11, Status::Pass, Vec::new()));
        assert_eq!(Difference::of(std::slice::from_ref(&first)), Err(DifferenceError::One));
        let late = Difference::of(&[second, first.clone()]).unwrap_err();
        assert!(late.to_string().contains("name the older one first"), "{late}");
        let other = Report { domain: "cove.example".to_owned(), ..first.clone() };
        let other = Difference::of(&[first, other]).unwrap_err();
        assert!(other.to_string().contains("of harbor.example and another of cove.example"));
    }
}
