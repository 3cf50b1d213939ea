//! What can be typed behind `config`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

/// Options of `config`.
#[derive(Debug, Clone, Args)]
pub struct ConfigArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: ConfigAction,
}

/// What `config` does.
#[derive(Debug, Clone, Subcommand)]
pub enum ConfigAction {
    /// Say everything that is wrong with a config.
    Check(ConfigFile),
    /// Print the JSON schema for editors.
    Schema,
    /// Print what becomes of a config: projects, hosts and the options in force.
    Show(ConfigFile),
    /// Print an annotated example with every default.
    Example,
}

/// Which config.
#[derive(Debug, Clone, Args)]
pub struct ConfigFile {
    /// The file.
    #[arg(value_name = "FILE", default_value = "launchready.toml", conflicts_with = "config")]
    pub file: PathBuf,
    /// The file, as the other commands name it.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

impl ConfigFile {
    /// The file that is meant.
    pub fn path(&self) -> &Path {
        self.config.as_deref().unwrap_or(&self.file)
    }
}
