//! Targets, their files, corpora, the lines of the README and the bins of the crate are the same, both ways.

use std::collections::BTreeSet;
use std::path::Path;

use launchready_checks::secrets::detector;

use super::{corpus, folder, targets};

/// The most bytes of a corpus, and of one file of it.
const CORPUS_BYTES: usize = 200 * 1024;
const FILE_BYTES: usize = 64 * 1024;

fn targets() -> BTreeSet<String> {
    targets::TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect()
}

/// The names in a folder, without their ending.
fn names(folder: &Path) -> BTreeSet<String> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn every_target_has_its_file_its_corpus_its_bin_and_its_line() {
    assert_eq!(targets::TARGETS.len(), targets().len(), "a target is listed twice");
    assert_eq!(names(&folder().join("fuzz_targets")), targets(), "fuzz/fuzz_targets");
    assert_eq!(names(&folder().join("corpus")), targets(), "fuzz/corpus");
    let manifest = std::fs::read_to_string(folder().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let bins: BTreeSet<String> = manifest["bin"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bin| {
            let name = bin["name"].as_str().unwrap().to_owned();
            assert_eq!(bin["path"].as_str().unwrap(), format!("fuzz_targets/{name}.rs"));
            name
        })
        .collect();
    assert_eq!(bins, targets(), "the bins of fuzz/Cargo.toml");
    for name in targets() {
        let file = folder().join("fuzz_targets").join(format!("{name}.rs"));
        let text = std::fs::read_to_string(file).unwrap();
        assert!(text.contains(&format!("launchready_fuzz::run(\"{name}\", data)")), "{name}");
    }
    let readme = std::fs::read_to_string(folder().join("README.md")).unwrap();
    let lines = readme.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let lines: Vec<String> = lines.map(|(name, _)| name.to_owned()).collect();
    assert_eq!(lines, Vec::from_iter(targets()), "the table of fuzz/README.md");
}

#[test]
fn what_is_recorded_is_of_targets_and_says_what_became_of_each_find() {
    let runs = std::fs::read_to_string(folder().join("RUNS.md")).unwrap();
    let rows = runs.lines().filter(|line| line.starts_with("| 2"));
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [date, commit, target, seconds, executions, finds] = cells[..] else {
            panic!("{row}");
        };
        assert!(date.parse::<jiff::civil::Date>().is_ok(), "{row}");
        assert!(commit.len() >= 7 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()), "{row}");
        assert!(targets().contains(target), "{row}");
        assert!(seconds.parse::<u64>().is_ok() && executions.parse::<u64>().is_ok(), "{row}");
        assert!(finds.starts_with("none") || finds.contains("mended"), "{row}");
    }
}

#[test]
fn a_corpus_is_small_and_holds_no_key() {
    for target in targets() {
        let corpus = corpus(&target);
        let size: usize = corpus.iter().map(|(_, data)| data.len()).sum();
        assert!(size <= CORPUS_BYTES, "fuzz/corpus/{target} takes {size} bytes");
        for (name, data) in corpus {
            assert!(data.len() <= FILE_BYTES, "fuzz/corpus/{target}/{name}");
            let found = detector::scan(&data);
            assert!(found.is_empty(), "fuzz/corpus/{target}/{name} holds what looks like a key");
        }
    }
}
