//! libFuzzer on the target `rdap`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| launchready_fuzz::run("rdap", data));
