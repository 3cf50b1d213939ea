//! Operations: jobs that run unseen.

mod heartbeat;

pub use heartbeat::Heartbeat;
