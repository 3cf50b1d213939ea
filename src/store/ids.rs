//! Names that nobody can guess and that never repeat.

use aws_lc_rs::rand;

use super::StoreError;

/// The start of the id of an incident.
pub(super) const INCIDENT: &str = "inc_";
/// The start of the id of a notification.
pub(super) const NOTIFICATION: &str = "msg_";
/// The start of the id of a delivery.
pub(super) const DELIVERY: &str = "dlv_";
/// The start of the id of a silence.
pub(super) const SILENCE: &str = "sil_";
/// The start of the id of a waiver.
pub(super) const WAIVER: &str = "wav_";

/// `prefix` and 20 hexadecimal digits.
///
/// # Errors
/// The machine has no randomness.
pub(super) fn new_id(prefix: &str) -> Result<String, StoreError> {
    let mut bytes = [0_u8; 10];
    rand::fill(&mut bytes)
        .map_err(|source| StoreError::Database { doing: "make an id", source: source.into() })?;
    Ok(format!("{prefix}{}", hex::encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_its_prefix_and_twenty_digits_and_comes_once() {
        let one = new_id(INCIDENT).unwrap();
        let digits = one.strip_prefix("inc_").unwrap();
        assert_eq!(digits.len(), 20);
        assert!(digits.bytes().all(|byte| byte.is_ascii_hexdigit()), "{one}");
        assert_ne!(one, new_id(INCIDENT).unwrap());
    }
}
