//! Metrics, dashboards and alert rules: what the agent exports is what Prometheus reads, and what
//! dashboards and rules ask for is what the agent exports.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says so when it is skipped"
)]

mod cost;
mod exposition;
mod live;
mod names;
#[path = "../support/port.rs"]
mod port;
mod probe;
#[allow(dead_code, reason = "it serves other tests too")]
#[path = "../support/process.rs"]
mod process;
#[allow(dead_code, reason = "it serves other tests too")]
#[path = "../support/prometheus.rs"]
mod prometheus;
mod readme;
mod rules;
mod sample;
mod structure;
#[path = "../support/mod.rs"]
mod support;
mod wire;

use std::path::{Path, PathBuf};

/// A file of `dashboards/`.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(file(name)).unwrap()
}

/// The dashboards, by file name.
const DASHBOARDS: [&str; 4] = ["alerting.json", "check.json", "money.json", "overview.json"];

fn dashboard(name: &str) -> serde_json::Value {
    serde_json::from_str(&read(name)).unwrap()
}
