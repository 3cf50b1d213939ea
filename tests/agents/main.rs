//! Several agents on one PostgreSQL, under every fault: no run lost, no alert lost, nothing opened twice.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says so when it is skipped"
)]

mod clocks;
mod failover;
mod full;
mod kills;
mod memory;
mod partition;
mod restarts;
mod share;
mod uplink;

#[allow(dead_code, reason = "other tests need more of it")]
#[path = "../support/postgres.rs"]
mod cluster;
#[path = "../support/dam.rs"]
mod dam;
#[allow(dead_code, reason = "other tests need more of it")]
#[path = "../support/disk.rs"]
mod disk;
#[allow(dead_code, reason = "other tests count more of it")]
#[path = "../support/heard.rs"]
mod heard;
#[path = "../support/journal.rs"]
mod journal;
#[path = "../support/mounted.rs"]
mod mounted;
#[path = "../support/pair.rs"]
mod pair;
#[path = "../support/port.rs"]
mod port;
#[allow(dead_code, reason = "other tests run tools, too")]
#[path = "../support/process.rs"]
mod process;
#[allow(dead_code, reason = "other tests let it fall silent")]
#[path = "../support/proxy.rs"]
mod proxy;
#[path = "../support/relay.rs"]
mod relay;
#[allow(dead_code, reason = "it serves other tests too")]
#[path = "../support/rig.rs"]
mod rig;
#[path = "../support/mod.rs"]
mod support;
