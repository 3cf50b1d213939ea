//! Drills against real parts: what they prove, what they tell apart, and that nothing is left of them.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::string_slice,
    reason = "a test fails by panicking, and reads its own setting"
)]

mod alert;
mod eight;
mod handler;
mod payments;
mod project;
mod replay;
mod routing;
mod shop;
mod users;

#[allow(dead_code, reason = "other tests ask it more")]
#[path = "../support/cluster.rs"]
mod cluster;
#[path = "../support/port.rs"]
mod port;
#[allow(dead_code, reason = "other tests run tools, too")]
#[path = "../support/process.rs"]
mod process;
#[allow(dead_code, reason = "other tests need more")]
#[path = "../support/rig.rs"]
mod rig;
#[allow(dead_code, reason = "other tests need more")]
#[path = "../support/mod.rs"]
mod support;
