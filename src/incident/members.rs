//! What a look says of the members of one incident: seen, gone, expired, or not to be seen.

use std::collections::{BTreeMap, BTreeSet};

use super::causes::host_of;
use super::{Incident, Member, RunSeen, SeenFinding};

/// What a look says of an incident as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is there.
    Seen,
    /// It is not there.
    Gone,
    /// The last that was left of it has gone out of sight for good.
    Expired,
    /// What is left of it could not be seen.
    Unknown,
}

/// Takes over what a look says of an incident; `findings` are those of its code.
pub(super) fn merge(
    incident: &mut Incident,
    findings: &[&SeenFinding],
    run: &RunSeen,
    unseen_parts: &[String],
) -> Verdict {
    let mut seen: BTreeMap<&str, &SeenFinding> =
        findings.iter().map(|finding| (finding.fingerprint.as_str(), *finding)).collect();
    let expired: BTreeSet<&str> = run.expired.iter().map(String::as_str).collect();
    // Nobody knows which members are behind the count: they may all be in what was not seen.
    let hidden = if unseen_parts.is_empty() { 0 } else { incident.more_members };
    let is_there = !seen.is_empty();
    let mut is_unsure = hidden > 0;
    let (mut kept, mut gone, mut left) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for (fingerprint, mut member) in std::mem::take(&mut incident.members) {
        if let Some(finding) = seen.remove(fingerprint.as_str()) {
            refresh(&mut member, finding, run);
            kept.insert(fingerprint, member);
        } else if expired.contains(fingerprint.as_str()) {
            left.insert(fingerprint, member);
        } else if unseen_parts.iter().any(|part| concerns(part, &member.subject)) {
            is_unsure = true;
            kept.insert(fingerprint, member);
        } else {
            gone.insert(fingerprint, member);
        }
    }
    if is_there {
        // What is left in `seen` is new; the order of the findings decides which of them are kept.
        let new = findings.iter().filter(|finding| {
            seen.get(finding.fingerprint.as_str()).is_some_and(|one| std::ptr::eq(*one, **finding))
        });
        let mut rest = 0_u64;
        for finding in new {
            if kept.len() < Incident::MEMBERS {
                kept.insert(finding.fingerprint.clone(), member_of(finding, run));
            } else {
                rest = rest.saturating_add(1);
            }
        }
        incident.members = kept;
        incident.more_members = rest.max(hidden);
        describe(incident, findings, run, is_unsure);
        return Verdict::Seen;
    }
    if !kept.is_empty() {
        incident.members = kept;
        return Verdict::Unknown;
    }
    let is_expired = gone.is_empty() && !left.is_empty();
    // An incident keeps its last members, so that its end says what it was about.
    incident.members = if gone.is_empty() { left } else { gone };
    match (hidden > 0, is_expired) {
        (true, _) => Verdict::Unknown,
        (false, true) => Verdict::Expired,
        (false, false) => Verdict::Gone,
    }
}

/// Takes severity, urgency and words from the worst finding. What was not seen may be as bad as it was.
fn describe(incident: &mut Incident, findings: &[&SeenFinding], run: &RunSeen, is_unsure: bool) {
    let mut worst: Option<&SeenFinding> = None;
    for finding in findings {
        let grade = (finding.severity, finding.urgency);
        if worst.is_none_or(|worst| grade > (worst.severity, worst.urgency)) {
            worst = Some(finding);
        }
    }
    let Some(worst) = worst else { return };
    let urgency = findings.iter().map(|finding| finding.urgency).max().unwrap_or(worst.urgency);
    if is_unsure {
        incident.severity = incident.severity.max(worst.severity);
        incident.urgency = incident.urgency.max(urgency);
    } else {
        incident.severity = worst.severity;
        incident.urgency = urgency;
    }
    incident.title.clone_from(&worst.title);
    incident.why.clone_from(&worst.why);
    incident.recheck.clone_from(&run.recheck);
}

