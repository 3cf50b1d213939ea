//! What can be typed to sign what only a person can confirm.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use launchready_checks::contract::Age;

use super::read_age;

/// What follows the help.
const AFTER: &str = "\
launchready attest list               every item, and who signed it until when
launchready explain ops-attestation   what each means, and what to do before
launchready explain goals             what a goal makes of one that is unsigned";

/// Options of `attest`.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, after_help = AFTER)]
pub struct AttestArgs {
    /// What to do instead of signing.
    #[command(subcommand)]
    pub action: Option<AttestAction>,
    /// What is signed, such as restore-tried.
    #[arg(value_name = "ITEM", required = true)]
    pub item: Option<String>,
    /// Who signs.
    #[arg(long, value_name = "NAME", required = true)]
    pub by: Option<String>,
    /// What was seen or done.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub note: String,
    /// For how long it holds, 366d at most; without it, as long as the item says.
    #[arg(long, value_name = "SPAN", value_parser = read_age)]
    pub valid: Option<Duration>,
    /// For rollback-tried: how long it took, such as 12m.
    #[arg(long, value_name = "SPAN", value_parser = read_span)]
    pub took: Option<Age>,
    /// For sources-of-truth: how many systems hold the truth of the object that has most.
    #[arg(long, value_name = "COUNT")]
    pub systems: Option<u32>,
    /// The project; may be left out where the config holds one.
    #[arg(long, value_name = "NAME", global = true, display_order = 49)]
    pub project: Option<String>,
    /// The config file; attestations.toml is beside it.
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

/// What `attest` does instead of signing.
#[derive(Debug, Clone, Subcommand)]
pub enum AttestAction {
    /// List every item, and who signed it until when.
    List,
    /// Take a signature back.
    Remove {
        /// The item.
        #[arg(value_name = "ITEM")]
        signed: String,
    },
}

fn read_span(text: &str) -> Result<Age, String> {
    read_age(text).map(Age)
}
