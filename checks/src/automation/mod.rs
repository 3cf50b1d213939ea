//! Automations: the flows that glue the other parts together.

mod runs;

pub use runs::Runs;
