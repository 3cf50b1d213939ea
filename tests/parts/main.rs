//! The agent beside what it is used with: a real Prometheus, Alertmanager, nginx and Chromium.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says so when it is skipped"
)]

mod burning;
mod doors;
mod front;
mod headers;
mod rules;
mod scrape;
mod walk;

#[path = "../support/alertmanager.rs"]
mod alertmanager;
#[allow(dead_code, reason = "other tests print")]
#[path = "../browser/driver.rs"]
mod driver;
#[path = "../browser/look.rs"]
mod look;
#[path = "../support/port.rs"]
mod port;
#[allow(dead_code, reason = "it serves other tests too")]
#[path = "../support/process.rs"]
mod process;
#[path = "../support/prometheus.rs"]
mod prometheus;
#[allow(dead_code, reason = "it serves other tests too")]
#[path = "../support/rig.rs"]
mod rig;
#[path = "../support/mod.rs"]
mod support;
