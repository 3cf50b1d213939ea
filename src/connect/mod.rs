//! Connectors: one file per outside system, behind the ports of `launchready_checks::probe`.
//!
//! Every connector reads and never changes, keeps to the vendor's pace, and says which permission is
//! missing.

mod api;

use launchready_checks::probe::Accounts;

pub use api::{Api, Reach, Reply, Shown, Vendor};

use crate::config::AccountSettings;

/// The ports to the accounts that are configured. Nothing is asked yet.
pub fn accounts(_settings: &AccountSettings, _reach: &Reach) -> Accounts {
    Accounts::default()
}
