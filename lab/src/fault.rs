//! Faults that are switched on and off while a server runs.

use std::sync::Mutex;

use crate::kept::locked;

/// When a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum When {
    /// Each time.
    Always,
    /// The next so many times.
    Times(u32),
    /// By chance.
    Chance {
        /// How often, from 0 (never) to 1 (each time).
        share: f64,
        /// The same seed strikes at the same occasions.
        seed: u64,
    },
}

/// The faults of one server.
#[derive(Debug)]
pub(crate) struct Faults<F>(Mutex<Vec<Armed<F>>>);

#[derive(Debug)]
struct Armed<F> {
    fault: F,
    when: When,
    state: u64,
}

impl<F> Default for Faults<F> {
    fn default() -> Self {
        Self(Mutex::new(Vec::new()))
    }
}

impl<F: Clone> Faults<F> {
    /// Adds a fault to those that are on.
    pub(crate) fn add(&self, fault: F, when: When) {
        let state = if let When::Chance { seed, .. } = when { seed } else { 0 };
        locked(&self.0).push(Armed { fault, when, state });
    }

    /// Takes every fault away.
    pub(crate) fn clear(&self) {
        locked(&self.0).clear();
    }

    /// The first fault that can strike here and does. Asking is the occasion that is counted.
    pub(crate) fn strike(&self, here: impl Fn(&F) -> bool) -> Option<F> {
        let mut armed = locked(&self.0);
        let struck = armed.iter_mut().filter(|armed| here(&armed.fault)).find_map(Armed::strike);
        armed.retain(|armed| armed.when != When::Times(0));
        struck
    }
}

impl<F: Clone> Armed<F> {
    fn strike(&mut self) -> Option<F> {
        let strikes = match &mut self.when {
            When::Always => true,
            When::Times(left) => {
                let strikes = *left > 0;
                *left = left.saturating_sub(1);
                strikes
            }
            When::Chance { share, .. } => chance(&mut self.state) < *share,
        };
        strikes.then(|| self.fault.clone())
    }
}

/// A number from 0 to below 1 (`SplitMix64`, a public-domain generator).
fn chance(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    (z >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_as_often_as_it_was_told_and_where_it_can() {
        let faults = Faults::default();
        faults.add("a", When::Times(2));
        faults.add("b", When::Always);
        assert_eq!(faults.strike(|fault| *fault == "c"), None);
        let struck: Vec<_> = (0..4).filter_map(|_| faults.strike(|_| true)).collect();
        assert_eq!(struck, ["a", "a", "b", "b"]);
        faults.clear();
        assert_eq!(faults.strike(|_| true), None);
    }

    #[test]
    fn chance_is_even_and_repeats_with_its_seed() {
        let draw = |seed| {
            let faults = Faults::default();
            faults.add((), When::Chance { share: 0.5, seed });
            (0..1_000).map(|_| faults.strike(|()| true).is_some()).collect::<Vec<_>>()
        };
        let struck = draw(7).into_iter().filter(|struck| *struck).count();
        assert!((400..600).contains(&struck), "{struck}");
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }
}
