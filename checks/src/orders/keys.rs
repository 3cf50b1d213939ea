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

    /// Adds a key.
    pub(super) fn add(&mut self, key: &str) {
        let hash = self.seed.hash_one(key);
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
        let mut repeated = Self { parts: vec![Vec::new(); PARTS], ..self.empty() };
        for (part, twice) in self.parts.iter_mut().zip(&mut repeated.parts) {
            part.sort_unstable();
            let pairs = part.iter().zip(part.iter().skip(1));
            twice.extend(pairs.filter(|(one, next)| one == next).map(|(one, _)| *one));
            twice.dedup();
        }
        self.seal();
        repeated
    }

    /// A set without keys that finds the same texts.
    fn empty(&self) -> Self {
        Self { seed: self.seed.clone(), parts: Vec::new(), sealed: true }
    }

    /// Takes a key out, so that it is found once; whether it was there.
    pub(super) fn take(&mut self, key: &str) -> bool {
        let hash = self.seed.hash_one(key);
        let Some(part) = self.parts.get_mut(place(hash)) else { return false };
        match part.binary_search(&hash) {
            Ok(at) => {
                part.remove(at);
                true
            }
            Err(_) => false,
        }
    }

    /// Whether a key is there; only what was added before [`KeySet::seal`] is found.
    pub(super) fn has(&self, key: &str) -> bool {
        debug_assert!(self.sealed, "the set is sealed before it is asked");
        let hash = self.seed.hash_one(key);
        self.parts.get(place(hash)).is_some_and(|part| part.binary_search(&hash).is_ok())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_twice_is_found_and_taken_once() {
        let mut set = KeySet::new();
        for key in ["a", "b", "a", "c", "b", "b"] {
            set.add(key);
        }
        let mut repeated = set.seal_and_find_repeated();
        assert_eq!((set.len(), repeated.len()), (3, 2));
        assert!(repeated.take("a") && repeated.take("b"));
        assert!(!repeated.take("a") && !repeated.take("c"));
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
}
