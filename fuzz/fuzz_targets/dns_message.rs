//! libFuzzer on the target `dns_message`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| launchready_fuzz::run("dns_message", data));
