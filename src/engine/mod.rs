//! Runs checks: all of an audit at once, or each at its times; each with a time-out and a panic guard,
//! each ending in exactly one outcome.

mod committer;
mod finish;
mod given_back;
mod handover;
mod judge;
mod record;
mod runner;
mod scheduler;

pub use committer::{Committer, Stored, commit_all};
pub use finish::{Due, finish, seen_finding};
pub use handover::{Account, Channel, Handover, Mended, SecretPlace, Watched};
pub use judge::judge_run;
pub use record::{
    AuditRecord, EvidenceError, Outcome, RunRecord, load_evidence, prepare_evidence, save_evidence,
};
pub use runner::{Inputs, Job, Progress, Silent, run_all};
pub use scheduler::{Assignment, Ended, LEASE, Looker, Observer, Scheduler};
