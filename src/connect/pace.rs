//! Turns at APIs: whoever shows the same credential to the same API goes at one pace, whichever project asks, and
//! agents on the same store share it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use crate::probe::Sharers;

/// Accounts that are remembered before those that nobody asks at present are forgotten.
const ACCOUNTS: usize = 1_024;
/// Whoever would have to wait longer for a turn does without: half of the time that a visit has.
const LONGEST: Duration = Duration::from_secs(30);

/// When the next request of one account may begin.
#[derive(Debug, Clone)]
pub(super) struct Turn {
    next: Arc<Mutex<Instant>>,
    sharers: Sharers,
    speed: f64,
}

impl Turn {
    /// Takes the next turn, which is to be waited for. The one behind it comes after `pace`, or after as many times
    /// that as there are agents that share the account. None where too many are waiting: nobody waits behind them.
    pub(super) fn take(&self, pace: Duration) -> Option<Instant> {
        let agents = u32::try_from(self.sharers.count()).unwrap_or(u32::MAX);
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let turn = (*next).max(now);
        if turn > now + LONGEST {
            return None;
        }
        *next = turn + pace.saturating_mul(agents).div_f64(self.speed);
        Some(turn)
    }

    /// Has nobody ask before `wait` is over: the other side has said that it wants it so.
    pub(super) fn put_off(&self, wait: Duration) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        *next = (*next).max(Instant::now() + wait);
    }
}

/// The turns of every account that is asked.
#[derive(Debug, Clone)]
pub struct Paces {
    accounts: Arc<Mutex<HashMap<[u8; 32], Turn>>>,
    sharers: Sharers,
    /// How many times faster time passes than that of the machine.
    speed: f64,
}

impl Default for Paces {
    fn default() -> Self {
        Self::among(&Sharers::default(), 1.0)
    }
}

impl Paces {
    /// Turns that are shared with other agents, too. In a trial in which time passes faster, looks come faster, and so
    /// do turns.
    pub fn among(sharers: &Sharers, speed: f64) -> Self {
        Self { accounts: Arc::default(), sharers: sharers.clone(), speed: speed.max(1.0) }
    }

    /// The turns of the account that these parts name: an address, and what is shown there. Only a hash of them
    /// is kept.
    pub(super) fn of(&self, parts: [&str; 3]) -> Turn {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        let mut all = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= ACCOUNTS {
            let now = Instant::now();
            all.retain(|_, turn| {
                let next = *turn.next.lock().unwrap_or_else(PoisonError::into_inner);
                Arc::strong_count(&turn.next) > 1 || next > now
            });
        }
        let new = || Turn {
            next: Arc::new(Mutex::new(Instant::now())),
            sharers: self.sharers.clone(),
            speed: self.speed,
        };
        all.entry(hash.finalize().into()).or_insert_with(new).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(turn: &Turn) -> Duration {
        turn.next.lock().unwrap().saturating_duration_since(Instant::now())
    }

    #[test]
    fn one_account_has_one_pace_which_every_agent_shares() {
        let sharers = Sharers::default();
        let paces = Paces::among(&sharers, 1.0);
        let pace = Duration::from_hours(1);
        let one = paces.of(["https://api.stripe.com/", "Bearer", "key_one"]);
        assert!(one.take(pace).is_some());
        let again = paces.of(["https://api.stripe.com/", "Bearer", "key_one"]);
        let waits = left(&again);
        assert!(waits > Duration::from_mins(59) && waits <= pace, "{waits:?}");
        assert_eq!(again.take(pace), None, "nobody waits for an hour");
        assert!(left(&one) <= pace, "who does without makes nobody wait");
        let other = paces.of(["https://api.stripe.com/", "Bearer", "key_two"]);
        assert_eq!(left(&other), Duration::ZERO);
        sharers.set(3);
        assert!(other.take(pace).is_some());
        assert!(left(&other) > 2 * pace, "{:?}", left(&other));
        other.put_off(5 * pace);
        assert!(left(&other) > 4 * pace, "{:?}", left(&other));
        let trial = Paces::among(&Sharers::default(), 60.0).of(["https://api.stripe.com/", "", ""]);
        assert!(trial.take(pace).is_some());
        assert!(left(&trial) <= Duration::from_mins(1), "{:?}", left(&trial));
        // The parts are told apart: nobody shares the turns of somebody whose parts only read alike.
        let joined = paces.of(["https://api.stripe.com/Bearer", "", "key_one"]);
        assert_eq!(left(&joined), Duration::ZERO);
    }

    #[test]
    fn accounts_that_nobody_asks_are_forgotten() {
        let paces = Paces::default();
        let held = paces.of(["https://a.example/", "", "held"]);
        let busy = paces.of(["https://a.example/", "", "busy"]);
        busy.put_off(Duration::from_hours(1));
        drop(busy);
        for number in 0..3 * ACCOUNTS {
            drop(paces.of(["https://a.example/", "", &number.to_string()]));
        }
        assert!(paces.accounts.lock().unwrap().len() <= ACCOUNTS);
        let again = paces.of(["https://a.example/", "", "busy"]);
        assert!(left(&again) > Duration::from_mins(59), "a wait that was asked for is kept");
        assert!(Arc::ptr_eq(&held.next, &paces.of(["https://a.example/", "", "held"]).next));
    }
}
