//! What Prometheus is told: the exposition of the agent and of one probe.
//!
//! The series of a project are the same on every agent that shares a store, because each reads what others have
//! stored ([`Board::set_cut_off`] is for one that cannot); dashboards and rules take the greatest by project, check
//! and target. What an agent counts of itself carries no label that tells agents apart, because Prometheus adds the
//! instance.

mod catalogue;
mod figures;
mod own;
mod probe_text;
mod process;
mod series;
mod text;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use jiff::SignedDuration;

use self::catalogue::Source;
use self::own::Own;
use self::series::{Series, Shard};
use crate::store::{JobKey, LatestRun, OutboxCount};

pub use self::catalogue::{Family, Kind, families};
pub use self::figures::{BySeverity, ProjectFigures};
pub use self::probe_text::{
    ProbeCertificate, ProbeDns, ProbeHttp, ProbePhases, ProbeResult, probe_families, probe_text,
};
pub use self::text::{LABEL_CHARS, bounded};

/// The media type of the older format.
pub const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
/// The media type of `OpenMetrics`.
pub const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The most parts into which a scrape may be cut.
pub const SHARDS: u32 = 64;

/// Why there is no exposition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScrapeError {
    /// The answer would be too large.
    #[error(
        "there are {checks} checks and one scrape takes at most {most}: ask for /metrics?shard=1/{shards} up to shard={shards}/{shards}, or let Prometheus read the parts from /sd, or raise metrics.max_checks"
    )]
    TooMany {
        /// Checks that were asked for.
        checks: usize,
        /// The most of one scrape.
        most: usize,
        /// How many parts are enough.
        shards: u32,
    },
    /// There is no such part.
    #[error("there is no shard {index}/{of}; the first is 1/{of}, and there may be {SHARDS}")]
    NoShard {
        /// The part, from 1.
        index: u32,
        /// Of how many.
        of: u32,
    },
}

/// The exposition of the agent.
#[derive(Debug)]
pub struct Board {
    series: RwLock<Series>,
    own: Own,
    version: &'static str,
    max_checks: AtomicUsize,
    /// Whether other agents may know better how the projects are.
    is_cut_off: AtomicBool,
    /// How long the last exposition was, so that the next one finds its room at once.
    size: AtomicUsize,
}

impl Board {
    /// Knows nothing yet.
    ///
    /// # Errors
    /// A name or help that the library refuses.
    pub fn new(version: &'static str, max_checks: usize) -> Result<Self, prometheus::Error> {
        Ok(Self {
            series: RwLock::default(),
            own: Own::new()?,
            version,
            max_checks: AtomicUsize::new(max_checks),
            is_cut_off: AtomicBool::new(false),
            size: AtomicUsize::new(0),
        })
    }

