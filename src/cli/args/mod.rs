//! What can be typed.

mod agent;
mod attest;
mod compare;
mod config;
mod drill;
mod init;
mod known;
mod store;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Arg, Args, Parser, Subcommand, ValueEnum};
use launchready_checks::contract::{Age, Goal, Severity};

pub(super) use self::agent::{
    AgentArgs, BackupArgs, BaselineAction, BaselineArgs, HealthcheckArgs, IncidentsAction,
    IncidentsArgs, NotifyAction, NotifyArgs, SilenceAction, SilenceArgs, StoreArgs, WaiverAction,
    WaiverArgs,
};
pub(super) use self::attest::{AttestAction, AttestArgs};
pub(super) use self::compare::{DiffArgs, DiffFormat, TraceArgs};
pub(super) use self::config::{ConfigAction, ConfigArgs};
pub(super) use self::drill::{DrillArgs, DrillWord};
pub(super) use self::init::InitArgs;
use self::known::Known;
pub(super) use self::store::{MigrateArgs, StoreAction, StoreCommand};
use crate::telemetry::LogFormat;

/// What follows the list of commands.
const BEGIN: &str = "\
Begin with one of these:
  launchready demo --once             a shop with planted defects, audited here
  launchready audit your-domain.com   your own; needs only the name, and reads
  launchready init your-domain.com    finds your stack and writes the config";

/// Tells a founder whether the product is ready for strangers with credit cards.
#[derive(Debug, Parser)]
#[command(name = "launchready", version, arg_required_else_help = true, after_help = BEGIN)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Print no progress.
    #[arg(long, short, global = true, display_order = 90)]
    pub quiet: bool,
    /// Log what is done, step by step.
    #[arg(long, short, global = true, display_order = 91)]
    pub verbose: bool,
    /// How log lines and progress are written to standard error.
    #[arg(
        long,
        global = true,
        display_order = 92,
        value_enum,
        default_value_t,
        hide_possible_values = true,
        value_name = "text|json"
    )]
    pub log_format: LogFormat,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find the stack of a domain and write a config for it.
    Init(InitArgs),
    /// Look once and print a go/no-go handover checklist.
    Audit(AuditArgs),
    /// Print what differs between two reports.
    Diff(DiffArgs),
    /// Run one check again.
    Check(CheckArgs),
    /// Watch the projects of the config: checks on a schedule, alerts, metrics and a page.
    Agent(AgentArgs),
    /// Show it working: a small internet on this machine, audited or watched.
    Demo(DemoArgs),
    /// Follow one payment: Stripe, webhook, order, CRM, ticket, and where the chain breaks.
    Trace(TraceArgs),
    /// Print the handbook page of a check, a finding code, or the agent.
    Explain(ExplainArgs),
    /// Check a config, or print its schema or what becomes of it.
    Config(ConfigArgs),
    /// Prove that the channels of the config reach somebody.
    Notify(NotifyArgs),
    /// List incidents, say that somebody is on one, or that it is over.
    Incidents(IncidentsArgs),
    /// Mute messages for a while.
    Silence(SilenceArgs),
    /// Accept findings until a day.
    Waiver(WaiverArgs),
    /// Approve the state of today, and see what has changed since.
    Baseline(BaselineArgs),
    /// Try the product out with a synthetic customer, prove what came of it, and take it back.
    Drill(DrillArgs),
    /// Sign what only a person can confirm, such as that a backup was restored.
    Attest(AttestArgs),
    /// Copy the agent's store while it runs.
    Backup(BackupArgs),
    /// Carry everything that the agent remembers to another store.
    Store(StoreCommand),
    /// Ask the agent on this machine whether it lives; for containers.
    Healthcheck(HealthcheckArgs),
    /// Print shell completions.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the man page.
    Man {
        /// Write a page for each command into this folder instead.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

/// The forms of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For this terminal.
    #[default]
    Terminal,
    /// For programs; schema version 1.
    Json,
    /// For a ticket or a chat.
    Markdown,
    /// One file that prints well.
    Html,
    /// For code scanning in CI.
    Sarif,
    /// For test reports in CI.
    Junit,
}

