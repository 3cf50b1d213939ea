//! What can be typed behind `store`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What follows the help of `store migrate`.
const MIGRATE: &str = "\
Stop the agents of both stores first. What was written is read back and compared before it counts: a transfer \
happens whole or not at all. It is refused when an agent is at work on one of the stores, also when one begins on the \
first store meanwhile.

No row of the store that it came from changes. But it is opened, which brings its tables to this version: an older \
program refuses it from then on, so keep a copy where you may have to go back. After a refusal, --to may name an empty \
file or schema that was made for it; the next try takes it.

An address with a password does not belong on a command line, where others see it: put the whole address into a \
variable and write --to env:NAME, or into a file that only you can read and write --to file:PATH.

launchready explain agency    two agents on one PostgreSQL, from the first step to the last";

/// Options of `store`.
#[derive(Debug, Clone, Args)]
pub struct StoreCommand {
    /// What to do.
    #[command(subcommand)]
    pub action: StoreAction,
}

/// What `store` does.
#[derive(Debug, Clone, Subcommand)]
pub enum StoreAction {
    /// Carry everything to an empty store, such as from a file to PostgreSQL.
    Migrate(MigrateArgs),
}

/// Options of `store migrate`.
#[derive(Debug, Clone, Args)]
#[command(after_help = MIGRATE)]
pub struct MigrateArgs {
    /// Where everything is: `sqlite:FILE`, `postgres://USER@HOST/DATABASE`, `env:NAME` or `file:PATH`; the store of the
    /// config where it is left out.
    #[arg(long, value_name = "STORE")]
    pub from: Option<String>,
    /// Where everything goes: a file that is not there yet or a database without anything of launchready.
    #[arg(long, value_name = "STORE")]
    pub to: String,
    /// The config file that names the store.
    #[arg(long, value_name = "FILE", default_value = "launchready.toml")]
    pub config: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}
