//! The incidents that may count for runs that are stored together, read once for all of them.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::Finished;
use super::fault::Fault;
use super::incidents::read;
use super::row::Columns;
use super::words::ms;
use crate::incident::{Book, Incident, IncidentKey, Outcome, Policy, RunSeen, State};

/// What is known of incidents, by project, and what became of them since: nobody else writes meanwhile.
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
            project.take(incident, row.some_number("resolved_at")?.unwrap_or_default());
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

    /// Takes over what came of a run, as it is written into the rows of the run's project.
    pub(super) fn follow(&mut self, outcome: &Outcome, project: &str) {
        let Some(project) = self.projects.get_mut(project) else { return };
        for gone in &outcome.forgotten {
            project.unresolved.retain(|incident| incident.id != gone.id);
        }
        for incident in &outcome.incidents {
            project.unresolved.retain(|before| before.id != incident.id);
            project.over.retain(|_, (_, before)| before.id != incident.id);
            project.take(incident.clone(), incident.resolved_at.map(ms).unwrap_or_default());
        }
    }
}

impl Project {
    /// Adds an incident; `over_at` counts where it is over.
    fn take(&mut self, incident: Incident, over_at: i64) {
        if incident.state != State::Resolved {
            self.unresolved.push(incident);
            return;
        }
        let before = self.over.get(&incident.key).map(|(before, _)| *before);
        if before.is_none_or(|before| before < over_at) {
            self.over.insert(incident.key.clone(), (over_at, incident));
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
