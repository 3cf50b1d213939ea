//! What can go wrong before a world stands.

use std::io;
use std::path::PathBuf;

/// Why a world could not be read or started.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// No scenario has this name.
    #[error("no scenario is called {0}; there are {all}", all = crate::world::SCENARIOS.map(|(name, _)| name).join(", "))]
    NoScenario(String),
    /// No defect has this name.
    #[error("no defect is called {0}")]
    NoDefect(String),
    /// No check has this id.
    #[error("no check is called {0}")]
    NoCheck(String),
    /// The data of a scenario is no TOML, or not of this shape.
    #[error("the data of {part} cannot be read: {source}")]
    Data {
        /// The file or part.
        part: String,
        /// What the parser said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The data can be read and makes no sense.
    #[error("{0}")]
    Plan(String),
    /// A zone's record or signature.
    #[error("in the zone {zone}: {message}")]
    Zone {
        /// The origin.
        zone: String,
        /// The line or step, and what is wrong.
        message: String,
    },
    /// A key or certificate.
    #[error("cannot make a certificate for {name}: {source}")]
    Certificate {
        /// Whom it is for.
        name: String,
        /// What the maker said.
        source: rcgen::Error,
    },
    /// A TLS configuration.
    #[error("cannot set up TLS for {name}: {source}")]
    Tls {
        /// The host.
        name: String,
        /// What the library said.
        source: rustls::Error,
    },
    /// A change would need a listener that the lab does not have.
    #[error(
        "the changed world has {0}, which the lab did not start with; start another lab for it"
    )]
    NoListener(String),
    /// A listener.
    #[error("cannot listen on loopback: {0}")]
    Listen(#[source] io::Error),
    /// The shop's database.
    #[error("cannot write the shop's database {path}: {source}")]
    Shop {
        /// The file.
        path: PathBuf,
        /// What the library said.
        source: sqlx::Error,
    },
    /// A file.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}
