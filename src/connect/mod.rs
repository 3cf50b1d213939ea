//! Connectors: one file per outside system, behind the ports of `launchready_checks::probe`.
//!
//! Every connector reads and never changes, keeps to the vendor's pace, and says which permission is
//! missing.

mod answer;
mod api;
mod attio;
mod checkouts_file;
mod cloudflare;
pub mod database;
mod freshdesk;
mod front;
mod grant;
mod helpscout;
mod hubspot;
mod intercom;
mod make;
mod n8n;
mod netlify;
mod outlying;
mod pace;
mod pages;
mod pagespeed;
mod pipedrive;
mod reach;
mod relations;
mod shape;
mod shown;
mod stripe;
mod supabase;
mod vercel;
mod zapier;
mod zendesk;

use std::sync::Arc;

use launchready_checks::probe::{Accounts, Database, Payments, Slot, Speed};

pub use answer::Reply;
pub use api::{Api, Vendor};
pub use checkouts_file::CheckoutsFile;
pub use cloudflare::Cloudflare;
pub use grant::Grant;
pub use make::Make;
pub use n8n::N8n;
pub use netlify::Netlify;
pub use pace::Paces;
pub use pagespeed::Pagespeed;
pub use reach::{Reach, Written};
pub use shown::Shown;
pub use stripe::Stripe;
pub use vercel::Vercel;
pub use zapier::Zapier;

use crate::config::AccountSettings;
use database::{Patience, ProjectDatabase};

/// The ports to the accounts that are configured. Nothing is asked yet.
pub fn accounts(settings: &AccountSettings, reach: &Reach) -> Accounts {
    let none = Accounts::default();
    Accounts {
        payments: payments(settings, reach).unwrap_or(none.payments),
        database: database(settings, reach).unwrap_or(none.database),
        speed: speed(settings, reach).unwrap_or(none.speed),
        desk: relations::desk(settings, reach).unwrap_or(none.desk),
        crm: relations::crm(settings, reach).unwrap_or(none.crm),
        supabase: supabase::management(settings, reach).unwrap_or(none.supabase),
        supabase_public: supabase::public(settings, reach).unwrap_or(none.supabase_public),
        automation: outlying::automation(settings, reach).unwrap_or(none.automation),
        edge: outlying::edge(settings, reach).unwrap_or(none.edge),
        hosting: outlying::hosting(settings, reach).unwrap_or(none.hosting),
    }
}

fn payments(settings: &AccountSettings, reach: &Reach) -> Option<Slot<dyn Payments>> {
    let table = settings.tables.stripe.as_ref()?;
    let key = match settings.read(&table.key) {
        Ok(key) => key,
        Err(missing) => return Some(missing.into()),
    };
    Some(match Stripe::new(key, table.api.as_deref(), reach) {
        Ok(stripe) => Slot::ready(Arc::new(stripe)),
        Err(error) => Slot::missing(error.to_string(), "correct project.stripe.api in the config"),
    })
}

fn speed(settings: &AccountSettings, reach: &Reach) -> Option<Slot<dyn Speed>> {
    let table = settings.tables.pagespeed.as_ref()?;
    let key = match settings.read(&table.key) {
        Ok(key) => key,
        Err(missing) => return Some(missing.into()),
    };
    Some(match Pagespeed::new(key, table.api.as_deref(), reach) {
        Ok(service) => Slot::ready(Arc::new(service)),
        Err(error) => {
            Slot::missing(error.to_string(), "correct project.pagespeed.api in the config")
        }
    })
}

fn database(settings: &AccountSettings, reach: &Reach) -> Option<Slot<dyn Database>> {
    settings.tables.database.as_ref()?;
    Some(match ProjectDatabase::new(settings, &reach.extra_roots, Patience::default()) {
        Ok(database) => Slot::ready(Arc::new(database)),
        Err(missing) => missing.into(),
    })
}
