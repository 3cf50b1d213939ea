//! The command line: parse, run, exit code.

mod agent;
mod args;
mod attest;
mod audit;
mod check;
mod config;
mod demo;
mod diff;
mod domains;
mod drill;
mod explain;
mod healthcheck;
mod init;
mod output;
mod progress;
mod project;
mod remembered;
mod store;
mod trace;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, FromArgMatches as _};

pub use args::{Cli, Command};

use crate::store::StoreError;
use crate::telemetry::LogFormat;

/// The most columns of help: longer lines are hard to read.
const WIDEST: usize = 100;
/// The columns of a terminal that does not say how many it has.
const USUAL: usize = 80;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Nothing stands in the way.
    Clean,
    /// The verdict is `no_go`, or a finding is at or above `--fail-on`.
    Found,
    /// The command line or the config is wrong.
    Usage,
    /// The work itself could not finish.
    Failed,
    /// The exit code of a Nagios plugin.
    Nagios(u8),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Clean => 0,
            Exit::Found => 1,
            Exit::Usage => 2,
            Exit::Failed => 3,
            Exit::Nagios(code) => code,
        })
    }
}

/// An error that the user can mend: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let cli = match parse() {
        Ok(cli) => cli,
        Err(error) => {
            if let Some(domain) = lonely_domain(&error) {
                output::complain(&format!(
                    "error: there is no command {domain:?}; to look at that domain, type: launchready audit {domain}"
                ));
                return Exit::Usage.into();
            }
            // clap prints help and errors where they belong; a closed pipe is nobody's problem.
            drop(error.print());
            return if error.use_stderr() { Exit::Usage } else { Exit::Clean }.into();
        }
    };
    crate::telemetry::start(cli.log_format, cli.verbose);
    match dispatch(&cli) {
        Ok(exit) => exit.into(),
        Err(error) => {
            match cli.log_format {
                LogFormat::Text => output::complain(&format!("error: {error:#}")),
                LogFormat::Json => tracing::error!("{error:#}"),
            }
            let usage = error.chain().any(|cause| {
                cause.is::<UsageError>()
                    || cause.is::<crate::config::LoadError>()
                    || cause.is::<crate::config::DomainError>()
                    || cause.is::<crate::probe::RootsError>()
                    || cause.downcast_ref::<StoreError>().is_some_and(can_be_mended)
            });
            if usage { Exit::Usage } else { Exit::Failed }.into()
        }
    }
}

/// Reads the command line. Help is as wide as the terminal, and as a usual one where there is none or it
/// does not say.
fn parse() -> Result<Cli, clap::Error> {
    let is_known = terminal_size::terminal_size().is_some();
    let widest = if is_known { WIDEST } else { USUAL };
    let matches = Cli::command().max_term_width(widest).try_get_matches()?;
    Cli::from_arg_matches(&matches)
}

/// Whether the user can mend what the store says, by typing something else.
fn can_be_mended(error: &StoreError) -> bool {
    matches!(error, StoreError::Address(_) | StoreError::Missing { .. } | StoreError::State(_))
}

/// The domain that was typed where a command belongs.
fn lonely_domain(error: &clap::Error) -> Option<String> {
    let given = match error.kind() {
        ErrorKind::InvalidSubcommand => error.get(ContextKind::InvalidSubcommand)?,
        _ => return None,
    };
    match given {
        ContextValue::String(name) => crate::config::read_domain(name).ok(),
        _ => None,
    }
}

fn dispatch(cli: &Cli) -> anyhow::Result<Exit> {
    match &cli.command {
        Command::Init(args) => init::run(cli, args),
        Command::Audit(args) => audit::run(cli, args),
        Command::Diff(args) => diff::run(args),
        Command::Check(args) => check::run(cli, args),
        Command::Agent(args) => agent::run(cli, args),
        Command::Demo(args) => demo::run(cli, args),
        Command::Trace(args) => trace::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Config(args) => config::run(args),
        Command::Notify(args) => agent::notify(args),
        Command::Incidents(args) => remembered::incidents(args),
        Command::Silence(args) => remembered::silence(args),
        Command::Waiver(args) => remembered::waiver(args),
        Command::Baseline(args) => remembered::baseline(cli, args),
        Command::Drill(args) => drill::run(cli, args),
        Command::Attest(args) => attest::run(args),
        Command::Backup(args) => remembered::backup(args),
        Command::Store(args) => store::run(args),
        Command::Healthcheck(args) => healthcheck::run(args),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "launchready", &mut script);
            output::print(&String::from_utf8_lossy(&script));
            Ok(Exit::Clean)
        }
        Command::Man { out } => man(out.as_deref()),
    }
}

/// Prints the man page, or writes that of each command into a folder.
fn man(folder: Option<&Path>) -> anyhow::Result<Exit> {
    // Each page that another one names is there; `help` has none of its own.
    let command = Cli::command().disable_help_subcommand(true);
    let Some(folder) = folder else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page)?;
        output::print(&String::from_utf8_lossy(&page));
        return Ok(Exit::Clean);
    };
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(command, folder))
        .with_context(|| {
            format!(
                "could not write into {}; name a folder that you can write to",
                folder.display()
            )
        })?;
    Ok(Exit::Clean)
}
