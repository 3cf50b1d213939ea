//! What `mail-transport` looks at: MX records, the servers that they name, and the policies beside.

use std::net::IpAddr;

use futures_util::future::join_all;
use futures_util::join;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::dmarc::record::{Kind, kind};
use super::super::dmarc::walk::names;
use super::super::published::{Published, fit, is_spf};
use super::policy::{Policy, is_bimi, is_sts, is_tls_rpt};
use crate::contract::{Bounded, Target};
use crate::probe::{
    Dns, DnsData, DnsQuestion, HttpRequest, Probes, Rcode, RecordType, Seen, SmtpAnswer,
    SmtpQuestion, TlsAnswer, Trust, addresses,
};

/// The most domains that are looked at: the apex and the From domains.
const DOMAINS: usize = 3;
/// The most MX records of a domain that are kept.
const MX_KEPT: usize = 10;
/// The most mail servers that are looked at, over all domains.
const HOSTS: usize = 6;
/// The most addresses of a mail server that are greeted.
const ADDRESSES: usize = 4;
/// The most names of a certificate that are kept.
const NAMES_KEPT: usize = 3;
/// The port between mail servers (RFC 5321 section 4.5.4.2).
const SMTP_PORT: u16 = 25;
/// The most bytes of a policy that senders read (RFC 8461 section 3.3).
const POLICY_BYTES: usize = 64 * 1024;
/// The most bytes of TXT records that are kept, as JSON.
const RECORD_BYTES: usize = 10 * 1024;

/// What was seen.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    pub(super) domains: Bounded<DomainLook>,
    /// The mail servers, best preference first; `cut` counts those past the sixth.
    pub(super) servers: Bounded<ServerLook>,
}

/// One domain.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DomainLook {
    pub(super) name: String,
    pub(super) mx: Seen<MxLook>,
    pub(super) spf: Published,
    pub(super) sts: Published,
    /// Absent where no MTA-STS record announces it.
    pub(super) policy: Option<Seen<PolicyLook>>,
    pub(super) tls_reports: Published,
    pub(super) bimi: Published,
    /// The DMARC records on the way up; looked at where a BIMI record stands.
    pub(super) dmarc: Vec<Published>,
}

/// The MX records of a domain.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct MxLook {
    pub(super) rcode: Rcode,
    /// Best preference first.
    pub(super) records: Bounded<Mx>,
}

/// One MX record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Mx {
    pub(super) preference: u16,
    /// Empty for the null MX of RFC 7505.
    pub(super) host: String,
}

/// What a request for the MTA-STS policy was answered.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PolicyLook {
    pub(super) url: String,
    pub(super) status: u16,
    pub(super) content_type: Option<String>,
    pub(super) trust: Option<Trust>,
    /// There was more than senders read.
    pub(super) too_large: bool,
    pub(super) policy: Policy,
}

/// One mail server.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ServerLook {
    pub(super) host: String,
    pub(super) rcode: Seen<Rcode>,
    /// Where its name leads if it is an alias.
    pub(super) alias: Option<String>,
    /// How many addresses it has.
    pub(super) addresses: usize,
    /// What its addresses said, at most four.
    pub(super) greetings: Vec<Greeting>,
}

/// One address of a mail server.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Greeting {
    pub(super) address: IpAddr,
    pub(super) answer: Seen<Encryption>,
}

/// What a mail server offers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Encryption {
    /// It does not offer STARTTLS.
    NotOffered,
    /// It does, and this is how the handshake went.
    Offered(Seen<Handshake>),
}

/// The facts of a handshake after STARTTLS.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Handshake {
    pub(super) trust: Trust,
    pub(super) issuer: String,
    /// The first names of the certificate.
    pub(super) names: Bounded<String>,
    pub(super) not_after: Option<Timestamp>,
}

impl Mx {
    /// The null MX of RFC 7505.
    pub(super) fn is_null(&self) -> bool {
        matches!(self.host.as_str(), "" | ".")
    }

    /// The MX record with which Microsoft 365 has a domain proven; it leads nowhere by design.
    pub(super) fn is_proof(&self) -> bool {
        self.host.ends_with(".msv1.invalid")
    }

    /// An address where a name has to stand.
    pub(super) fn is_address(&self) -> bool {
        self.host.parse::<IpAddr>().is_ok()
    }
}

impl MxLook {
    /// The records that name a mail server.
    pub(super) fn real(&self) -> impl Iterator<Item = &Mx> {
        self.records.items.iter().filter(|mx| !mx.is_null() && !mx.is_proof())
    }
}

/// Looks at every domain at once, then at their mail servers at once.
pub(super) async fn look(target: &Target, probes: &Probes) -> Evidence {
    let mut all = vec![target.domain.clone()];
    for domain in &target.mail.sends_from {
        if !all.contains(domain) {
            all.push(domain.clone());
        }
    }
    let all = Bounded::keep(all, DOMAINS);
    let looks = join_all(all.items.iter().map(|name| look_at(probes, name))).await;
    let mut domains = Bounded { items: looks, cut: all.cut };
    let records = domains.items.iter_mut().flat_map(|domain| {
        let DomainLook { spf, sts, tls_reports, bimi, dmarc, .. } = domain;
        [spf, sts, tls_reports, bimi].into_iter().chain(dmarc)
    });
    fit(records, RECORD_BYTES);
    let mut hosts: Vec<&Mx> = domains
        .items
        .iter()
        .filter_map(|domain| domain.mx.ok())
        .flat_map(MxLook::real)
        .filter(|mx| !mx.is_address())
        .collect();
    hosts.sort();
    let mut names: Vec<&str> = Vec::new();
    for mx in hosts {
        if !names.contains(&mx.host.as_str()) {
            names.push(&mx.host);
        }
    }
    let names = Bounded::keep(names, HOSTS);
    let servers = join_all(names.items.into_iter().map(|host| look_at_server(probes, host))).await;
    let servers = Bounded { items: servers, cut: names.cut };
    Evidence { domains, servers }
}

