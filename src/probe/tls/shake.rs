//! A full handshake that goes on whatever the certificate, and records what was shown.

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use launchready_checks::probe::{
    KeyKind, ProbeError, ProtocolVersion, TargetFault, certificate_facts,
};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, InvalidMessage, SignatureScheme,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::suites;
use crate::probe::route::blame;
use crate::probe::trust::Accepting;

/// The shortest RSA key whose signatures the library checks.
const RSA_BITS: usize = 2048;

/// What a handshake showed.
#[derive(Debug)]
pub(super) struct Shaken<S> {
    /// The open connection.
    pub(super) stream: TlsStream<S>,
    pub(super) version: ProtocolVersion,
    /// The suite by its IANA name.
    pub(super) suite: String,
    /// The certificates as they were sent, leaf first; never empty.
    pub(super) chain: Vec<CertificateDer<'static>>,
    /// The OCSP answer that was stapled; empty without one.
    pub(super) stapled: Vec<u8>,
    pub(super) milliseconds: f64,
}

/// Accepts every certificate and keeps the stapled OCSP answer.
#[derive(Debug)]
struct Recorder {
    accepting: Accepting,
    /// Only ECDSA (`true`) or only RSA (`false`) is offered.
    ecdsa: Option<bool>,
    stapled: Mutex<Vec<u8>>,
}

impl Recorder {
    /// A key that is too short for the library, or a certificate that it cannot read, is what is
    /// looked for; only a signature that a good key did not make ends the handshake.
    fn forgive(
        result: Result<HandshakeSignatureValid, Error>,
        certificate: &CertificateDer<'_>,
    ) -> Result<HandshakeSignatureValid, Error> {
        let Err(Error::InvalidCertificate(error)) = &result else { return result };
        let is_short = || {
            certificate_facts(certificate)
                .is_some_and(|facts| facts.key == KeyKind::Rsa && facts.key_bits < RSA_BITS)
        };
        if *error != CertificateError::BadSignature || is_short() {
            Ok(HandshakeSignatureValid::assertion())
        } else {
            result
        }
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.stapled.lock().unwrap_or_else(PoisonError::into_inner) = ocsp_response.to_vec();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let result = self.accepting.verify_tls12_signature(message, certificate, signature);
        Self::forgive(result, certificate)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let result = self.accepting.verify_tls13_signature(message, certificate, signature);
        Self::forgive(result, certificate)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let is_wanted = |scheme: &SignatureScheme| {
            let is_rsa = scheme.as_str().is_some_and(|name| name.starts_with("RSA"));
            self.ecdsa.is_none_or(|ecdsa| ecdsa != is_rsa)
        };
        self.accepting.supported_verify_schemes().into_iter().filter(is_wanted).collect()
    }
}

/// Shakes hands over an open connection. The caller limits the time.
pub(super) async fn shake<S>(
    stream: S,
    provider: &Arc<CryptoProvider>,
    host: &str,
    address: IpAddr,
    ecdsa: Option<bool>,
) -> Result<Shaken<S>, ProbeError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let what = || format!("{host} at {address}");
    let began = Instant::now();
    let recorder = Arc::new(Recorder {
        accepting: Accepting::new(provider),
        ecdsa,
        stapled: Mutex::default(),
    });
    let mut config = ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_protocol_versions(rustls::ALL_VERSIONS)
        .map_err(|error| TargetFault::Tls(format!("{}: {error}", what())))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::<Recorder>::clone(&recorder))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_source| TargetFault::Malformed(format!("{host:?} is no host name")))?;
    let connector = TlsConnector::from(Arc::new(config));
    let stream = connector.connect(name, stream).await.map_err(|error| fault(&error, what()))?;
    let milliseconds = began.elapsed().as_secs_f64() * 1000.0;
    let (_, connection) = stream.get_ref();
    let version = match connection.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_3) => ProtocolVersion::Tls13,
        _ => ProtocolVersion::Tls12,
    };
    let suite = connection.negotiated_cipher_suite().map(|suite| u16::from(suite.suite()));
    let chain = connection.peer_certificates().unwrap_or_default();
    let chain: Vec<_> = chain.iter().map(|der| der.clone().into_owned()).collect();
    let stapled =
        std::mem::take(&mut *recorder.stapled.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(Shaken {
        version,
        suite: suite.map_or_else(String::new, suites::name),
        chain,
        stapled,
        milliseconds,
        stream,
    })
}

/// Whose fault a failed handshake is. The connection stood, so a reset is the server's word too.
fn fault(error: &io::Error, what: String) -> ProbeError {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match (inner, error.kind()) {
        (Some(Error::InvalidMessage(InvalidMessage::HandshakePayloadTooLarge)), _) => {
            TargetFault::TooLarge(format!("{what}: the certificates take more than 64 KiB")).into()
        }
        (Some(tls @ (Error::InvalidMessage(_) | Error::PeerSentOversizedRecord)), _) => {
            TargetFault::Malformed(format!("{what}: {tls}")).into()
        }
        (Some(tls), _) => TargetFault::Tls(format!("{what}: {tls}")).into(),
        (None, io::ErrorKind::UnexpectedEof) => {
            TargetFault::Tls(format!("{what}: the server closed the connection")).into()
        }
        (None, io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => {
            TargetFault::Tls(format!("{what}: the server reset the connection")).into()
        }
        (None, _) => blame(error, what),
    }
}
