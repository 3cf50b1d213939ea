//! What the agent works with until the config changes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use crate::app::{Session, declared};
use crate::clock::{Clock, SharedClock};
use crate::config::{Agent, Project, shell_word};
use crate::engine::Handover;
use crate::incident::Book;
use crate::notify::outbox::Routes;
use crate::probe::{Egress, Network, ProbeTargets, Sharers};
use crate::schedule::Schedule;
use crate::store::{HeartbeatKey, JobKey, JobSpec};

use super::own;

/// The real time, what hosts and accounts may be asked, and what was met outside, for every config that an agent reads one after
/// the other; the first two for every agent on the same store, too.
#[derive(Debug, Clone, Default)]
pub(super) struct Shared {
    machine: Arc<SharedClock>,
    sharers: Sharers,
    egress: Arc<Egress>,
}

impl Shared {
    /// What is shared by whoever counts these sharers and goes by this clock.
    pub(super) fn among(sharers: &Sharers, machine: &Arc<SharedClock>) -> Self {
        let (machine, sharers) = (Arc::clone(machine), sharers.clone());
        Self { machine, sharers, egress: Arc::default() }
    }
}

/// A config that was read whole, with the ports that belong to it.
#[derive(Debug)]
pub(super) struct Setup {
    /// The projects by name.
    pub(super) projects: BTreeMap<String, Project>,
    /// What the config says of each for whoever takes it over.
    pub(super) handovers: BTreeMap<String, Arc<Handover>>,
    /// Limits, resolvers and roots.
    pub(super) session: Session,
    /// Settings of the agent, secrets included.
    pub(super) agent: Agent,
    /// The config's path as it was given.
    pub(super) path: PathBuf,
    /// Who is told what.
    pub(super) book: Arc<Book>,
    /// What nobody would be told of, and the remedy.
    untold: Option<String>,
}

impl Setup {
    /// Reads a config and every secret that it names.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(super) fn read(path: &Path, clock: &dyn Clock, shared: &Shared) -> anyhow::Result<Self> {
        let mut config = crate::config::load(path)?;
        let mut agent = config.agent()?;
        let untold = config.untold().map(|untold| untold.message);
        let mut handovers = BTreeMap::new();
        let mut last = Arc::<Handover>::default();
        for project in &config.projects {
            // Thousands of projects may have nothing of their own to say.
            let own = declared(&config, &agent, project);
            if own != *last {
                last = Arc::new(own);
            }
            handovers.insert(project.target.project.clone(), Arc::clone(&last));
        }
        config.network.remembered = Some(clock.takes(Network::REMEMBERED));
        config.network.egress = Arc::clone(&shared.egress);
        // Certificates and the clocks of web servers are judged by the real time, also in a trial.
        let session = Session::new(config.network, Arc::clone(&shared.machine) as _)?;
        let session = session.sharing(&shared.sharers, clock.speed());
        let projects = config.projects.into_iter().map(|it| (it.target.project.clone(), it));
        let book = Arc::new(std::mem::take(&mut agent.book));
        let projects = projects.collect();
        Ok(Self { projects, handovers, session, agent, path: path.to_owned(), book, untold })
    }

    /// Logs what somebody who believes to be watched has to know.
    pub(super) fn warn(&self) {
        if let Some(untold) = &self.untold {
            tracing::warn!("{untold}");
        }
    }

    /// The folder of the config, from which relative paths count.
    pub(super) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    /// Every job of the config, and the agent's own.
    pub(super) fn jobs(&self) -> Vec<JobSpec> {
        let mut jobs = vec![own::job()];
        for (name, project) in &self.projects {
            for (check, schedule) in &project.watch.schedules {
                jobs.push(JobSpec {
                    key: JobKey { project: name.clone(), check: (*check).to_owned() },
                    target: project.target.domain.clone(),
                    schedule: schedule.clone(),
                    phase: phase(name),
                });
            }
        }
        jobs
    }

    /// Every job that has promised to call.
    pub(super) fn promises(&self) -> Vec<HeartbeatKey> {
        let of = |(project, it): (&String, &Project)| {
            let key = |name: &str| HeartbeatKey { project: project.clone(), name: name.to_owned() };
            it.watch.heartbeats.iter().map(|promise| key(&promise.name)).collect::<Vec<_>>()
        };
        self.projects.iter().flat_map(of).collect()
    }

    /// The channels.
    ///
    /// # Errors
    /// Every channel that cannot be built.
    pub(super) fn routes(&self, clock: &Arc<dyn Clock>) -> anyhow::Result<Routes> {
        let url = self.agent.public_url.clone();
        Routes::new(&self.agent.channels, &self.book, url, clock).map_err(|errors| {
            let texts: Vec<_> = errors
                .into_iter()
                .map(|error| format!("{:#}", anyhow::Error::new(error)))
                .collect();
            anyhow::anyhow!("{}", texts.join("; "))
        })
    }

    /// What `/probe` may be asked for.
    pub(super) fn probe_targets(&self) -> ProbeTargets {
        let hosts = self.projects.values().flat_map(|project| project.target.likely_hosts());
        ProbeTargets {
            hosts: hosts.collect(),
            extra: self.agent.probe_targets.clone(),
            dns_name: self.projects.values().next().map(|it| it.target.domain.clone()),
        }
    }

    /// When a check of a project is due.
    pub(super) fn schedule(project: &Project, check: &str) -> anyhow::Result<Schedule> {
        let found = project.watch.schedules.iter().find(|(id, _)| *id == check);
        found.map(|(_, schedule)| schedule.clone()).context("the check has no schedule")
    }

    /// The command that looks again; `{id}` stands for the check.
    pub(super) fn recheck(&self, project: &str) -> String {
        let path = shell_word(self.path.display());
        let mut command = format!("launchready check {{id}} --config {path}");
        if self.projects.len() > 1 {
            command = format!("{command} --project {}", shell_word(project));
        }
        command
    }
}

/// The part of an interval by which the checks of a project are shifted: the same for all of them, so
/// that they share what they fetch, and different from project to project.
pub(super) fn phase(project: &str) -> f64 {
    let digest = Sha256::digest(project.as_bytes());
    let first = digest.iter().take(4).fold(0_u32, |sum, byte| (sum << 8) | u32::from(*byte));
    f64::from(first) / (f64::from(u32::MAX) + 1.0)
}
