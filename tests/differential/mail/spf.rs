//! `mail-spf` against checkdmarc.

use std::collections::BTreeSet;

use launchready_checks::contract::{Assessment, MailFacts};
use launchready_checks::probe::replay::World;
use serde_json::Value;

use super::{ask, has_peers, look_at, probes, spf_cases, text, warned};
use crate::ledger::{Compared, Said, settle};
use crate::look::{codes, yes};
use crate::names::{NameServer, Zone};

/// What the peer says of terms that nobody reads.
const AFTER: [&str; 3] =
    ["after the all mechanism", "multiple all mechanisms", "The redirect modifier was ignored"];
/// Why a record cannot be used, by our codes and by the peer's errors.
const REASONS: [(&str, &[&str], &[&str]); 7] = [
    ("several records", &["spf-multiple"], &["MultipleSPFRTXTRecords"]),
    ("syntax", &["spf-syntax", "spf-joined-strings"], &["SPFSyntaxError"]),
    ("too many look-ups", &["spf-too-many-lookups"], &["SPFTooManyDNSLookups"]),
    ("too many void look-ups", &["spf-too-many-void-lookups"], &["SPFTooManyVoidDNSLookups"]),
    ("loop", &["spf-loop"], &["SPFIncludeLoop", "SPFRedirectLoop"]),
    ("too many mail servers", &["spf-too-many-mx-hosts"], &["too many mail servers"]),
    ("leads nowhere", &["spf-include-without-record"], &["leads nowhere"]),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spf_records_are_read_as_checkdmarc_reads_them() {
    if !has_peers("spf") {
        return;
    }
    let mut zone = Zone::default();
    let cases = spf_cases::generate(&mut zone);
    let server = NameServer::start(&zone);
    let probes = probes(&server, World::default());
    let sends = |case: &super::Case| MailFacts {
        sends_from: vec![case.domain.clone()],
        ..MailFacts::default()
    };
    let seen = look_at("mail-spf", &cases, &probes, sends).await;
    let answers = ask(&server, "spf", &cases);
    let compared: Vec<Compared> = cases
        .iter()
        .zip(seen.iter().zip(&answers))
        .map(|(case, (seen, answer))| {
            let ours = ours(seen.as_ref().unwrap());
            let mut peer = theirs(answer);
            // Past the limit the peer counts no further down.
            if peer.get("result").is_some_and(|result| result == "broken") {
                peer.retain(|aspect, _| ["result", "reason"].contains(aspect));
            }
            let input = format!("{}\n{answer}\n{:?}", case.input, codes(seen.as_ref().unwrap()));
            Compared::with_reasons(case.family.to_owned(), input, ours, peer)
        })
        .collect();
    settle("spf", "checkdmarc", &compared);
}

fn ours(seen: &Assessment) -> Said {
    let codes = codes(seen);
    let has = |wanted: &[&str]| wanted.iter().any(|code| codes.contains(code));
    let mut said = Said::new();
    let reasons: Vec<&str> =
        REASONS.iter().filter(|(_, ours, _)| has(ours)).map(|(word, _, _)| *word).collect();
    let result = if has(&["spf-missing"]) {
        "none"
    } else if reasons.is_empty() {
        "usable"
    } else {
        "broken"
    };
    said.insert("result", result.to_owned());
    if result == "broken" {
        said.insert("reason", reasons.join(", "));
        return said;
    }
    if result == "none" {
        return said;
    }
    for measurement in &seen.measurements {
        let aspect = if measurement.name == "lookups" { "look-ups" } else { "void look-ups" };
        said.insert(aspect, format!("{}", measurement.value));
    }
    let end = if has(&["spf-pass-all"]) {
        "open"
    } else if has(&["spf-neutral-all", "spf-no-all"]) {
        "neutral"
    } else if seen
        .not_checked
        .iter()
        .any(|part| part.part.starts_with("the end of the SPF record of "))
    {
        "unknown"
    } else {
        "closed"
    };
    said.insert("end", end.to_owned());
    said.insert("ptr", yes(has(&["spf-ptr"])));
    said.insert("after all", yes(has(&["spf-terms-after-all", "spf-redirect-ignored"])));
    said.insert("long", yes(has(&["spf-record-too-long"])));
    said
}

fn theirs(answer: &Value) -> Said {
    let mut said = Said::new();
    let error = text(answer, "error");
    let too_many = text(answer, "too_many");
    let of = |name: &str| {
        REASONS.iter().find(|(_, _, errors)| errors.contains(&name)).map(|(word, _, _)| *word)
    };
    let reason = match error {
        "SPFRecordNotFound" if text(answer, "record").is_empty() => {
            said.insert("result", "none".to_owned());
            return said;
        }
        "SPFRecordNotFound" => Some("leads nowhere"),
        "" if too_many.contains("MX records") => Some("too many mail servers"),
        "" if too_many.contains("void") => Some("too many void look-ups"),
        "" if !too_many.is_empty() => Some("too many look-ups"),
        "" => None,
        name => Some(of(name).unwrap_or(name)),
    };
    said.insert("result", if reason.is_some() { "broken" } else { "usable" }.to_owned());
    if let Some(reason) = reason {
        said.insert("reason", reason.to_owned());
        return said;
    }
    said.insert("look-ups", answer["lookups"].to_string());
    said.insert("void look-ups", answer["voids"].to_string());
    let end = match text(answer, "all") {
        "pass" => "open",
        "neutral" => "neutral",
        _ => "closed",
    };
    said.insert("end", end.to_owned());
    said.insert("ptr", yes(warned(answer, "ptr mechanism should not be used")));
    said.insert("after all", yes(AFTER.iter().any(|words| warned(answer, words))));
    said.insert("long", yes(warned(answer, "RFC 7208 section 3.4")));
    said
}

#[test]
fn each_reason_has_codes_of_the_check() {
    let known: BTreeSet<&str> = launchready_checks::registry::find("mail-spf")
        .unwrap()
        .meta
        .findings
        .iter()
        .map(|spec| spec.code)
        .collect();
    for (_, codes, _) in REASONS {
        assert!(codes.iter().all(|code| known.contains(code)), "{codes:?}");
    }
}
