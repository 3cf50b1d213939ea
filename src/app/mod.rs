//! The composition root: the only place that builds concrete adapters and hands them to checks.

pub mod agent;
mod alerting;
pub mod discovery;
pub mod drills;
mod figures;
mod handover;
mod heard;
mod ownership;
mod reconcile;
pub mod trace;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use launchready_checks::contract::Target;
use launchready_checks::probe::{
    Accounts, Alerting, Dns, Figures, Heartbeats, ProbeError, Probes, Slot,
};
use launchready_checks::registry;
use launchready_checks::suffix::registrable;
use rustls::RootCertStore;
use serde_json::Value;
use tokio::time::Instant;

use crate::clock::{Clock, whole_second};
use crate::config::{Agent, Project};
use crate::connect::{self, CheckoutsFile, Paces, Reach};
use crate::engine::{AuditRecord, Handover, Inputs, Job, Progress, run_all};
use crate::incident::ChannelRule;
use crate::probe::{
    Blackbox, CommandProbe, Dialer, DnsProbe, FilesProbe, HttpProbe, Judge, Network, ProbeTargets,
    RegistrationProbe, Sharers, Shares, SmtpProbe, TlsProbe, account_client, provider, roots,
};
use crate::store::{self, Store, StoreError};
use alerting::{Told, channels_of};
use figures::{counted_by, overhear};
use heard::{Heard, Nobody};
use ownership::ownership;

pub(crate) use handover::declared;

/// Approved evidence by check id.
pub type Baseline = BTreeMap<String, Value>;

/// What an audit is asked to do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The checks to run, in the order of the registry.
    pub ids: Vec<&'static str>,
    /// The audit ends after this long, with the rest unknown.
    pub time_limit: Duration,
    /// Approved evidence.
    pub baseline: Baseline,
    /// The command that looks again; `{id}` stands for the check.
    pub recheck: String,
    /// The config that named the project, where there was one.
    pub config: Option<String>,
    /// What the config says for whoever takes the project over; none without a config.
    pub handover: Option<Handover>,
    /// A file with the checkouts, instead of Stripe.
    pub checkouts: Option<PathBuf>,
}

/// Limits, resolvers and roots that the audits of one process share.
#[derive(Debug)]
pub struct Session {
    network: Network,
    dialer: Arc<Dialer>,
    dns: Arc<DnsProbe>,
    judge: Arc<Judge>,
    roots: Arc<RootCertStore>,
    clock: Arc<dyn Clock>,
    /// Shared, because it bounds how many programs run at once.
    command: Arc<CommandProbe>,
    /// With how many agents hosts and accounts are shared.
    sharers: Sharers,
    /// Whose turn it is at each account, in all visits.
    paces: Paces,
    /// What an agent has left, for an audit.
    store: Option<Arc<dyn Store>>,
    /// Which channel tells of which projects, where the store is read.
    channels: Vec<ChannelRule>,
}

/// Opens the store that the settings name.
///
/// # Errors
/// Its address cannot be read, or it cannot be opened.
pub async fn open_store(settings: &Agent) -> Result<Arc<dyn Store>, StoreError> {
    let address = settings.store.address().map_err(StoreError::State)?;
    store::open(address, &settings.folder).await
}

/// Whether an agent has opened the store that the settings name.
///
/// # Errors
/// Its address cannot be read, or a server does not say.
pub async fn store_is_there(settings: &Agent) -> Result<bool, StoreError> {
    let address = settings.store.address().map_err(StoreError::State)?;
    store::is_there(address, &settings.folder).await
}

impl Session {
    /// Opens nothing yet.
    ///
    /// # Errors
    /// An extra root cannot be read.
    pub fn new(network: Network, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let dialer = Arc::new(Dialer::new(&network));
        let dns = Arc::new(DnsProbe::new(&network, Arc::clone(&dialer)));
        let roots = roots(&network.extra_roots)?;
        let judge = Arc::new(Judge::new(Arc::clone(&roots), Arc::new(provider())));
        Ok(Self {
            network,
            dialer,
            dns,
            judge,
            roots,
            clock,
            command: Arc::default(),
            sharers: Sharers::default(),
            paces: Paces::default(),
            store: None,
            channels: Vec::new(),
        })
    }

    /// The same, whose visits take one part of what hosts and accounts may be asked, of as many as there are sharers.
    #[must_use]
    pub(crate) fn sharing(self, sharers: &Sharers, speed: f64) -> Self {
        Self { sharers: sharers.clone(), paces: Paces::among(sharers, speed), ..self }
    }

    /// Has its audits also read what an agent with the same config remembers, where there is one: the calls
    /// of jobs, and what people have accepted.
    ///
    /// # Errors
    /// The store is there and cannot be read.
    pub async fn remember(&mut self, settings: &Agent) -> Result<(), StoreError> {
        if store_is_there(settings).await? {
            self.store = Some(open_store(settings).await?);
            self.channels.clone_from(&settings.book.channels);
        }
        Ok(())
    }

