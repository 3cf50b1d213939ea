//! What belongs to a customer and never leaves a run.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher as _;

use serde::{Deserialize, Deserializer, de::Error as _};
use sha2::{Digest as _, Sha256};

/// A customer's e-mail address. It prints as `[address]`, cannot be serialised, and is compared as it
/// was written in lower case without blanks around it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

/// The key of one run under which addresses are hashed; it is never stored.
#[derive(Clone, Copy)]
pub struct RunKey(pub [u8; 32]);

impl fmt::Debug for RunKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[key]")
    }
}

impl RunKey {
    /// A key that nobody knows: the random seed that the standard library gives each hash map.
    pub fn random() -> Self {
        let mut key = [0; 32];
        for part in key.chunks_mut(8) {
            let seed = RandomState::new().hash_one(part.len());
            part.copy_from_slice(&seed.to_le_bytes());
        }
        Self(key)
    }

    /// A hash of a text that means nothing outside this run.
    pub fn hash(&self, text: &str) -> u64 {
        // The key has a fixed length and stands in front, so no two inputs meet in one text.
        let digest = Sha256::new().chain_update(self.0).chain_update(text).finalize();
        digest.iter().take(8).fold(0, |hash, byte| (hash << 8) | u64::from(*byte))
    }
}

impl Email {
    /// An address; `None` where the text is none, or longer than the 254 characters of RFC 5321.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        let (local, domain) = text.rsplit_once('@')?;
        (!local.is_empty() && !domain.is_empty() && text.len() <= 254).then_some(Self(text))
    }

    /// The address itself, for an adapter that asks the provider about it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// A hash that tells two addresses apart within one run, and outside it tells nothing.
    pub fn keyed(&self, key: RunKey) -> u64 {
        key.hash(&self.0)
    }
}

impl<'de> Deserialize<'de> for Email {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(&text).ok_or_else(|| D::Error::custom("this is no e-mail address"))
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[address]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_compared_in_lower_case_and_shows_nothing() {
        let one = Email::new(" Buyer@Shop.example ").unwrap();
        let same = Email::new("buyer@shop.example").unwrap();
        let (key, other) = (RunKey([1; 32]), RunKey([2; 32]));
        assert_eq!((&one, one.keyed(key)), (&same, same.keyed(key)));
        assert_ne!(one.keyed(key), one.keyed(other));
        assert_eq!(format!("{one:?} {key:?}"), "[address] [key]");
        assert!(Email::new("@shop.example").is_none() && Email::new("buyer").is_none());
    }
}
