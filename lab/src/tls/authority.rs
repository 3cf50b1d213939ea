//! A certificate authority that several parts of the lab share.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::Pki;
use crate::error::LabError;

/// A private certificate authority. Clones are the same authority.
#[derive(Debug, Clone)]
pub struct CertificateAuthority(Arc<Pki>);

impl CertificateAuthority {
    /// A new authority, whose certificates are made around `now`.
    ///
    /// # Errors
    /// A key or certificate that cannot be made.
    pub fn new(now: Timestamp) -> Result<Self, LabError> {
        Ok(Self(Arc::new(Pki::new(now)?)))
    }

    /// The time around which its certificates are made.
    pub fn now(&self) -> Timestamp {
        self.0.now()
    }

    /// The root in PEM, which clients have to trust.
    pub fn root_pem(&self) -> String {
        self.0.root_pem()
    }

    /// Writes the root as `ca.pem` into a folder, which is made when it is missing.
    ///
    /// # Errors
    /// A folder or file that cannot be written.
    pub fn write_root(&self, dir: &Path) -> Result<PathBuf, LabError> {
        let path = dir.join("ca.pem");
        let write = |source| LabError::Write { path: path.clone(), source };
        std::fs::create_dir_all(dir).map_err(write)?;
        std::fs::write(&path, self.root_pem()).map_err(write)?;
        Ok(path)
    }

    /// A good certificate for a host, for a server that is none of the lab's.
    ///
    /// # Errors
    /// A certificate that cannot be made.
    pub fn issue(&self, host: &str) -> Result<Issued, LabError> {
        Ok(Issued { chain: self.0.chain_pem(host)?, key: self.0.leaf_key_pem() })
    }

    pub(crate) fn pki(&self) -> &Arc<Pki> {
        &self.0
    }
}

/// A certificate and its key, as servers read them from files.
#[derive(Clone)]
pub struct Issued {
    /// The certificate and the intermediate in PEM, leaf first.
    pub chain: String,
    /// The private key in PEM.
    pub key: String,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issued").field("chain", &self.chain).finish_non_exhaustive()
    }
}
