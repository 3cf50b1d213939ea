//! Payments against the orders in the database.

pub mod idempotency;

pub use idempotency::Idempotency;
