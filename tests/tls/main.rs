//! Shakes hands with real servers: OpenSSL for every version and defect, and small hostile ones.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod authority;
mod hostile;
mod mail;
mod openssl;
mod world;
