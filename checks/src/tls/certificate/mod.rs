//! `tls-certificate`: see `certificate.md`.

mod defect;
mod drift;
mod evidence;
mod judge;
mod reach;
mod spec;
mod text;
mod words;

use std::net::IpAddr;
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::join;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::operator;
use super::pairs::{bounded, pairs};
use crate::contract::{
    Age, Approvable, Area, AssessCx, Assessment, Check, CheckError, CheckMeta, Fact, LookCx, Ratio,
    Schedule, Target, Vantage,
};
use crate::probe::{HostLook, Probes, Seen, Tls, TlsQuestion, look_up_hosts};
use evidence::{AddressSeen, Evidence, Handshake, HostSeen, PAIRS, SECOND_LOOKS};

/// The certificate of every host at every address.
#[derive(Debug)]
pub struct Certificate;

/// Thresholds of `tls-certificate`. Of a time and a part of the certificate's whole life the shorter
/// one holds, so that a certificate of six days is not always about to run out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Critical when the certificate runs out within this time.
    pub critical: Age,
    /// Critical only when less than this part of its life is left.
    pub critical_life: Ratio,
    /// Warning when the certificate runs out within this time.
    pub warning: Age,
    /// Warning only when less than this part of its life is left.
    pub warning_life: Ratio,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            critical: Age::days(7),
            critical_life: Ratio(0.1),
            warning: Age::days(21),
            warning_life: Ratio(0.2),
        }
    }
}

impl Check for Certificate {
    const META: CheckMeta = CheckMeta {
        id: "tls-certificate",
        area: Area::Tls,
        title: "Certificates",
        vantage: Vantage::Outside,
        findings: spec::FINDINGS,
        measurements: &[spec::NOT_AFTER],
        default_schedule: Schedule::Every(Duration::from_mins(1)),
        min_interval: Duration::from_mins(1),
        timeout: Duration::from_secs(30),
        needs: &[],
        evidence_version: 1,
        doc: include_str!("../certificate.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        _look: &LookCx<'_, Self>,
        target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        let hosts = look_up_hosts(target, &*probes.dns).await;
        let (pairs, pairs_cut) = pairs(&hosts, PAIRS);
        let tls = &*probes.tls;
        let looks = join_all(pairs.iter().enumerate().map(|(nth, (host, address))| {
            // The first pairs are the first addresses of the hosts, each host once.
            let second = nth < hosts.len().min(SECOND_LOOKS);
            async move { (host.name.as_str(), look_at(tls, host, *address, second).await) }
        }))
        .await;
        let mut seen: Vec<HostSeen> = hosts
            .iter()
            .take(PAIRS)
            .map(|host| HostSeen {
                name: host.name.clone(),
                declared: host.declared,
                platform: operator::platform(host, first_address(host)),
                addresses: bounded(host.look.clone().map(|look| look.addresses.len())),
                at: Vec::new(),
            })
            .collect();
        for (name, look) in looks {
            if let Some(host) = seen.iter_mut().find(|host| host.name == name) {
                host.at.push(look);
            }
        }
        Ok((Evidence { hosts: seen, pairs_cut }, ()))
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        let mut out = Assessment::default();
        let ipv6_silent = reach::is_ipv6_silent(evidence);
        for host in &evidence.hosts {
            judge::host(host, ipv6_silent, cx, &mut out);
        }
        if let Some(baseline) = &cx.baseline {
            drift::judge(evidence, baseline, &mut out);
        }
        reach::note(evidence, &mut out);
        out
    }

    const BASELINE: Option<Approvable> = Some(Approvable {
        what: "issuers of certificates",
        codes: &["certificate-issuer-changed"],
    });

    fn facts(evidence: &Evidence) -> Vec<Fact> {
        drift::facts(evidence)
    }
}

fn first_address(host: &HostLook) -> Option<IpAddr> {
    host.look.ok().and_then(|look| look.addresses.first().copied())
}

/// Shakes hands with one address; `second` also asks for the RSA certificate of a pair.
async fn look_at(tls: &dyn Tls, host: &HostLook, address: IpAddr, second: bool) -> AddressSeen {
    let ask = |ecdsa| {
        tls.handshake(TlsQuestion {
            host: host.name.clone(),
            address: Some(address),
            port: 443,
            ecdsa,
        })
    };
    let other = async { if second { ask(Some(false)).await.ok() } else { None } };
    let (main, other) = join!(ask(None), other);
    let name = host.name.as_str();
    // The same leaf again says nothing new, and a server without an RSA certificate refuses.
    let leaf = |chain: &[crate::probe::CertificateFacts]| {
        chain.first().map(|leaf| leaf.fingerprint.clone())
    };
    let other = match &main {
        Ok(main) => other.filter(|other| leaf(&other.chain) != leaf(&main.chain)),
        Err(_) => None,
    };
    AddressSeen {
        address,
        shake: bounded(Seen::from(main).map(|answer| Handshake::of(&answer, name))),
        other: other.map(|answer| Handshake::of(&answer, name)),
    }
}
