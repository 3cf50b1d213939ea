//! libFuzzer on the target `evidence`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| launchready_fuzz::run("evidence", data));
