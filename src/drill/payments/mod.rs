//! Drills that send test payments to the product's endpoint and look by SQL what became of them.

mod failure;
mod replay;
mod stage;
mod success;

pub(super) use failure::Failure;
pub(super) use replay::Replay;
pub(super) use stage::undo;
pub(super) use success::Success;
