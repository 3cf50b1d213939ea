//! `mail-dkim` against dkimpy, which verifies signatures with the keys.

use launchready_checks::contract::{Assessment, MailFacts};
use launchready_checks::probe::replay::World;
use serde_json::{Value, json};

use super::{Case, dkim_cases, has_peers, look_at, probes, text};
use crate::ledger::{Compared, Said, settle};
use crate::look::codes;
use crate::names::{NameServer, Zone};
use crate::{peer, support};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_read_as_dkimpy_reads_them() {
    if !has_peers("dkim") || !support::has("dkim", &["openssl"]) {
        return;
    }
    let mut zone = Zone::default();
    let cases = dkim_cases::generate(&mut zone);
    let server = NameServer::start(&zone);
    let probes = probes(&server, World::default());
    let selector =
        |_case: &Case| MailFacts { selectors: vec!["s1".to_owned()], ..MailFacts::default() };
    let seen = look_at("mail-dkim", &cases, &probes, selector).await;
    let names: Vec<String> =
        cases.iter().map(|case| format!("s1._domainkey.{}", case.domain)).collect();
    let question = json!({ "port": server.at.port(), "what": "key", "names": names });
    let answers = peer::ask("checkdmarc", "mail.py", &question);
    let compared: Vec<Compared> = cases
        .iter()
        .zip(seen.iter().zip(answers.as_array().unwrap()))
        .map(|(case, (seen, answer))| {
            let seen = seen.as_ref().unwrap();
            Compared {
                family: case.family.to_owned(),
                input: format!("{}\n{answer}\n{:?}", case.input, codes(seen)),
                ours: ours(seen),
                peer: theirs(answer),
            }
        })
        .collect();
    settle("dkim", "dkimpy", &compared);
}

fn ours(seen: &Assessment) -> Said {
    let codes = codes(seen);
    let has = |wanted: &[&str]| wanted.iter().any(|code| codes.contains(code));
    let key = if has(&["dkim-multiple-records"]) {
        "several"
    } else if has(&["dkim-malformed-key"]) {
        "unreadable"
    } else if has(&["dkim-unknown-key-type"]) {
        "unknown kind"
    } else if has(&["dkim-sha1-only", "dkim-not-for-mail"]) {
        "not for this"
    } else if has(&["dkim-revoked"]) {
        "revoked"
    } else if has(&["dkim-no-key"]) {
        "absent"
    } else {
        "readable"
    };
    let mut said = Said::from([("key", key.to_owned())]);
    if let Some(bits) = seen.measurements.iter().find(|m| m.name == "rsa-key-bits") {
        said.insert("bits", format!("{}", bits.value));
    }
    said
}

fn theirs(answer: &Value) -> Said {
    let message = text(answer, "message");
    let key = match text(answer, "error") {
        "" => "readable",
        "absent" => "absent",
        "several" => "several",
        "service" => "not for this",
        _ if message.contains("unknown algorithm") => "unknown kind",
        _ if message.contains("(b'')") => "revoked",
        _ => "unreadable",
    };
    let mut said = Said::from([("key", key.to_owned())]);
    if text(answer, "kind") == "rsa" {
        said.insert("bits", answer["bits"].to_string());
    }
    said
}
