//! What the adapters make of bytes of the other side, without a connection: for whoever tries the readers.

use bytes::Bytes;
use jiff::Timestamp;
use launchready_checks::probe::{
    DnsAnswer, HelloAnswer, ProbeError, RegistrationAnswer, SmtpAnswer,
};

use super::trust::provider;
use super::{dns, http, registration, smtp, tls};

/// What one DNS message says.
///
/// # Errors
/// It is none.
pub fn dns_message(bytes: &[u8]) -> Result<DnsAnswer, ProbeError> {
    dns::read_message(bytes)
}

/// What the beginning of an answer to a `ClientHello` says: `Ok(None)` where more has to come.
///
/// # Errors
/// Why it is no TLS.
pub fn tls_hello(bytes: &[u8]) -> Result<Option<HelloAnswer>, &'static str> {
    tls::read_hello(bytes)
}

/// Whether an OCSP answer proves that `leaf` is revoked (`true`) or good (`false`).
pub fn ocsp(answer: &[u8], leaf: &[u8], issuer: &[u8], now: Timestamp) -> Option<bool> {
    tls::read_ocsp(answer, leaf, issuer, now, &provider().signature_verification_algorithms)
}

/// The OCSP request for `leaf`, and who in the chain issued it.
pub fn ocsp_request(chain: &[&[u8]]) -> Option<Vec<u8>> {
    tls::ask_ocsp(chain)
}

/// What a mail server says in its greeting and its answer to EHLO.
///
/// # Errors
/// It does not greet, or breaks the protocol.
pub async fn smtp(bytes: &[u8]) -> Result<SmtpAnswer, ProbeError> {
    smtp::read_conversation(bytes).await
}

/// What an RDAP domain object says; nothing where it is none.
pub fn registration(body: &[u8]) -> Option<RegistrationAnswer> {
    registration::read(body, "https://rdap.example/")
}

/// The first `limit` bytes of a body, decoded, and whether there are more.
///
/// # Errors
/// It is not in that encoding.
pub fn body(bytes: &[u8], encoding: Option<&str>, limit: usize) -> std::io::Result<(Bytes, bool)> {
    http::decode_body(bytes, encoding, limit)
}
