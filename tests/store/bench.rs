//! A store on a bench: jobs, runs and channels as a test needs them.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use launchready::clock::FixedClock;
use launchready::incident::{
    Book, ChannelRule, Policy, Quiet, RunSeen, SeenFinding, Sight, Silence,
};
use launchready::schedule::Schedule;
use launchready::store::{
    self, Attempt, AttemptOutcome, Claimed, Committed, Finished, JobKey, JobSpec, RunInputs, Store,
};
use launchready_checks::contract::{
    Assessment, Measurement, Severity, Status, Unit, Unseen, Urgency,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cluster::{Cluster, OWNER};

/// The lease of everything that is taken or claimed.
pub(crate) const LEASE: Duration = Duration::from_mins(1);

/// A store, its database and the rules that hold on it.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) book: Book,
    pub(crate) address: String,
    home: Home,
}

/// Where a store is.
#[derive(Debug, Clone)]
enum Home {
    /// In a folder of its own.
    Folder(Rc<TempDir>),
    /// In a database of a cluster.
    Server(Rc<Cluster>),
}

/// A moment of the day on which every test plays, as `07:30:00`.
pub(crate) fn at(time: &str) -> Timestamp {
    format!("2026-11-25T{time}Z").parse().unwrap()
}

/// So many seconds later.
pub(crate) fn later(time: Timestamp, seconds: i64) -> Timestamp {
    time.checked_add(SignedDuration::from_secs(seconds)).unwrap()
}

pub(crate) fn key(project: &str, check: &str) -> JobKey {
    JobKey { project: project.to_owned(), check: check.to_owned() }
}

/// A job that is due every five minutes.
pub(crate) fn job(project: &str, check: &str) -> JobSpec {
    JobSpec {
        key: key(project, check),
        target: format!("{project}.example"),
        schedule: Schedule::Every(Duration::from_mins(5)),
        phase: 0.0,
    }
}

/// A channel that takes everything at once.
pub(crate) fn channel(name: &str) -> ChannelRule {
    ChannelRule {
        name: name.to_owned(),
        severities: vec![Severity::Critical, Severity::Warning],
        urgencies: vec![Urgency::Now, Urgency::Day],
        projects: Vec::new(),
        quiet: None,
        escalation: false,
        summary: false,
        fallback: None,
        ungrouped: false,
    }
}

/// A channel that is quiet from 22:00 to 07:00.
pub(crate) fn sleeper(name: &str) -> ChannelRule {
    ChannelRule { quiet: Some(Quiet { from: 22 * 60, to: 7 * 60 }), ..channel(name) }
}

/// A critical finding that one look proves.
pub(crate) fn finding(code: &str, subject: &str) -> SeenFinding {
    SeenFinding {
        code: code.to_owned(),
        severity: Severity::Critical,
        urgency: Urgency::Day,
        fingerprint: format!("{code}/{subject}"),
        title: format!("{code} is wrong"),
        subject: subject.to_owned(),
        summary: format!("{subject} has {code}"),
        why: "People are hurt.".to_owned(),
        evidence: vec!["seen".to_owned()],
        fix: "Mend it.".to_owned(),
        undo: "Take it back.".to_owned(),
        certain: true,
    }
}

/// A run of a check that took 100 ms and found this.
pub(crate) fn run(
    project: &str,
    check: &str,
    time: Timestamp,
    findings: Vec<SeenFinding>,
) -> Finished {
    let status = if findings.is_empty() { Status::Pass } else { Status::Fail };
    Finished {
        key: key(project, check),
        due_at: time,
        started_at: time,
        duration: Duration::from_millis(100),
        status,
        reason: None,
        assessment: Assessment::default(),
        evidence: Some((1, json!({ "findings": findings.len() }))),
        carry: None,
        windows: Vec::new(),
        seen: RunSeen {
            project: project.to_owned(),
            check: check.to_owned(),
            check_title: format!("The check {check}"),
            target: format!("{project}.example"),
            at: time,
            first: false,
            last_look: None,
            sight: Sight::Looked { unseen_parts: Vec::new() },
            findings,
            expired: Vec::new(),
            recheck: format!("launchready check {check}"),
        },
        next_due: later(time, 300),
    }
}

/// A run that could not look.
pub(crate) fn blind(project: &str, check: &str, time: Timestamp) -> Finished {
    let mut blind = run(project, check, time, Vec::new());
    blind.status = Status::Unknown;
    blind.reason = Some(("no answer".to_owned(), "open the port".to_owned()));
    blind.evidence = None;
    blind.seen.sight = Sight::Blind {
        cause: "no answer".to_owned(),
        unlock: "open the port".to_owned(),
        unseen: Unseen::Condition,
        runs: 0,
        since: time,
        own_network: false,
    };
    blind
}

/// A measured value.
pub(crate) fn measured(name: &str, subject: Option<&str>, value: f64) -> Measurement {
    Measurement {
        name: name.to_owned(),
        value,
        unit: Unit::Seconds,
        subject: subject.map(str::to_owned),
        warning: None,
        critical: None,
    }
}

