//! Operations: jobs that run unseen, what is live, how much is done by hand, whether alerts arrive, and what
//! only people can confirm.

mod alerting;
mod attestation;
mod busywork;
mod deployment;
mod heartbeat;

pub use alerting::Alerting;
pub use attestation::Attestation;
pub use busywork::{Busywork, hand_work};
pub use deployment::Deployment;
pub use heartbeat::Heartbeat;