impl Format {
    /// The form that the ending of a file's name means.
    pub fn of_file(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "txt" => Some(Self::Terminal),
            "json" => Some(Self::Json),
            "md" | "markdown" => Some(Self::Markdown),
            "html" | "htm" => Some(Self::Html),
            "sarif" => Some(Self::Sarif),
            "xml" => Some(Self::Junit),
            _ => None,
        }
    }

    /// The usual ending of a file.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Terminal => "txt",
            Self::Json => "json",
            Self::Markdown => "md",
            Self::Html => "html",
            Self::Sarif => "sarif",
            Self::Junit => "xml",
        }
    }
}

/// The findings that make the exit code 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Critical findings only.
    #[default]
    Critical,
    /// Warnings too.
    Warning,
}

impl From<FailOn> for Severity {
    fn from(level: FailOn) -> Self {
        match level {
            FailOn::Critical => Self::Critical,
            FailOn::Warning => Self::Warning,
        }
    }
}

/// How this machine reaches the world; the same as `[network]` in the config.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Network")]
pub struct NetworkArgs {
    /// Ask this resolver, IP or IP:port; may be repeated.
    #[arg(long = "resolver", value_name = "IP[:PORT]")]
    pub resolvers: Vec<String>,
    /// Trust the certificate authorities in this PEM file too.
    #[arg(long = "ca", value_name = "FILE")]
    pub extra_roots: Vec<PathBuf>,
    /// Connect elsewhere, such as shop.example:443=203.0.113.7:443.
    #[arg(long = "connect-to", value_name = "FROM=TO")]
    pub connect_to: Vec<String>,
    /// Follow the product to private addresses.
    #[arg(long)]
    pub allow_private: bool,
}

/// Which project, and how it is reached.
#[derive(Debug, Clone, Default, Args)]
pub struct ProjectArgs {
    /// The config file; without it and without DOMAIN, launchready.toml in this folder.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The project of the config, where it holds several.
    #[arg(long, value_name = "NAME")]
    pub project: Option<String>,
    /// How this machine reaches the world.
    #[command(flatten)]
    pub network: NetworkArgs,
}

/// Options of `audit`.
#[derive(Debug, Clone, Args)]
pub struct AuditArgs {
    /// The domain to look at; nothing else is needed.
    pub domain: Option<String>,
    /// Audit every project of the config; needs --out.
    #[arg(long, conflicts_with_all = ["project", "domain"], requires = "out")]
    pub all: bool,
    /// Audit every domain in this file, one a line (`-` for standard input); prints one JSON report
    /// a line.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["domain", "all", "project", "out"])]
    pub domains: Option<PathBuf>,
    /// What the output looks like and when it fails.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Keep what was seen in this folder, of several projects each in a folder of its own.
    #[arg(long, value_name = "DIR", conflicts_with = "domains")]
    pub save_evidence: Option<PathBuf>,
    /// Judge again what --save-evidence kept, without looking.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["domain", "config", "domains", "save_evidence"])]
    pub from_evidence: Option<PathBuf>,
    /// Measure drift against this approved baseline.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Write what was seen as the approved baseline.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["all", "domains"])]
    pub save_baseline: Option<PathBuf>,
    /// Which project.
    #[command(flatten)]
    pub project: ProjectArgs,
}

/// What the output of an audit looks like and when it fails.
#[derive(Debug, Clone, Args)]
pub struct OutputArgs {
    /// Run only these checks, comma-separated; `mail-*` means all of an area.
    #[arg(long, value_name = "IDS", value_delimiter = ',', value_parser = Known::Checks, hide_possible_values = true)]
    pub only: Vec<String>,
    /// Leave these checks out, comma-separated.
    #[arg(long, value_name = "IDS", value_delimiter = ',', value_parser = Known::Checks, hide_possible_values = true)]
    pub skip: Vec<String>,
    /// What the product has to be ready for: launch, paid-traffic or handover.
    #[arg(long, value_parser = read_goal)]
    pub goal: Option<Goal>,
    /// The form of the report; without it the ending of --out decides, such as report.html.
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Write the report to this file instead of standard output; of several projects, to this folder.
    #[arg(long, value_name = "PATH")]
    pub out: Option<PathBuf>,
    /// Replace domain, host names, addresses, ids and people by placeholders, so that it can be shared.
    #[arg(long)]
    pub redact: bool,
    /// The findings that make the exit code 1.
    #[arg(long, value_enum, default_value_t)]
    pub fail_on: FailOn,
    /// End with what there is after this long.
    #[arg(long, default_value = "45s", value_parser = read_age)]
    pub time_limit: Duration,
}