/// A silence of a project.
pub(crate) fn silence(project: &str, from: Timestamp, until: Timestamp) -> Silence {
    Silence {
        id: String::new(),
        project: Some(project.to_owned()),
        check: None,
        code: None,
        from,
        until,
        by: "a founder".to_owned(),
        reason: "The move.".to_owned(),
    }
}

/// What a delivery tells: the kind and the code of each change.
pub(crate) fn told(claimed: &Claimed) -> Vec<String> {
    let told = claimed.notification.told.iter();
    told.map(|told| format!("{} {}", told.kind.as_str(), told.incident.key.code)).collect()
}

impl Bench {
    /// A store in a SQLite file of its own.
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::in_home("sqlite:store.db".to_owned(), Home::Folder(Rc::new(folder))).await
    }

    /// The same, for the tests of every store.
    pub(crate) async fn on_sqlite(_test: &str) -> Option<Self> {
        Some(Self::sqlite().await)
    }

    /// A store in a PostgreSQL cluster of its own; `None`, with the reason, where PostgreSQL is not installed.
    pub(crate) async fn on_postgres(test: &str) -> Option<Self> {
        let cluster = Rc::new(Cluster::start(test, &[])?);
        Some(Self::in_cluster(cluster).await)
    }

    /// A store in a new database of a cluster.
    pub(crate) async fn in_cluster(cluster: Rc<Cluster>) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("store_{}", MADE.fetch_add(1, Ordering::Relaxed));
        cluster.sql_in("postgres", &format!("create database {name}")).await;
        let address = format!("postgres://{OWNER}@{}/{name}", cluster.address);
        Self::in_home(address, Home::Server(cluster)).await
    }

    async fn in_home(address: String, home: Home) -> Self {
        let folder = match &home {
            Home::Folder(folder) => folder.path(),
            Home::Server(_) => Path::new("."),
        };
        let store = store::open(&address, folder).await.unwrap();
        let policy = Policy { group_wait: Duration::from_secs(20), ..Policy::default() };
        let book = Book {
            policies: [("harbor".to_owned(), policy)].into(),
            channels: vec![channel("founder")],
            ..Book::default()
        };
        Self { store, book, address, home }
    }

    /// An empty store of the same kind.
    pub(crate) async fn another(&self) -> Self {
        match &self.home {
            Home::Folder(_) => Self::sqlite().await,
            Home::Server(cluster) => Self::in_cluster(Rc::clone(cluster)).await,
        }
    }

    /// A second agent on the same store.
    pub(crate) async fn second(&self) -> Arc<dyn Store> {
        let folder = match &self.home {
            Home::Folder(folder) => folder.path(),
            Home::Server(_) => Path::new("."),
        };
        store::open(&self.address, folder).await.unwrap()
    }

    /// The file of a SQLite store.
    pub(crate) fn file(&self) -> PathBuf {
        let Home::Folder(folder) = &self.home else { panic!("{} is no file", self.address) };
        folder.path().join("store.db")
    }

    /// The cluster and the database of a PostgreSQL store.
    pub(crate) fn server(&self) -> (&Cluster, &str) {
        let Home::Server(cluster) = &self.home else { panic!("{} is no server", self.address) };
        (cluster, self.address.rsplit('/').next().unwrap())
    }

    /// Makes jobs of the project `harbor`, which have had a clean look an hour before.
    pub(crate) async fn harbor(&self, checks: &[&str], time: Timestamp) {
        let jobs: Vec<JobSpec> = checks.iter().map(|check| job("harbor", check)).collect();
        let before = later(time, -3600);
        self.store.sync_jobs(&jobs, &FixedClock(before)).await.unwrap();
        for check in checks {
            self.commit(run("harbor", check, before, Vec::new())).await;
        }
    }

    /// Stores one run.
    pub(crate) async fn commit(&self, run: Finished) -> Committed {
        self.store.commit(&[run], &self.book).await.unwrap().remove(0)
    }

    /// What the agent `one` claims.
    pub(crate) async fn claim(&self, time: Timestamp) -> Vec<Claimed> {
        self.store.claim("one", &[], time, LEASE).await.unwrap()
    }

    /// Records that a delivery was accepted.
    pub(crate) async fn sent(&self, claimed: &Claimed, time: Timestamp) {
        self.record(claimed, time, AttemptOutcome::Sent, None).await;
    }

    /// Records an attempt of the agent `one`.
    pub(crate) async fn record(
        &self,
        claimed: &Claimed,
        time: Timestamp,
        outcome: AttemptOutcome,
        fallback: Option<&str>,
    ) {
        let attempt = Attempt { at: time, duration: Duration::from_millis(40), outcome };
        self.store.record_attempt("one", &claimed.delivery.id, &attempt, fallback).await.unwrap();
    }

    /// What the next run of a job is given.
    pub(crate) async fn inputs(&self, job: &JobKey, time: Timestamp) -> RunInputs {
        let mut all = self.store.run_inputs(std::slice::from_ref(job), time).await.unwrap();
        assert_eq!(all.len(), 1);
        all.remove(0).unwrap()
    }

    /// The evidence that the next run is given.
    pub(crate) async fn previous(&self, check: &str, time: Timestamp) -> Option<Value> {
        let inputs = self.inputs(&key("harbor", check), time).await;
        inputs.previous.map(|(_, evidence)| evidence)
    }
}
