//! libFuzzer on the target `headers`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| launchready_fuzz::run("headers", data));
