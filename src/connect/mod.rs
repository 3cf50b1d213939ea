//! Connectors: one file per outside system, behind the ports of `launchready_checks::probe`.
//!
//! Every connector reads and never changes, keeps to the vendor's pace, and says which permission is
//! missing.

mod api;
pub mod database;

use std::sync::Arc;

use launchready_checks::probe::{Accounts, Database, Slot};

pub use api::{Api, Reach, Reply, Shown, Vendor};

use crate::config::AccountSettings;
use database::{Patience, ProjectDatabase};

/// The ports to the accounts that are configured. Nothing is asked yet.
pub fn accounts(settings: &AccountSettings, reach: &Reach) -> Accounts {
    Accounts { database: database(settings, reach), ..Accounts::default() }
}

fn database(settings: &AccountSettings, reach: &Reach) -> Slot<dyn Database> {
    match ProjectDatabase::new(settings, &reach.extra_roots, Patience::default()) {
        Ok(database) => Slot::ready(Arc::new(database)),
        Err(missing) => missing.into(),
    }
}
