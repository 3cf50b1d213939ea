//! Sends real messages to real sockets: a mail server, a web server, and the sender's loop with both.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

mod alertmanager;
#[allow(dead_code, reason = "it serves other tests too")]
#[path = "../support/alertmanager.rs"]
mod burning;
mod mail;
mod mail_server;
#[path = "../support/port.rs"]
mod port;
mod post;
#[allow(dead_code, reason = "it serves other tests too")]
#[path = "../support/process.rs"]
mod process;
mod reach;
mod renamed;
mod sender;
#[path = "../support/mod.rs"]
mod support;
mod web;
mod web_server;
mod world;
