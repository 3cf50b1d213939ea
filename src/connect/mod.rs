//! Connectors: one file per outside system, behind the ports of `launchready_checks::probe`.
//!
//! Every connector reads and never changes, keeps to the vendor's pace, and says which permission is
//! missing.

mod api;
mod cloudflare;
mod make;
mod n8n;
mod netlify;
mod outlying;
mod pages;
mod shape;
mod stripe;
mod vercel;
mod zapier;

use std::sync::Arc;

use launchready_checks::probe::{Accounts, Payments, Slot};

pub use api::{Api, Reach, Reply, Shown, Vendor};
pub use stripe::Stripe;

pub use cloudflare::Cloudflare;
pub use make::Make;
pub use n8n::N8n;
pub use netlify::Netlify;
pub use vercel::Vercel;
pub use zapier::Zapier;

use crate::config::AccountSettings;

/// The ports to the accounts that are configured. Nothing is asked yet.
pub fn accounts(settings: &AccountSettings, reach: &Reach) -> Accounts {
    let mut accounts = Accounts::default();
    if let Some(table) = &settings.tables.stripe {
        accounts.payments = match settings.read(&table.key) {
            Ok(key) => match Stripe::new(key, table.api.as_deref(), reach) {
                Ok(stripe) => Slot::ready(Arc::new(stripe) as Arc<dyn Payments>),
                Err(error) => {
                    Slot::missing(error.to_string(), "correct project.stripe.api in the config")
                }
            },
            Err(missing) => missing.into(),
        };
    }
    if let Some(automation) = outlying::automation(settings, reach) {
        accounts.automation = automation;
    }
    if let Some(edge) = outlying::edge(settings, reach) {
        accounts.edge = edge;
    }
    if let Some(hosting) = outlying::hosting(settings, reach) {
        accounts.hosting = hosting;
    }
    accounts
}
