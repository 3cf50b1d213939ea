//! Audits real servers from Debian's packages on loopback: BIND, nginx, Postfix and OpenSSL.
//!
//! What the audit must find is written by hand from the handbook, apart from the code that finds it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says so when it is skipped"
)]

mod audit;
mod authority;
mod healthy;
mod mail;
mod names;
mod planted;
#[path = "../support/port.rs"]
mod port;
#[allow(dead_code, reason = "other tests try more")]
#[path = "../support/process.rs"]
mod process;
#[path = "../support/mod.rs"]
mod support;
mod web;
mod world;