fn member_of(finding: &SeenFinding, run: &RunSeen) -> Member {
    Member {
        subject: finding.subject.clone(),
        summary: finding.summary.clone(),
        evidence: finding.evidence.clone(),
        fix: finding.fix.clone(),
        undo: finding.undo.clone(),
        first_seen: run.at,
        last_seen: run.at,
        told: false,
    }
}

fn refresh(member: &mut Member, finding: &SeenFinding, run: &RunSeen) {
    *member = Member {
        first_seen: member.first_seen,
        last_seen: member.last_seen.max(run.at),
        told: member.told,
        ..member_of(finding, run)
    };
}

/// Whether a part that was not seen is about a subject: the subject, its host or its first word stands in
/// the part, or the part in the subject.
fn concerns(part: &str, subject: &str) -> bool {
    let (part, subject) = (part.to_lowercase(), subject.to_lowercase());
    stands_in(&subject, &part)
        || stands_in(&part, &subject)
        || host_of(&subject).is_some_and(|host| stands_in(&host, &part))
        || subject.split_whitespace().next().is_some_and(|word| stands_in(word, &part))
}

/// Whether a text stands in another as a whole word: `harbor.example` does not stand in
/// `app.harbor.example`, or a host that is never seen would keep the others open for ever.
fn stands_in(needle: &str, text: &str) -> bool {
    let needle = needle.trim();
    if needle.is_empty() {
        return false;
    }
    let joins = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    text.match_indices(needle).any(|(at, found)| {
        let before = text.get(..at).unwrap_or_default();
        let after = text.get(at + found.len()..).unwrap_or_default();
        let begins = !before.ends_with(|c| joins(c) || c == '.');
        let mut next = after.chars();
        let ends = match next.next() {
            // A full stop ends a sentence, or goes on to another name.
            Some('.') => !next.next().is_some_and(joins),
            Some(c) => !joins(c),
            None => true,
        };
        begins && ends
    })
}

#[cfg(test)]
mod tests {
    use launchready_checks::contract::{Severity, Urgency};

    use super::super::tests::sample::{finding, incident, run};
    use super::*;

    const START: &str = "2026-11-22T10:00:00Z";

    fn with(findings: &[SeenFinding]) -> Incident {
        let mut incident = incident("web-uptime", "endpoint-down");
        let verdict = look(&mut incident, findings, &[], &[]);
        assert_eq!(verdict, Verdict::Seen);
        incident
    }

    fn look(
        incident: &mut Incident,
        findings: &[SeenFinding],
        unseen: &[&str],
        expired: &[&str],
    ) -> Verdict {
        let mut run = run("web-uptime", START);
        run.expired = expired.iter().map(|one| (*one).to_owned()).collect();
        let unseen: Vec<String> = unseen.iter().map(|part| (*part).to_owned()).collect();
        merge(incident, &findings.iter().collect::<Vec<_>>(), &run, &unseen)
    }

    fn names(incident: &Incident) -> Vec<&str> {
        incident.members.keys().map(String::as_str).collect()
    }

    #[test]
    fn a_member_that_is_gone_while_others_stay_is_dropped() {
        let (a, b) = (finding("endpoint-down", "a.example"), finding("endpoint-down", "b.example"));
        let mut incident = with(&[a.clone(), b.clone()]);
        assert_eq!(names(&incident), ["a.example", "b.example"]);
        assert_eq!(look(&mut incident, &[b], &[], &[]), Verdict::Seen);
        assert_eq!(names(&incident), ["b.example"]);
        assert_eq!(look(&mut incident, &[], &[], &[]), Verdict::Gone);
        assert_eq!(names(&incident), ["b.example"], "the end says what it was about");
    }

