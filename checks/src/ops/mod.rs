//! Operations: jobs that run unseen, what is live, and how much is done by hand.

mod busywork;
mod deployment;
mod heartbeat;

pub use busywork::{Busywork, hand_work};
pub use deployment::Deployment;
pub use heartbeat::Heartbeat;
