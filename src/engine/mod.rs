//! Runs checks: all of an audit at once, each with a time-out and a panic guard, each ending in
//! exactly one outcome.

mod record;
mod runner;

pub use record::{
    AuditRecord, EvidenceError, Outcome, RunRecord, load_evidence, prepare_evidence, save_evidence,
};
pub use runner::{Job, Progress, Silent, run_all};
