//! The mail of the domain: who may send in its name, who can tell, and who receives.

mod dkim;
mod dmarc;
mod existence;
pub mod providers;
mod published;
pub mod selectors;
mod spf;
mod transport;

pub use dkim::Dkim;
pub use dmarc::Dmarc;
pub use spf::Spf;
pub use transport::Transport;
