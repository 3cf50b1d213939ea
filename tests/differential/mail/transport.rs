//! The records and the policy of `mail-transport` (MTA-STS, TLS-RPT) against checkdmarc.

use launchready::clock::{Clock as _, SystemClock};
use launchready_checks::contract::{MailFacts, Target};
use launchready_checks::probe::replay::World;
use serde_json::json;

use super::spf_cases::Writer;
use super::{Case, ask, has_peers, look_at, probes, text};
use crate::ledger::{Compared, Said, settle};
use crate::look::{codes, look, yes};
use crate::names::{NameServer, Zone};
use crate::peer;

const STS: [(&str, &[&str]); 10] = [
    ("good", &["v=STSv1; id=20260101T000000;", "v=STSv1;id=1", "v=STSv1; id=abcDEF123; "]),
    ("other version", &["v=STSv2; id=1;", "v=STSV1; id=1", "v=sts1; id=1"]),
    ("no id", &["v=STSv1;", "v=STSv1", "v=STSv1; x=1;"]),
    ("wrong id", &["v=STSv1; id=2026-01-01;", "v=STSv1; id=;", "v=STSv1; id=a b;"]),
    ("long id", &["v=STSv1; id=123456789012345678901234567890123;"]),
    ("blanks", &["v=STSv1 ; id=1 ;", "v = STSv1; id = 1"]),
    ("more fields", &["v=STSv1; id=1; x=y;", "v=STSv1; x=y; id=1"]),
    ("id twice", &["v=STSv1; id=1; id=2;"]),
    ("version not first", &["id=1; v=STSv1;"]),
    ("no semicolon", &["v=STSv1 id=1", "v=STSv1, id=1"]),
];

const REPORTS: [(&str, &[&str]); 9] = [
    (
        "good",
        &[
            "v=TLSRPTv1; rua=mailto:tls@mail.com",
            "v=TLSRPTv1;rua=https://mail.com/tls",
            "v=TLSRPTv1; rua=mailto:a@mail.com,https://mail.com/x;",
        ],
    ),
    ("other version", &["v=TLSRPTv2; rua=mailto:a@mail.com", "v=tlsrptv1; rua=mailto:a@mail.com"]),
    ("no address", &["v=TLSRPTv1;", "v=TLSRPTv1", "v=TLSRPTv1; rua="]),
    ("no scheme", &["v=TLSRPTv1; rua=tls@mail.com", "v=TLSRPTv1; rua=mail.com"]),
    ("other scheme", &["v=TLSRPTv1; rua=http://mail.com/x", "v=TLSRPTv1; rua=ftp://mail.com/x"]),
    ("one good address", &["v=TLSRPTv1; rua=tls@mail.com,mailto:a@mail.com"]),
    (
        "blanks",
        &[
            "v=TLSRPTv1 ; rua=mailto:a@mail.com",
            "v=TLSRPTv1; rua=mailto:a@mail.com , mailto:b@mail.com",
        ],
    ),
    ("more fields", &["v=TLSRPTv1; x=y; rua=mailto:a@mail.com"]),
    ("mailto without an address", &["v=TLSRPTv1; rua=mailto:", "v=TLSRPTv1; rua=mailto:tls"]),
];

const POLICIES: [(&str, &[&str]); 14] = [
    (
        "good",
        &[
            "version: STSv1\nmode: enforce\nmx: mx.mail.com\nmax_age: 604800\n",
            "version: STSv1\r\nmode: testing\r\nmx: *.mail.com\r\nmx: mx.mail.com\r\nmax_age: 86400\r\n",
            "version:STSv1\nmode:none\nmax_age:86400",
        ],
    ),
    ("other version", &["version: STSv2\nmode: enforce\nmx: mx.mail.com\nmax_age: 604800\n"]),
    ("no version", &["mode: enforce\nmx: mx.mail.com\nmax_age: 604800\n"]),
    ("version not first", &["mode: enforce\nversion: STSv1\nmx: mx.mail.com\nmax_age: 604800\n"]),
    (
        "other mode",
        &[
            "version: STSv1\nmode: on\nmx: mx.mail.com\nmax_age: 604800\n",
            "version: STSv1\nmode: Enforce\nmx: mx.mail.com\nmax_age: 604800\n",
        ],
    ),
    ("no mode", &["version: STSv1\nmx: mx.mail.com\nmax_age: 604800\n"]),
    ("no mail server", &["version: STSv1\nmode: enforce\nmax_age: 604800\n"]),
    (
        "wrong mail server",
        &[
            "version: STSv1\nmode: enforce\nmx: mx mail\nmax_age: 604800\n",
            "version: STSv1\nmode: enforce\nmx: a.*.mail.com\nmax_age: 604800\n",
            "version: STSv1\nmode: enforce\nmx: *\nmax_age: 604800\n",
            "version: STSv1\nmode: enforce\nmx: 192.0.2.1\nmax_age: 604800\n",
        ],
    ),
    (
        "wrong age",
        &[
            "version: STSv1\nmode: none\nmax_age: soon\n",
            "version: STSv1\nmode: none\nmax_age: -1\n",
            "version: STSv1\nmode: none\nmax_age: 31557601\n",
            "version: STSv1\nmode: none\nmax_age: 1.5\n",
            "version: STSv1\nmode: none\nmax_age: +86400\n",
        ],
    ),
    ("no age", &["version: STSv1\nmode: none\n"]),
    (
        "key twice",
        &["version: STSv1\nmode: enforce\nmode: none\nmx: mx.mail.com\nmax_age: 604800\n"],
    ),
    ("more keys", &["version: STSv1\nmode: none\nmax_age: 86400\nnote: x\n"]),
    ("no pair", &["version: STSv1\nmode: none\nmax_age: 86400\nhello\n", "<!doctype html>"]),
    (
        "blank lines and blanks",
        &[
            "version: STSv1\n\nmode: none\nmax_age: 86400\n",
            "version : STSv1\nmode : none\nmax_age : 86400\n",
            " version: STSv1\n mode: none\n max_age: 86400\n",
        ],
    ),
];

