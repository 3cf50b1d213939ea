//! What a look makes of incidents.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::causes::{Causes, has_causes};
use super::members::{Verdict, merge};
use super::moment::Moment;
use super::span::{after, since};
use super::{
    Book, ChangeKind, Incident, IncidentKey, Outcome, RunSeen, SeenFinding, Sight, State, Unheard,
    blind, news, turns,
};

/// A check looks early for this many times `look_again` after a finding was last seen; a part that can
/// never be seen must not make it look for ever.
const EARLY_LOOKS: u32 = 20;

/// Compares one run with the incidents that are known.
///
/// `known` holds every unresolved incident of the project, of all checks, and of the run's own check also
/// the latest resolved one of each key whose `resolved_at` is within the policy's `flap_window`. A resolved
/// one comes back in [`Outcome::incidents`] when it has become calm; it keeps its id.
pub fn observe(known: &[Incident], run: &RunSeen, book: &Book) -> Outcome {
    let (own, others): (Vec<&Incident>, Vec<&Incident>) =
        known.iter().partition(|incident| is_own(incident, run));
    let moment = Moment::new(others.iter().copied(), &run.project, book, run.at);
    let mut look = Look { run, moment, lasting: Vec::new(), outcome: Outcome::default() };
    let (over, unresolved): (Vec<&Incident>, Vec<&Incident>) =
        own.iter().partition(|incident| incident.state == State::Resolved);
    let over = look.calm_down(&over, &unresolved);
    match &run.sight {
        Sight::Looked { unseen_parts } => look.looked(&unresolved, &over, unseen_parts),
        Sight::Blind { .. } => look.blind(&unresolved, &over),
        Sight::Skipped => {
            for incident in unresolved {
                // Nobody has looked: it is out of sight, and not known to be mended.
                look.end(incident.clone(), ChangeKind::Expired);
            }
        }
    }
    look.finish(&own, &others)
}

/// One run at work.
pub(super) struct Look<'a> {
    pub(super) run: &'a RunSeen,
    pub(super) moment: Moment<'a>,
    /// The incidents of the check that are unresolved after the run.
    lasting: Vec<Incident>,
    pub(super) outcome: Outcome,
}

