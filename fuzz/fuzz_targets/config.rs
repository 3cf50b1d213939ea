//! libFuzzer on the target `config`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| launchready_fuzz::run("config", data));
