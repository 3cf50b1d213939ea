//! Addresses that nothing listens on, and that no other test with the same target folder is given.

use std::fs::File;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// The first port that is given out, and how many there are: below those that systems lend to connections, one of
/// which could otherwise take it before the test's own server does.
const PORTS: (u16, u16) = (10_000, 22_000);

/// What shows to other processes which ports this one has: a file for each is locked until it ends.
static MINE: Mutex<Vec<File>> = Mutex::new(Vec::new());

/// An address of this machine, over TCP and UDP, for a server that needs a port of its own before it starts.
pub(crate) fn free_port() -> SocketAddr {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ports");
    std::fs::create_dir_all(&folder).unwrap();
    let (first, count) = PORTS;
    // Processes of one run begin far from one another.
    let begin = u16::try_from(u64::from(std::process::id()) * 7919 % u64::from(count)).unwrap();
    let mut mine = MINE.lock().unwrap_or_else(PoisonError::into_inner);
    for nth in 0..count {
        let port = first + (begin + nth) % count;
        let file = File::create(folder.join(port.to_string())).unwrap();
        if file.try_lock().is_err() {
            continue;
        }
        // Only this address: BIND listens on addresses that an interface has.
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok() {
            mine.push(file);
            return address;
        }
    }
    panic!("no port from {first} on is free, of {count}");
}
