//! Chromium walks the page as a person does: at the width of a phone and of a desk, in light and in dark,
//! and axe-core says what somebody with a screen reader or a keyboard would stumble over.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and says so when it is skipped"
)]
#![allow(dead_code, reason = "the site serves the tests over the socket too")]

mod driver;
mod handbook;
mod look;
#[path = "../support/site/mod.rs"]
mod site;
#[path = "../support/mod.rs"]
mod support;
mod walk;
