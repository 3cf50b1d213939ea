//! `launchready attest`, from the command line to the report.

use std::path::Path;

use serde_json::Value;

use crate::world::say;

fn good(folder: &Path, words: &str) -> String {
    let words: Vec<&str> = words.split(' ').collect();
    let said = say(folder, &words);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{words:?}");
    for line in said.out.lines().filter(|_| !words.contains(&"--json")) {
        assert!(line.chars().count() <= 100, "{line}");
    }
    said.out
}

fn refused(folder: &Path, words: &str, part: &str) {
    let said = say(folder, &words.split(' ').collect::<Vec<_>>());
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{words}: {said:?}");
    assert!(said.err.contains(part), "{words}: {}", said.err);
}

/// What an audit of the check alone says in a program's words.
fn judged(folder: &Path) -> Value {
    let said = say(folder, &["check", "ops-attestation", "--format", "json", "--quiet"]);
    serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{said:?}"))
}

#[test]
fn a_person_signs_lists_and_takes_back_and_an_audit_without_an_agent_sees_it() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let config = "[[project]]\nname = \"harbor\"\ndomain = \"harbor.example\"\n";
    std::fs::write(here.join("launchready.toml"), config).unwrap();
    let missing = judged(here);
    assert_eq!(missing["findings"].as_array().unwrap().len(), 1, "one line for all of them");
    assert_eq!(missing["findings"][0]["code"], "attestation-missing");
    let said = good(here, "attest restore-tried --by Ada --note restored --valid 90d");
    assert!(said.starts_with("Ada signs restore-tried of harbor\nuntil 20"), "{said}");
    assert!(said.contains("launchready attest remove restore-tried"), "{said}");
    let file = std::fs::read_to_string(here.join("attestations.toml")).unwrap();
    assert!(
        file.contains("by = \"Ada\"") && file.starts_with("# What people have signed"),
        "{file}"
    );
    good(here, "attest rollback-tried --by Bo --took 20m");
    good(here, "attest sources-of-truth --by Bo --systems 3");
    let found = judged(here);
    let codes: Vec<&str> = found["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["code"].as_str().unwrap())
        .collect();
    let wanted =
        ["attestation-missing", "attestation-rollback-slow", "attestation-truth-scattered"];
    assert!(wanted.iter().all(|code| codes.contains(code)) && codes.len() == 3, "{codes:?}");
    let listed = good(here, "attest list");
    assert!(listed.contains("restore-tried         signed    Ada until 20"), "{listed}");
    assert!(listed.contains("mfa                   unsigned\n"), "{listed}");
    assert!(listed.lines().all(|line| line.chars().count() <= 80), "{listed}");
    let json: Value = serde_json::from_str(&good(here, "attest list --json")).unwrap();
    assert_eq!(json[2]["signed"]["by"], "Ada");
    assert_eq!(good(here, "attest remove restore-tried"), "restore-tried is no longer signed\n");
    assert!(!good(here, "attest list").contains("Ada"));
    refused(here, "attest remove restore-tried", "nobody has signed restore-tried");
    refused(here, "attest restore-tired --by Ada", "did you mean \"restore-tried\"?");
    refused(here, "attest mfa", "--by");
    refused(here, "attest mfa --by Ada --valid 800d", "366d");
    refused(here, "attest rollback-tried --by Ada", "--took 12m");
    std::fs::write(here.join("attestations.toml"), "[[attestation]]\nitem = 1\n").unwrap();
    refused(here, "attest list", "attestations.toml");
}

#[test]
fn an_audit_of_a_domain_alone_asks_nobody_for_a_signature() {
    let folder = tempfile::tempdir().unwrap();
    let words = ["check", "ops-attestation", "harbor.example", "--format", "json", "--quiet"];
    let said = say(folder.path(), &words);
    let judged: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        (&judged["status"], judged["findings"].as_array().unwrap().len()),
        (&"skipped".into(), 0)
    );
}
