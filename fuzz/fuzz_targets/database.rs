//! libFuzzer on the target `database`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| launchready_fuzz::run("database", data));
