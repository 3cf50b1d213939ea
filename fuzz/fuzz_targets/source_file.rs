//! libFuzzer on the target `source_file`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| launchready_fuzz::run("source_file", data));
