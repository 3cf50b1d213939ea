//! `launchready init` as a founder types it, against the lab and against whatever else may answer.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it saw"
)]

mod again;
mod compare;
mod hostile;
mod refused;
mod world;
