//! `mail-dmarc` against checkdmarc.

use launchready_checks::contract::{Assessment, Finding, MailFacts};
use launchready_checks::probe::replay::World;
use serde_json::Value;

use super::{Case, ask, dmarc_cases, has_peers, look_at, probes, text, warned};
use crate::ledger::{Compared, Said, settle};
use crate::look::{codes, yes};
use crate::names::{NameServer, Zone};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dmarc_records_are_read_as_checkdmarc_reads_them() {
    if !has_peers("dmarc") {
        return;
    }
    let mut zone = Zone::default();
    let cases = dmarc_cases::generate(&mut zone);
    let server = NameServer::start(&zone);
    let probes = probes(&server, World::default());
    // Without mail no sender is looked for, which is not what is compared.
    let nothing_sent = |_case: &Case| MailFacts { not_used: true, ..MailFacts::default() };
    let seen = look_at("mail-dmarc", &cases, &probes, nothing_sent).await;
    let answers = ask(&server, "dmarc", &cases);
    let compared: Vec<Compared> = cases
        .iter()
        .zip(seen.iter().zip(&answers))
        .map(|(case, (seen, answer))| {
            let seen = seen.as_ref().unwrap();
            let input = format!("{}\n{answer}\n{:?}", case.input, codes(seen));
            let (mut ours, mut peer) = (ours(seen), theirs(answer));
            // Ours judges each record on the way, the peer the one that applies alone.
            let location = text(answer, "location");
            if !location.is_empty() && location != case.domain {
                peer = Said::from([("applies", yes(true))]);
                ours.insert("applies", yes(!codes(seen).contains("dmarc-missing")));
            }
            Compared { family: case.family.to_owned(), input, ours, peer }
        })
        .collect();
    settle("dmarc", "checkdmarc", &compared);
}

fn ours(seen: &Assessment) -> Said {
    let codes = codes(seen);
    let has = |code: &str| codes.contains(code);
    let mut said = Said::new();
    let faulty = seen.findings.iter().find(|finding| finding.code == "dmarc-syntax");
    let record = match faulty {
        _ if has("dmarc-multiple") => "several",
        // A text that no receiver takes for a record.
        Some(f) if f.summary.starts_with("Receivers ignore") => "none",
        Some(_) => "faulty",
        None if has("dmarc-missing") => "none",
        None => "found",
    };
    said.insert("record", record.to_owned());
    if record != "found" {
        return said;
    }
    let enforced = !has("dmarc-policy-none");
    said.insert("policy", if enforced { "enforced" } else { "none" }.to_owned());
    if enforced {
        said.insert("below", yes(has("dmarc-subdomain-policy-none")));
    }
    said.insert("test mode", yes(has("dmarc-test-mode")));
    said.insert("removed tag", yes(has("dmarc-removed-tag")));
    said.insert("reports asked for", yes(!has("dmarc-reports-missing")));
    said.insert("report address", yes(!has("dmarc-report-address-invalid")));
    said.insert("reports allowed", yes(!has("dmarc-reports-unauthorised")));
    said.insert("tag ignored", yes(has("dmarc-tag-ignored")));
    said.insert("policy first", yes(!has("dmarc-policy-not-first")));
    said.insert("public suffix", yes(has("dmarc-public-suffix-claimed")));
    let elsewhere = |f: &Finding| f.code == "dmarc-misplaced" && !f.summary.contains("SPF");
    said.insert("elsewhere too", yes(seen.findings.iter().any(elsewhere)));
    said
}

fn theirs(answer: &Value) -> Said {
    let mut said = Said::new();
    let record = match text(answer, "error") {
        "" => "found",
        "DMARCRecordNotFound" | "DMARCRecordStartsWithWhitespace" => "none",
        "MultipleDMARCRecords" => "several",
        "DMARCRecordInWrongLocation" => {
            said.insert("elsewhere too", yes(true));
            "none"
        }
        _ => "faulty",
    };
    said.insert("record", record.to_owned());
    if record != "found" {
        return said;
    }
    let tag = |name: &str| text(&answer["tags"], name);
    let is_explicit =
        |name: &str| answer["explicit"].as_array().unwrap().iter().any(|tag| tag == name);
    let enforced = tag("p") != "none";
    said.insert("policy", if enforced { "enforced" } else { "none" }.to_owned());
    if enforced {
        said.insert("below", yes(tag("sp") == "none" || tag("np") == "none"));
    }
    said.insert("test mode", yes(enforced && tag("t") == "y"));
    said.insert(
        "removed tag",
        yes(warned(answer, "was removed in RFC 9989") || warned(answer, "is obsolete in RFC 9989")),
    );
    said.insert("reports asked for", yes(is_explicit("rua")));
    said.insert("report address", yes(!warned(answer, "That is valid per RFC 9989 § 4.7")));
    said.insert("reports allowed", yes(!warned(answer, "does not indicate that it accepts")));
    let ignored = ["Unknown DMARC tag", "the default value r was used", "the default value fo=0"];
    said.insert("tag ignored", yes(ignored.iter().any(|words| warned(answer, words))));
    said.insert("policy first", yes(!warned(answer, "does not immediately follow")));
    said.insert("public suffix", yes(tag("psd") == "y"));
    said.insert("elsewhere too", yes(warned(answer, "has no effect")));
    said
}
