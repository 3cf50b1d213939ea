//! Judges the chain of a probe, and remembers for a while that one was found good: the verdict depends on
//! the certificates, the name and the time alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use launchready_checks::probe::{CertificateFacts, Trust, certificate_facts};
use rustls::pki_types::{CertificateDer, UnixTime};
use sha2::{Digest as _, Sha256};

use crate::metrics::ProbeCertificate;
use crate::probe::trust::Judge;

/// How long a good verdict is believed, at most until a certificate of the chain runs out.
const BELIEVED_S: i64 = 300;
/// The most chains that are remembered.
const REMEMBERED: usize = 1024;
/// Certificates of a chain that are read.
const CHAIN: usize = 10;

#[derive(Debug, Clone)]
struct Good {
    until: i64,
    certificate: Arc<ProbeCertificate>,
}

/// Verdicts on chains.
#[derive(Debug)]
pub(super) struct Chains {
    judge: Arc<Judge>,
    good: Mutex<HashMap<[u8; 32], Good>>,
}

impl Chains {
    pub(super) fn new(judge: Arc<Judge>) -> Self {
        Self { judge, good: Mutex::default() }
    }

    /// What the chain shows, and whether a browser would trust it for `host`; else why not.
    pub(super) fn judge(
        &self,
        chain: &[CertificateDer<'_>],
        host: &str,
        now: Timestamp,
    ) -> (ProbeCertificate, Result<(), String>) {
        let mut hash = Sha256::new();
        hash.update(host.as_bytes());
        for der in chain {
            hash.update((der.len() as u64).to_be_bytes());
            hash.update(der);
        }
        let key: [u8; 32] = hash.finalize().into();
        let now_s = now.as_second();
        if let Some(good) = self.lock().get(&key).filter(|good| now_s < good.until) {
            return ((*good.certificate).clone(), Ok(()));
        }
        let since = UnixTime::since_unix_epoch(now.as_duration().try_into().unwrap_or_default());
        let trust = self.judge.verdict(chain, host, since);
        let facts: Vec<_> =
            chain.iter().take(CHAIN).filter_map(|der| certificate_facts(der)).collect();
        let mut certificate = certificate(&facts);
        if trust != Trust::Trusted {
            return (certificate, Err(words(&trust, host)));
        }
        certificate.chain_expiry = chain_expiry(&facts, now_s);
        let until = certificate.chain_expiry.unwrap_or(now_s).min(now_s + BELIEVED_S);
        self.remember(key, Good { until, certificate: Arc::new(certificate.clone()) }, now_s);
        (certificate, Ok(()))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<[u8; 32], Good>> {
        self.good.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, key: [u8; 32], chain: Good, now: i64) {
        let mut good = self.lock();
        if good.len() >= REMEMBERED {
            good.retain(|_, known| now < known.until);
        }
        if good.len() < REMEMBERED {
            good.insert(key, chain);
        }
    }
}

fn certificate(facts: &[CertificateFacts]) -> ProbeCertificate {
    let Some(leaf) = facts.first() else { return ProbeCertificate::default() };
    let expiry = facts.iter().map(|facts| facts.not_after.as_second()).min();
    ProbeCertificate {
        version: String::new(),
        earliest_expiry: expiry.unwrap_or_default(),
        chain_expiry: None,
        fingerprint: leaf.fingerprint.clone(),
        subject: leaf.subject.clone(),
        issuer: leaf.issuer.clone(),
        names: leaf.names.join(","),
    }
}

/// When the way from the leaf up runs out. A server may send certificates that are not on it, such as
/// an old cross-signature.
fn chain_expiry(facts: &[CertificateFacts], now: i64) -> Option<i64> {
    let mut current = facts.first()?;
    let mut earliest = current.not_after.as_second();
    for _ in facts {
        let above = facts.iter().find(|facts| {
            facts.subject == current.issuer
                && !facts.self_issued
                && facts.not_after.as_second() > now
        });
        let Some(above) = above else { break };
        earliest = earliest.min(above.not_after.as_second());
        current = above;
    }
    Some(earliest)
}

fn words(trust: &Trust, host: &str) -> String {
    match trust {
        Trust::Trusted => "trusted".to_owned(),
        Trust::Expired => "a certificate has run out".to_owned(),
        Trust::NotYetValid => "the certificate is not valid yet".to_owned(),
        Trust::NameMismatch => format!("the certificate is not for {host}"),
        Trust::SelfSigned => "the certificate signed itself".to_owned(),
        Trust::Incomplete => "an intermediate certificate is missing".to_owned(),
        Trust::UnknownIssuer => "no browser knows the issuer of the certificate".to_owned(),
        Trust::Revoked => "the certificate is revoked".to_owned(),
        Trust::Other(why) => why.clone(),
    }
}
