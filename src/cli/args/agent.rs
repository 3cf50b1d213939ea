//! What can be typed to the agent and to what it remembers.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::read_age;

/// What follows the help of `agent`.
const AGENT: &str = "\
The page, the API and /metrics are at agent.listen, http://127.0.0.1:9797/ unless the config says \
otherwise. A changed config is taken over by itself, and on SIGHUP; one that holds errors changes \
nothing. SIGTERM and Ctrl-C stop it.

launchready explain agent    how to run it, back it up and mend it
launchready explain alerts   what becomes of a defect, and who is told of it";

/// Options of `agent`.
#[derive(Debug, Clone, Args)]
#[command(after_help = AGENT)]
pub struct AgentArgs {
    /// The config file.
    #[arg(long, value_name = "FILE", default_value = "launchready.toml")]
    pub config: PathBuf,
    /// Let the agent's clock run so many times faster than the machine's; for trials.
    #[arg(long, value_name = "TIMES", default_value_t = 1.0, hide = true, value_parser = read_speed)]
    pub speed: f64,
    /// When the fast clock began to run, so that a restart goes on where it was.
    #[arg(long, value_name = "TIME", hide = true, requires = "speed")]
    pub since: Option<Timestamp>,
}

/// Options of `healthcheck`.
#[derive(Debug, Clone, Args)]
pub struct HealthcheckArgs {
    /// Where the agent listens: agent.listen in its config.
    #[arg(value_name = "ADDRESS", default_value = "127.0.0.1:9797")]
    pub address: SocketAddr,
}

/// The config, for commands that read or change what the agent remembers.
#[derive(Debug, Clone, Args)]
pub struct StoreArgs {
    /// The config file that names the store.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "launchready.toml",
        global = true,
        display_order = 50
    )]
    pub config: PathBuf,
    /// Print JSON.
    #[arg(long, global = true, display_order = 51)]
    pub json: bool,
}

/// Options of `notify`.
#[derive(Debug, Clone, Args)]
pub struct NotifyArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: NotifyAction,
}

/// What `notify` does.
#[derive(Debug, Clone, Subcommand)]
pub enum NotifyAction {
    /// Send a test message and say whether the other side took it.
    Test {
        /// The channel; every channel of the config where none is named.
        channel: Option<String>,
        /// The config file.
        #[arg(long, value_name = "FILE", default_value = "launchready.toml")]
        config: PathBuf,
    },
}

/// Options of `incidents`.
#[derive(Debug, Clone, Args)]
pub struct IncidentsArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: IncidentsAction,
    /// The store.
    #[command(flatten)]
    pub store: StoreArgs,
}

/// What `incidents` does.
#[derive(Debug, Clone, Subcommand)]
pub enum IncidentsAction {
    /// List incidents, worst first.
    List {
        /// Of this project.
        #[arg(long, value_name = "NAME")]
        project: Option<String>,
        /// Those that are over too.
        #[arg(long)]
        all: bool,
    },
    /// Say that somebody is on it, or takes it over: reminders stop.
    Ack {
        /// The incident's id, as `incidents list` prints it.
        id: String,
        /// Who; the login name where nobody is named.
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
        /// A note for the others.
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        note: String,
    },
    /// Say that it is over; it opens again when the next look sees it.
    Resolve {
        /// The incident's id.
        id: String,
        /// Who; the login name where nobody is named.
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
    },
}

/// Options of `silence`.
#[derive(Debug, Clone, Args)]
pub struct SilenceArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: SilenceAction,
    /// The store.
    #[command(flatten)]
    pub store: StoreArgs,
}

