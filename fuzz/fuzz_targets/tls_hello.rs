//! libFuzzer on the target `tls_hello`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| launchready_fuzz::run("tls_hello", data));
