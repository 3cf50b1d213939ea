//! How often a wrong password may be tried.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// Wrong tries of one address within [`WINDOW`].
const EACH: usize = 10;
/// Wrong tries of all addresses together within [`WINDOW`].
const ALL: usize = 100;
/// The time that is looked back on.
const WINDOW: SignedDuration = SignedDuration::from_mins(15);

/// Counts tries. Every try is counted before it is judged, and a right one is taken off again, so that
/// many at once are no more than one after the other.
#[derive(Debug, Default)]
pub(super) struct Limiter(Mutex<Tries>);

#[derive(Debug, Default)]
struct Tries {
    /// At most [`ALL`] entries over all addresses, because a try past that is not counted.
    each: HashMap<IpAddr, VecDeque<Timestamp>>,
    all: VecDeque<Timestamp>,
}

impl Limiter {
    /// Counts a try of an address.
    ///
    /// # Errors
    /// There were too many; the seconds until the next one is taken.
    pub(super) fn count(&self, address: IpAddr, now: Timestamp) -> Result<(), u64> {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tries.forget(now);
        let mine = tries.each.get(&network(address));
        let over = |times: &VecDeque<Timestamp>, most: usize| {
            let free = times.len().checked_sub(most)?;
            let wait = times.get(free)?.checked_add(WINDOW).ok()?.duration_since(now);
            Some(u64::try_from(wait.as_secs()).unwrap_or_default().saturating_add(1))
        };
        let wait = mine.and_then(|mine| over(mine, EACH)).max(over(&tries.all, ALL));
        if let Some(seconds) = wait {
            return Err(seconds);
        }
        tries.each.entry(network(address)).or_default().push_back(now);
        tries.all.push_back(now);
        Ok(())
    }

    /// The last try of an address was right: it does not count, nor do the ones before it.
    pub(super) fn right(&self, address: IpAddr) {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for time in tries.each.remove(&network(address)).unwrap_or_default() {
            if let Some(at) = tries.all.iter().position(|other| *other == time) {
                tries.all.remove(at);
            }
        }
    }
}

impl Tries {
    fn forget(&mut self, now: Timestamp) {
        let old = |time: &Timestamp| now.duration_since(*time) >= WINDOW;
        self.all.retain(|time| !old(time));
        self.each.retain(|_, times| {
            times.retain(|time| !old(time));
            !times.is_empty()
        });
    }
}

/// Whoever has an IPv6 address has the 2^64 of its network too.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_eleventh_try_waits_and_a_right_one_clears_the_count() {
        let limiter = Limiter::default();
        let one = address("192.0.2.1");
        for second in 0..10 {
            assert_eq!(limiter.count(one, at(second)), Ok(()));
        }
        assert_eq!(limiter.count(one, at(100)), Err(801));
        assert_eq!(limiter.count(address("192.0.2.2"), at(100)), Ok(()));
        assert_eq!(limiter.count(one, at(900)), Ok(()), "the first one is forgotten");
        limiter.right(one);
        for second in 901..911 {
            assert_eq!(limiter.count(one, at(second)), Ok(()));
        }
    }

    #[test]
    fn many_addresses_together_have_a_limit_and_a_network_counts_as_one() {
        let limiter = Limiter::default();
        for host in 0..100 {
            let host = IpAddr::from([198, 51, 100, host]);
            assert_eq!(limiter.count(host, at(0)), Ok(()));
        }
        assert_eq!(limiter.count(address("203.0.113.1"), at(1)), Err(900));

        let limiter = Limiter::default();
        for host in 0..10_u16 {
            let host = IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, host]);
            assert_eq!(limiter.count(host, at(0)), Ok(()));
        }
        assert!(limiter.count(address("2001:db8:0:1:ffff::1"), at(0)).is_err());
        assert!(limiter.count(address("2001:db8:0:2::1"), at(0)).is_ok());
        assert_eq!(network(address("::ffff:192.0.2.1")), address("192.0.2.1"));
    }
}
