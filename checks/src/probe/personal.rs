//! What belongs to a customer and never leaves a run.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};

use serde::{Deserialize, Deserializer, de::Error as _};
use sha2::{Digest as _, Sha256};

/// A customer's e-mail address. It prints as `[address]`, cannot be serialised, and is compared as it
/// was written in lower case without blanks around it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

/// The key of one run under which addresses are hashed; it is never stored.
#[derive(Clone, Copy)]
pub struct RunKey(pub [u8; 32]);

impl RunKey {
    /// A key that is drawn anew, from the random seeds that the standard library takes from the system.
    pub fn fresh() -> Self {
        let mut key = [0; 32];
        for (place, part) in key.chunks_mut(8).enumerate() {
            part.copy_from_slice(&RandomState::new().hash_one(place).to_be_bytes());
        }
        Self(key)
    }
}

impl fmt::Debug for RunKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[key]")
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
        // The key has a fixed length and stands in front, so no two inputs meet in one text.
        let digest = Sha256::new().chain_update(key.0).chain_update(&self.0).finalize();
        digest.iter().take(8).fold(0, |hash, byte| (hash << 8) | u64::from(*byte))
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
        assert_ne!(one.keyed(RunKey::fresh()), one.keyed(RunKey::fresh()));
        assert_eq!(format!("{one:?} {key:?}"), "[address] [key]");
        assert!(Email::new("@shop.example").is_none() && Email::new("buyer").is_none());
    }
}
