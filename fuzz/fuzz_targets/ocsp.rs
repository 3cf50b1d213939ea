//! libFuzzer on the target `ocsp`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| launchready_fuzz::run("ocsp", data));
