//! `dns-resolution`: see `resolution.md`.

mod agreement;
mod caa;
mod caa_look;
mod collect;
mod delegation;
mod dnssec;
mod evidence;
mod existence;
mod hosts;
mod issuers;
mod servers;
mod sets;
mod zone;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{
    Age, Area, AssessCx, Assessment, Check, CheckError, CheckMeta, FindingSpec, LookCx,
    MeasurementSpec, Schedule, Target, Unit, Vantage,
};
use crate::probe::Probes;

pub(crate) use evidence::Evidence;

const UNRESOLVABLE: FindingSpec = FindingSpec::critical(
    "dns-host-unresolvable",
    "A host of the product does not resolve",
    "Browsers, payment webhooks and mail servers cannot find the host, so nobody can reach or pay \
     through it.",
)
.now()
.blocks();
const APEX_ALIAS: FindingSpec = FindingSpec::critical(
    "dns-alias-at-apex",
    "The bare domain is an alias (CNAME)",
    "An alias may not stand beside the records that every domain needs: mail servers and some \
     resolvers then lose the MX and NS records, and mail to the domain bounces.",
);
const BESIDE_DATA: FindingSpec = FindingSpec::critical(
    "dns-alias-beside-data",
    "An alias (CNAME) stands beside other records",
    "Resolvers keep only one of the two, so that visitors or mail get lost depending on whom they \
     ask.",
);
const LOOP: FindingSpec = FindingSpec::critical(
    "dns-alias-loop",
    "An alias (CNAME) leads back to itself",
    "No resolver ever comes to an address: the host is down for everybody.",
)
.now();
const CHAIN: FindingSpec = FindingSpec::critical(
    "dns-alias-chain-too-long",
    "A host hides behind a long chain of aliases (CNAME)",
    "Many resolvers give up on such a chain, and each link is one more thing that can break: some \
     visitors cannot reach the host.",
);
const DISAGREE: FindingSpec = FindingSpec::warning(
    "dns-servers-disagree",
    "The name servers give different answers",
    "What a visitor or a mail server gets depends on the server it happens to ask: some reach the \
     product or its mailbox, and some do not.",
);
const RESOLVERS_DISAGREE: FindingSpec = FindingSpec::warning(
    "dns-resolvers-disagree",
    "The resolvers give different answers",
    "Visitors of one network reach the host and those of another do not.",
);
const ONE_SERVER: FindingSpec = FindingSpec::warning(
    "dns-single-server",
    "The domain has only one name server",
    "When that one server is down, site, mail and webhooks are down with it.",
);
const ONE_NETWORK: FindingSpec = FindingSpec::warning(
    "dns-servers-in-one-network",
    "All name servers stand in one network",
    "One broken line or router takes all name servers away at once, and with them site and mail.",
);
const LAME: FindingSpec = FindingSpec::warning(
    "dns-server-lame",
    "A name server does not answer for the domain",
    "Every look-up that lands on it waits and tries again, which makes the first visit slow and \
     fails where a resolver gives up early.",
);
const SERIALS: FindingSpec = FindingSpec::info(
    "dns-serial-mismatch",
    "The name servers hold different versions of the zone",
    "A change has not reached every server; if it stays so, some visitors are served the old records.",
);
const DELEGATION: FindingSpec = FindingSpec::warning(
    "dns-delegation-mismatch",
    "The registry and the zone name different name servers",
    "Resolvers follow one list or the other: a server that only one of them names is asked in vain, \
     or serves records that nobody keeps up to date.",
);
const TRANSFER: FindingSpec = FindingSpec::warning(
    "dns-transfer-open",
    "A name server hands out the whole zone",
    "Anybody can list every host, test system and mail tool of the product in one request.",
);
const BROKEN: FindingSpec = FindingSpec::critical(
    "dnssec-broken",
    "The domain's signatures (DNSSEC) are broken",
    "Every resolver that validates, among them those of Google, Cloudflare and many internet \
     providers, refuses the domain: site and mail are down for a large part of the world.",
)
.now();
const EXPIRING: FindingSpec = FindingSpec::warning(
    "dnssec-signature-expiring",
    "The domain's signatures (DNSSEC) run out soon",
    "When they have run out, validating resolvers refuse the domain and the product is down for a \
     large part of the world.",
);
const UNSIGNED: FindingSpec = FindingSpec::info(
    "dnssec-unsigned",
    "The domain is not signed (DNSSEC)",
    "Whoever can forge an answer on the way can send visitors or mail somewhere else unnoticed.",
);
const CAA: FindingSpec = FindingSpec::warning(
    "caa-forbids-issuer",
    "CAA records forbid the certificate issuer in use",
    "The next renewal of the certificate is refused, and then every visitor sees a warning instead \
     of the product.",
);
const TTL: FindingSpec = FindingSpec::info(
    "dns-ttl-unusual",
    "Records are kept unusually short or long",
    "A very short time to live makes visits slower and more fragile; a very long one keeps a mistake \
     alive for days.",
);

