//! Audits servers that mean harm with the real program: each look ends within its limits in a
//! finding or unseen, without a panic, a hang or much memory.

#![allow(
    clippy::disallowed_methods,
    clippy::format_collect,
    clippy::needless_pass_by_value,
    reason = "a test reads its own setting, and is written to be read"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says so when it is skipped"
)]

mod audit;
mod content;
mod inside;
mod nowhere;
mod servers;
mod web;
mod world;

#[path = "../support/missing.rs"]
mod missing;
