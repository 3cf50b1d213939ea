//! The mail of the domain: who may send in its name, and who can tell.

mod dkim;
pub mod providers;
mod spf;

pub use dkim::Dkim;
pub use spf::Spf;
