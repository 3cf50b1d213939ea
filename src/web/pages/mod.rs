//! The pages that people read.

mod check;
mod files;
mod frame;
mod handbook;
mod handover;
mod heartbeats;
mod incident;
mod incidents;
mod login;
mod out_of_step;
mod overview;
mod project;
mod silences;
mod status;
mod waivers;

pub(super) use check::{check, run_all, run_check};
pub(super) use files::file;
pub(super) use frame::fault_page;
pub(super) use handbook::{handbook, handbook_page};
pub(super) use handover::{handover, handover_file};
pub(super) use incident::{acknowledge, incident, resolve, silence_incident};
pub(super) use incidents::incidents;
pub(super) use login::{login, sign_in, sign_out};
pub(super) use out_of_step::out_of_step;
pub(super) use overview::{overview, ranked};
pub(super) use project::project;
pub(super) use silences::{add_silence, check_scope, end_silence, silences};
pub(super) use status::{Remembered, status};
pub(super) use waivers::{add_waiver, check_waiver, remove_waiver, waivers};
