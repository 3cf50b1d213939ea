//! config.toml: its shape, its validation with every error at once, and what becomes of it.

mod accounts;
mod agent;
mod attestations;
mod document;
mod domain;
mod file;
mod load;
mod mend;
mod plan;
mod promise;
mod redirects;
mod say;
mod secret;
mod shell;
mod store;
mod together;
mod vault;
mod walk;

pub use accounts::AccountSettings;
pub use agent::{Agent, Watch};
pub use attestations::{AttestationError, Attestations};
pub use document::{ConfigError, ConfigErrors};
pub use domain::{DomainError, read_domain, read_host};
pub use file::{
    AccountTables, AgeOrNever, AgentTable, AuthTable, AutomationKind, AutomationTable,
    ChannelTable, ChannelWord, ConnectToTable, CrmKind, CrmTable, DatabaseTable, DrillTable,
    EdgeKind, EdgeTable, Expected, File, HeartbeatTable, HostingKind, HostingTable, MailTable,
    MaintenanceTable, MetricsTable, NetworkTable, OwnedTable, OwnerTable, PolicyTable,
    ProjectTable, RegistrationTable, RequestTable, SourceTable, StoreValue, StripeTable,
    SupabaseTable, SupportKind, SupportTable, UrlValue, UserTable, WebTable, schema,
};
pub(crate) use load::read_resolver;
pub use load::{Config, LoadError, NOT_USED, Project, load, load_agent, parse};
pub use promise::{HeartbeatToken, Promise};
pub use secret::{Secret, SecretRef, login_name};
pub use shell::shell_word;
pub use store::StoreAddress;