    #[test]
    fn what_was_not_seen_stays_as_it_was() {
        let (mut a, b) = (
            finding("endpoint-down", "https://a.example/x"),
            finding("endpoint-down", "b.example"),
        );
        a.severity = Severity::Critical;
        let mut incident = with(&[a, b.clone()]);
        incident.severity = Severity::Critical;
        assert_eq!(look(&mut incident, &[b], &["addresses of a.example"], &[]), Verdict::Seen);
        assert_eq!(names(&incident), ["b.example", "https://a.example/x"]);
        assert_eq!(
            incident.severity,
            Severity::Critical,
            "what was not seen may be as bad as it was"
        );
        assert_eq!(look(&mut incident, &[], &["addresses of A.example"], &[]), Verdict::Unknown);
        assert_eq!(names(&incident), ["https://a.example/x"]);
        assert_eq!(look(&mut incident, &[], &["addresses of c.example"], &[]), Verdict::Gone);
    }

    #[test]
    fn the_last_members_decide_whether_it_expired() {
        let (a, b) = (finding("endpoint-down", "a.example"), finding("endpoint-down", "b.example"));
        let mut incident = with(&[a.clone(), b.clone()]);
        assert_eq!(look(&mut incident, &[], &[], &["a.example"]), Verdict::Gone);
        assert_eq!(names(&incident), ["b.example"]);
        assert_eq!(look(&mut incident, &[], &[], &["b.example"]), Verdict::Expired);
        assert_eq!(names(&incident), ["b.example"]);
        // What is still seen has not expired, whatever the list says.
        assert_eq!(look(&mut incident, &[b], &[], &["b.example"]), Verdict::Seen);
    }

    #[test]
    fn members_beyond_the_limit_are_counted_and_never_lost_to_what_was_not_seen() {
        let many: Vec<SeenFinding> =
            (0..250).map(|i| finding("endpoint-down", &format!("h{i}.example"))).collect();
        let mut incident = with(&many);
        assert_eq!((incident.members.len(), incident.more_members), (Incident::MEMBERS, 50));
        assert_eq!(incident.member_count(), 250);
        assert_eq!(look(&mut incident, &[], &["something"], &[]), Verdict::Unknown);
        assert_eq!(incident.member_count(), 250);
        assert_eq!(look(&mut incident, &many[..10], &[], &[]), Verdict::Seen);
        assert_eq!((incident.members.len(), incident.more_members), (10, 0));
        let twice = [many[0].clone(), many[0].clone()];
        assert_eq!(look(&mut incident, &twice, &[], &[]), Verdict::Seen);
        assert_eq!(incident.member_count(), 1);
    }

    #[test]
    fn the_worst_finding_gives_severity_and_words() {
        let mut mild = finding("endpoint-down", "a.example");
        (mild.severity, mild.urgency) = (Severity::Warning, Urgency::Day);
        let mut bad = finding("endpoint-down", "b.example");
        (bad.severity, bad.urgency) = (Severity::Critical, Urgency::Now);
        "The bad one".clone_into(&mut bad.title);
        let mut incident = with(&[mild.clone(), bad]);
        assert_eq!((incident.severity, incident.urgency), (Severity::Critical, Urgency::Now));
        assert_eq!(incident.title, "The bad one");
        look(&mut incident, &[mild], &[], &[]);
        assert_eq!((incident.severity, incident.urgency), (Severity::Warning, Urgency::Day));
    }

    #[test]
    fn a_part_concerns_whole_words_only() {
        for (part, subject) in [
            ("addresses of app.harbor.example", "app.harbor.example"),
            ("redirects of app.harbor.example.", "https://app.harbor.example/pay?x=1"),
            ("headers of APP.harbor.example", "app.harbor.example CSP"),
            ("https://app.harbor.example/pay", "https://app.harbor.example/pay"),
            ("IPv6", "app.harbor.example over ipv6"),
            ("port 25 of mx.harbor.example (outbound)", "mx.harbor.example"),
        ] {
            assert!(concerns(part, subject), "{part} / {subject}");
        }
        for (part, subject) in [
            ("addresses of app.harbor.example", "harbor.example"),
            ("addresses of harbor.example.org", "harbor.example"),
            ("addresses of my-app.example", "app.example"),
            ("", "app.example"),
            ("anything", ""),
            (" ", " "),
        ] {
            assert!(!concerns(part, subject), "{part} / {subject}");
        }
    }
}
