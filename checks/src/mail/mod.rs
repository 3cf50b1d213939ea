//! See the handbook pages beside the checks of this area.

mod dmarc;
mod published;
mod transport;

pub use dmarc::Dmarc;
pub use transport::Transport;
