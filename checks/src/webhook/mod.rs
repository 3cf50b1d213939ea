//! How the product handles the events that it is told.

pub mod processing;

pub use processing::Processing;
