//! The fuzz targets without a fuzzer: every target over its corpus and over mutations of it that are the same on
//! every machine; and that targets, corpora, README and workflow name the same ones.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod mutate;
mod parity;
mod seeds;
#[allow(dead_code, unreachable_pub, reason = "it is a crate of its own, which others use too")]
#[path = "../../fuzz/src/lib.rs"]
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use mutate::Mutations;

/// Mutations of one target; all targets together have some thousand.
const MUTATIONS: usize = 120;
/// The most bytes of a mutation: longer inputs are the fuzzer's.
const LONGEST: usize = 8 * 1024;

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// The files of a target's corpus, by name.
pub(crate) fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder().join("corpus").join(target))
        .unwrap_or_else(|error| panic!("fuzz/corpus/{target}: {error}"))
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), path))
        .map(|(name, path)| (name, std::fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

/// Runs a target, and says which input it was that broke it.
fn holds(target: &str, what: &str, data: &[u8]) {
    let ran = catch_unwind(AssertUnwindSafe(|| targets::run(target, data)));
    assert!(ran.is_ok(), "{target} does not hold for {what}: {}", data.escape_ascii());
}

fn over_corpus_and_mutations(target: &str) {
    let corpus = corpus(target);
    assert!(!corpus.is_empty(), "fuzz/corpus/{target} is empty");
    for (name, data) in &corpus {
        holds(target, name, data);
    }
    holds(target, "nothing", &[]);
    let inputs: Vec<&[u8]> = corpus.iter().map(|(_, data)| data.as_slice()).collect();
    for (number, data) in Mutations::new(target, inputs, LONGEST).take(MUTATIONS).enumerate() {
        holds(target, &format!("mutation {number}"), &data);
    }
}

/// One test for each target, and the list of them.
macro_rules! each {
    ($($target:ident)*) => {
        $(#[test]
        fn $target() {
            over_corpus_and_mutations(stringify!($target));
        })*

        #[test]
        fn every_target_is_run() {
            let run = [$(stringify!($target)),*];
            let all: Vec<&str> = targets::TARGETS.iter().map(|(name, _)| *name).collect();
            assert_eq!(all, run);
        }
    };
}

each! {
    attestations body bundle certificate checkouts config connector database dkim dmarc dns_message
    evidence headers html json_answer mta_sts ocsp pages perfdata rdap report schedule smtp
    source_file spf tls_hello
}
