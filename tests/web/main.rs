//! The page and the API over a real socket with a real store: what is served, to whom, and in what form.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and asks as any client does"
)]

mod api;
mod audit;
mod changes;
mod doors;
mod handover;
mod heartbeats;
mod known;
mod out_of_step;
mod pages;
mod sessions;
#[path = "../support/site/mod.rs"]
mod site;
mod visitor;
