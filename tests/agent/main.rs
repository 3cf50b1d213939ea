//! The agent as a process, against the lab: what it tells, how soon, and that nothing is ever lost.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says so when it is skipped"
)]

mod demo;
#[path = "../support/disk.rs"]
mod disk;
#[path = "../support/heard.rs"]
mod heard;
mod heartbeats;
mod kills;
mod latency;
#[path = "../support/mounted.rs"]
mod mounted;
mod outages;
mod people;
#[path = "../support/planted.rs"]
mod planted;
#[path = "../support/port.rs"]
mod port;
#[path = "../support/relay.rs"]
mod relay;
mod reload;
#[allow(dead_code, reason = "it serves other tests too")]
#[path = "../support/rig.rs"]
mod rig;
mod secrets;
mod thresholds;
mod weekly;

#[path = "../support/mod.rs"]
mod support;
