//! libFuzzer on the target `spf`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| launchready_fuzz::run("spf", data));
