//! `mail-dkim`: see `dkim.md`.

mod findings;
mod judge;
mod key;
mod look;
mod record;

use std::time::Duration;

use futures_util::future::join_all;
use futures_util::join;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(in crate::mail) use look::{KeyLook, declared, look_up_key};

use super::existence::must_exist;
use super::providers::{self, Provider, Role};
use super::selectors::USUAL_SELECTORS;
use super::spf::{Record, answered, declared_tools, is_record, mail_servers, sending_domains};
use crate::contract::{
    Area, AssessCx, Assessment, Check, CheckError, CheckMeta, LookCx, MeasurementSpec, Schedule,
    Target, Unit, Vantage,
};
use crate::probe::{AgentFault, Dns, DnsQuestion, ProbeError, Probes, RecordType};

/// Sending domains that are looked at; more are listed as not checked.
const NAMES: usize = 8;
/// Providers that are kept of one domain.
const SENDERS: usize = 6;
/// Selectors that are looked up in all; more are listed as not checked.
const SELECTORS: usize = 32;

/// The keys with which mail of the domain is signed (DKIM).
#[derive(Debug)]
pub struct Dkim;

/// Thresholds of `mail-dkim`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Warning when an RSA key has fewer bits than this.
    pub rsa_bits: usize,
}

impl Default for Options {
    fn default() -> Self {
        // RFC 8301 §3.2: signers should use at least 2048 bits.
        Self { rsa_bits: 2048 }
    }
}

/// Why a selector was looked up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Origin {
    /// It is declared.
    Declared,
    /// It is usual for a declared tool.
    Tool(String),
    /// It is usual for a provider that was seen.
    Seen(String),
    /// It is usual anywhere; asked where nothing tells who sends.
    Usual,
}

impl Origin {
    fn provider(&self) -> Option<&'static Provider> {
        match self {
            Self::Declared | Self::Usual => None,
            Self::Tool(name) | Self::Seen(name) => providers::named(name),
        }
    }
}

/// One selector at one domain.
#[derive(Debug, Serialize, Deserialize)]
struct Selector {
    origin: Origin,
    look: KeyLook,
}

/// A provider that seems to send for a domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Sender {
    provider: String,
    /// What gave it away, as a record: `MX harbor.com: smtp.google.com`.
    sign: String,
    /// It was seen as the mail server, which is where people write from.
    is_mail_server: bool,
}

/// What was seen of one sending domain.
#[derive(Debug, Serialize, Deserialize)]
struct Domain {
    name: String,
    senders: Vec<Sender>,
    /// The first mail server, where there is one.
    mail_server: Option<String>,
    /// It publishes a null MX or an SPF record that allows nobody, and no mail server.
    silent: bool,
    /// Why MX or SPF could not be seen.
    unseen: Option<AgentFault>,
}

/// The sending domains and what stands at their selectors.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    domains: Vec<Domain>,
    selectors: Vec<Selector>,
    /// Domains and selectors that were left out.
    left: usize,
}

const SHORTEST_KEY: MeasurementSpec = MeasurementSpec {
    name: "rsa-key-bits",
    metric: "launchready_mail_dkim_rsa_key_length",
    unit: Unit::Count,
    help: "Bits of the shortest RSA key that signs mail of a domain.",
    label: Some("domain"),
    window: Duration::ZERO,
};

