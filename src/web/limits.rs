//! How often a wrong password may be tried.
//!
//! Each address has a limit of its own, and so has each browser that has signed in before, which holds a
//! signed cookie (`session`): nobody can use up the tries of somebody else. Many tries from everywhere
//! together make each further one slower and refuse none, so that a stranger with many addresses shuts
//! nobody out.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Wrong tries of one address, or of one browser, within [`WINDOW`].
const EACH: usize = 10;
/// Wrong tries of all addresses together within [`WINDOW`] before the next one is slower.
const ALL: u64 = 100;
/// The time that is looked back on.
const WINDOW: SignedDuration = SignedDuration::from_mins(15);
/// How much slower a try becomes with each further [`ALL`].
const SLOWER: Duration = Duration::from_secs(1);
/// The longest that a try is held up: a person still waits for it.
const SLOWEST: Duration = Duration::from_secs(3);
/// The most addresses and browsers that are counted; the one that has tried nothing for the longest time
/// is forgotten first.
const COUNTED: usize = 10_000;

/// Who tries.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Guesser {
    /// Somebody at an address; whoever has one of IPv6 has the 2^64 of its network too.
    Network(IpAddr),
    /// A browser that has signed in before, by the random part of its cookie.
    Known(String),
}

impl Guesser {
    /// Somebody at an address.
    pub(super) fn at(address: IpAddr) -> Self {
        Self::Network(match address.to_canonical() {
            IpAddr::V4(v4) => IpAddr::V4(v4),
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        })
    }
}

/// Counts tries. Every try is counted before it is judged, and a right one is taken off again, so that
/// many at once are no more than one after the other.
#[derive(Debug, Default)]
pub(super) struct Limiter(Mutex<Tries>);

#[derive(Debug, Default)]
struct Tries {
    /// At most [`COUNTED`] entries of at most [`EACH`] times.
    each: HashMap<Guesser, VecDeque<Timestamp>>,
    /// Tries of everybody by the minute in which they came.
    all: VecDeque<(i64, u64)>,
    /// The minute in which all old times were last forgotten.
    swept: i64,
}

impl Limiter {
    /// Counts a try; gives back how long it has to be held up.
    ///
    /// # Errors
    /// There were too many of this guesser; the seconds until the next one is taken.
    pub(super) fn count(&self, guesser: &Guesser, now: Timestamp) -> Result<Duration, u64> {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tries.forget(now);
        let slow = match guesser {
            Guesser::Network(_) => tries.slow(),
            Guesser::Known(_) => Duration::ZERO,
        };
        tries.make_room(guesser);
        let mine = tries.each.entry(guesser.clone()).or_default();
        mine.retain(|time| !is_old(*time, now));
        if let Some(first) = mine.front().filter(|_| mine.len() >= EACH) {
            let wait = first.checked_add(WINDOW).map_or(WINDOW, |end| end.duration_since(now));
            return Err(u64::try_from(wait.as_secs()).unwrap_or_default().saturating_add(1));
        }
        mine.push_back(now);
        tries.add(now);
        Ok(slow)
    }

    /// The last try was right: it does not count, nor do the ones before it.
    pub(super) fn right(&self, guesser: &Guesser) {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for time in tries.each.remove(guesser).unwrap_or_default() {
            let minute = minute(time);
            let counted = tries.all.iter_mut().find(|(other, _)| *other == minute);
            if let Some((_, count)) = counted {
                *count = count.saturating_sub(1);
            }
        }
    }
}

impl Tries {
    fn forget(&mut self, now: Timestamp) {
        let present = minute(now);
        if std::mem::replace(&mut self.swept, present) == present {
            return;
        }
        let first = present.saturating_sub(WINDOW.as_mins());
        self.all.retain(|(minute, _)| *minute > first);
        self.each.retain(|_, times| {
            times.retain(|time| !is_old(*time, now));
            !times.is_empty()
        });
    }

    fn make_room(&mut self, guesser: &Guesser) {
        if self.each.len() < COUNTED || self.each.contains_key(guesser) {
            return;
        }
        let oldest = self.each.iter().min_by_key(|(_, times)| times.back().copied());
        if let Some(oldest) = oldest.map(|(guesser, _)| guesser.clone()) {
            self.each.remove(&oldest);
        }
    }

    fn add(&mut self, now: Timestamp) {
        let now = minute(now);
        match self.all.iter_mut().find(|(minute, _)| *minute == now) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => self.all.push_back((now, 1)),
        }
        // A clock that is put back and forth leaves no more than this.
        if self.all.len() > 60 {
            self.all.pop_front();
        }
    }

    fn slow(&self) -> Duration {
        let all = self.all.iter().map(|(_, count)| count).sum::<u64>();
        let times = u32::try_from(all / ALL).unwrap_or(u32::MAX);
        SLOWER.saturating_mul(times).min(SLOWEST)
    }
}

fn is_old(time: Timestamp, now: Timestamp) -> bool {
    now.duration_since(time) >= WINDOW
}

fn minute(at: Timestamp) -> i64 {
    at.as_second().div_euclid(60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn address(text: &str) -> Guesser {
        Guesser::at(text.parse().unwrap())
    }

    #[test]
    fn the_eleventh_try_waits_and_a_right_one_clears_the_count() {
        let limiter = Limiter::default();
        let one = address("192.0.2.1");
        for second in 0..10 {
            assert_eq!(limiter.count(&one, at(second)), Ok(Duration::ZERO));
        }
        assert_eq!(limiter.count(&one, at(100)), Err(801));
        assert_eq!(limiter.count(&address("192.0.2.2"), at(100)), Ok(Duration::ZERO));
        assert!(limiter.count(&one, at(900)).is_ok(), "the first one is forgotten");
        limiter.right(&one);
        for second in 901..911 {
            assert!(limiter.count(&one, at(second)).is_ok());
        }
    }

    #[test]
    fn a_network_counts_as_one() {
        let limiter = Limiter::default();
        for host in 0..10_u16 {
            let host = IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, host]);
            assert!(limiter.count(&Guesser::at(host), at(0)).is_ok());
        }
        assert!(limiter.count(&address("2001:db8:0:1:ffff::1"), at(0)).is_err());
        assert!(limiter.count(&address("2001:db8:0:2::1"), at(0)).is_ok());
        assert_eq!(address("::ffff:192.0.2.1"), address("192.0.2.1"));
    }

    #[test]
    fn many_strangers_make_each_other_slow_and_shut_nobody_out() {
        let limiter = Limiter::default();
        let strangers = (0..10_050_u32).map(|host| Guesser::at(IpAddr::V4(host.into())));
        let mut slowest = Duration::ZERO;
        for stranger in strangers.clone().take(100) {
            assert_eq!(limiter.count(&stranger, at(0)), Ok(Duration::ZERO));
        }
        for stranger in strangers.skip(100) {
            slowest = slowest.max(limiter.count(&stranger, at(1)).unwrap());
        }
        assert_eq!(slowest, SLOWEST);
        assert_eq!(limiter.count(&address("203.0.113.1"), at(2)), Ok(SLOWEST));
        let known = Guesser::Known("a".to_owned());
        assert_eq!(limiter.count(&known, at(2)), Ok(Duration::ZERO), "whoever was here before");
        assert!(limiter.0.lock().unwrap().each.len() <= COUNTED);
        assert_eq!(limiter.count(&address("203.0.113.2"), at(1_000)), Ok(Duration::ZERO));
        assert!(limiter.0.lock().unwrap().each.len() < 3, "what is old is forgotten");
    }
}
