//! libFuzzer on the target `checkouts`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| launchready_fuzz::run("checkouts", data));
