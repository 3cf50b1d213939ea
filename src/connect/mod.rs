//! Connectors: one file per outside system, behind the ports of `launchready_checks::probe`.
//!
//! Every connector reads and never changes, keeps to the vendor's pace, and says which permission is
//! missing.

mod api;
mod attio;
mod freshdesk;
mod front;
mod grant;
mod helpscout;
mod hubspot;
mod intercom;
mod pages;
mod pipedrive;
mod relations;
mod zendesk;

use launchready_checks::probe::Accounts;

pub use api::{Api, Reach, Reply, Shown, Vendor};
pub use grant::Grant;

use crate::config::AccountSettings;

/// The ports to the accounts that are configured. Nothing is asked yet.
pub fn accounts(settings: &AccountSettings, reach: &Reach) -> Accounts {
    Accounts {
        desk: relations::desk(settings, reach),
        crm: relations::crm(settings, reach),
        ..Accounts::default()
    }
}
