//! `dns-subdomains`: see `subdomains.md`.

mod collect;
mod evidence;
mod judge;
pub mod names;
mod services;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{
    Area, AssessCx, Assessment, Check, CheckError, CheckMeta, FindingSpec, LookCx, MeasurementSpec,
    Schedule, Target, Unit, Vantage,
};
use crate::probe::Probes;

pub(crate) use evidence::Evidence;

const TAKEOVER: FindingSpec = FindingSpec::critical(
    "subdomain-takeover",
    "A name of the domain can be taken over by a stranger",
    "Whoever claims the name at the service it leads to can show a false sign-in or payment page \
     under your own domain, with a valid certificate, and read cookies of the product.",
);
const DANGLING: FindingSpec = FindingSpec::info(
    "subdomain-dangling",
    "A name of the domain leads to nothing",
    "Visitors who follow an old link see an error page of somebody else, and the record is one \
     more thing to stumble over.",
);
const UNANSWERED: FindingSpec = FindingSpec::warning(
    "subdomain-unanswered",
    "A declared host has no answer",
    "A host that belongs to the product cannot be found by its visitors.",
);
const UNDECLARED: FindingSpec = FindingSpec::warning(
    "subdomain-undeclared",
    "A name answers that the config does not list",
    "A forgotten staging or admin system is rarely kept up to date and often holds real customer \
     data; nobody watches it, because nobody knows of it.",
);
const WILDCARD: FindingSpec = FindingSpec::info(
    "subdomain-wildcard",
    "Every name below the domain has an answer",
    "A wildcard record hides mistyped and forgotten names, and gives any made-up name of yours a \
     page.",
);

const NAMES_FOUND: MeasurementSpec = MeasurementSpec {
    name: "names-found",
    metric: "launchready_dns_subdomains_found",
    unit: Unit::Count,
    help: "How many names below the domain have an answer.",
    label: None,
    window: Duration::ZERO,
};

/// The names below the domain.
#[derive(Debug)]
pub struct Subdomains;

/// Options of `dns-subdomains`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Names below the domain that may answer although they are no hosts of the product, in full.
    pub known: Vec<String>,
}

/// What `assess` is given, in short.
type Cx<'a> = AssessCx<'a, Subdomains>;

impl Check for Subdomains {
    const META: CheckMeta = CheckMeta {
        id: "dns-subdomains",
        area: Area::Dns,
        title: "Names below the domain",
        vantage: Vantage::Outside,
        findings: &[TAKEOVER, DANGLING, UNANSWERED, UNDECLARED, WILDCARD],
        measurements: &[NAMES_FOUND],
        default_schedule: Schedule::Every(Duration::from_hours(6)),
        min_interval: Duration::from_mins(10),
        timeout: Duration::from_secs(40),
        needs: &[],
        evidence_version: 1,
        doc: include_str!("../subdomains.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        _look: &LookCx<'_, Self>,
        target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        Ok((collect::collect(target, probes).await?, ()))
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        judge::judge(evidence, cx)
    }
}
