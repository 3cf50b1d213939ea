//! libFuzzer on the target `smtp`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| launchready_fuzz::run("smtp", data));