    fn read(&self) -> RwLockReadGuard<'_, Series> {
        self.series.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Series> {
        self.series.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Renders the series of a job. While a check cannot look, the dates that it measured stay, and
    /// what holds only at the moment goes.
    pub fn set_run(&self, run: &LatestRun) {
        self.write().set_run(run);
    }

    /// Renders the series of a project.
    pub fn set_project(&self, project: &str, figures: &ProjectFigures) {
        self.write().set_project(project, figures);
    }

    /// Takes every job and project away that is not among these, as after a new config, and takes in none of them
    /// from now on.
    pub fn keep(&self, jobs: &BTreeSet<JobKey>) {
        self.write().keep(jobs);
    }

    /// Sets how many checks one scrape takes.
    pub fn set_max_checks(&self, most: usize) {
        self.max_checks.store(most, Ordering::Relaxed);
    }

    /// The projects of which it shows other last looks than these, given as sums of their times in milliseconds.
    pub fn behind(&self, looked: Vec<(String, i64)>) -> Vec<String> {
        self.read().behind(looked)
    }

    /// Whether what holds at the moment is left out: this agent no longer hears what others store, and the greater of
    /// both would be what it knew last.
    pub fn set_cut_off(&self, is_cut_off: bool) {
        self.is_cut_off.store(is_cut_off, Ordering::Relaxed);
    }

    /// Makes the series of these channels and takes those of others away.
    pub fn set_channels(&self, names: &[String]) {
        self.own.channels(names);
    }

    /// Counts what came of a try to deliver a message.
    pub fn notified(&self, channel: &str, outcome: &str) {
        self.own.notifications.with_label_values(&[channel, outcome]).inc();
    }

    /// Sets how many deliveries wait.
    pub fn set_outbox(&self, counts: &[OutboxCount]) {
        self.own.pending(counts);
    }

    /// Counts how long an opening took from the last good look to the accepted message.
    pub fn alert_latency(&self, took: Duration) {
        self.own.latency(took);
    }

    /// Counts how long after it was due a run began.
    pub fn scheduler_lag(&self, took: Duration) {
        self.own.lag(took);
    }

    /// Sets how many runs are under way.
    pub fn looks_in_flight(&self, count: usize) {
        self.own.in_flight.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Sets how many agents share the store.
    pub fn set_agents(&self, count: usize) {
        self.own.agents.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Sets how far the machine's clock is ahead of that of the store's server.
    pub fn clock_ahead(&self, ahead: SignedDuration) {
        self.own.ahead.set(ahead.as_secs_f64());
    }

    /// Counts how long the store took to commit.
    pub fn store_commit(&self, took: Duration) {
        self.own.commit(took);
    }

    /// How many checks are exported.
    pub fn checks(&self) -> usize {
        self.read().count(None)
    }

    /// In how many parts the metrics have to be scraped; 1 means whole.
    pub fn shards(&self) -> u32 {
        let series = self.read();
        let most = self.max_checks.load(Ordering::Relaxed).max(1);
        if series.count(None) <= most {
            return 1;
        }
        // A project is never cut, so that the smallest number that fits need not be the quotient.
        let least = u32::try_from(series.count(None).div_ceil(most)).unwrap_or(SHARDS);
        (least.clamp(2, SHARDS)..SHARDS).find(|of| series.fits(*of, most)).unwrap_or(SHARDS)
    }

    /// What `/sd` answers: the parts as targets at `address` for Prometheus' HTTP service discovery.
    pub fn service_discovery(&self, address: &str) -> serde_json::Value {
        let shards = self.shards();
        let target = |index: u32| {
            let shard = format!("{index}/{shards}");
            let path = "/metrics";
            let labels = if shards == 1 {
                serde_json::json!({ "__metrics_path__": path })
            } else {
                // `__param_shard` is asked for, `shard` keeps the parts' own series apart.
                serde_json::json!({ "__metrics_path__": path, "__param_shard": shard, "shard": shard })
            };
            serde_json::json!({ "targets": [address], "labels": labels })
        };
        (1..=shards).map(target).collect()
    }

    /// The metrics, whole or one part (the `i`-th of `n`, from 1); the agent's own series and the
    /// thresholds go with the first part.
    ///
    /// # Errors
    /// More checks than one scrape takes, or no such part.
    pub fn render(
        &self,
        shard: Option<(u32, u32)>,
        openmetrics: bool,
    ) -> Result<String, ScrapeError> {
        let (index, of) = shard.unwrap_or((1, 1));
        if index == 0 || index > of || of > SHARDS {
            return Err(ScrapeError::NoShard { index, of });
        }
        let part = Shard { index, of };
        let most = self.max_checks.load(Ordering::Relaxed).max(1);
        let checks = self.read().count(shard.map(|_| part));
        if checks > most {
            let shards = self.shards();
            return Err(ScrapeError::TooMany { checks, most, shards });
        }
        let mut out = String::with_capacity(self.size.load(Ordering::Relaxed));
        let gathered = if index == 1 { self.own.gather() } else { Vec::new() };
        let process = if index == 1 { process::figures() } else { Vec::new() };
        let is_cut_off = self.is_cut_off.load(Ordering::Relaxed);
        let series = self.read();
        for family in families() {
            let before = out.len();
            text::head(&mut out, family, openmetrics);
            let headed = out.len();
            match family.source {
                Source::Own => {
                    for own in gathered.iter().filter(|own| own.name() == family.name) {
                        own::samples(&mut out, own);
                    }
                }
                Source::Process => simple(&mut out, family, &process),
                Source::Build if index == 1 => {
                    _ = write!(out, "{}{{", family.name);
                    text::label(&mut out, "version", self.version);
                    out.push_str("} 1\n");
                }
                source if source.is_of_the_moment() && is_cut_off => {}
                source => series.samples(&mut out, family.name, source, part),
            }
            // A family without samples is left out.
            if out.len() == headed {
                out.truncate(before);
            }
        }
        drop(series);
        if openmetrics {
            out.push_str("# EOF\n");
        }
        self.size.store(out.len() + out.len() / 16, Ordering::Relaxed);
        Ok(out)
    }
}

/// Writes the one sample of a family without labels.
fn simple(out: &mut String, family: &Family, figures: &[(&'static str, f64)]) {
    for (_, value) in figures.iter().filter(|(name, _)| *name == family.name) {
        out.push_str(family.name);
        out.push(' ');
        text::number(out, *value);
        out.push('\n');
    }
}
