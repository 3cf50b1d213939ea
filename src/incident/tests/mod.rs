//! Tests of the whole machine.

mod looks;
mod properties;
pub(super) mod sample;
mod telling;
mod world;
