//! The project's database against real servers: PostgreSQL, `PgBouncer` in front of it, and SQLite.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says so when it is skipped"
)]

mod catalogue;
mod checks;
mod counted;
mod external;
mod faults;
mod hostile;
mod look;
mod mapping;
mod pooler;
mod questions;
mod rls;
mod rows;
mod scale;
mod tls;

#[path = "../support/cluster.rs"]
mod cluster;

#[path = "../support/port.rs"]
mod port;
#[path = "../support/mod.rs"]
mod support;

#[allow(dead_code, reason = "other tests run tools, too")]
#[path = "../support/process.rs"]
mod process;