    /// Looks at one project. Nothing is judged here.
    ///
    /// # Errors
    /// The options of a check cannot be read, or this build cannot speak TLS.
    pub async fn audit(
        &self,
        project: &Project,
        plan: &Plan,
        progress: &dyn Progress,
    ) -> anyhow::Result<AuditRecord> {
        let began = Instant::now();
        let started_at = whole_second(self.clock.now());
        let heartbeats: Arc<dyn Heartbeats> = match &self.store {
            Some(store) => Arc::new(Heard {
                store: Arc::clone(store),
                clock: Arc::clone(&self.clock),
                me: None,
                promises: project.watch.heartbeats.clone(),
            }),
            None => Arc::new(Nobody),
        };
        let alerting: Arc<dyn Alerting> = match &self.store {
            Some(store) => Arc::new(Told {
                store: Arc::clone(store),
                counter: Arc::default(),
                channels: channels_of(&self.channels, &project.target.project),
            }),
            None => Arc::new(Nobody),
        };
        let limit = (began, plan.time_limit);
        let extra = self.extra(plan);
        let mut record = AuditRecord {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at,
            finished_at: started_at,
            target: project.target.clone(),
            not_used: project.not_used.clone(),
            waivers: Vec::new(),
            handover: None,
            recheck: plan.recheck.clone(),
            config: plan.config.clone(),
            clock_behind_s: None,
            runs: Vec::new(),
        };
        let ids = (plan.ids.as_slice(), extra.as_slice());
        let store = self.store.clone();
        let (beside, progress) = overhear(ids, record.clone(), limit, store, progress);
        let memory = Memory { heartbeats, alerting, figures: Arc::new(beside) };
        let mut visit = self.visit(project, false, plan.time_limit, memory).await?;
        if let Some(path) = &plan.checkouts {
            visit.probes.accounts.payments =
                Slot::ready(Arc::new(CheckoutsFile::new(path.clone())));
        }
        let mut jobs = Vec::new();
        let approved = self.approved(project, plan).await?;
        for id in plan.ids.iter().chain(&extra) {
            let baseline = approved.get(*id).cloned();
            jobs.push(job(project, id, Inputs { baseline, ..Inputs::default() })?);
        }
        let mut waivers = match &self.store {
            Some(store) => store.waivers().await?,
            None => Vec::new(),
        };
        waivers.retain(|waiver| waiver.project == project.target.project);
        let handover = match (&plan.handover, &self.store) {
            (Some(declared), Some(store)) => {
                let name = &project.target.project;
                Some(declared.clone().remembered(&**store, name).await?)
            }
            (declared, _) => declared.clone(),
        };
        let target = Arc::new(visit.target);
        let ports = &visit.probes;
        let mut runs = run_all(jobs, &target, ports, started_at, limit, &progress).await;
        runs.truncate(plan.ids.len());
        record.finished_at = whole_second(self.clock.now());
        record.target = Arc::unwrap_or_clone(target);
        record.clock_behind_s = visit.http.clock_behind();
        record.runs = runs;
        record.waivers = waivers;
        record.handover = handover;
        Ok(record)
    }

