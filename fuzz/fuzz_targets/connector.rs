//! libFuzzer on the target `connector`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| launchready_fuzz::run("connector", data));
