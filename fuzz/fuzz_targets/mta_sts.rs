//! libFuzzer on the target `mta_sts`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| launchready_fuzz::run("mta_sts", data));
