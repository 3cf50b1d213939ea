//! Every connector against the lab's fake of its system over HTTP, and against everything that goes wrong
//! there: never a pass by accident, never a wrong number, and the message says what to do.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and reads its own setting"
)]

mod automation;
mod crm;
mod desk;
mod edge;
mod faults;
mod hosting;
mod matrix;
mod pagespeed;
mod record;
mod relations;
mod stripe;
mod supabase;
mod table;
mod table_own;
#[allow(
    dead_code,
    unreachable_pub,
    reason = "it is a crate of its own, of which the recorder needs the questions"
)]
#[path = "../../fuzz/src/lib.rs"]
mod targets;
mod whole;
