//! Operations: running the product from day to day.

mod deployment;

pub use deployment::Deployment;
