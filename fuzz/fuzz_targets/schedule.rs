//! libFuzzer on the target `schedule`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| launchready_fuzz::run("schedule", data));
