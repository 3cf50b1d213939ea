//! libFuzzer on the target `pages`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| launchready_fuzz::run("pages", data));
