//! libFuzzer on the target `json_answer`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| launchready_fuzz::run("json_answer", data));
