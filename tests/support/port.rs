//! Addresses that nothing listens on.

use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// The first port that is tried, and how many there are: below those that systems lend to connections, one of
/// which could otherwise take it before the test's own server does.
const PORTS: (u16, u16) = (10_000, 20_000);

/// An address of this machine for a server that needs a port of its own before it starts.
pub(crate) fn free_port() -> SocketAddr {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let (first, count) = PORTS;
    // Processes of one run begin far from one another.
    let begin = u16::try_from(u64::from(std::process::id()) * 7919 % u64::from(count)).unwrap();
    (0..count)
        .find_map(|_| {
            let next = (begin + TAKEN.fetch_add(1, Ordering::Relaxed) % count) % count;
            TcpListener::bind(("127.0.0.1", first + next)).and_then(|it| it.local_addr()).ok()
        })
        .unwrap()
}
