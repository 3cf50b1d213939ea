//! Runs the openspf.org suite for RFC 7208 against `mail-spf`, where the suite is at hand.
//!
//! The suite gives the result of one mail; the check judges a record for every mail. What can be
//! compared follows from the suite itself: a domain that fails with `permerror` in each of its tests
//! must have a finding that breaks the record, and a domain that never does must have no finding
//! about its grammar. No domain of the suite needs an exception.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking and says what it skipped"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use launchready_checks::contract::{AssessInput, History, Severity, Target};
use launchready_checks::probe::replay::{Replay, World};
use launchready_checks::probe::{
    Answer, Dns, DnsAnswer, DnsData, DnsQuestion, DnsRecord, ProbeError, Probes, Rcode, RecordType,
    TargetFault, Transfer,
};
use launchready_checks::registry;
use serde::Deserialize;
use serde_yaml_ng::Value;

/// Codes that say that a receiver cannot finish, beside those that are critical.
const BREAKING: &[&str] = &["spf-too-many-void-lookups", "spf-lookup-failed"];

/// Codes about the grammar of a record.
const GRAMMAR: &[&str] = &["spf-syntax", "spf-joined-strings", "spf-multiple"];

#[derive(Debug, Deserialize)]
struct Scenario {
    description: String,
    tests: BTreeMap<String, Test>,
    zonedata: BTreeMap<String, Vec<Value>>,
}

#[derive(Debug, Deserialize)]
struct Test {
    #[serde(default)]
    mailfrom: String,
    helo: String,
    result: Value,
}

impl Test {
    /// The domain whose record is checked: that of the sender, else that of the greeting.
    fn domain(&self) -> String {
        let domain = self.mailfrom.rsplit_once('@').map_or(self.mailfrom.as_str(), |(_, d)| d);
        let domain = if domain.is_empty() { &self.helo } else { domain };
        domain.trim_end_matches('.').to_ascii_lowercase()
    }

    fn results(&self) -> BTreeSet<String> {
        match &self.result {
            Value::Sequence(all) => {
                all.iter().map(|one| one.as_str().unwrap().to_owned()).collect()
            }
            one => BTreeSet::from([one.as_str().unwrap().to_owned()]),
        }
    }
}

/// The zone of one scenario.
#[derive(Debug, Default)]
struct Zone {
    records: Vec<(String, RecordType, DnsData)>,
    timeouts: BTreeSet<String>,
}

impl Zone {
    fn read(zonedata: &BTreeMap<String, Vec<Value>>) -> Self {
        let mut zone = Self::default();
        for (name, entries) in zonedata {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            // Records of type SPF stand for TXT as well, unless the name says otherwise.
            let has_txt = entries.iter().any(|entry| entry.get("TXT").is_some());
            for entry in entries {
                if entry.as_str() == Some("TIMEOUT") {
                    zone.timeouts.insert(name.clone());
                    continue;
                }
                let (kind, value) = entry.as_mapping().unwrap().iter().next().unwrap();
                if let Some((kind, data)) = record(kind.as_str().unwrap(), value, has_txt) {
                    zone.records.push((name.clone(), kind, data));
                }
            }
        }
        zone
    }

    fn answer(&self, name: &str, kind: RecordType) -> DnsAnswer {
        let mut answers = Vec::new();
        let mut current = name.to_owned();
        for _ in 0..16 {
            let of = |kind| {
                let current = current.clone();
                let mine = self.records.iter().filter(move |(n, k, _)| *n == current && *k == kind);
                mine.map(|(name, _, data)| DnsRecord {
                    name: name.clone(),
                    ttl: 60,
                    data: data.clone(),
                })
            };
            let found: Vec<_> = of(kind).collect();
            let alias = of(RecordType::Cname).next();
            answers.extend(found.iter().cloned());
            match alias {
                Some(record) if found.is_empty() => {
                    let DnsData::Cname(next) = record.data.clone() else { unreachable!() };
                    answers.push(record);
                    current = next;
                }
                _ => break,
            }
        }
        let below = format!(".{current}");
        let exists = self.records.iter().any(|(n, _, _)| *n == current || n.ends_with(&below));
        let rcode = if exists { Rcode::NoError } else { Rcode::NxDomain };
        DnsAnswer {
            rcode,
            authoritative: false,
            authenticated: false,
            answers,
            authority: Vec::new(),
        }
    }
}

