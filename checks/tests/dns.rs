//! Worlds that are made to be large: evidence stays within its limit whatever a zone holds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fmt::Write as _;

use jiff::Timestamp;
use launchready_checks::contract::{
    AssessInput, Assessment, EVIDENCE_LIMIT_BYTES, History, Looked, Target,
};
use launchready_checks::probe::replay::{Replay, World};
use launchready_checks::registry;
use serde_json::Value;

fn now() -> Timestamp {
    "2026-11-23T09:00:00Z".parse().unwrap()
}

async fn look(id: &str, target: &Target, world: World) -> Looked {
    let check = (registry::find(id).unwrap().build)(&Value::Null).unwrap();
    let probes = Replay::new(world, now()).unwrap().probes();
    check.collect(now(), None, target, &probes).await.unwrap()
}

fn judge(id: &str, target: &Target, evidence: &Value, baseline: Option<&Value>) -> Assessment {
    let check = (registry::find(id).unwrap().build)(&Value::Null).unwrap();
    let history = History::default();
    let input = AssessInput { now: now(), target, previous: None, history: &history, baseline };
    check.assess(evidence, &input).unwrap()
}

/// A name of nearly 250 characters below the domain.
fn long(n: usize) -> String {
    let label = "x".repeat(60);
    format!("h{n}.{label}.{label}.{label}.harbor.com")
}

/// Forty hosts at the end of long aliases, forty addresses of name servers that all answer
/// differently, and thousands of records.
fn large() -> (Target, World) {
    let hosts: Vec<String> = (0..40).map(long).collect();
    let mut zone = String::from("com 1 NS a.registry.test\na.registry.test 1 A 192.0.2.250\n");
    for (n, host) in hosts.iter().enumerate() {
        let _ = writeln!(zone, "{host} 1 CNAME {}", long(1000 + n * 10));
        for hop in 0..9 {
            let at = 1000 + n * 10 + hop;
            let _ = writeln!(zone, "{} 1 CNAME {}", long(at), long(at + 1));
        }
        let _ = writeln!(zone, "{} 1 A 203.0.113.{n}", long(1000 + n * 10 + 9));
        let _ =
            writeln!(zone, "{} 1 CAA 128 tbs \"{}\"", long(1000 + n * 10 + 9), "\\\"".repeat(120));
    }
    for n in 0..10 {
        let name = long(5000 + n);
        let _ = writeln!(zone, "harbor.com 1 NS {name}");
        for address in 0..4 {
            let _ = writeln!(zone, "{name} 1 A 198.51.{n}.{address}");
        }
    }
    for n in 0..4000 {
        let _ = writeln!(zone, "harbor.com 1 TXT \"{n} {}\"", "\\\"\\\\\u{1}é".repeat(40));
    }
    for n in 0..100 {
        let _ = writeln!(zone, "harbor.com 1 MX {n} {}", long(9000 + n));
        let _ = writeln!(zone, "harbor.com 1 DS {n} 13 2 00");
        let _ = writeln!(zone, "harbor.com 1 DNSKEY 256 13 {} a2V5", 60_000 + n);
        let _ = writeln!(zone, "harbor.com 1 RRSIG SOA 13 {n} harbor.com 0 0");
    }
    zone.push_str(
        "harbor.com 1 SOA a.harbor.com b.harbor.com 1 1 1 1 1\nharbor.com 1 A 203.0.113.1\n",
    );
    let target = Target { domain: "harbor.com".to_owned(), hosts, ..Target::default() };
    (target, World { dns: zone, ..World::default() })
}

#[tokio::test]
async fn evidence_of_the_largest_zone_stays_within_the_limit() {
    let (target, world) = large();
    for id in ["dns-resolution", "dns-subdomains", "dns-drift"] {
        let looked = look(id, &target, world.clone()).await;
        let size = looked.evidence.to_string().len();
        assert!(size <= EVIDENCE_LIMIT_BYTES, "{id}: {size}");
        let assessment = judge(id, &target, &looked.evidence, Some(&looked.evidence));
        assert!(!assessment.not_checked.is_empty(), "{id}: what was cut is said");
    }
}

#[tokio::test]
async fn one_record_among_thousands_is_seen_to_change() {
    let (target, world) = large();
    let before = look("dns-drift", &target, world.clone()).await;
    let mut changed = world;
    changed.dns = changed.dns.replace("\"3999 ", "\"other ");
    let after = look("dns-drift", &target, changed).await;
    let assessment = judge("dns-drift", &target, &after.evidence, Some(&before.evidence));
    let codes: Vec<&str> = assessment.findings.iter().map(|f| f.code.as_str()).collect();
    assert_eq!(codes, ["dns-record-changed"]);
    assert_eq!(assessment.findings[0].subject, "harbor.com TXT");
}
