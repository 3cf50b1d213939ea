//! How much may be under way at once, in all and per host.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{http, smtp, tls};

/// Hosts that are remembered before those at which nothing is under way are forgotten.
const HOSTS: usize = 1_024;

/// How many agents share what a host or an account may be asked: each takes its part.
#[derive(Debug, Clone)]
pub struct Sharers(Arc<AtomicUsize>);

impl Default for Sharers {
    fn default() -> Self {
        Self(Arc::new(AtomicUsize::new(1)))
    }
}

impl Sharers {
    /// The number of agents, at least one.
    pub fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed).max(1)
    }

    /// From here on there are so many.
    pub fn set(&self, count: usize) {
        self.0.store(count, Ordering::Relaxed);
    }
}

/// What may be under way at once to each host, for whoever shares it: the checks of one visit, and, by parts of the
/// same size, every agent on the same store.
#[derive(Debug)]
pub struct Hosts {
    places: Mutex<HashMap<String, Places>>,
    each: usize,
    sharers: Sharers,
}

/// The places at one host.
#[derive(Debug)]
struct Places {
    size: usize,
    free: Arc<Semaphore>,
}

impl Hosts {
    /// At most `each` requests to one host, from all sharers together. Where there are more of them than that,
    /// each still has one.
    pub fn new(each: usize, sharers: &Sharers) -> Self {
        Self { places: Mutex::default(), each, sharers: sharers.clone() }
    }

    fn of(&self, host: &str) -> Arc<Semaphore> {
        let size = (self.each / self.sharers.count()).max(1);
        let mut all = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = all.get(host)
            && places.size == size
        {
            return Arc::clone(&places.free);
        }
        if all.len() >= HOSTS {
            // Whoever has a place or waits for one holds the semaphore, too.
            all.retain(|_, places| Arc::strong_count(&places.free) > 1);
        }
        let free = Arc::new(Semaphore::new(size));
        all.insert(host.to_owned(), Places { size, free: Arc::clone(&free) });
        free
    }
}

/// Permits for requests under way.
#[derive(Debug)]
pub struct Limits {
    global: Arc<Semaphore>,
    hosts: Arc<Hosts>,
}

/// The right to have one request under way; ends when dropped.
#[derive(Debug)]
pub struct Permit {
    _host: Option<OwnedSemaphorePermit>,
    _global: Option<OwnedSemaphorePermit>,
}

impl Limits {
    /// At most `global` requests in all, and to one host what is left of its share.
    pub fn new(global: usize, hosts: &Arc<Hosts>) -> Self {
        Self { global: Arc::new(Semaphore::new(global)), hosts: Arc::clone(hosts) }
    }

    /// Waits until one more request to `host` may begin.
    pub async fn enter(&self, host: &str) -> Permit {
        // The host's permit first: a slow host must not hold global permits while it queues.
        // Acquiring fails only on a closed semaphore, and these are never closed.
        let host = self.hosts.of(host).acquire_owned().await.ok();
        let global = Arc::clone(&self.global).acquire_owned().await.ok();
        Permit { _host: host, _global: global }
    }
}

/// The shares at hosts of each kind of look.
#[derive(Debug, Clone)]
pub struct Shares {
    /// Requests by HTTP, by host name; a browser opens as many at once.
    pub http: Arc<Hosts>,
    /// Handshakes, by address.
    pub tls: Arc<Hosts>,
    /// Mail connections, by address.
    pub smtp: Arc<Hosts>,
}

impl Shares {
    /// The shares of whoever counts these sharers.
    pub fn among(sharers: &Sharers) -> Self {
        let hosts = |each| Arc::new(Hosts::new(each, sharers));
        Self {
            http: hosts(http::OPEN_PER_HOST),
            tls: hosts(tls::OPEN_PER_ADDRESS),
            smtp: hosts(smtp::OPEN_PER_ADDRESS),
        }
    }
}

impl Default for Shares {
    fn default() -> Self {
        Self::among(&Sharers::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many permits can be had at once without waiting.
    async fn at_once(limits: &Limits, host: &str) -> usize {
        let mut held = Vec::new();
        loop {
            let next = limits.enter(host);
            let Ok(permit) = tokio::time::timeout(std::time::Duration::ZERO, next).await else {
                return held.len();
            };
            held.push(permit);
        }
    }

    #[tokio::test]
    async fn agents_share_what_one_host_takes_and_nobody_is_left_without() {
        let sharers = Sharers::default();
        let hosts = Arc::new(Hosts::new(6, &sharers));
        let (one, other) = (Limits::new(128, &hosts), Limits::new(128, &hosts));
        assert_eq!(at_once(&one, "shop.example:443").await, 6);
        let held = one.enter("shop.example:443").await;
        assert_eq!(at_once(&other, "shop.example:443").await, 5, "visits share a host");
        drop(held);
        for (agents, share) in [(2, 3), (4, 1), (9, 1), (1, 6), (0, 6)] {
            sharers.set(agents);
            assert_eq!(at_once(&one, "shop.example:443").await, share, "{agents} agents");
        }
    }

    #[tokio::test]
    async fn hosts_at_which_nothing_is_under_way_are_forgotten() {
        let hosts = Arc::new(Hosts::new(6, &Sharers::default()));
        let limits = Limits::new(128, &hosts);
        let held = limits.enter("held.example:443").await;
        for number in 0..3 * HOSTS {
            drop(limits.enter(&format!("{number}.example:443")).await);
        }
        let kept = hosts.places.lock().unwrap().len();
        assert!(kept <= HOSTS && hosts.places.lock().unwrap().contains_key("held.example:443"));
        drop(held);
    }
}
