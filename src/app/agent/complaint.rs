//! What the loops of the agent say of the store; the log takes the same words once a minute.

use crate::store::StoreError;

/// Logs what the store says, with its cause.
pub(super) fn complain(error: StoreError) {
    tracing::error!("{:#}", anyhow::Error::new(error));
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_complained_of_here_is_known_to_repeat() {
        let here = module_path!().trim_end_matches("::tests");
        assert!(crate::telemetry::LOOPS.contains(&here), "{here}");
    }
}
