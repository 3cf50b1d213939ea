//! Shakes hands with real servers: OpenSSL for every version and defect, and small hostile ones.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says so when it is skipped"
)]

mod authority;
mod hostile;
mod mail;
mod openssl;
#[path = "../support/port.rs"]
mod port;
#[path = "../support/mod.rs"]
mod support;
mod world;
