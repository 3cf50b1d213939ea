//! The handover: what a goal makes of an audit, what people sign, and the report that is printed and shared.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says so when it is skipped"
)]
#![allow(dead_code, reason = "the browser serves other tests too")]

#[path = "../browser/driver.rs"]
mod driver;
mod goals;
mod paper;
mod parts;
mod signed;
#[path = "../support/mod.rs"]
mod support;
mod world;
