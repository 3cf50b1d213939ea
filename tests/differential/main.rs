//! Generated cases, each judged by launchready and by a program that people trust.
//!
//! What the two say differently is mended, or explained in `DISAGREEMENTS.toml`; a difference that
//! stands there and is not seen any more fails too.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says so when it is skipped"
)]

mod dns;
mod ledger;
mod look;
mod mail;
mod names;
mod peer;
#[path = "../support/port.rs"]
mod port;
#[allow(dead_code, reason = "it serves other tests too")]
#[path = "../support/process.rs"]
mod process;
mod secrets;
mod seeds;
#[path = "../support/mod.rs"]
mod support;
mod tls;