impl OutputArgs {
    /// The form that was asked for, or that the ending of the file means.
    pub fn form(&self) -> Format {
        let named = self.out.as_deref().and_then(Format::of_file);
        self.format.or(named).unwrap_or_default()
    }
}

/// Options of `check`.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// The check's id, such as mail-spf.
    #[arg(value_parser = Known::Checks, hide_possible_values = true)]
    pub id: String,
    /// The domain to look at; for secrets-source the folder.
    pub domain: Option<String>,
    /// Answer as a Nagios plugin does: one line with perfdata, exit code 0 to 3.
    #[arg(long)]
    pub nagios: bool,
    /// For orders-orphaned-checkouts: the checkouts, one JSON object a line, instead of Stripe's API.
    #[arg(long, value_name = "FILE")]
    pub sessions: Option<PathBuf>,
    /// The form of the output; jsonl lists every secret of secrets-source, or every difference of
    /// orders-orphaned-checkouts.
    #[arg(long, value_enum, default_value_t)]
    pub format: CheckFormat,
    /// End after this long.
    #[arg(long, default_value = "45s", value_parser = read_age)]
    pub time_limit: Duration,
    /// Which project.
    #[command(flatten)]
    pub project: ProjectArgs,
}

/// The forms of one check's result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// For this terminal.
    #[default]
    Terminal,
    /// For programs.
    Json,
    /// One JSON object for each secret of `secrets-source`, or difference of `orders-orphaned-checkouts`.
    Jsonl,
}

/// Options of `demo`.
#[derive(Debug, Clone, Args)]
#[command(mut_args(of_a_report))]
pub struct DemoArgs {
    /// Audit once and end, instead of watching; the options of a report need it.
    #[arg(long)]
    pub once: bool,
    /// What is planted: broken with --once; otherwise defects come and go by a timetable.
    #[arg(long, value_enum)]
    pub scenario: Option<Scenario>,
    /// Where the agent's page is; 127.0.0.1:9797, or a free port where that is taken.
    #[arg(long, value_name = "ADDR", conflicts_with = "once")]
    pub listen: Option<std::net::SocketAddr>,
    /// How many times faster than the machine's the clock of the watched world runs.
    #[arg(long, value_name = "TIMES", default_value_t = 4.0, value_parser = agent::read_speed, conflicts_with = "once")]
    pub speed: f64,
    /// What the output looks like and when it fails.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// The options of a report, which a demo that goes on has none of.
fn of_a_report(arg: Arg) -> Arg {
    let is_its_own = ["once", "scenario", "listen", "speed"].contains(&arg.get_id().as_str());
    if is_its_own { arg } else { arg.requires("once") }
}

/// The lab's scenarios.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// A known set of defects.
    #[default]
    Broken,
    /// None.
    Healthy,
}

/// Options of `explain`.
#[derive(Debug, Clone, Args)]
pub struct ExplainArgs {
    /// A check's id, a finding code, an account, or start, agent, agency, alerts, goals, runbooks, drills, ci, trace, upgrade or metrics; without it all are listed.
    #[arg(value_parser = Known::Pages, hide_possible_values = true)]
    pub name: Option<String>,
    /// Write all pages as HTML into this folder, to be read in a browser.
    #[arg(long, value_name = "DIR", conflicts_with = "name")]
    pub html: Option<PathBuf>,
}

fn read_age(text: &str) -> Result<Duration, String> {
    let age: Age = text
        .parse()
        .map_err(|error: launchready_checks::contract::QuantityError| error.to_string())?;
    if age.0.is_zero() { Err("it must be longer than nothing".to_owned()) } else { Ok(age.0) }
}

fn read_goal(text: &str) -> Result<Goal, String> {
    match text {
        "launch" => Ok(Goal::Launch),
        "paid-traffic" => Ok(Goal::PaidTraffic),
        "handover" => Ok(Goal::Handover),
        other => Err(format!("{other:?} is none of launch, paid-traffic, handover")),
    }
}
