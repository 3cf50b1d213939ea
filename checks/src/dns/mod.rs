//! Name servers, records and the names below the domain.

mod providers;
mod records;
mod resolution;

pub use resolution::Resolution;
