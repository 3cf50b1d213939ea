//! The detectors of keys against kingfisher, over generated files: which keys each finds, and which
//! decoys it takes for one.

mod cases;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};

use launchready::probe::scan_folder;
use serde_json::Value;

use self::cases::{Case, Truth};
use crate::ledger::{Compared, Said, settle};
use crate::look::yes;
use crate::peer;

/// The files in which launchready finds a key, with its kinds.
fn ours(folder: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut out = Vec::new();
    scan_folder(folder, &mut out).unwrap();
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in String::from_utf8(out).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| line[key].as_str().unwrap().to_owned();
        found.entry(text("file")).or_default().insert(text("kind"));
    }
    found
}

/// The files in which kingfisher finds a key, with its rules.
fn kingfishers(folder: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(peer::path("kingfisher", "kingfisher"))
        .args(["scan", "--no-validate", "--no-update-check", "--no-dedup", "--format", "json"])
        .args(["--git-history", "none", "--quiet", "--rule-cache-dir"])
        .arg(peer::path("kingfisher", "../rules"))
        .arg(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    // The report is one line, and a summary another.
    let report =
        text.lines().find(|line| line.starts_with("{\"findings\":[")).unwrap_or_else(|| {
            panic!("no report: {text} {}", String::from_utf8_lossy(&output.stderr));
        });
    let report: Value = serde_json::from_str(report).unwrap();
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for finding in report["findings"].as_array().unwrap() {
        let path = Path::new(finding["finding"]["path"].as_str().unwrap());
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let rule = finding["rule"]["id"].as_str().unwrap().to_owned();
        found.entry(name).or_default().insert(rule);
    }
    found
}

/// Of what was found, how much is a key; of the keys, how many were found.
fn measure(cases: &[Case], found: &BTreeMap<String, BTreeSet<String>>) -> (f64, f64) {
    let count = |is_key: bool, is_found: bool| {
        let fits = |case: &&Case| {
            (case.truth != Truth::Decoy) == is_key && found.contains_key(&case.file) == is_found
        };
        cases.iter().filter(fits).count() as f64
    };
    let (right, wrong, missed) = (count(true, true), count(false, true), count(true, false));
    (right / (right + wrong), right / (right + missed))
}

#[test]
fn keys_are_found_as_kingfisher_finds_them() {
    if !peer::has("secrets", "kingfisher") {
        return;
    }
    let folder = tempfile::Builder::new().prefix("launchready-").tempdir().unwrap();
    let cases = cases::generate();
    for case in &cases {
        std::fs::write(folder.path().join(&case.file), &case.content).unwrap();
    }
    let (ours, peer) = (ours(folder.path()), kingfishers(folder.path()));
    let mut wrong = Vec::new();
    let none = BTreeSet::new();
    let compared: Vec<Compared> = cases
        .iter()
        .map(|case| {
            let [mine, others] = [&ours, &peer].map(|all| all.get(&case.file).unwrap_or(&none));
            let content = String::from_utf8_lossy(&case.content);
            let shown: String = content.chars().take(300).collect();
            let expected = match case.truth {
                Truth::Key => *mine == BTreeSet::from([case.kind.to_owned()]),
                Truth::Hidden | Truth::Decoy => mine.is_empty(),
            };
            if !expected {
                wrong.push(format!("{}: {mine:?} in {shown}", case.family));
            }
            Compared {
                family: case.family.to_owned(),
                input: format!("{} ({:?}): {shown}\n{mine:?}\n{others:?}", case.file, case.truth),
                ours: Said::from([("found", yes(!mine.is_empty()))]),
                peer: Said::from([("found", yes(!others.is_empty()))]),
            }
        })
        .collect();
    let [(precision, recall), (other_precision, other_recall)] =
        [measure(&cases, &ours), measure(&cases, &peer)];
    println!(
        "precision and recall: launchready {precision:.3} and {recall:.3}, kingfisher \
         {other_precision:.3} and {other_recall:.3}"
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    settle("secrets", "kingfisher", &compared);
}
