//! config.toml: its shape, its validation with every error at once, and what becomes of it.

mod document;
mod domain;
mod file;
mod load;
mod redirects;

pub use document::{ConfigError, ConfigErrors};
pub use domain::{DomainError, read_domain, read_host};
pub use file::{File, NetworkTable, ProjectTable, schema};
pub(crate) use load::read_resolver;
pub use load::{Config, LoadError, NOT_USED, Project, load, parse};