    /// What has to look too, so that a check that was asked for alone has something to count. An agent's
    /// store has it already.
    fn extra(&self, plan: &Plan) -> Vec<&'static str> {
        match (plan.ids.as_slice(), &self.store) {
            ([alone], None) => counted_by(alone).collect(),
            _ => Vec::new(),
        }
    }

    /// What drift is measured against: what the plan names, else what was approved in the agent's store.
    async fn approved(&self, project: &Project, plan: &Plan) -> Result<Baseline, StoreError> {
        let store = self.store.as_ref().filter(|_| plan.baseline.is_empty());
        let Some(store) = store else { return Ok(plan.baseline.clone()) };
        let approved = store.approved(&project.target.project).await?;
        let own = approved.into_iter().filter(|one| {
            let plugin = registry::find(&one.check);
            plugin.is_some_and(|plugin| plugin.meta.evidence_version == one.version)
        });
        Ok(own.map(|one| (one.check, one.evidence)).collect())
    }

    /// Whether this machine reaches anything: a resolver answers, and not everything else is silent.
    pub(crate) async fn is_online(&self) -> bool {
        self.dns.is_reachable().await && self.dialer.is_anything_there().await
    }

    /// What answers `/probe`, for these targets alone.
    ///
    /// # Errors
    /// This build cannot speak TLS.
    pub(crate) fn blackbox(&self, targets: ProbeTargets) -> anyhow::Result<Blackbox> {
        let dns: Arc<dyn Dns> = Arc::<DnsProbe>::clone(&self.dns);
        let (dialer, judge) = (Arc::clone(&self.dialer), Arc::clone(&self.judge));
        let clock = Arc::clone(&self.clock);
        Ok(Blackbox::new(&self.network, dns, dialer, judge, clock, targets)?)
    }

    /// Calls a URL that the user named, and gives back the status of the answer.
    pub(crate) async fn call(&self, url: &str) -> Result<u16, ProbeError> {
        let dns: Arc<dyn Dns> = Arc::<DnsProbe>::clone(&self.dns);
        crate::probe::call(dns, &self.roots, url).await
    }

    /// The ports for one look at a project, with what its checks share, and whether it is proven to be
    /// the user's own. What may be under way at a host is shared with other agents where one of them is `beside`
    /// this one at the same project.
    pub(crate) async fn visit(
        &self,
        project: &Project,
        is_beside: bool,
        limit: Duration,
        memory: Memory,
    ) -> anyhow::Result<Visit> {
        let mut target = project.target.clone();
        let dns: Arc<dyn Dns> = Arc::<DnsProbe>::clone(&self.dns);
        target.ownership =
            ownership(&*dns, &target.domain, project.ownership.as_deref(), limit).await;
        let owned = target.ownership.is_proven();
        let sharers = if is_beside { self.sharers.clone() } else { Sharers::default() };
        let dialer = Arc::new(self.dialer.to_product(registrable(&target.domain)));
        let (mut probes, http) = self.probes((dns, dialer), owned, memory, &sharers)?;
        probes.accounts = connect::accounts(&project.accounts, &self.reach()?);
        Ok(Visit { target, probes, http })
    }

    /// What connectors need.
    fn reach(&self) -> anyhow::Result<Reach> {
        let dns: Arc<dyn Dns> = Arc::<DnsProbe>::clone(&self.dns);
        let client = account_client(dns, &self.roots)?;
        let extra_roots = self.network.extra_roots.clone();
        let (clock, paces) = (Arc::clone(&self.clock), self.paces.clone());
        Ok(Reach { extra_roots, paces, ..Reach::new(client, clock) })
    }

    fn probes(
        &self,
        (dns, dialer): (Arc<dyn Dns>, Arc<Dialer>),
        active: bool,
        memory: Memory,
        sharers: &Sharers,
    ) -> anyhow::Result<(Probes, Arc<HttpProbe>)> {
        let judge = Arc::clone(&self.judge);
        let http = HttpProbe::new(
            Arc::clone(&dns),
            Arc::clone(&dialer),
            Arc::clone(&judge),
            Arc::clone(&self.clock),
            active,
        )?;
        // Of each visit its own: what hangs at a dead host must not keep the next visit from seeing it.
        let shares = Shares::among(sharers);
        let http = Arc::new(http.sharing(&shares.http));
        let tls = TlsProbe::new(
            Arc::clone(&dns),
            Arc::clone(&dialer),
            Arc::<HttpProbe>::clone(&http),
            judge,
            Arc::clone(&self.clock),
        );
        let tls = Arc::new(tls.sharing(&shares.tls));
        let rdap = self.network.rdap.clone();
        let probes = Probes {
            smtp: Arc::new(SmtpProbe::new(dialer, Arc::clone(&tls)).sharing(&shares.smtp)),
            registration: Arc::new(RegistrationProbe::new(
                Arc::clone(&dns),
                Arc::clone(&self.roots),
                rdap,
            )),
            dns,
            http: Arc::<HttpProbe>::clone(&http),
            tls,
            files: Arc::new(FilesProbe),
            command: Arc::<CommandProbe>::clone(&self.command),
            heartbeats: memory.heartbeats,
            alerting: memory.alerting,
            figures: memory.figures,
            accounts: Accounts::default(),
        };
        Ok((probes, http))
    }
}

/// What checks are told of the past and of each other.
pub(crate) struct Memory {
    /// Calls of jobs.
    pub(crate) heartbeats: Arc<dyn Heartbeats>,
    /// Channels and alert drills.
    pub(crate) alerting: Arc<dyn Alerting>,
    /// What other checks measured.
    pub(crate) figures: Arc<dyn Figures>,
}

/// One look at one project: what its checks share.
#[derive(Debug)]
pub(crate) struct Visit {
    /// The declared facts, with the proof of ownership.
    pub(crate) target: Target,
    /// The ports.
    pub(crate) probes: Probes,
    /// The web port itself, which also knows what the clocks of web servers say.
    pub(crate) http: Arc<HttpProbe>,
}

/// A check with its options and what its run is given.
pub(crate) fn job(project: &Project, id: &str, inputs: Inputs) -> anyhow::Result<Job> {
    let plugin = registry::find(id).with_context(|| format!("there is no check {id}"))?;
    Ok(Job { check: (plugin.build)(&project.options_of(id))?, inputs })
}

/// The runtime of a command: looks wait for the network far more than they compute, so one thread
/// serves all of them; reading a source folder keeps a thread busy, so it gets a second one.
///
/// # Errors
/// The machine gives no more resources.
pub fn runtime(reads_a_folder: bool) -> anyhow::Result<tokio::runtime::Runtime> {
    let mut builder = if reads_a_folder {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(2);
        builder
    } else {
        tokio::runtime::Builder::new_current_thread()
    };
    builder.enable_all().build().context("cannot start the runtime")
}