const SIGNATURE_EXPIRES: MeasurementSpec = MeasurementSpec {
    name: "signature-expires-at",
    metric: "launchready_dns_signature_expiry_timestamp_seconds",
    unit: Unit::TimestampSeconds,
    help: "When the first of the domain's DNSSEC signatures runs out.",
    label: None,
    window: Duration::ZERO,
};
const SERVERS_ANSWERING: MeasurementSpec = MeasurementSpec {
    name: "servers-answering",
    metric: "launchready_dns_name_servers_answering",
    unit: Unit::Count,
    help: "How many addresses of name servers answer for the domain with authority.",
    label: None,
    window: Duration::ZERO,
};
const SERIALS_SEEN: MeasurementSpec = MeasurementSpec {
    name: "serials",
    metric: "launchready_dns_zone_serials",
    unit: Unit::Count,
    help: "How many different serials the name servers of one primary hold; 1 is in step.",
    label: None,
    window: Duration::from_hours(24),
};

/// The domain's name servers, its records and its hosts.
#[derive(Debug)]
pub struct Resolution;

/// Thresholds of `dns-resolution`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// A warning when a DNSSEC signature runs out within this time, or within a tenth of its life
    /// where that is shorter.
    pub signature_warning: Age,
    /// An alias chain with more links than this is a finding.
    pub alias_links: usize,
    /// A shorter time to live is a remark.
    pub ttl_least: Age,
    /// A longer time to live is a remark.
    pub ttl_most: Age,
    /// Different serials are a warning once they have been seen for this long.
    pub serial_warning: Age,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            signature_warning: Age::days(3),
            alias_links: 8,
            ttl_least: Age::secs(60),
            ttl_most: Age::secs(86_400),
            serial_warning: Age::hours(1),
        }
    }
}

/// What `assess` is given, in short.
type Cx<'a> = AssessCx<'a, Resolution>;

impl Check for Resolution {
    const META: CheckMeta = CheckMeta {
        id: "dns-resolution",
        area: Area::Dns,
        title: "Name servers and records",
        vantage: Vantage::Outside,
        findings: &[
            UNRESOLVABLE,
            APEX_ALIAS,
            BESIDE_DATA,
            LOOP,
            CHAIN,
            DISAGREE,
            RESOLVERS_DISAGREE,
            ONE_SERVER,
            ONE_NETWORK,
            LAME,
            SERIALS,
            DELEGATION,
            TRANSFER,
            BROKEN,
            EXPIRING,
            UNSIGNED,
            CAA,
            TTL,
        ],
        measurements: &[SIGNATURE_EXPIRES, SERVERS_ANSWERING, SERIALS_SEEN],
        default_schedule: Schedule::Every(Duration::from_mins(2)),
        min_interval: Duration::from_mins(1),
        timeout: Duration::from_secs(30),
        needs: &[],
        evidence_version: 1,
        doc: include_str!("../resolution.md"),
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
        let mut out = Assessment::default();
        if existence::no_such_zone(evidence, cx) {
            // Nobody serves or signs what does not exist.
            existence::judge(evidence, cx, false, &mut out);
            return out;
        }
        let broken = dnssec::judge(evidence, cx, &mut out);
        existence::judge(evidence, cx, broken, &mut out);
        delegation::judge(evidence, cx, &mut out);
        agreement::judge(evidence, cx, broken, &mut out);
        caa::judge(evidence, cx, &mut out);
        out
    }
}
