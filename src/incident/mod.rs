//! What lasts: incidents, their life, and who is told of it. Pure: no clock, no store, no network.
//!
//! A run hands over what it saw ([`RunSeen`]); [`observe`] compares it with the incidents that are not
//! resolved and gives back what changed ([`Outcome`]). The store does both in one transaction.

mod life;
mod model;
mod policy;

pub use life::{acknowledge, observe, resolve, route, wake};

pub use model::{
    Acknowledgement, Change, ChangeKind, Incident, IncidentKey, Member, Outcome, RunSeen,
    SeenFinding, Sight, State, Tell, Unheard,
};
pub use policy::{Book, ChannelRule, Policy, Quiet, Silence, Waiver, Window, WindowTimes};
