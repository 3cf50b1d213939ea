//! What a browser would say of a chain, with the help of what its issuer publishes.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use launchready_checks::probe::{CertificateFacts, Http, HttpRequest, Trust, certificate_facts};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, UnixTime};

use super::ocsp;
use crate::probe::trust::Judge;

/// The most bytes of a certificate or OCSP answer that is fetched.
const FETCH_BYTES: usize = 64 * 1024;
/// How long a fetch may take, in milliseconds.
const FETCH_MS: u64 = 5000;
/// Certificates that are fetched to complete one chain.
const FETCHES: usize = 3;
/// The longest URL of an OCSP request by GET (RFC 5019 5 has 255 bytes for the encoded part).
const OCSP_PATH: usize = 255;

/// Judges chains.
#[derive(Clone)]
pub(super) struct Verdicts {
    pub(super) judge: Arc<Judge>,
    pub(super) http: Arc<dyn Http>,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

impl Verdicts {
    /// The verdict on a chain for a name, and whether the issuer says that it is revoked.
    pub(super) async fn of(
        &self,
        chain: &[CertificateDer<'static>],
        stapled: &[u8],
        host: &str,
        now: Timestamp,
    ) -> (Trust, Option<bool>) {
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let Some(leaf) = chain.first().and_then(|leaf| certificate_facts(leaf)) else {
            return (Trust::Other("the certificate cannot be read".to_owned()), None);
        };
        match self.judge.verdict(chain, host, time) {
            Trust::UnknownIssuer => (self.completed(chain, host, time).await, None),
            Trust::Trusted => match self.revoked(chain, &leaf, stapled, now).await {
                Some(true) => (Trust::Revoked, Some(true)),
                revoked => (Trust::Trusted, revoked),
            },
            other => (other, None),
        }
    }

    /// Looks whether the certificates that the issuers publish complete the chain.
    async fn completed(
        &self,
        chain: &[CertificateDer<'static>],
        host: &str,
        time: UnixTime,
    ) -> Trust {
        let mut chain = chain.to_vec();
        for _ in 0..FETCHES {
            let Some(issuer) = self.missing_issuer(&chain).await else { break };
            chain.push(issuer);
            match self.judge.verdict(&chain, host, time) {
                Trust::Trusted => return Trust::Incomplete,
                Trust::UnknownIssuer => {}
                other => return other,
            }
        }
        Trust::UnknownIssuer
    }

    /// Fetches the issuer of the topmost certificate of the path (RFC 5280 4.2.2.1).
    async fn missing_issuer(
        &self,
        chain: &[CertificateDer<'static>],
    ) -> Option<CertificateDer<'static>> {
        let facts: Vec<CertificateFacts> =
            chain.iter().filter_map(|der| certificate_facts(der)).collect();
        let mut top = facts.first()?;
        for _ in 0..facts.len() {
            match facts.iter().find(|above| above.subject == top.issuer && !top.self_issued) {
                Some(above) => top = above,
                None => break,
            }
        }
        let url = top.issuer_urls.iter().find(|url| url.starts_with("http://"))?;
        let der = CertificateDer::from(self.fetch(url.clone(), "*/*").await?);
        certificate_facts(&der).filter(|found| found.subject == top.issuer).map(|_| der)
    }

    /// What a stapled answer proves, or else one that is fetched.
    async fn revoked(
        &self,
        chain: &[CertificateDer<'static>],
        leaf: &CertificateFacts,
        stapled: &[u8],
        now: Timestamp,
    ) -> Option<bool> {
        let issuer = ocsp::issuer(chain)?;
        let der = chain.first()?;
        let proof = |answer: &[u8]| ocsp::is_revoked(answer, der, issuer, now, &self.algorithms);
        if let Some(proven) = proof(stapled) {
            return Some(proven);
        }
        let url = leaf.ocsp_urls.iter().find(|url| url.starts_with("http://"))?;
        // RFC 6960 A.1: base64, with what a URL reserves escaped.
        let request = STANDARD.encode(ocsp::request(der, issuer)?);
        let path = request.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        if path.len() > OCSP_PATH {
            return None;
        }
        let url = format!("{}/{path}", url.trim_end_matches('/'));
        proof(&self.fetch(url, "application/ocsp-response").await?)
    }

    /// Asks again once where nothing answered: the verdict hangs on it.
    async fn fetch(&self, url: String, accept: &str) -> Option<Vec<u8>> {
        let request =
            HttpRequest::get(url).header("accept", accept).at_most(FETCH_BYTES).within_ms(FETCH_MS);
        let answer = match self.http.send(request.clone()).await {
            Ok(answer) => answer,
            Err(_) => self.http.send(request).await.ok()?,
        };
        (answer.status == 200 && !answer.body_cut).then(|| answer.body.to_vec())
    }
}
