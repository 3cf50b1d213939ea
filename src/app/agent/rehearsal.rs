//! Whether an agent would start with a config, found out without starting one.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use super::setup::{Setup, Shared};
use crate::clock::{Clock, SystemClock};
use crate::store::StoreError;

/// What an agent would do.
#[derive(Debug, Clone)]
pub struct Rehearsal {
    /// Where its page would be.
    pub listen: SocketAddr,
    /// The channels that it would use, in the order of the config.
    pub channels: Vec<String>,
}

/// Does what an agent does before it opens anything: reads the secrets, builds the channels, and looks
/// whether the store has a place. The port is not tried, because an agent may be running.
///
/// # Errors
/// What the agent would say instead of starting.
pub fn rehearse(config: &Path) -> anyhow::Result<Rehearsal> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let setup = Setup::read(config, &*clock, &Shared::default())?;
    setup.routes(&clock)?;
    let store = setup.agent.store.address().map_err(StoreError::State)?;
    crate::store::rehearse(store, setup.folder())?;
    let channels = setup.agent.channels.iter().map(|channel| channel.name.clone()).collect();
    Ok(Rehearsal { listen: setup.agent.listen, channels })
}