impl Check for Dkim {
    const META: CheckMeta = CheckMeta {
        id: "mail-dkim",
        area: Area::Mail,
        title: "Signatures on mail (DKIM)",
        vantage: Vantage::Outside,
        findings: findings::ALL,
        measurements: &[SHORTEST_KEY],
        default_schedule: Schedule::Every(Duration::from_hours(1)),
        min_interval: Duration::from_mins(5),
        timeout: Duration::from_secs(40),
        needs: &[],
        evidence_version: 1,
        doc: include_str!("dkim.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        _look: &LookCx<'_, Self>,
        target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        if target.mail.not_used {
            return Err(CheckError::skipped("the project says that it uses no mail", ""));
        }
        let dns = probes.dns.as_ref();
        let all = sending_domains(target);
        let names: Vec<String> = all.iter().take(NAMES).cloned().collect();
        let (exists, domains) = join!(
            must_exist(dns, target),
            join_all(names.iter().map(|name| look_at_domain(dns, name))),
        );
        exists?;
        let mail = &target.mail;
        let nothing_declared =
            mail.selectors.is_empty() && mail.tools.is_empty() && mail.sends_from.is_empty();
        if nothing_declared && domains.iter().all(|domain| domain.silent) {
            return Err(CheckError::skipped(
                format!("{} says in its DNS that it sends no mail", target.domain),
                "if it does send, declare mail.tools or mail.selectors",
            ));
        }
        let mut wanted = wanted(target, &names, &domains);
        let left = (all.len() - names.len()) + wanted.len().saturating_sub(SELECTORS);
        wanted.truncate(SELECTORS);
        wanted.extend(usual(&domains, &wanted));
        let mut selectors = join_all(wanted.into_iter().map(async |(selector, domain, origin)| {
            Selector { origin, look: look_up_key(dns, &selector, &domain).await }
        }))
        .await;
        selectors.retain(|selector| selector.origin != Origin::Usual || !selector.look.is_absent());
        let faults: Vec<_> =
            selectors.iter().filter_map(|s| s.look.records.agent_fault()).collect();
        let domain_faults: Vec<_> = domains.iter().filter_map(|d| d.unseen.as_ref()).collect();
        if faults.len() == selectors.len()
            && domain_faults.len() == domains.len()
            && let Some(fault) = domain_faults.first()
        {
            return Err((*fault).clone().into());
        }
        Ok((Evidence { domains, selectors, left }, ()))
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        let mut out = Assessment::default();
        judge::judge(evidence, cx, &mut out);
        record::judge(evidence, cx, &mut out);
        out
    }
}

/// The usual selectors of domains of which nothing tells who sends.
fn usual(domains: &[Domain], wanted: &[(String, String, Origin)]) -> Vec<(String, String, Origin)> {
    let untold = domains.iter().filter(|domain| !domain.silent && domain.unseen.is_none());
    let untold = untold.filter(|domain| !wanted.iter().any(|(_, at, _)| *at == domain.name));
    let usual = |domain: &Domain| {
        let name = domain.name.clone();
        USUAL_SELECTORS.iter().map(move |one| ((*one).to_owned(), name.clone(), Origin::Usual))
    };
    untold.flat_map(usual).collect()
}

/// Reads from MX and SPF who sends for a domain.
async fn look_at_domain(dns: &dyn Dns, name: &str) -> Domain {
    let (servers, texts) = join!(mail_servers(dns, name), async {
        answered(dns.lookup(DnsQuestion::new(name, RecordType::Txt)).await, name)
    },);
    let agent = |error: &ProbeError| match error {
        ProbeError::Agent(fault) => Some(fault.clone()),
        ProbeError::Target(_) => None,
    };
    let unseen = servers.as_ref().err().and_then(agent).or(texts.as_ref().err().and_then(agent));
    let has_null_mx = servers.as_ref().is_ok_and(|hosts| hosts.iter().any(String::is_empty));
    let has_none = servers.as_ref().is_ok_and(Vec::is_empty);
    let servers = servers.unwrap_or_default();
    let record = texts.ok().and_then(|answer| {
        answer.texts().into_iter().find(|text| is_record(text)).map(|text| Record::parse(&text))
    });
    let allows_nobody = record.as_ref().is_some_and(|record| {
        record.redirect().is_none()
            && record.mechanisms().count() == 1
            && record.mechanisms().all(|term| term.text == "-all")
    });
    let mut senders: Vec<Sender> = Vec::new();
    let mut add = |provider: &Provider, sign: String, is_mail_server: bool| {
        let known = senders.iter().any(|sender| sender.provider == provider.name);
        if provider.role != Role::Forwarder && !known && senders.len() < SENDERS {
            senders.push(Sender { provider: provider.name.to_owned(), sign, is_mail_server });
        }
    };
    for host in &servers {
        if let Some(provider) = providers::behind_mx(host) {
            add(provider, format!("MX {name}: {host}"), true);
        }
    }
    for include in record.map(|record| record.names(name)).unwrap_or_default() {
        if let Some(provider) = providers::behind_include(&include) {
            add(provider, format!("SPF of {name}: include:{include}"), false);
        }
    }
    Domain {
        name: name.to_owned(),
        senders,
        mail_server: servers.into_iter().find(|host| !host.is_empty()),
        silent: has_null_mx || (has_none && allows_nobody),
        unseen,
    }
}

/// The selectors worth asking for: declared ones first, then the usual ones of tools and of
/// providers that were seen.
fn wanted(target: &Target, names: &[String], domains: &[Domain]) -> Vec<(String, String, Origin)> {
    let mut wanted: Vec<(String, String, Origin)> = declared(&target.mail.selectors, names)
        .into_iter()
        .map(|(selector, domain)| (selector, domain, Origin::Declared))
        .collect();
    let mut add = |provider: &'static Provider, domain: &str, origin: &Origin| {
        for selector in provider.selectors.usual() {
            if !wanted.iter().any(|(known, at, _)| known == selector && at == domain) {
                wanted.push(((*selector).to_owned(), domain.to_owned(), origin.clone()));
            }
        }
    };
    for (_, tool) in declared_tools(target) {
        for name in names {
            add(tool, name, &Origin::Tool(tool.name.to_owned()));
        }
    }
    for domain in domains {
        for sender in &domain.senders {
            if let Some(provider) = providers::named(&sender.provider) {
                add(provider, &domain.name, &Origin::Seen(provider.name.to_owned()));
            }
        }
    }
    wanted
}
