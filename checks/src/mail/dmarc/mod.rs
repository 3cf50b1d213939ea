//! `mail-dmarc`: see `dmarc.md`.

mod defects;
mod judge;
mod look;
pub(super) mod record;
mod sender;
mod specs;
pub(super) mod walk;

use std::time::Duration;

use futures_util::join;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) use look::valid_record;

use super::existence::must_exist;
use crate::contract::{
    Area, AssessCx, Assessment, Check, CheckError, CheckMeta, LookCx, Schedule, Target, Vantage,
};
use crate::probe::Probes;
use crate::suffix;

/// The DMARC policy of the domain and of every From domain.
#[derive(Debug)]
pub struct Dmarc;

/// Options of `mail-dmarc`: there are none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {}

impl Check for Dmarc {
    const META: CheckMeta = CheckMeta {
        id: "mail-dmarc",
        area: Area::Mail,
        title: "DMARC",
        vantage: Vantage::Outside,
        findings: specs::ALL,
        measurements: &[],
        default_schedule: Schedule::Every(Duration::from_hours(1)),
        min_interval: Duration::from_mins(10),
        timeout: Duration::from_secs(30),
        needs: &[],
        evidence_version: 1,
        doc: include_str!("../dmarc.md"),
    };
    type Options = Options;
    type Evidence = look::Evidence;
    type Carry = ();

    async fn collect(
        _look: &LookCx<'_, Self>,
        target: &Target,
        probes: &Probes,
    ) -> Result<(look::Evidence, ()), CheckError> {
        let (exists, evidence) =
            join!(must_exist(probes.dns.as_ref(), target), look::look(target, probes));
        exists?;
        Ok((evidence, ()))
    }

    fn assess(evidence: &look::Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        judge::judge(evidence, cx.target)
    }
}

/// The registrable domain by the public suffix list; a suffix or a single label is its own.
pub(super) fn registrable(name: &str) -> &str {
    suffix::registrable(name).unwrap_or(name)
}

/// Whether a name is at or below a registrable domain, and not a public suffix.
pub(super) fn is_ours(name: &str) -> bool {
    suffix::registrable(name).is_some()
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use jiff::Timestamp;
    use serde_json::Value;

    use super::*;
    use crate::contract::{MailFacts, plugin};
    use crate::probe::replay::{Replay, World};

    #[tokio::test]
    async fn a_hostile_world_gives_bounded_evidence() {
        let domains: Vec<_> = (0..9)
            .map(|n| format!("{n}{}.{}.c.d.e.f.g.h.i.harbor.com", "a".repeat(60), "b".repeat(60)))
            .collect();
        let mut dns = String::new();
        for domain in &domains {
            for name in walk::names(domain) {
                for n in 0..2 {
                    let text = format!("v=DMARC1; p=none; {}", "\u{1}".repeat(1900));
                    writeln!(dns, "_dmarc.{name} 60 TXT \"{text}{n}\"").unwrap();
                    writeln!(dns, "dmarc.{name} 60 TXT \"{text}{n}\"").unwrap();
                }
            }
            let hosts: Vec<_> = (0..30)
                .map(|n| format!("mailto:d@{n}{}.{}.test", "x".repeat(60), "y".repeat(60)))
                .collect();
            for hosts in hosts.chunks(9) {
                writeln!(dns, "_dmarc.{domain} 60 TXT \"v=DMARC1; rua={}\"", hosts.join(","))
                    .unwrap();
            }
            for label in ["send", "bounce", "mail", "em", "mg", "rp", "email"] {
                writeln!(dns, "{label}.{domain} 60 TXT \"v=spf1 +all\"").unwrap();
            }
        }
        let target = Target {
            domain: domains.first().unwrap().clone(),
            mail: MailFacts { sends_from: domains, ..MailFacts::default() },
            ..Target::default()
        };
        let world = World { dns, ..World::default() };
        let probes = Replay::new(world, Timestamp::UNIX_EPOCH).unwrap().probes();
        let check = (plugin::<Dmarc>().build)(&Value::Null).unwrap();
        let looked = check.collect(Timestamp::UNIX_EPOCH, None, &target, &probes).await;
        let size = looked.unwrap().evidence.to_string().len();
        assert!(size > 10_000, "the world was not hostile: {size}");
    }
}
