//! libFuzzer on the target `certificate`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| launchready_fuzz::run("certificate", data));
