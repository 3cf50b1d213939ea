//! libFuzzer on the target `bundle`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| launchready_fuzz::run("bundle", data));
