//! What the loops of the agent say of the store; the log takes the same words once a minute.

use crate::store::StoreError;
use crate::telemetry;

/// Logs what the store says, with its cause.
pub(super) fn complain(error: StoreError) {
    tracing::error!(target: telemetry::LOOPS, "{:#}", anyhow::Error::new(error));
}