/// What `silence` does.
#[derive(Debug, Clone, Subcommand)]
pub enum SilenceAction {
    /// Mute messages for a while; checks go on.
    Add {
        /// For so long, such as 2h.
        #[arg(long = "for", value_name = "SPAN", value_parser = read_age)]
        span: Duration,
        /// Why.
        #[arg(long, value_name = "WHY")]
        reason: String,
        /// Who asks for it; the login name where nobody is named.
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
        /// This project alone.
        #[arg(long, value_name = "NAME")]
        project: Option<String>,
        /// This check alone.
        #[arg(long, value_name = "ID")]
        check: Option<String>,
        /// This finding code alone.
        #[arg(long, value_name = "CODE")]
        code: Option<String>,
    },
    /// List silences that have not ended.
    List,
    /// End a silence now.
    Remove {
        /// The silence's id.
        id: String,
    },
}

/// Options of `waiver`.
#[derive(Debug, Clone, Args)]
pub struct WaiverArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: WaiverAction,
    /// The store.
    #[command(flatten)]
    pub store: StoreArgs,
}

/// What `waiver` does.
#[derive(Debug, Clone, Subcommand)]
pub enum WaiverAction {
    /// Accept a finding until a day.
    Add {
        /// The project; may be left out where the config holds one.
        #[arg(long, value_name = "NAME")]
        project: Option<String>,
        /// The finding code.
        #[arg(long, value_name = "CODE")]
        code: String,
        /// One subject alone, as the report names it, such as a host.
        #[arg(long, value_name = "SUBJECT")]
        subject: Option<String>,
        /// Who accepts it.
        #[arg(long, value_name = "NAME")]
        by: String,
        /// Why.
        #[arg(long, value_name = "WHY")]
        reason: String,
        /// Until this day has ended in UTC, such as 2027-03-01, or until a time.
        #[arg(long, value_name = "DAY", value_parser = read_until, required_unless_present = "span")]
        until: Option<Timestamp>,
        /// For so long, such as 30d.
        #[arg(long = "for", value_name = "SPAN", value_parser = read_age, conflicts_with = "until")]
        span: Option<Duration>,
    },
    /// List waivers, expired ones included.
    List,
    /// Take a waiver away.
    Remove {
        /// The waiver's id.
        id: String,
    },
}

/// Options of `baseline`.
#[derive(Debug, Clone, Args)]
pub struct BaselineArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: BaselineAction,
    /// The project; may be left out where the config holds one.
    #[arg(long, value_name = "NAME", global = true)]
    pub project: Option<String>,
    /// The store.
    #[command(flatten)]
    pub store: StoreArgs,
}

/// What `baseline` does.
#[derive(Debug, Clone, Subcommand)]
pub enum BaselineAction {
    /// Look now, and approve what is seen: drift is measured against it from then on.
    Approve {
        /// Only these checks, such as dns-drift.
        #[arg(long = "check", value_name = "ID")]
        checks: Vec<String>,
        /// Who approves it; by default the one who is signed in.
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
        /// Why, such as the ticket of the change.
        #[arg(long, value_name = "WHY", default_value = "")]
        note: String,
    },
    /// Print what is approved.
    Show,
    /// Look now, and print what differs from what is approved; exit code 1 where anything does.
    Diff,
}

/// Options of `backup`.
#[derive(Debug, Clone, Args)]
pub struct BackupArgs {
    /// The copy; it must not exist yet.
    pub file: PathBuf,
    /// The config file that names the store.
    #[arg(long, value_name = "FILE", default_value = "launchready.toml")]
    pub config: PathBuf,
}

pub(super) fn read_speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if (1.0..=10_000.0).contains(&speed) => Ok(speed),
        _ => Err("write a number from 1 to 10000".to_owned()),
    }
}

/// A day counts to its end in UTC.
fn read_until(text: &str) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let day = text.parse::<jiff::civil::Date>().ok().and_then(|day| day.tomorrow().ok());
    let end = day.and_then(|day| day.to_zoned_datetime(jiff::tz::TimeZone::UTC).ok());
    end.map(|end| end.timestamp())
        .ok_or_else(|| format!("{text:?} is no day; write it as 2027-03-01"))
}
