//! What can be typed behind `diff` and `trace`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{FailOn, ProjectArgs};

/// Options of `diff`.
#[derive(Debug, Clone, Args)]
pub struct DiffArgs {
    /// Reports of one project by `audit --format json`, the oldest first. The last two are compared; those
    /// before them tell what came back.
    #[arg(value_names = ["OLD.json", "NEW.json"], num_args = 2.., required = true)]
    pub reports: Vec<PathBuf>,
    /// The form of the answer.
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "terminal|json|markdown",
        hide_possible_values = true
    )]
    pub format: DiffFormat,
    /// Exit code 1 when a finding of this severity or a worse one is new, came back or became worse, and
    /// nobody has accepted it.
    #[arg(long, value_enum, default_value_t)]
    pub fail_on: FailOn,
}

/// The forms of a difference.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum DiffFormat {
    /// For this terminal.
    #[default]
    Terminal,
    /// For programs.
    Json,
    /// For a ticket or a chat.
    Markdown,
}

/// Options of `trace`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "launchready explain trace   what each link says, and what it reads")]
pub struct TraceArgs {
    /// What is followed: an id of Stripe (evt_, cs_, pi_, ch_, re_, du_, sub_, cus_), or an order.
    #[arg(value_name = "REF")]
    pub reference: String,
    /// Print it for programs; schema version 1.
    #[arg(long)]
    pub json: bool,
    /// Which project.
    #[command(flatten)]
    pub project: ProjectArgs,
}
