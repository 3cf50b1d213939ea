//! Reads the store for a page: reports, incidents, and whatever else is shown more than once.

use launchready_checks::contract::Severity;

use super::fault::Fault;
use super::{Facts, ProjectFacts, Site};
use crate::incident::{Incident, State, Waiver};
use crate::report::{Report, Standing, from_latest};
use crate::store::{IncidentFilter, LatestRun};

/// The most unresolved incidents of all projects together in which an open page looks for changes.
pub(super) const MOST_INCIDENTS: usize = 5_000;

/// What is known of one project at present.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) report: Report,
    pub(super) latest: Vec<LatestRun>,
    /// Open and acknowledged, newest first.
    pub(super) incidents: Vec<Incident>,
}

/// The project of this name, or where all of them are.
pub(super) fn project<'f>(facts: &'f Facts, name: &str) -> Result<&'f ProjectFacts, Fault> {
    facts.project(name).ok_or_else(|| {
        Fault::missing(
            "There is no project of that name in the config.",
            "Choose one from the overview; a project that was renamed keeps no history.",
        )
    })
}

/// Reads what is known of a project.
pub(super) async fn known(site: &Site, project: &ProjectFacts) -> Result<Known, Fault> {
    let waivers = site.store.waivers().await?;
    known_with(site, project, &waivers).await
}

/// The same, for a page that has read the waivers for all projects.
pub(super) async fn known_with(
    site: &Site,
    project: &ProjectFacts,
    waivers: &[Waiver],
) -> Result<Known, Fault> {
    let incidents = unresolved(site, Some(&project.name), 500).await?;
    let latest = site.store.latest(Some(&project.name)).await?;
    let report = from_latest(&Standing {
        project: &project.name,
        domain: &project.domain,
        goal: project.goal,
        settled: &project.settled,
        not_used: &project.not_used,
        recheck: &project.recheck,
        latest: &latest,
        incidents: &incidents,
        waivers,
        now: site.clock.now(),
    });
    Ok(Known { report, latest, incidents })
}

/// Open and acknowledged incidents, newest first.
pub(super) async fn unresolved(
    site: &Site,
    project: Option<&str>,
    limit: usize,
) -> Result<Vec<Incident>, Fault> {
    let filter = IncidentFilter {
        project: project.map(str::to_owned),
        check: None,
        states: vec![State::Open, State::Acknowledged],
        limit,
        offset: 0,
    };
    Ok(site.store.incidents(&filter).await?)
}

/// How many incidents have each severity, worst first; severities without one are left out.
pub(super) fn by_severity(incidents: &[Incident]) -> Vec<(Severity, u64)> {
    [Severity::Critical, Severity::Warning, Severity::Info]
        .into_iter()
        .map(|severity| {
            let mine = incidents.iter().filter(|incident| incident.severity == severity);
            (severity, u64::try_from(mine.count()).unwrap_or(u64::MAX))
        })
        .filter(|(_, count)| *count > 0)
        .collect()
}
