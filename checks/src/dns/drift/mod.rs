//! `dns-drift`: see `drift.md`.

mod collect;
mod judge;

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::records::RecordSet;
use crate::contract::{
    Approvable, Area, AssessCx, Assessment, Check, CheckError, CheckMeta, Fact, FindingSpec,
    LookCx, MeasurementSpec, Schedule, Target, Unit, Vantage,
};
use crate::probe::{Probes, Seen};

const NAME_SERVERS: FindingSpec = FindingSpec::critical(
    "dns-name-servers-changed",
    "The name servers of the domain have changed",
    "Whoever runs the name servers decides where site, mail and payments go. A change that nobody \
     meant is how a domain is stolen.",
)
.now();
const MX: FindingSpec = FindingSpec::critical(
    "dns-mx-changed",
    "The mail servers of the domain have changed",
    "Customers' mail goes somewhere else from now on, and with it every password reset of every \
     account that was opened with an address of the domain.",
)
.now();
const MAIL_POLICY: FindingSpec = FindingSpec::warning(
    "dns-mail-policy-changed",
    "The SPF or DMARC record has changed",
    "Receipts and sign-up mail can land in spam, and strangers may be able to send in your name.",
);
const RECORD: FindingSpec = FindingSpec::warning(
    "dns-record-changed",
    "A record of the domain has changed",
    "A record that differs from the approved state is either a forgotten change or somebody else's.",
);

const CHANGES: MeasurementSpec = MeasurementSpec {
    name: "changed-sets",
    metric: "launchready_dns_drift_changed_record_sets",
    unit: Unit::Count,
    help: "How many record sets differ from the approved baseline.",
    label: None,
    window: Duration::ZERO,
};

/// The domain's records against the approved ones.
#[derive(Debug)]
pub struct Drift;

/// Options of `dns-drift`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Record sets that may change freely, each as a name and a kind such as `harbor.com TXT`.
    pub ignore: Vec<String>,
}

/// The domain's records, without times to live.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// By name and kind, such as `harbor.com MX`.
    sets: BTreeMap<String, Seen<Records>>,
    /// Declared hosts past the limit.
    #[serde(default)]
    hosts_cut: usize,
}

/// The records of one name and kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Records {
    /// Type and data of each record, as in a zone file.
    set: RecordSet,
    /// The platform that all addresses belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    platform: Option<String>,
}

/// The kinds of record sets that are told apart. SPF is the TXT records that begin with `v=spf1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ns,
    Mx,
    Spf,
    Dmarc,
    Txt,
    Caa,
    Ds,
    /// A, AAAA or CNAME.
    Address,
}

impl Kind {
    const ALL: [(Self, &'static str); 8] = [
        (Self::Ns, "NS"),
        (Self::Mx, "MX"),
        (Self::Spf, "SPF"),
        (Self::Dmarc, "DMARC"),
        (Self::Txt, "TXT"),
        (Self::Caa, "CAA"),
        (Self::Ds, "DS"),
        (Self::Address, "ADDRESS"),
    ];

    fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// The key of a set.
    fn of(self, name: &str) -> String {
        format!("{name} {}", self.as_str())
    }

    /// The name and kind of a key.
    fn read(key: &str) -> Option<(&str, Self)> {
        let (name, word) = key.split_once(' ')?;
        let (kind, _) = Self::ALL.iter().find(|(_, known)| *known == word)?;
        Some((name, *kind))
    }
}

impl Check for Drift {
    const META: CheckMeta = CheckMeta {
        id: "dns-drift",
        area: Area::Dns,
        title: "Records against the approved ones",
        vantage: Vantage::Outside,
        findings: &[NAME_SERVERS, MX, MAIL_POLICY, RECORD],
        measurements: &[CHANGES],
        default_schedule: Schedule::Every(Duration::from_mins(1)),
        min_interval: Duration::from_mins(1),
        timeout: Duration::from_secs(20),
        needs: &[],
        evidence_version: 1,
        doc: include_str!("../drift.md"),
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

    const BASELINE: Option<Approvable> = Some(Approvable {
        what: "DNS records",
        codes: &[
            "dns-name-servers-changed",
            "dns-mx-changed",
            "dns-mail-policy-changed",
            "dns-record-changed",
        ],
    });

    fn facts(evidence: &Evidence) -> Vec<Fact> {
        judge::facts(evidence)
    }
}
