//! The accounts and databases of a project, each behind a port of its own, where they are configured.

use std::fmt;
use std::sync::Arc;

use super::{
    Automation, Crm, Database, Desk, Edge, Hosting, Payments, Speed, Supabase, SupabasePublic,
};

/// Why a port cannot be asked: nothing is configured, or its credential is missing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Missing {
    /// Why, as a sentence without a full stop.
    pub reason: String,
    /// The step that makes it work.
    pub unlock: String,
}

/// A port that may be missing.
pub struct Slot<T: ?Sized>(Result<Arc<T>, Missing>);

impl<T: ?Sized> Slot<T> {
    /// A port that can be asked.
    pub const fn ready(port: Arc<T>) -> Self {
        Self(Ok(port))
    }

    /// A port that cannot.
    pub fn missing(reason: impl Into<String>, unlock: impl Into<String>) -> Self {
        Self(Err(Missing { reason: reason.into(), unlock: unlock.into() }))
    }

    /// The port.
    ///
    /// # Errors
    /// It is missing; the check is skipped then.
    pub fn get(&self) -> Result<&T, Missing> {
        self.0.as_deref().map_err(Clone::clone)
    }

    /// The port, where a check can do without.
    pub fn optional(&self) -> Option<&T> {
        self.0.as_deref().ok()
    }
}

impl<T: ?Sized> Clone for Slot<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: ?Sized> From<Missing> for Slot<T> {
    fn from(missing: Missing) -> Self {
        Self(Err(missing))
    }
}

impl<T: ?Sized> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Ok(_) => f.write_str("ready"),
            Err(missing) => missing.fmt(f),
        }
    }
}

/// The ports to the accounts of one project.
#[derive(Debug, Clone)]
pub struct Accounts {
    /// The payment provider.
    pub payments: Slot<dyn Payments>,
    /// The project's own database.
    pub database: Slot<dyn Database>,
    /// A service that measures pages in a browser.
    pub speed: Slot<dyn Speed>,
    /// The automation service.
    pub automation: Slot<dyn Automation>,
    /// The edge network in front of the site.
    pub edge: Slot<dyn Edge>,
    /// Where the site runs.
    pub hosting: Slot<dyn Hosting>,
    /// The help desk.
    pub desk: Slot<dyn Desk>,
    /// The CRM.
    pub crm: Slot<dyn Crm>,
    /// The management API of Supabase.
    pub supabase: Slot<dyn Supabase>,
    /// The Supabase project, asked with its public key.
    pub supabase_public: Slot<dyn SupabasePublic>,
}

impl Default for Accounts {
    /// Nothing is configured.
    fn default() -> Self {
        Self {
            payments: Slot::missing(
                "no Stripe key is configured",
                "add [project.stripe] with key = { env = \"STRIPE_RESTRICTED_KEY\" } to the config",
            ),
            database: Slot::missing(
                "no database is configured",
                "add [project.database] with url = { env = \"DATABASE_URL\" } and its tables to the config",
            ),
            speed: Slot::missing(
                "nothing to measure with: no PageSpeed key and no local Lighthouse is configured",
                "add [project.pagespeed] with key = { env = \"PAGESPEED_KEY\" } to the config, or lighthouse \
                 = \"/usr/local/bin/lighthouse\" under [checks.web-speed]",
            ),
            automation: Slot::missing(
                "no automation service is configured",
                "add [project.automation] with kind, api and token = { env = \"AUTOMATION_TOKEN\" } to the config",
            ),
            edge: Slot::missing(
                "no token of the edge network is configured",
                "add [project.edge] with kind = \"cloudflare\" and token = { env = \"CLOUDFLARE_TOKEN\" } to the config",
            ),
            hosting: Slot::missing(
                "no hosting is configured",
                "add [project.hosting] with kind, site and token = { env = \"HOSTING_TOKEN\" } to the config",
            ),
            desk: Slot::missing(
                "no help desk is configured",
                "add [project.support] with kind and token = { env = \"SUPPORT_TOKEN\" } to the config, or \
                 name your own tickets table under [project.database.tickets]",
            ),
            crm: Slot::missing(
                "no CRM is configured",
                "add [project.crm] with kind and token = { env = \"CRM_TOKEN\" } to the config",
            ),
            supabase: Slot::missing(
                "no Supabase token is configured",
                "add [project.supabase] with ref and token = { env = \"SUPABASE_TOKEN\" } to the config; \
                 make a scoped token at https://supabase.com/dashboard/account/tokens",
            ),
            supabase_public: Slot::missing(
                "no public key of Supabase is configured",
                "add [project.supabase] with ref and public_key = { env = \"SUPABASE_PUBLISHABLE_KEY\" } \
                 to the config",
            ),
        }
    }
}
