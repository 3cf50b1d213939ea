//! The declared facts about a project's accounts, without any credential.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is declared about accounts; absent means that the config names none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AccountFacts {
    /// The payment provider.
    pub stripe: Option<StripeFacts>,
    /// Supabase.
    pub supabase: Option<SupabaseFacts>,
    /// The project's own database is named.
    pub database: bool,
    /// The CRM, by its kind.
    pub crm: Option<String>,
    /// The help desk, by its kind.
    pub support: Option<String>,
    /// The automation service, by its kind.
    pub automation: Option<String>,
    /// The edge in front of the site, by its kind.
    pub edge: Option<String>,
    /// Where the site runs, by its kind.
    pub hosting: Option<String>,
}

impl AccountFacts {
    /// The names of the project's tables that are there, of those that `not_used` takes.
    pub fn configured(&self) -> Vec<&'static str> {
        let parts = [
            ("stripe", self.stripe.is_some()),
            ("supabase", self.supabase.is_some()),
            ("database", self.database),
            ("crm", self.crm.is_some()),
            ("support", self.support.is_some()),
            ("automation", self.automation.is_some()),
        ];
        parts.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect()
    }
}

/// What is declared about Stripe.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StripeFacts {
    /// How the marketplace pays its sellers.
    pub connect: Connect,
    /// Which checkouts are the product's own; all of them where nothing is said.
    pub only: StripeOnly,
    /// Nothing older is looked at.
    pub since: Option<Timestamp>,
}

/// How a marketplace pays its sellers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Connect {
    /// It does not: Stripe Connect is not used.
    #[default]
    None,
    /// Buyers pay the platform, which passes it on.
    Destination,
    /// Buyers pay the connected account itself.
    Direct,
}

/// Marks of the product's own checkouts. A checkout has to have every mark that is said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StripeOnly {
    /// The payment link (`plink_…`), one of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub payment_link: Vec<String>,
    /// `key=value` in the metadata, or `key` alone for any value; one of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metadata: Vec<String>,
}

/// What is declared about Supabase.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SupabaseFacts {
    /// The 20 letters of the project.
    pub reference: String,
    /// Tables that anybody may read on purpose, `table` or `schema.table`.
    pub public_tables: Vec<String>,
    /// Schemas that the API shows; asked from the provider where none are said.
    pub schemas: Vec<String>,
}
