//! Operations: jobs that run unseen, what is live, and what only people can confirm.

mod attestation;
mod deployment;
mod heartbeat;

pub use attestation::Attestation;
pub use deployment::Deployment;
pub use heartbeat::Heartbeat;
