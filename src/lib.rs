//! launchready: a launch-readiness audit and monitoring agent.

pub mod clock;
pub mod probe;
pub mod report;
