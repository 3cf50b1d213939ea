//! Sets of keys in little memory: a key is kept as 64 bits of a hash whose seed is random in each run.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;

/// How many parts a set has; each is sorted alone, so that no large copy is made.
const PARTS: usize = 256;

/// A set of texts, filled first and asked then. Of a million keys, the chance that one which is not
/// there seems to be is below one in ten million a question; 8 bytes a key.
#[derive(Debug)]
pub(super) struct KeySet {
    seed: RandomState,
    parts: Vec<Vec<u64>>,
    sealed: bool,
}

impl KeySet {
    pub(super) fn new() -> Self {
        Self { seed: RandomState::new(), parts: vec![Vec::new(); PARTS], sealed: true }
    }

    /// A set without keys in which a text has the same hash.
    pub(super) fn sibling(&self) -> Self {
        Self { seed: self.seed.clone(), parts: vec![Vec::new(); PARTS], sealed: true }
    }

    /// The hash of a text, in this set and its siblings.
    pub(super) fn hash(&self, key: &str) -> u64 {
        self.seed.hash_one(key)
    }

    /// Adds a key.
    pub(super) fn add(&mut self, key: &str) {
        self.add_hash(self.hash(key));
    }

    /// Adds a key by its hash.
    pub(super) fn add_hash(&mut self, hash: u64) {
        if let Some(part) = self.parts.get_mut(place(hash)) {
            part.push(hash);
            self.sealed = false;
        }
    }

    /// Makes what was added findable.
    pub(super) fn seal(&mut self) {
        for part in &mut self.parts {
            part.sort_unstable();
            part.dedup();
            part.shrink_to_fit();
        }
        self.sealed = true;
    }

    /// Makes what was added findable, and gives back what was added more than once.
    pub(super) fn seal_and_find_repeated(&mut self) -> Self {
        let mut repeated = self.sibling();
        for (part, twice) in self.parts.iter_mut().zip(&mut repeated.parts) {
            part.sort_unstable();
            let pairs = part.iter().zip(part.iter().skip(1));
            twice.extend(pairs.filter(|(one, next)| one == next).map(|(one, _)| *one));
            twice.dedup();
        }
        self.seal();
        repeated
    }

    /// Takes a key out by its hash, so that it is found once; whether it was there.
    pub(super) fn take_hash(&mut self, hash: u64) -> bool {
        let Some(part) = self.parts.get_mut(place(hash)) else { return false };
        let found = find(part, hash);
        if let Some(at) = found {
            part.remove(at);
        }
        found.is_some()
    }

    /// Whether a key is there; only what was added before [`KeySet::seal`] is found.
    pub(super) fn has(&self, key: &str) -> bool {
        self.has_hash(self.hash(key))
    }

    /// The same by the hash of the key.
    pub(super) fn has_hash(&self, hash: u64) -> bool {
        debug_assert!(self.sealed, "the set is sealed before it is asked");
        self.parts.get(place(hash)).is_some_and(|part| find(part, hash).is_some())
    }

    /// Whether a sibling has every key of this set; both are sealed.
    pub(super) fn is_within(&self, sibling: &Self) -> bool {
        self.parts.iter().zip(&sibling.parts).all(|(own, other)| {
            let mut other = other.iter();
            own.iter().all(|hash| other.by_ref().any(|known| known == hash))
        })
    }

    /// Whether there is no key.
    pub(super) fn is_empty(&self) -> bool {
        self.parts.iter().all(Vec::is_empty)
    }

    /// How many keys there are.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.parts.iter().map(Vec::len).sum()
    }
}

/// The part of a hash: its highest byte.
fn place(hash: u64) -> usize {
    usize::from(hash.to_be_bytes().first().copied().unwrap_or_default())
}

/// Where a hash stands in a sorted part. Hashes are spread evenly, so that its own value tells within a few
/// places where it has to be; that is several times as fast as halving.
fn find(part: &[u64], hash: u64) -> Option<usize> {
    let within = u128::from(hash << 8) * u128::try_from(part.len()).unwrap_or(0);
    let guess = usize::try_from(within >> 64).unwrap_or(0).min(part.len().checked_sub(1)?);
    let (before, after) = part.split_at_checked(guess)?;
    let place = match after.first() {
        Some(first) if *first <= hash => {
            let further = after.iter().position(|known| *known >= hash)?;
            guess + further
        }
        _ => before.iter().rposition(|known| *known <= hash)?,
    };
    (part.get(place) == Some(&hash)).then_some(place)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_added_twice_is_found_and_taken_once() {
        let mut set = KeySet::new();
        for key in ["a", "b", "a", "c", "b", "b"] {
            set.add(key);
        }
        let mut repeated = set.seal_and_find_repeated();
        assert_eq!((set.len(), repeated.len()), (3, 2));
        let mut take = |key: &str| repeated.take_hash(set.hash(key));
        assert!(take("a") && take("b"));
        assert!(!take("a") && !take("c"));
        assert!(repeated.is_empty());
    }

    #[test]
    fn what_was_added_is_there_once_and_nothing_else() {
        let mut set = KeySet::new();
        for number in 0..10_000 {
            set.add(&format!("cs_{number}"));
            set.add(&format!("cs_{}", number / 2));
        }
        set.seal();
        assert_eq!(set.len(), 10_000);
        assert!((0..10_000).all(|number| set.has(&format!("cs_{number}"))));
        assert!((10_000..20_000).all(|number| !set.has(&format!("cs_{number}"))));
    }

    proptest! {
        #[test]
        fn a_set_finds_what_it_holds_whatever_the_hashes_are(
            hashes in prop::collection::btree_set(
                prop_oneof![any::<u64>(), 0_u64..9, (u64::MAX - 9)..=u64::MAX],
                0..200,
            ),
            others in prop::collection::vec(prop_oneof![any::<u64>(), 0_u64..9], 0..50),
        ) {
            let (mut set, mut half) = (KeySet::new(), KeySet::new());
            for (nth, hash) in hashes.iter().enumerate() {
                set.add_hash(*hash);
                if nth % 2 == 0 {
                    half.add_hash(*hash);
                }
            }
            set.seal();
            half.seal();
            for hash in hashes.iter().chain(&others) {
                prop_assert_eq!(set.has_hash(*hash), hashes.contains(hash));
            }
            prop_assert!(half.is_within(&set) && set.is_within(&set));
            prop_assert_eq!(set.is_within(&half), hashes.len() < 2);
        }
    }
}
