//! One payment followed through the lab's Stripe, shop, CRM and help desk: whole, and broken at each link.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod broken;
mod shop;
mod typed;
