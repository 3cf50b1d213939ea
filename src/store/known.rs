//! The incidents that may count for runs that are stored together, read once for all of them.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::Finished;
use super::fault::Fault;
use super::incidents::read;
use super::row::Columns;
use super::words::ms;
use crate::incident::{Book, Incident, IncidentKey, Outcome, Policy, RunSeen, State};

/// What is known of incidents, by project. A project whose incidents a run has changed is read again.
#[derive(Debug)]
pub(super) struct Known {
    /// Since when an incident that is over counts for any of the runs, in milliseconds.
    pub(super) since: i64,
    projects: HashMap<String, Project>,
}

#[derive(Debug, Default)]
struct Project {
    unresolved: Vec<Incident>,
    /// The latest of each key that is over, with when that was.
    over: BTreeMap<IncidentKey, (i64, Incident)>,
}

impl Known {
    /// Nothing yet, for these runs.
    pub(super) fn for_runs(runs: &[Finished], book: &Book) -> Self {
        let since = runs.iter().map(|run| since(&run.seen, book)).min();
        Self { since: since.unwrap_or_default(), projects: HashMap::new() }
    }

    /// Whether the incidents of a project are read.
    pub(super) fn has(&self, project: &str) -> bool {
        self.projects.contains_key(project)
    }

    /// Takes rows with `project`, `id`, `body` and `resolved_at`: all that may count of these projects. Gives back
    /// the ids of those that cannot be read.
    pub(super) fn learn<R: Columns>(
        &mut self,
        projects: &[&str],
        rows: &[R],
    ) -> Result<Vec<String>, Fault> {
        for project in projects {
            self.projects.insert((*project).to_owned(), Project::default());
        }
        let mut unreadable = Vec::new();
        for row in rows {
            let Some(incident) = read(row) else {
                unreadable.push(row.text("id")?.to_owned());
                continue;
            };
            let project = self.projects.entry(row.text("project")?.to_owned()).or_default();
            if incident.state != State::Resolved {
                project.unresolved.push(incident);
                continue;
            }
            let at = row.some_number("resolved_at")?.unwrap_or_default();
            let before = project.over.get(&incident.key).map(|(before, _)| *before);
            if before.is_none_or(|before| before < at) {
                project.over.insert(incident.key.clone(), (at, incident));
            }
        }
        Ok(unreadable)
    }

    /// Every unresolved incident of the run's project, and of its check the latest that is over of each key.
    pub(super) fn of(&self, seen: &RunSeen, book: &Book) -> Vec<Incident> {
        let Some(project) = self.projects.get(&seen.project) else { return Vec::new() };
        let since = since(seen, book);
        let counts = |at: i64, incident: &Incident| incident.key.check == seen.check && at >= since;
        let over = project.over.values().filter(|(at, incident)| counts(*at, incident));
        project.unresolved.iter().chain(over.map(|(_, incident)| incident)).cloned().collect()
    }

    /// Lets go of a project whose incidents a run changes.
    pub(super) fn changed_by(&mut self, outcome: &Outcome, project: &str) {
        let Outcome { incidents, forgotten, changes, .. } = outcome;
        if !incidents.is_empty() || !forgotten.is_empty() || !changes.is_empty() {
            self.projects.remove(project);
        }
    }
}

/// Since when an incident that is over still counts for a run.
fn since(seen: &RunSeen, book: &Book) -> i64 {
    let usual = Policy::default();
    let policy = book.policies.get(&seen.project).unwrap_or(&usual);
    let since = SignedDuration::try_from(policy.flap_window)
        .ok()
        .and_then(|window| seen.at.checked_sub(window).ok());
    ms(since.unwrap_or(Timestamp::MIN))
}