fn record(kind: &str, value: &Value, has_txt: bool) -> Option<(RecordType, DnsData)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let host = |value: &Value| text(value).trim_end_matches('.').to_ascii_lowercase();
    match kind {
        "SPF" | "TXT" => {
            if (kind == "SPF" && has_txt) || value.as_str() == Some("NONE") {
                return None;
            }
            let strings = match value {
                Value::Sequence(strings) => strings.iter().map(text).collect(),
                one => vec![text(one)],
            };
            Some((RecordType::Txt, DnsData::Txt(strings)))
        }
        "A" | "AAAA" => Some(match text(value).parse().unwrap() {
            IpAddr::V4(address) => (RecordType::A, DnsData::A(address)),
            IpAddr::V6(address) => (RecordType::Aaaa, DnsData::Aaaa(address)),
        }),
        "MX" => {
            let preference = u16::try_from(value[0].as_u64().unwrap()).unwrap();
            Some((RecordType::Mx, DnsData::Mx { preference, exchange: host(&value[1]) }))
        }
        "PTR" => Some((RecordType::Ptr, DnsData::Ptr(host(value)))),
        "CNAME" => Some((RecordType::Cname, DnsData::Cname(host(value)))),
        other => panic!("a record of type {other}"),
    }
}

impl Dns for Zone {
    fn lookup(&self, question: DnsQuestion) -> Answer<'_, Result<DnsAnswer, ProbeError>> {
        // A name that times out does so for what it has no record of.
        let answer = self.answer(&question.name, question.kind);
        let times_out = self.timeouts.contains(&question.name) && answer.answers.is_empty();
        let fault = || TargetFault::TimedOut(question.name.clone()).into();
        let answer = if times_out { Err(fault()) } else { Ok(answer) };
        Box::pin(async move { answer })
    }

    fn transfer(&self, _: String, _: IpAddr) -> Answer<'_, Result<Transfer, ProbeError>> {
        Box::pin(async { Ok(Transfer::Refused) })
    }

    fn resolvers(&self) -> Vec<String> {
        vec!["192.0.2.53".to_owned()]
    }
}

/// The codes that the check finds for a domain, with their severity.
async fn found(domain: &str, zone: &Arc<Zone>) -> Vec<(String, Severity)> {
    let now = Timestamp::UNIX_EPOCH;
    let dns: Arc<dyn Dns> = Arc::<Zone>::clone(zone);
    let probes = Probes { dns, ..Replay::new(World::default(), now).unwrap().probes() };
    let target = Target { domain: domain.to_owned(), ..Target::default() };
    let check = (registry::find("mail-spf").unwrap().build)(&serde_json::Value::Null).unwrap();
    // A name that does not exist has no record to judge.
    let Ok(looked) = check.collect(now, None, &target, &probes).await else { return Vec::new() };
    let history = History::default();
    let input =
        AssessInput { now, target: &target, previous: None, history: &history, baseline: None };
    let assessment = check.assess(&looked.evidence, &input).unwrap();
    assessment.findings.into_iter().map(|finding| (finding.code, finding.severity)).collect()
}

#[tokio::test]
async fn records_that_always_break_are_found_and_records_that_never_do_are_not() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors/spf/rfc7208-tests.yml");
    // The suite is no part of this repository, so its absence is no failure even where all other
    // programs are required.
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("SKIPPED spf_vectors: the suite of openspf.org is not at {}", path.display());
        return;
    };
    let mut wrong = Vec::new();
    let (mut always, mut never, mut either) = (0, 0, 0);
    for document in serde_yaml_ng::Deserializer::from_str(&text) {
        let scenario = Scenario::deserialize(document).unwrap();
        let zone = Arc::new(Zone::read(&scenario.zonedata));
        let mut domains: BTreeMap<String, Vec<BTreeSet<String>>> = BTreeMap::new();
        for test in scenario.tests.values() {
            domains.entry(test.domain()).or_default().push(test.results());
        }
        for (domain, results) in domains {
            let codes = found(&domain, &zone).await;
            let breaks = codes.iter().any(|(code, severity)| {
                (*severity == Severity::Critical && code != "spf-missing" && code != "spf-pass-all")
                    || BREAKING.contains(&code.as_str())
            });
            let grammar = codes.iter().any(|(code, _)| GRAMMAR.contains(&code.as_str()));
            let only = BTreeSet::from(["permerror".to_owned()]);
            if results.iter().all(|allowed| *allowed == only) {
                always += 1;
                if !breaks {
                    wrong.push(format!(
                        "{}: {domain} breaks, found {codes:?}",
                        scenario.description
                    ));
                }
            } else if results.iter().all(|allowed| !allowed.contains("permerror")) {
                never += 1;
                if grammar {
                    wrong.push(format!(
                        "{}: {domain} is fine, found {codes:?}",
                        scenario.description
                    ));
                }
            } else {
                either += 1;
            }
        }
    }
    println!(
        "spf_vectors: {always} records that always break, {never} that never do, {either} left open by \
         the suite"
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(always > 60 && never > 60, "the suite was read whole: {always} and {never}");
}
