//! `/api/v1`: the same for programs, in types of its own that do not change with those of the store.

mod change;
mod out_of_step;
mod read;
mod shape;

pub(super) use change::{
    acknowledge, add_silence, add_waiver, end_silence, remove_waiver, resolve, run,
};
pub(super) use out_of_step::out_of_step;
pub(super) use read::{check, incident, incidents, projects, report, session, silences, waivers};