/// Puts each record at a name of its own below `place`.
fn write(zone: &mut Zone, place: &str, all: &[(&'static str, &[&str])]) -> Vec<Case> {
    let mut to = Writer { zone, cases: Vec::new() };
    for (family, records) in all {
        for record in *records {
            let domain =
                format!("{}-{}", place.trim_start_matches('_').replace("._", "-"), to.name(family));
            to.zone.mx(&domain, &format!("mail.{domain}"));
            to.zone.txt(&format!("{place}.{domain}"), record);
            to.case(family, domain, (*record).to_owned());
        }
    }
    to.cases
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transport_records_are_read_as_checkdmarc_reads_them() {
    if !has_peers("transport") {
        return;
    }
    let mut zone = Zone::default();
    let sts = write(&mut zone, "_mta-sts", &STS);
    let reports = write(&mut zone, "_smtp._tls", &REPORTS);
    let server = NameServer::start(&zone);
    let probes = probes(&server, World::default());
    let facts = |_case: &Case| MailFacts::default();
    // A record that can be used leads to the policy, which no server hands out.
    for (area, what, cases, code, is_good) in [
        ("mta-sts record", "sts", &sts, "mta-sts-policy-missing", true),
        ("tls-rpt record", "reports", &reports, "tls-reports-missing", false),
    ] {
        let seen = look_at("mail-transport", cases, &probes, facts).await;
        let answers = ask(&server, what, cases);
        let compared: Vec<Compared> = cases
            .iter()
            .zip(seen.iter().zip(&answers))
            .map(|(case, (seen, answer))| {
                let seen = seen.as_ref().unwrap();
                Compared {
                    family: case.family.to_owned(),
                    input: format!("{}\n{answer}\n{:?}", case.input, codes(seen)),
                    ours: Said::from([("usable", yes(codes(seen).contains(code) == is_good))]),
                    peer: Said::from([("usable", yes(text(answer, "error").is_empty()))]),
                }
            })
            .collect();
        settle(area, "checkdmarc", &compared);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transport_policies_are_read_as_checkdmarc_reads_them() {
    if !peer::has("policies", "checkdmarc") {
        return;
    }
    let texts: Vec<&str> = POLICIES.iter().flat_map(|(_, texts)| texts.iter().copied()).collect();
    let question = json!({ "what": "policy", "names": texts });
    let answers = peer::ask("checkdmarc", "mail.py", &question);
    let mut answers = answers.as_array().unwrap().iter();
    let mut compared = Vec::new();
    let now = SystemClock.now();
    for (family, texts) in POLICIES {
        for policy in texts {
            let world: World = serde_json::from_value(json!({
                "dns": "mail.com 300 MX 10 mx.mail.com\nmx.mail.com 300 A 192.0.2.25\n\
                        _mta-sts.mail.com 300 TXT \"v=STSv1; id=1;\"\n",
                "http": [{
                    "url": "https://mta-sts.mail.com/.well-known/mta-sts.txt",
                    "headers": ["content-type: text/plain"],
                    "body": policy,
                }],
            }))
            .unwrap();
            let probes =
                launchready_checks::probe::replay::Replay::new(world, now).unwrap().probes();
            let target = Target { domain: "mail.com".to_owned(), ..Target::default() };
            let seen = look("mail-transport", &target, &probes, now).await.unwrap();
            let answer = answers.next().unwrap();
            let good = !codes(&seen).contains("mta-sts-malformed");
            compared.push(Compared {
                family: family.to_owned(),
                input: format!("{policy:?}\n{answer}\n{:?}", codes(&seen)),
                ours: Said::from([("usable", yes(good))]),
                peer: Said::from([("usable", yes(text(answer, "error").is_empty()))]),
            });
        }
    }
    settle("mta-sts policy", "checkdmarc", &compared);
}
