//! The settings of the agent, read and checked.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use launchready_checks::registry;

use crate::incident::{Book, Policy};
use crate::notify::ChannelSettings;
use crate::schedule::{Cron, Schedule};

use super::load::suggested;
use super::promise::{HeartbeatToken, Promise};
use super::secret::Secret;
use super::store::StoreAddress;

/// `[agent]`, `[metrics]`, `[[channel]]` and what belongs to them.
#[derive(Debug, Clone)]
pub struct Agent {
    /// The folder of the config.
    pub folder: PathBuf,
    /// Where the page, the API and the metrics are.
    pub listen: SocketAddr,
    /// The store; a relative path counts from the config's folder.
    pub store: StoreAddress,
    /// Where people reach the page, without a slash at the end.
    pub public_url: Option<String>,
    /// The URL that is called while all is well.
    pub heartbeat_url: Option<Secret>,
    /// How often it is called.
    pub heartbeat_every: Duration,
    /// The password of the page.
    pub password: Option<Secret>,
    /// The bearer token of `/metrics` and `/probe`.
    pub metrics_token: Option<Secret>,
    /// Looks that may be under way at once.
    pub max_in_flight: usize,
    /// Above so many checks `/metrics` has to be asked in shards.
    pub metrics_max_checks: usize,
    /// Hosts and URLs that `/probe` may be asked for beside those of the projects.
    pub probe_targets: Vec<String>,
    /// Hourly figures are kept for this long; resolved incidents and the past of checks for 400 days, or as long.
    pub keep: Duration,
    /// When the weekly summary is sent; never where absent.
    pub summary: Option<Cron>,
    /// The zone of what belongs to no project.
    pub timezone: String,
    /// Where a message goes.
    pub channels: Vec<ChannelSettings>,
    /// The tokens of jobs that have promised to call.
    pub heartbeats: Vec<HeartbeatToken>,
    /// Who is told what, without silences and waivers, which are in the store.
    pub book: Book,
}

/// What the agent does with one project.
#[derive(Debug, Clone)]
pub struct Watch {
    /// The rules of its incidents.
    pub policy: Policy,
    /// Its checks with their schedules, in the order of the registry.
    pub schedules: Vec<(&'static str, Schedule)>,
    /// Whether it is shown on the public status page.
    pub public: bool,
    /// Jobs that have promised to call.
    pub heartbeats: Vec<Promise>,
}

impl Default for Watch {
    /// Every check at the schedule that it suggests.
    fn default() -> Self {
        let schedules =
            registry::ALL.iter().map(|plugin| (plugin.meta.id, suggested(plugin.meta))).collect();
        Self { policy: Policy::default(), schedules, public: false, heartbeats: Vec::new() }
    }
}
