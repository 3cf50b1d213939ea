//! The certificate authorities that a browser trusts, and those that the user adds.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// Why a file of extra roots could not be used.
#[derive(Debug, thiserror::Error)]
pub enum RootsError {
    /// The file cannot be read as PEM.
    #[error("cannot read certificates from {path}; write a PEM file with BEGIN CERTIFICATE lines")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        #[source]
        source: rustls::pki_types::pem::Error,
    },
    /// A certificate in the file is no trust anchor.
    #[error("{path} holds a certificate that cannot be a root")]
    Anchor {
        /// The file.
        path: PathBuf,
        /// What the verifier said.
        #[source]
        source: rustls::Error,
    },
}

/// Mozilla's roots and the certificates in `extra` PEM files.
pub fn roots(extra: &[PathBuf]) -> Result<Arc<RootCertStore>, RootsError> {
    let mut store = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for path in extra {
        add(&mut store, path)?;
    }
    Ok(Arc::new(store))
}

fn add(store: &mut RootCertStore, path: &Path) -> Result<(), RootsError> {
    let read = |source| RootsError::Read { path: path.to_owned(), source };
    let certificates: Vec<_> = CertificateDer::pem_file_iter(path)
        .map_err(read)?
        .collect::<Result<_, _>>()
        .map_err(read)?;
    if certificates.is_empty() {
        return Err(read(rustls::pki_types::pem::Error::NoItemsFound));
    }
    for certificate in certificates {
        store
            .add(certificate)
            .map_err(|source| RootsError::Anchor { path: path.to_owned(), source })?;
    }
    Ok(())
}
