//! A store in memory, for the tests of the whole machine: it keeps what the machine gives back and hands it
//! over as the contract of [`observe`] says.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::sample::{at, finding, run};
use crate::incident::span::{after, since};
use crate::incident::{
    Book, Change, Incident, IncidentKey, Outcome, Policy, RunSeen, SeenFinding, Sight, State, Tell,
    acknowledge, observe, resolve, wake, wakes_at,
};

/// The time at which every story begins.
pub(super) const START: &str = "2026-11-22T10:00:00Z";

/// The check of most stories.
pub(super) const UP: &str = "web-uptime";
/// Its code.
pub(super) const DOWN: &str = "endpoint-down";
/// Seconds of an hour.
pub(super) const HOUR: u64 = 3_600;

/// A host that is down, which is urgent.
pub(super) fn down() -> [SeenFinding; 1] {
    [finding(DOWN, "https://app.harbor.example/")]
}

/// A host was up at the start, and that it is down has been told.
pub(super) fn opened() -> World {
    let mut world = World::new();
    world.look(UP, &[]);
    world.pass(60).look(UP, &down());
    world.pass(30).look(UP, &down());
    assert_eq!(world.story(), ["opened"]);
    world
}

/// One project with its incidents.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) book: Book,
    pub(super) now: Timestamp,
    pub(super) incidents: Vec<Incident>,
    /// Every change that was recorded, with its time.
    pub(super) log: Vec<(Timestamp, Change)>,
    last_look: BTreeMap<String, Timestamp>,
    /// When time may next make something of each incident, as a store keeps it.
    wakes: BTreeMap<String, Option<Timestamp>>,
    /// The book by which the times were reckoned last; forgotten when the clock goes back.
    woken: Option<Book>,
    last: Timestamp,
    ids: u32,
}

impl World {
    pub(super) fn new() -> Self {
        let mut book = Book::default();
        book.policies.insert("harbor".to_owned(), Policy::default());
        Self {
            book,
            now: at(START),
            incidents: Vec::new(),
            log: Vec::new(),
            last_look: BTreeMap::new(),
            wakes: BTreeMap::new(),
            woken: None,
            last: at(START),
            ids: 0,
        }
    }

    pub(super) fn policy(&mut self) -> &mut Policy {
        self.book.policies.get_mut("harbor").unwrap()
    }

    pub(super) fn pass(&mut self, seconds: u64) -> &mut Self {
        self.now = after(self.now, Duration::from_secs(seconds));
        self
    }

    /// A run at the present time that looked and found this.
    pub(super) fn look(&mut self, check: &str, findings: &[SeenFinding]) -> Outcome {
        let findings = findings.to_vec();
        self.run(RunSeen { findings, ..run(check, START) })
    }

    /// Any run, at the present time.
    pub(super) fn run(&mut self, run: RunSeen) -> Outcome {
        let mut run = RunSeen { at: self.now, ..run };
        run.last_look = self.last_look.get(&run.check).copied();
        if matches!(run.sight, Sight::Looked { .. }) {
            self.last_look.insert(run.check.clone(), self.now);
        }
        let known = self.known(&run);
        let outcome = observe(&known, &run, &self.book);
        assert_eq!(outcome, observe(&known, &run, &self.book), "the same gives the same");
        self.keep(outcome)
    }

    pub(super) fn wake(&mut self) -> Outcome {
        let unresolved = self.incidents.iter().filter(|one| one.state != State::Resolved);
        let unresolved: Vec<Incident> = unresolved.cloned().collect();
        let outcome = wake(&unresolved, &self.book, self.now);
        self.notice_the_clock();
        if self.woken.as_ref() == Some(&self.book) {
            for incident in &outcome.incidents {
                let due = self.wakes[&incident.id].is_some_and(|due| due <= self.now);
                assert!(due, "it was put off for too long: {incident:?}");
            }
        }
        self.woken = Some(self.book.clone());
        let outcome = self.keep(outcome);
        for incident in &self.incidents {
            let due = wakes_at(incident, &self.book, self.now);
            self.wakes.insert(incident.id.clone(), due);
        }
        outcome
    }

    pub(super) fn acknowledge(&mut self, code: &str) -> Result<(), String> {
        let incident = self.latest(code).clone();
        let change = acknowledge(&incident, "ana", "on it", &self.book, self.now)?;
        self.record(change);
        Ok(())
    }

    pub(super) fn resolve(&mut self, code: &str) -> Result<(), String> {
        let incident = self.latest(code).clone();
        let change = resolve(&incident, "ana", &self.book, self.now)?;
        self.record(change);
        Ok(())
    }

    /// The last incident of a code.
    pub(super) fn latest(&self, code: &str) -> &Incident {
        self.incidents.iter().rfind(|one| one.key.code == code).unwrap()
    }

    /// Every change so far as a word; what was not told in brackets.
    pub(super) fn story(&self) -> Vec<String> {
        let word = |change: &Change| match change.tell {
            Tell::No(_) => format!("({})", change.kind.as_str()),
            _ => change.kind.as_str().to_owned(),
        };
        self.log.iter().map(|(_, change)| word(change)).collect()
    }

    fn known(&self, run: &RunSeen) -> Vec<Incident> {
        let window = self.book.policies.get("harbor").unwrap().flap_window;
        let mut latest: BTreeMap<&IncidentKey, &Incident> = BTreeMap::new();
        let mut known = Vec::new();
        for incident in &self.incidents {
            let Some(ended) = incident.resolved_at else {
                known.push(incident.clone());
                continue;
            };
            if incident.key.check == run.check && since(ended, self.now) <= window {
                let other = latest.get(&incident.key).and_then(|other| other.resolved_at);
                if other.is_none_or(|other| other <= ended) {
                    latest.insert(&incident.key, incident);
                }
            }
        }
        known.extend(latest.into_values().cloned());
        known
    }

    fn record(&mut self, change: Change) {
        self.keep(Outcome {
            incidents: vec![change.incident.clone()],
            changes: vec![change],
            ..Outcome::default()
        });
    }

    fn notice_the_clock(&mut self) {
        if self.now < self.last {
            self.woken = None;
        }
        self.last = self.now;
    }

    fn keep(&mut self, mut outcome: Outcome) -> Outcome {
        self.notice_the_clock();
        let mut given = BTreeMap::new();
        for incident in &mut outcome.incidents {
            if incident.id.is_empty() {
                self.ids += 1;
                incident.id = format!("inc_{:020x}", self.ids);
                given.insert(incident.key.clone(), incident.id.clone());
                self.incidents.push(incident.clone());
            } else {
                let mut kept = self.incidents.iter_mut();
                let kept = kept.find(|one| one.id == incident.id).expect("a known id");
                kept.clone_from(incident);
            }
            let due = wakes_at(incident, &self.book, self.now);
            self.wakes.insert(incident.id.clone(), due);
        }
        for incident in &outcome.forgotten {
            assert_eq!(incident.state, State::Suspected);
            self.incidents.retain(|one| incident.id.is_empty() || one.id != incident.id);
        }
        for change in &mut outcome.changes {
            if change.incident.id.is_empty() {
                change.incident.id =
                    given.get(&change.incident.key).expect("a stored incident").clone();
            }
            self.log.push((self.now, change.clone()));
        }
        outcome
    }
}
