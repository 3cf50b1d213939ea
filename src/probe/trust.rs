//! A verifier that goes on whatever the certificate, and what a browser would have said.

use std::sync::Arc;

use launchready_checks::probe::{Trust, certificate_facts};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

/// The cryptography of every connection: aws-lc-rs, classical key exchange first, because a look
/// that is made thousands of times need not outlive quantum computers.
pub fn provider() -> CryptoProvider {
    use rustls::crypto::aws_lc_rs::{default_provider, kx_group};
    CryptoProvider {
        kx_groups: vec![kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1],
        ..default_provider()
    }
}

/// Accepts every certificate, and only checks that the server holds its key.
#[derive(Debug)]
pub struct Accepting {
    algorithms: WebPkiSupportedAlgorithms,
}

impl Accepting {
    /// Checks signatures with the algorithms of `provider`.
    pub fn new(provider: &CryptoProvider) -> Self {
        Self { algorithms: provider.signature_verification_algorithms }
    }
}

impl ServerCertVerifier for Accepting {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Says what a browser would say of a chain.
#[derive(Debug)]
pub struct Judge {
    verifier: Option<Arc<WebPkiServerVerifier>>,
}

impl Judge {
    /// Trusts `roots`.
    pub fn new(roots: Arc<RootCertStore>, provider: Arc<CryptoProvider>) -> Self {
        // Building fails only without roots; then nothing is trusted.
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider).build().ok();
        Self { verifier }
    }

    /// The verdict on a chain, leaf first, for a name at a time.
    pub fn verdict(&self, chain: &[CertificateDer<'_>], host: &str, now: UnixTime) -> Trust {
        let (Some(verifier), Some((leaf, rest))) = (&self.verifier, chain.split_first()) else {
            return Trust::UnknownIssuer;
        };
        let Ok(name) = ServerName::try_from(host) else {
            return Trust::Other(format!("{host:?} is no host name"));
        };
        match verifier.verify_server_cert(leaf, rest, &name, &[], now) {
            Ok(_) => Trust::Trusted,
            Err(Error::InvalidCertificate(error)) => untrusted(&error, leaf),
            Err(error) => Trust::Other(error.to_string()),
        }
    }
}

fn untrusted(error: &CertificateError, leaf: &CertificateDer<'_>) -> Trust {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Trust::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            Trust::NotYetValid
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Trust::NameMismatch
        }
        CertificateError::Revoked => Trust::Revoked,
        // One that signed itself is often marked as an authority too, which is refused in other words.
        _ if certificate_facts(leaf).is_some_and(|facts| facts.self_issued) => Trust::SelfSigned,
        CertificateError::UnknownIssuer => Trust::UnknownIssuer,
        other => Trust::Other(other.to_string()),
    }
}