impl Look<'_> {
    /// Lets what is over and flapped become calm, and gives back what is over as it stands then.
    fn calm_down(&mut self, over: &[&Incident], unresolved: &[&Incident]) -> Vec<Incident> {
        let mut all: Vec<Incident> = over.iter().map(|incident| (*incident).clone()).collect();
        for incident in &mut all {
            let is_back = unresolved.iter().any(|other| other.key == incident.key);
            let is_latest = !over
                .iter()
                .any(|other| other.key == incident.key && ended(other) > ended(incident));
            let changes = &mut self.outcome.changes;
            if !is_back && is_latest && turns::calm(incident, &self.moment, changes) {
                self.outcome.incidents.push(incident.clone());
            }
        }
        all
    }

    fn looked(&mut self, unresolved: &[&Incident], over: &[Incident], unseen_parts: &[String]) {
        let mut codes = BTreeSet::new();
        for before in unresolved {
            if before.key.code == Incident::BLIND {
                self.end((*before).clone(), ChangeKind::Resolved);
            } else if before.key.target != self.run.target || !codes.insert(&before.key.code) {
                // Nobody looks there any more.
                self.end((*before).clone(), ChangeKind::Expired);
            } else {
                self.look_at((*before).clone(), unseen_parts);
            }
        }
        for finding in &self.run.findings {
            if finding.code != Incident::BLIND && codes.insert(&finding.code) {
                let incident = self.begin(&finding.code, over);
                self.look_at(incident, unseen_parts);
            }
        }
    }

    /// An incident of the run's check that was not there before, still without members.
    pub(super) fn begin(&self, code: &str, over: &[Incident]) -> Incident {
        let run = self.run;
        let key = IncidentKey {
            project: run.project.clone(),
            check: run.check.clone(),
            code: code.to_owned(),
            target: run.target.clone(),
        };
        let last = over.iter().filter(|incident| incident.key == key).max_by_key(|one| ended(one));
        let mut incident = Incident::begin(key, run.at);
        incident.last_good = run.last_look;
        incident.from_start = run.first;
        turns::inherit(&mut incident, last);
        incident
    }

    fn look_at(&mut self, mut incident: Incident, unseen_parts: &[String]) {
        let run = self.run;
        let findings = run.findings.iter().filter(|finding| finding.code == incident.key.code);
        let findings: Vec<&SeenFinding> = findings.collect();
        let severity = incident.severity;
        match merge(&mut incident, &findings, run, unseen_parts) {
            Verdict::Seen => {
                incident.confirmations = incident.confirmations.saturating_add(1);
                incident.recoveries = 0;
                incident.last_seen = incident.last_seen.max(run.at);
                let is_certain = findings.iter().any(|finding| finding.certain);
                let wanted = if is_certain { 1 } else { self.moment.policy.confirmations };
                let changes = &mut self.outcome.changes;
                if incident.state != State::Suspected {
                    turns::worsen(&mut incident, severity, &self.moment, changes);
                    news::unmute(&mut incident, true, &self.moment, changes);
                    news::join(&mut incident, &self.moment, changes);
                } else if incident.confirmations >= wanted {
                    turns::open(&mut incident, &self.moment, changes);
                }
                self.lasting.push(incident);
            }
            Verdict::Gone => {
                incident.confirmations = 0;
                incident.recoveries = incident.recoveries.saturating_add(1);
                let is_over = incident.recoveries >= self.moment.policy.recoveries;
                if is_over || incident.state == State::Suspected {
                    self.end(incident, ChangeKind::Resolved);
                } else {
                    self.lasting.push(incident);
                }
            }
            Verdict::Expired => self.end(incident, ChangeKind::Expired),
            Verdict::Unknown => self.lasting.push(incident),
        }
    }

    fn blind(&mut self, unresolved: &[&Incident], over: &[Incident]) {
        let (blind, others): (Vec<&Incident>, Vec<&Incident>) =
            unresolved.iter().partition(|incident| {
                incident.key.code == Incident::BLIND && incident.key.target == self.run.target
            });
        self.lasting.extend(others.into_iter().cloned());
        let incident = blind::look(self, blind.first().copied(), over);
        self.lasting.extend(incident);
    }

    /// Ends what is believed and forgets what was only suspected.
    fn end(&mut self, mut incident: Incident, kind: ChangeKind) {
        if incident.state == State::Suspected {
            self.outcome.forgotten.push(incident);
            return;
        }
        turns::close(&mut incident, kind, &self.moment, &mut self.outcome.changes);
        self.outcome.incidents.push(incident);
    }

    fn finish(mut self, own: &[&Incident], others: &[&Incident]) -> Outcome {
        let (run, look_again) = (self.run, self.moment.policy.look_again);
        let patience = look_again.saturating_mul(EARLY_LOOKS);
        let is_suspected = self.lasting.iter().any(|incident| {
            incident.state == State::Suspected && since(incident.last_seen, run.at) < patience
        });
        if is_suspected && run.sight != Sight::Skipped {
            self.outcome.look_again_at = Some(after(run.at, look_again));
        }
        if has_causes(&run.check) {
            self.outcome.look_too = freed(own, &self.lasting, others);
        }
        let changed = self.lasting.into_iter().filter(|incident| !own.contains(&incident));
        self.outcome.incidents.extend(changed);
        self.outcome
    }
}

/// The checks whose muted incidents hung on what this run has ended.
fn freed(before: &[&Incident], after: &[Incident], others: &[&Incident]) -> Vec<String> {
    let rest = || others.iter().copied();
    let was = Causes::among(before.iter().copied().chain(rest()));
    let is = Causes::among(after.iter().chain(rest()));
    let freed = others.iter().filter(|incident| {
        let hangs = matches!(incident.unheard, Some(Unheard::DependsOn { .. }));
        hangs && was.of(incident).is_some() && is.of(incident).is_none()
    });
    let checks: BTreeSet<&str> = freed.map(|incident| incident.key.check.as_str()).collect();
    checks.into_iter().map(str::to_owned).collect()
}

fn is_own(incident: &Incident, run: &RunSeen) -> bool {
    incident.key.project == run.project && incident.key.check == run.check
}

fn ended(incident: &Incident) -> Option<Timestamp> {
    incident.resolved_at
}
