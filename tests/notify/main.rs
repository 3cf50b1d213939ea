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
mod mail;
mod mail_server;
mod memory;
mod sender;
mod web;
mod web_server;
mod world;