async fn look_at(probes: &Probes, name: &str) -> DomainLook {
    let dns = probes.dns.as_ref();
    let (mx, spf, (sts, policy), tls_reports, (bimi, dmarc)) = join!(
        look_for_mx(dns, name),
        Published::look(dns, name.to_owned(), is_spf),
        look_for_sts(probes, name),
        Published::look(dns, format!("_smtp._tls.{name}"), is_tls_rpt),
        look_for_bimi(dns, name),
    );
    DomainLook { name: name.to_owned(), mx, spf, sts, policy, tls_reports, bimi, dmarc }
}

async fn look_for_mx(dns: &dyn Dns, name: &str) -> Seen<MxLook> {
    let answer = dns.lookup(DnsQuestion::new(name, RecordType::Mx)).await;
    Seen::from(answer).map(|answer| {
        let mut records = answer.of(|data| match data {
            DnsData::Mx { preference, exchange } => {
                Some(Mx { preference: *preference, host: exchange.to_ascii_lowercase() })
            }
            _ => None,
        });
        records.sort();
        MxLook { rcode: answer.rcode, records: Bounded::keep(records, MX_KEPT) }
    })
}

async fn look_for_sts(probes: &Probes, name: &str) -> (Published, Option<Seen<PolicyLook>>) {
    let sts = Published::look(probes.dns.as_ref(), format!("_mta-sts.{name}"), is_sts).await;
    if sts.records().is_empty() {
        return (sts, None);
    }
    let url = format!("https://mta-sts.{name}/.well-known/mta-sts.txt");
    let request = HttpRequest::get(url.as_str()).at_most(POLICY_BYTES);
    let answer = Seen::from(probes.http.send(request).await).map(|answer| PolicyLook {
        url,
        status: answer.status,
        content_type: answer.header("content-type").map(|value| value.chars().take(100).collect()),
        trust: answer.trust.clone(),
        too_large: answer.body_cut,
        policy: if answer.status == 200 { Policy::read(&answer.text()) } else { Policy::default() },
    });
    (sts, Some(answer))
}

fn is_dmarc(text: &str) -> bool {
    kind(text) == Kind::Dmarc
}

async fn look_for_bimi(dns: &dyn Dns, name: &str) -> (Published, Vec<Published>) {
    let bimi = Published::look(dns, format!("default._bimi.{name}"), is_bimi).await;
    if bimi.records().is_empty() {
        return (bimi, Vec::new());
    }
    let names = names(name).into_iter();
    let looks = names.map(|name| Published::look(dns, format!("_dmarc.{name}"), is_dmarc));
    (bimi, join_all(looks).await)
}

async fn look_at_server(probes: &Probes, host: &str) -> ServerLook {
    let look = Seen::from(addresses(probes.dns.as_ref(), host).await);
    let empty = Vec::new();
    let all = look.ok().map_or(&empty, |look| &look.addresses);
    let greetings = join_all(some_of_each_family(all).into_iter().map(async |address| {
        let question = SmtpQuestion { host: host.to_owned(), address, port: SMTP_PORT };
        let answer = Seen::from(probes.smtp.greet(question).await).map(encryption);
        Greeting { address, answer }
    }))
    .await;
    ServerLook {
        host: host.to_owned(),
        alias: look.ok().and_then(|look| look.aliases.first().cloned()),
        addresses: all.len(),
        rcode: look.map(|look| look.rcode),
        greetings,
    }
}

/// At most four addresses, both families among them.
fn some_of_each_family(all: &[IpAddr]) -> Vec<IpAddr> {
    let (v4, v6): (Vec<_>, Vec<_>) = all.iter().partition(|address| address.is_ipv4());
    let six = v6.len().min(ADDRESSES - v4.len().min(ADDRESSES / 2));
    v4.into_iter().take(ADDRESSES - six).chain(v6.into_iter().take(six)).collect()
}

fn encryption(answer: SmtpAnswer) -> Encryption {
    match answer.starttls {
        None => Encryption::NotOffered,
        Some(seen) => Encryption::Offered(seen.map(handshake)),
    }
}

/// Text of a stranger, kept short; control characters would take six bytes each as JSON.
fn short(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(80).collect()
}

fn handshake(answer: TlsAnswer) -> Handshake {
    let leaf = answer.chain.into_iter().next();
    let not_after = leaf.as_ref().map(|leaf| leaf.not_after);
    let (issuer, names, cut) =
        leaf.map_or_else(Default::default, |leaf| (leaf.issuer, leaf.names, leaf.names_cut));
    let mut names = Bounded::keep(names.iter().map(|name| short(name)), NAMES_KEPT);
    names.cut += cut;
    Handshake {
        trust: match answer.trust {
            Trust::Other(detail) => Trust::Other(short(&detail)),
            trust => trust,
        },
        issuer: short(&issuer),
        names,
        not_after,
    }
}
