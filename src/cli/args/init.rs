//! What can be typed behind `init`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{NetworkArgs, read_age};

/// Options of `init`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "A second run adds what is new and changes nothing that stands in the file."
)]
pub struct InitArgs {
    /// The domain whose stack is looked for.
    pub domain: String,
    /// The config to write or to add to; .env.example is written beside it.
    #[arg(long, value_name = "FILE", default_value = "launchready.toml")]
    pub out: PathBuf,
    /// Ask nothing, and leave what cannot be seen commented out.
    #[arg(long, short)]
    pub yes: bool,
    /// Systems that the product uses, comma-separated, such as stripe,hubspot,n8n.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub uses: Vec<String>,
    /// End the look with what there is after this long.
    #[arg(long, default_value = "20s", value_parser = read_age)]
    pub time_limit: Duration,
    /// How this machine reaches the world.
    #[command(flatten)]
    pub network: NetworkArgs,
}
