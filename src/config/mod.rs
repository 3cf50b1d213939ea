//! config.toml: its shape, its validation with every error at once, and what becomes of it.

mod agent;
mod document;
mod domain;
mod file;
mod load;
mod plan;
mod promise;
mod redirects;
mod secret;
mod vault;
mod walk;

pub use agent::{Agent, Watch};
pub use document::{ConfigError, ConfigErrors};
pub use domain::{DomainError, read_domain, read_host};
pub use file::{
    AgeOrNever, AgentTable, AuthTable, ChannelTable, ChannelWord, ConnectToTable, File,
    HeartbeatTable, MailTable, MaintenanceTable, MetricsTable, NetworkTable, PolicyTable,
    ProjectTable, RegistrationTable, SourceTable, UrlValue, WebTable, schema,
};
pub(crate) use load::read_resolver;
pub use load::{Config, LoadError, NOT_USED, Project, load, load_agent, parse};
pub use promise::{HeartbeatToken, Promise};
pub use secret::{Secret, SecretRef};
