//! `/api/v1`: the same for programs, in types of its own that do not change with those of the store.

mod change;
mod read;
mod shape;

pub(super) use change::{
    acknowledge, add_silence, add_waiver, end_silence, remove_waiver, resolve, run,
};
pub(super) use read::{check, incident, incidents, projects, report, session, silences, waivers};
