//! Whether an agent would start with a config, found out without starting one.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use super::setup::Setup;
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
    let setup = Setup::read(config, &*clock)?;
    setup.routes(&clock)?;
    let file = setup.agent.store.strip_prefix("sqlite:").unwrap_or(&setup.agent.store);
    let path = setup.folder().join(file);
    has_place(&path).map_err(|why| StoreError::Open { path, source: Box::new(why) })?;
    let channels = setup.agent.channels.iter().map(|channel| channel.name.clone()).collect();
    Ok(Rehearsal { listen: setup.agent.listen, channels })
}

/// Whether a file is there, or can be made, as far as its folder says.
fn has_place(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let facts = std::fs::metadata(folder.unwrap_or(Path::new(".")))?;
    if facts.is_dir() { Ok(()) } else { Err(io::ErrorKind::NotADirectory.into()) }
}
