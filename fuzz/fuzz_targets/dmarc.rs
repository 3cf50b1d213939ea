//! libFuzzer on the target `dmarc`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| launchready_fuzz::run("dmarc", data));
