//! Programs of the user: plugins of Debian against servers of the test, and scripts that misbehave.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says so when it is skipped"
)]

mod lighthouse;
mod misbehaving;
mod plugins;
mod servers;

#[path = "../support/mod.rs"]
mod support;
