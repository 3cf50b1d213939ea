//! The dead-man ping: a URL that is called for as long as the agent does its work, so that somebody else
//! notices when it no longer does.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::setup::Setup;
use super::telling::Telling;
use crate::clock::{Clock, pause};

/// How often the first step of the scheduler is looked for.
const STEP: Duration = Duration::from_millis(20);

/// Calls the URL of the config at its interval while scheduler and store are well, until dropped. A call
/// that fails is only logged: whoever waits for it is told by its absence.
pub(super) async fn ping(setup: watch::Receiver<Arc<Setup>>, telling: &Telling, clock: &dyn Clock) {
    // The scheduler takes its first step in a moment; until then there is nothing to warn of.
    let first = clock.takes(setup.borrow().agent.heartbeat_every);
    let begun = async {
        while telling.well(clock.now()).is_err() {
            tokio::time::sleep(STEP).await;
        }
    };
    drop(tokio::time::timeout(first, begun).await);
    loop {
        let present = Arc::clone(&setup.borrow());
        if let Some(url) = &present.agent.heartbeat_url {
            match telling.well(clock.now()) {
                Ok(()) => match present.session.call(url.expose()).await {
                    Ok(200..=299) => {}
                    Ok(status) => tracing::warn!("heartbeat_url answers {status}"),
                    Err(error) => {
                        let why = url.redact(&error.to_string());
                        tracing::warn!("heartbeat_url was not reached: {why}");
                    }
                },
                Err(why) => tracing::warn!("heartbeat_url is not called: {why}"),
            }
        }
        pause(clock, present.agent.heartbeat_every).await;
    }
}
