//! libFuzzer on the target `perfdata`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| launchready_fuzz::run("perfdata", data));
