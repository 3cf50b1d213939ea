//! Operations: jobs that run unseen, and what is live.

mod deployment;
mod heartbeat;

pub use deployment::Deployment;
pub use heartbeat::Heartbeat;
