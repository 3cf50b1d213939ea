//! libFuzzer on the target `body`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| launchready_fuzz::run("body", data));
