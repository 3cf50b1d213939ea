//! What can be typed to run a drill.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::drill::Drill;

/// What follows the help.
const AFTER: &str = "\
launchready drill all --dry-run   what each would do, and what it still lacks
launchready explain drills        what each proves, and how to set it up
launchready drill undo            takes back what a drill has left";

/// Options of `drill`.
#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER)]
pub struct DrillArgs {
    /// Which one.
    #[arg(value_enum, value_name = "DRILL")]
    pub what: DrillWord,
    /// Say what would be done, what would prove it and how it would be undone, and touch nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Leave what the drill makes, to look at it; `drill undo` takes it back.
    #[arg(long)]
    pub keep: bool,
    /// With all: leave these out, comma-separated; secrets and speed are the two that are no drills.
    #[arg(
        long,
        value_enum,
        value_name = "DRILLS",
        value_delimiter = ',',
        hide_possible_values = true
    )]
    pub skip: Vec<DrillWord>,
    /// The project; may be left out where the config holds one.
    #[arg(long, value_name = "NAME", display_order = 49)]
    pub project: Option<String>,
    /// The config file.
    #[arg(long, value_name = "FILE", default_value = "launchready.toml", display_order = 50)]
    pub config: PathBuf,
    /// Print JSON.
    #[arg(long, display_order = 51)]
    pub json: bool,
}

/// What can be drilled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DrillWord {
    /// A test checkout becomes one order, one contact and one request, as far as the flow wants them.
    PaymentSuccess,
    /// A declined payment leaves nothing that looks paid.
    PaymentFailure,
    /// An event that comes several times changes the product once; a forged one changes nothing.
    WebhookReplay,
    /// One user neither reads nor writes what another one owns.
    TwoUsers,
    /// Requests reach the right queue with the right tags, and are acknowledged.
    SupportRouting,
    /// An alert reaches every channel in time.
    Alert,
    /// For --skip: the search for secrets that anybody can read.
    #[value(hide = true)]
    Secrets,
    /// For --skip: the speed of the endpoints.
    #[value(hide = true)]
    Speed,
    /// All of them, with the search for secrets and the speed of the endpoints: eight tests before a launch.
    All,
    /// Take back what earlier drills have left.
    Undo,
}

impl DrillWord {
    /// The one drill that is meant.
    pub const fn drill(self) -> Option<Drill> {
        match self {
            Self::PaymentSuccess => Some(Drill::PaymentSuccess),
            Self::PaymentFailure => Some(Drill::PaymentFailure),
            Self::WebhookReplay => Some(Drill::WebhookReplay),
            Self::TwoUsers => Some(Drill::TwoUsers),
            Self::SupportRouting => Some(Drill::SupportRouting),
            Self::Alert => Some(Drill::Alert),
            Self::Secrets | Self::Speed | Self::All | Self::Undo => None,
        }
    }
}
