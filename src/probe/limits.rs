//! How much may be under way at once, in all and per host.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Connections that may be open at once in all.
const GLOBAL: usize = 128;
/// Requests that may be under way at once to one host and port; a browser opens as many.
const PER_HOST: usize = 6;

/// Permits for requests under way.
#[derive(Debug)]
pub struct Limits {
    global: Arc<Semaphore>,
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
    per_host: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self::new(GLOBAL, PER_HOST)
    }
}

/// The right to have one request under way; ends when dropped.
#[derive(Debug)]
pub struct Permit {
    _host: Option<OwnedSemaphorePermit>,
    _global: Option<OwnedSemaphorePermit>,
}

impl Limits {
    /// At most `global` requests in all and `per_host` to one host.
    pub fn new(global: usize, per_host: usize) -> Self {
        Self { global: Arc::new(Semaphore::new(global)), hosts: Mutex::default(), per_host }
    }

    /// Waits until one more request to `host` may begin.
    pub async fn enter(&self, host: &str) -> Permit {
        let semaphore = {
            let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
            let new = || Arc::new(Semaphore::new(self.per_host));
            Arc::clone(hosts.entry(host.to_owned()).or_insert_with(new))
        };
        // The host's permit first: a slow host must not hold global permits while it queues.
        // Acquiring fails only on a closed semaphore, and these are never closed.
        let host = semaphore.acquire_owned().await.ok();
        let global = Arc::clone(&self.global).acquire_owned().await.ok();
        Permit { _host: host, _global: global }
    }
}
