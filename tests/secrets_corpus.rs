//! Generated bundles with planted keys and decoys: every key is found, and no decoy.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use launchready::probe::scan_folder;
use serde::Deserialize;

/// Seeds that were never looked at while the detectors were written.
const SEEDS: [u32; 5] = [7001, 7002, 7003, 7004, 7005];

#[derive(Debug, Deserialize)]
struct Planted {
    file: String,
    offset: usize,
    length: usize,
    kind: String,
    label: String,
}

#[derive(Debug, Deserialize)]
struct Reported {
    file: String,
    offset: usize,
    length: usize,
    kind: String,
}

fn generator() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/bench/gen_corpus.py")
}

fn generate(folder: &Path, seed: u32) -> bool {
    let mut command = Command::new("python3");
    command.arg(generator()).arg(folder).args(["--mib", "8", "--files", "16"]);
    let status = command.arg("--seed").arg(seed.to_string()).output();
    status.is_ok_and(|output| output.status.success())
}

#[test]
fn every_planted_key_is_found_and_no_decoy() {
    // The generator stands beside a checkout of the team and not in the repository.
    if !generator().exists() {
        println!("SKIPPED every_planted_key_is_found_and_no_decoy: no {}", generator().display());
        return;
    }
    let mut recall: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut wrong = Vec::new();
    for seed in SEEDS {
        let folder =
            std::env::temp_dir().join(format!("launchready-corpus-{}-{seed}", std::process::id()));
        assert!(generate(&folder, seed), "the generator failed");
        let mut out = Vec::new();
        let scanned = scan_folder(&folder.join("bundles"), &mut out).unwrap();
        let manifest = std::fs::read_to_string(folder.join("manifest.jsonl")).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(scanned.files, 16);
        let planted: Vec<Planted> =
            manifest.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let reported: Vec<Reported> = String::from_utf8(out)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(scanned.keys, reported.len() as u64);
        for secret in planted.iter().filter(|planted| planted.label == "secret") {
            let (found, all) = recall.entry(secret.kind.clone()).or_default();
            *all += 1;
            // To the byte, and of the right kind.
            let exact = reported.iter().any(|reported| {
                (&reported.file, reported.offset, reported.length, &reported.kind)
                    == (&secret.file, secret.offset, secret.length, &secret.kind)
            });
            *found += usize::from(exact);
            if !exact {
                wrong.push(format!("seed {seed}: missed {secret:?}"));
            }
        }
        for reported in &reported {
            let planted = planted.iter().find(|planted| {
                planted.file == reported.file
                    && planted.offset < reported.offset + reported.length
                    && reported.offset < planted.offset + planted.length
            });
            if planted.is_none_or(|planted| planted.label != "secret") {
                wrong.push(format!("seed {seed}: {reported:?} is {planted:?}"));
            }
        }
    }
    for (kind, (found, all)) in &recall {
        println!("{kind}: {found} of {all}");
    }
    assert!(recall.len() >= 7 && wrong.is_empty(), "{}", wrong.join("\n"));
}
