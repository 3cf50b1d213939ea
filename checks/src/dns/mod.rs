//! Name servers, records and the names below the domain.

mod drift;
mod providers;
mod records;
mod resolution;
mod subdomains;

pub use drift::Drift;
pub use resolution::Resolution;
pub use subdomains::{Subdomains, names};
