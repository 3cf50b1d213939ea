//! `mail-spf`: see `spf.md`.

mod answers;
mod domain_spec;
mod findings;
mod hygiene;
mod judge;
mod problems;
mod proposal;
mod record;
mod senders;
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::{join, join_all};
use futures_util::join;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(in crate::mail) use answers::{answered, mail_servers};
pub(in crate::mail) use record::{Record, is_record};

use self::answers::{Answers, Question};
use self::senders::{HostFacts, KeyFacts};
use super::existence::must_exist;
use super::providers::{self, Provider, Role};
use crate::contract::{
    Area, AssessCx, Assessment, Check, CheckError, CheckMeta, LookCx, MeasurementSpec, Schedule,
    Target, Unit, Vantage,
};
use crate::probe::{Probes, Seen};

/// Sending domains that are looked at; more are listed as not checked.
const NAMES: usize = 8;

/// Who may send in the name of the domain (SPF).
#[derive(Debug)]
pub struct Spf;

/// Thresholds of `mail-spf`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Warning above this many look-ups without a result.
    pub void_lookups: usize,
    /// Warning when a record of your own is longer than this many bytes.
    pub record_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        // RFC 7208 §4.6.4 and §3.4.
        Self { void_lookups: 2, record_bytes: 450 }
    }
}

/// What name servers said about the senders of the project.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The sending domains.
    names: Vec<String>,
    /// Sending domains that were left out.
    names_left: usize,
    /// The bounce hosts that declared tools ask for.
    return_paths: Vec<String>,
    /// The mail servers of each sending domain, best first; one empty name is a null MX.
    mail_servers: BTreeMap<String, Seen<Vec<String>>>,
    /// DKIM keys that may vouch for a declared tool.
    keys: Vec<KeyFacts>,
    /// Declared hosts that are no sending domain.
    hosts: Vec<HostFacts>,
    /// Everything that the records needed.
    answers: Answers,
}

const LOOKUPS: MeasurementSpec = MeasurementSpec {
    name: "lookups",
    metric: "launchready_mail_spf_lookups",
    unit: Unit::Count,
    help: "Look-ups that the SPF record of a domain needs; ten are allowed.",
    label: Some("domain"),
    window: Duration::ZERO,
};
const VOID_LOOKUPS: MeasurementSpec = MeasurementSpec {
    name: "void-lookups",
    metric: "launchready_mail_spf_void_lookups",
    unit: Unit::Count,
    help: "Look-ups of the SPF record of a domain that have no result.",
    label: Some("domain"),
    window: Duration::ZERO,
};

impl Check for Spf {
    const META: CheckMeta = CheckMeta {
        id: "mail-spf",
        area: Area::Mail,
        title: "Allowed senders (SPF)",
        vantage: Vantage::Outside,
        findings: findings::ALL,
        measurements: &[LOOKUPS, VOID_LOOKUPS],
        default_schedule: Schedule::Every(Duration::from_hours(1)),
        min_interval: Duration::from_mins(5),
        timeout: Duration::from_secs(40),
        needs: &[],
        evidence_version: 1,
        doc: include_str!("spf.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        _look: &LookCx<'_, Self>,
        target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        let dns = probes.dns.as_ref();
        let all = sending_domains(target);
        let names: Vec<String> = all.iter().take(NAMES).cloned().collect();
        let return_paths = return_paths(target, &names);
        let roots: Vec<&String> = names.iter().chain(&return_paths).collect();
        let wanted = |answers: &Answers| -> BTreeSet<Question> {
            roots.iter().flat_map(|name| walk::walk(name, answers).wanted).collect()
        };
        let servers = join_all(
            names.iter().map(|name| join(async { name.clone() }, mail_servers(dns, name))),
        );
        let (exists, answers, servers, keys, hosts) = join!(
            must_exist(dns, target),
            Answers::gather(dns, wanted),
            servers,
            senders::look_up_keys(target, &names, dns),
            senders::look_up_hosts(target, &roots, dns),
        );
        exists?;
        let faults: Vec<_> = names
            .iter()
            .filter_map(|name| answers.texts(name).and_then(Seen::agent_fault))
            .collect();
        if let (true, Some(fault)) = (faults.len() == names.len(), faults.first()) {
            return Err((*fault).clone().into());
        }
        let evidence = Evidence {
            names_left: all.len() - names.len(),
            mail_servers: servers.into_iter().map(|(name, seen)| (name, seen.into())).collect(),
            names,
            return_paths,
            keys,
            hosts,
            answers,
        };
        Ok((evidence, ()))
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        let mut out = Assessment::default();
        judge::judge(evidence, cx, &mut out);
        senders::judge_tools(evidence, cx.target, &mut out);
        senders::judge_hosts(evidence, &mut out);
        out
    }
}

/// The domains that stand in the From header of the product's mail; the apex unless declared.
pub(in crate::mail) fn sending_domains(target: &Target) -> Vec<String> {
    let declared = &target.mail.sends_from;
    if declared.is_empty() || target.mail.not_used {
        return vec![target.domain.clone()];
    }
    let mut names: Vec<String> = Vec::new();
    for name in declared {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

/// The declared tools that are known, each once, with the word that declared them.
pub(in crate::mail) fn declared_tools(target: &Target) -> Vec<(&str, &'static Provider)> {
    let mut tools: Vec<(&str, &'static Provider)> = Vec::new();
    for word in &target.mail.tools {
        if let Some(provider) = providers::named(word)
            && provider.role != Role::Forwarder
            && !tools.iter().any(|(_, known)| known.name == provider.name)
        {
            tools.push((word, provider));
        }
    }
    tools
}

/// The bounce hosts that declared tools ask for below each sending domain.
fn return_paths(target: &Target, names: &[String]) -> Vec<String> {
    let mut hosts = Vec::new();
    if target.mail.not_used {
        return hosts;
    }
    let tools = declared_tools(target);
    for name in names {
        for label in tools.iter().flat_map(|(_, provider)| provider.return_paths) {
            let host = format!("{label}.{name}");
            if !names.contains(&host) && !hosts.contains(&host) && hosts.len() < 2 * NAMES {
                hosts.push(host);
            }
        }
    }
    hosts
}
