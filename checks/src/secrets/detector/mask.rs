//! What may be told about a value: a masked form, and a keyed fingerprint.

use sha2::{Digest as _, Sha256};

use super::Match;
use super::kinds::Form;
use super::shape::position;

/// The key under which the fingerprints of one project are made.
///
/// The same key in the same project always has the same fingerprint, so that reports can be
/// compared; between projects they differ.
#[derive(Clone)]
pub struct FingerprintKey([u8; 64]);

impl std::fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FingerprintKey")
    }
}

impl FingerprintKey {
    /// The key of a project.
    pub fn of_project(project: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"launchready secret fingerprint\0");
        hash.update(project.as_bytes());
        let mut block = [0; 64];
        for (to, from) in block.iter_mut().zip(hash.finalize()) {
            *to = from;
        }
        Self(block)
    }

    /// HMAC-SHA256 (RFC 2104), the first 8 bytes in hexadecimal.
    fn sign(&self, text: &[u8]) -> String {
        let pad = |with: u8| self.0.map(|byte| byte ^ with);
        let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text).finalize();
        let outer = Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize();
        hex::encode(outer.get(..8).unwrap_or_default())
    }
}

impl Match {
    /// The value as it may be shown: its public prefix and, where enough stays hidden, its end.
    pub fn masked(&self, bytes: &[u8]) -> String {
        let value = bytes.get(self.start..self.end).unwrap_or_default();
        let lead = value.get(..self.lead).unwrap_or_default();
        let hidden = value.len().saturating_sub(self.lead);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match self.kind.form {
            Form::Token if hidden >= 24 => {
                let tail = value.get(value.len().saturating_sub(4)..).unwrap_or_default();
                format!("{}…{}", text(lead), text(tail))
            }
            Form::Token | Form::Block => format!("{}…", text(lead)),
            Form::Url => {
                let host = value.rsplit(|byte| *byte == b'@').next().unwrap_or_default();
                format!("{}…@{}", text(lead), text(host))
            }
        }
    }

    /// The same for the same value in the same project, and of no use for finding the value.
    pub fn fingerprint(&self, bytes: &[u8], key: &FingerprintKey) -> String {
        let value = bytes.get(self.start..self.end).unwrap_or_default();
        if self.kind.form != Form::Url {
            return key.sign(value);
        }
        // A password may be weak enough to be guessed from a fingerprint: it stays out of it.
        let at = value.iter().rposition(|byte| *byte == b'@').unwrap_or_default();
        let (head, host) = value.split_at(at);
        let after_scheme = position(head, b"://").map_or(0, |at| at + 3);
        let user = head.get(after_scheme..).unwrap_or_default();
        let colon = user.iter().position(|byte| *byte == b':').unwrap_or_default();
        let shown = head.get(..after_scheme + colon).unwrap_or_default();
        key.sign(&[shown, host].concat())
    }
}
