//! Drills: synthetic customers that try the product out in test mode, prove what came of it, and take it
//! back.
//!
//! Checks read and never change; drills change, and so are started by a person, need proven ownership and
//! keys of their own, and use nothing of the ports of checks for writing.
//! Each drill is a file with a `plan`, which says what would be done and touches nothing, a `run`, and an
//! `undo`, which finds what is left by the mark alone.

mod alert;
mod contacts;
mod payments;
mod record;
mod rows;
mod stripe;
mod support;
mod users;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use launchready_checks::probe::{Accounts, AgentFault, ProbeError};

pub use record::{
    ChannelDrilled, Drill, Outcome, Plan, Record, Step, StepState, Undo, UndoState, is_left,
    outcome,
};

use crate::config::{AccountSettings, DrillTable};
use crate::connect::Reach;
use crate::connect::database::MARK;
use crate::store::Store;
use payments::{Failure, Replay, Success};

/// What a drill is run with.
pub struct Scene<'a> {
    /// The project's name.
    pub project: &'a str,
    /// The project's domain.
    pub domain: &'a str,
    /// The mark that everything of this drill carries: `launchready_drill_` and 20 hexadecimal digits.
    pub mark: &'a str,
    /// When it began; nothing that was there before is taken away.
    pub began: Timestamp,
    /// What the drills may use.
    pub table: &'a DrillTable,
    /// The tables of the accounts, and the reader of credentials.
    pub accounts: &'a AccountSettings,
    /// The client and the clock.
    pub reach: &'a Reach,
    /// The accounts for reading.
    pub ports: &'a Accounts,
    /// What the agent remembers.
    pub store: &'a Arc<dyn Store>,
    /// The channels that tell of this project.
    pub channels: &'a [String],
}

impl fmt::Debug for Scene<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scene").field("mark", &self.mark).finish_non_exhaustive()
    }
}

impl Scene<'_> {
    /// The present time.
    pub fn now(&self) -> Timestamp {
        self.reach.clock.now()
    }

    /// How long rows, contacts and requests are waited for.
    pub const fn settle(&self) -> Duration {
        self.table.settle.0
    }

    /// The digits of the mark, for places that take no long names.
    pub fn digits(&self) -> &str {
        self.mark.rsplit('_').next().unwrap_or_default()
    }

    /// The address of the buyer of this drill. It holds the mark, so that it is found again.
    pub fn buyer(&self) -> String {
        let usual = format!("launchready-drill@{}", self.domain);
        let address = self.table.email.as_deref().unwrap_or(&usual);
        let (local, domain) =
            address.rsplit_once('@').unwrap_or(("launchready-drill", self.domain));
        format!("{local}+{}@{domain}", self.digits())
    }
}

/// The mark of a drill that begins.
///
/// # Errors
/// The machine has no randomness.
pub fn new_mark() -> Result<String, ProbeError> {
    let mut bytes = [0_u8; 10];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_source| AgentFault::Bug("this machine has no randomness".to_owned()))?;
    Ok(format!("{MARK}{}", hex::encode(bytes)))
}

/// What came of running a drill.
#[derive(Debug, Default)]
pub struct Ran {
    /// What was tried, in order.
    pub steps: Vec<Step>,
    /// What each channel did, in the drill `alert`.
    pub channels: Vec<ChannelDrilled>,
}

/// What a drill would do. Nothing outside is touched.
pub async fn plan(drill: Drill, scene: &Scene<'_>) -> Plan {
    match drill {
        Drill::PaymentSuccess => Success::plan(scene).await,
        Drill::PaymentFailure => Failure::plan(scene).await,
        Drill::WebhookReplay => Replay::plan(scene).await,
        Drill::Alert => alert::plan(scene).await,
        Drill::TwoUsers => users::plan(scene),
        Drill::SupportRouting => support::plan(scene),
    }
}

/// Runs a drill whose plan lacks nothing. What it leaves is for [`undo`].
pub async fn run(drill: Drill, scene: &Scene<'_>) -> Ran {
    match drill {
        Drill::PaymentSuccess => Success::run(scene).await,
        Drill::PaymentFailure => Failure::run(scene).await,
        Drill::WebhookReplay => Replay::run(scene).await,
        Drill::Alert => alert::run(scene).await,
        Drill::TwoUsers => users::run(scene).await,
        Drill::SupportRouting => support::run(scene).await,
    }
}

/// Takes back what a drill has left, as far as it finds anything by the mark; it can be repeated.
pub async fn undo(drill: Drill, scene: &Scene<'_>) -> Vec<Undo> {
    match drill {
        Drill::PaymentSuccess | Drill::PaymentFailure | Drill::WebhookReplay => {
            payments::undo(scene).await
        }
        // A message that was accepted cannot be taken back; it says itself that it is a drill.
        Drill::Alert => Vec::new(),
        Drill::TwoUsers => users::undo(scene).await,
        Drill::SupportRouting => support::undo(scene).await,
    }
}
