//! The connectors against the lab's fakes over HTTP, with everything that goes wrong at outside systems: never a
//! pass by accident, never a wrong number, and the message says what to do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod crm;
mod desk;
mod relations;
