//! What lasts: incidents, their life, and who is told of it. Pure: no clock, no store, no network.
//!
//! A run hands over what it saw ([`RunSeen`]); [`observe`] compares it with the incidents that are not
//! resolved and gives back what changed ([`Outcome`]). The store does both in one transaction.

mod blind;
mod causes;
mod members;
mod model;
mod moment;
mod muting;
mod news;
mod observe;
mod people;
mod policy;
mod quiet;
mod route;
mod span;
#[cfg(test)]
mod tests;
mod turns;
mod wake;

pub use observe::observe;
pub use people::{acknowledge, resolve};
pub use route::route;
pub use wake::wake;

pub use model::{
    Acknowledgement, Change, ChangeKind, Incident, IncidentKey, Member, Outcome, RunSeen,
    SeenFinding, Sight, State, Tell, Unheard,
};
pub use policy::{Book, ChannelRule, Policy, Quiet, Silence, Waiver, Window, WindowTimes};
