//! libFuzzer on the target `dkim`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| launchready_fuzz::run("dkim", data));
