//! `mail-transport`: see `transport.md`.

mod judge;
mod look;
mod policies;
mod policy;
mod servers;
mod specs;

use std::time::Duration;

use futures_util::join;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::existence::must_exist;
use crate::contract::{
    Area, AssessCx, Assessment, Check, CheckError, CheckMeta, LookCx, MeasurementSpec, Schedule,
    Target, Unit, Vantage,
};
use crate::probe::Probes;

/// How mail reaches the domain: MX records, encryption, MTA-STS, TLS-RPT and BIMI.
#[derive(Debug)]
pub struct Transport;

/// Options of `mail-transport`: there are none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {}

const NOT_AFTER: MeasurementSpec = MeasurementSpec {
    name: "certificate-not-after",
    metric: "launchready_mail_mx_certificate_not_after_timestamp_seconds",
    unit: Unit::TimestampSeconds,
    help: "When the certificate of a mail server runs out, the earliest of its addresses.",
    label: Some("host"),
    window: Duration::ZERO,
};

impl Check for Transport {
    const META: CheckMeta = CheckMeta {
        id: "mail-transport",
        area: Area::Mail,
        title: "Mail servers",
        vantage: Vantage::Outside,
        findings: specs::ALL,
        measurements: &[NOT_AFTER],
        default_schedule: Schedule::Every(Duration::from_mins(15)),
        min_interval: Duration::from_mins(1),
        timeout: Duration::from_secs(40),
        needs: &[],
        evidence_version: 1,
        doc: include_str!("../transport.md"),
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

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use jiff::Timestamp;
    use serde_json::{Value, json};

    use super::*;
    use crate::contract::{MailFacts, plugin};
    use crate::probe::replay::{Replay, World};

    #[tokio::test]
    async fn a_hostile_world_gives_bounded_evidence() {
        let long =
            |n: usize| format!("{n}{}.{}.{}.test", "a".repeat(60), "b".repeat(61), "c".repeat(61));
        let domains: Vec<_> = (0..5).map(|n| long(n + 100)).collect();
        let (mut dns, mut smtp) = (String::new(), Vec::new());
        for domain in &domains {
            for n in 0..30 {
                writeln!(dns, "{domain} 60 MX {n} {}", long(n)).unwrap();
            }
            for name in ["_mta-sts.", "_smtp._tls.", "default._bimi.", ""] {
                let version = match name {
                    "_mta-sts." => "v=STSv1; id=1;",
                    "_smtp._tls." => "v=TLSRPTv1;",
                    "" => "v=spf1 ",
                    _ => "v=BIMI1; l=x;",
                };
                for n in 0..9 {
                    let text = format!("{version}{n}{}", "\u{1}".repeat(1900));
                    writeln!(dns, "{name}{domain} 60 TXT \"{text}\"").unwrap();
                }
            }
        }
        let name = "\u{1}".repeat(250);
        let leaf = json!({
            "subject": name, "issuer": name, "names": vec![&name; 50],
            "not_before": "2026-01-01T00:00:00Z", "not_after": "2027-01-01T00:00:00Z",
            "key": "rsa", "key_bits": 2048, "hash": "sha2", "fingerprint": "00",
            "self_issued": false, "is_ca": false,
        });
        let trust = json!({ "verdict": "other", "detail": name });
        for host in 0..30 {
            for n in 0..9 {
                let address = format!("192.0.{host}.{n}");
                writeln!(dns, "{} 60 A {address}", long(host)).unwrap();
                smtp.push(json!({ "address": address, "answer": { "ok": {
                    "banner": name, "extensions": [name], "starttls": { "ok": {
                        "version": "TLSv1.3", "chain": [leaf], "trust": trust,
                    } },
                } } }));
            }
        }
        let http: Vec<_> = domains
            .iter()
            .map(|domain| {
                let lines: String = (0..99).fold(String::new(), |text, n| {
                    format!("{text}mx: {}\n\u{1}{}\n", long(n), "\u{1}".repeat(200))
                });
                json!({
                    "url": format!("https://mta-sts.{domain}/.well-known/mta-sts.txt"),
                    "body": lines, "headers": [format!("content-type: {}", "\"".repeat(300))],
                })
            })
            .collect();
        let world: World =
            serde_json::from_value(json!({ "dns": dns, "smtp": smtp, "http": http })).unwrap();
        let target = Target {
            domain: domains.first().unwrap().clone(),
            mail: MailFacts { sends_from: domains, ..MailFacts::default() },
            ..Target::default()
        };
        let probes = Replay::new(world, Timestamp::UNIX_EPOCH).unwrap().probes();
        let check = (plugin::<Transport>().build)(&Value::Null).unwrap();
        let looked = check.collect(Timestamp::UNIX_EPOCH, None, &target, &probes).await;
        let size = looked.unwrap().evidence.to_string().len();
        assert!(size > 20_000, "the world was not hostile: {size}");
    }
}
