//! Certificates, and the versions and suites of the protocol that carries them.

mod certificate;
mod operator;
mod pairs;
mod protocol;
mod reach;

pub use certificate::Certificate;
pub use protocol::Protocol;
