//! `tls-protocol`: see `protocol.md`.

mod judge;
mod spec;

use std::net::IpAddr;
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::join;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::operator;
use super::pairs::{bounded, pairs};
use crate::contract::{
    Area, AssessCx, Assessment, Check, CheckError, CheckMeta, LookCx, Schedule, Target, Vantage,
};
use crate::probe::{
    HelloAnswer, HelloQuestion, HostLook, HttpRequest, Probes, ProtocolVersion, Seen, SuiteSet,
    Tls, look_up_hosts,
};
use crate::vendor;

/// Pairs of host and address that are looked at; each is asked seven times.
const PAIRS: usize = 12;

/// The versions and suites that every host accepts.
#[derive(Debug)]
pub struct Protocol;

/// `tls-protocol` has no thresholds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {}

/// What was seen.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    hosts: Vec<HostSeen>,
    /// Pairs of host and address past the limit.
    pairs_cut: usize,
}

/// One host.
#[derive(Debug, Serialize, Deserialize)]
struct HostSeen {
    name: String,
    declared: bool,
    /// The platform in front of it.
    platform: Option<String>,
    /// How many addresses the name has, or why that is not known.
    addresses: Seen<usize>,
    at: Vec<AddressSeen>,
}

/// One address of a host.
#[derive(Debug, Serialize, Deserialize)]
struct AddressSeen {
    address: IpAddr,
    /// The answer to each version with every suite, oldest first.
    versions: Vec<(ProtocolVersion, Seen<HelloAnswer>)>,
    /// The answer to TLS 1.2 with strong suites alone.
    strong: Seen<HelloAnswer>,
    /// The answer to TLS 1.2 with forward-secret suites alone.
    forward_secret: Seen<HelloAnswer>,
}

impl Check for Protocol {
    const META: CheckMeta = CheckMeta {
        id: "tls-protocol",
        area: Area::Tls,
        title: "Protocol versions",
        vantage: Vantage::Outside,
        findings: spec::FINDINGS,
        measurements: &[spec::OLD_VERSIONS],
        default_schedule: Schedule::Every(Duration::from_hours(6)),
        min_interval: Duration::from_hours(1),
        timeout: Duration::from_secs(30),
        needs: &[],
        evidence_version: 1,
        doc: include_str!("../protocol.md"),
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
        let looks = pairs.iter().map(async |(host, address)| {
            (host.name.as_str(), look_at(tls, &host.name, *address).await)
        });
        let platforms = hosts.iter().take(PAIRS).map(|host| platform(host, probes));
        let (looks, platforms) = join!(join_all(looks), join_all(platforms));
        let mut seen: Vec<HostSeen> = hosts
            .iter()
            .zip(platforms)
            .map(|(host, platform)| HostSeen {
                name: host.name.clone(),
                declared: host.declared,
                platform,
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

    fn assess(evidence: &Evidence, _cx: &AssessCx<'_, Self>) -> Assessment {
        judge::assess(evidence)
    }
}

/// The platform in front of a host, by alias, address or the headers of its front page.
async fn platform(host: &HostLook, probes: &Probes) -> Option<String> {
    let address = host.look.ok().and_then(|look| look.addresses.first().copied())?;
    if let Some(name) = operator::platform(host, Some(address)) {
        return Some(name);
    }
    let request = HttpRequest::get(format!("https://{}/", host.name));
    let answer = probes.http.send(request).await.ok()?;
    vendor::by_headers(&answer.headers).map(|platform| platform.name.to_owned())
}

async fn look_at(tls: &dyn Tls, host: &str, address: IpAddr) -> AddressSeen {
    let ask = async |version, suites| {
        let question = HelloQuestion {
            host: host.to_owned(),
            address: Some(address),
            port: 443,
            version,
            suites,
        };
        bounded(Seen::from(tls.hello(question).await))
    };
    let versions = join_all(
        ProtocolVersion::ALL
            .map(|version| async move { (version, ask(version, SuiteSet::All).await) }),
    );
    let (versions, strong, forward_secret) = join!(
        versions,
        ask(ProtocolVersion::Tls12, SuiteSet::Strong),
        ask(ProtocolVersion::Tls12, SuiteSet::ForwardSecret),
    );
    AddressSeen { address, versions, strong, forward_secret }
}
