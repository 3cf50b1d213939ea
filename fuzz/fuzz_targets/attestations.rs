//! libFuzzer on the target `attestations`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| launchready_fuzz::run("attestations", data));
