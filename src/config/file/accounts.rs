//! The tables of a project's accounts: where each is, and which credential reads it.

use std::collections::BTreeMap;

use launchready_checks::contract::{Connect, StripeOnly};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::secret::SecretRef;

/// `[project.stripe]`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StripeTable {
    /// A restricted key (`rk_live_…`) that may read and nothing else.
    pub key: SecretRef,
    /// How the marketplace pays its sellers: `none`, `destination` or `direct`.
    #[serde(default)]
    pub connect: Connect,
    /// Marks of the product's own checkouts, where the account serves several products.
    #[serde(default)]
    pub only: StripeOnly,
    /// Nothing that was created before this day or time is looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Where the API is, instead of the vendor's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
}

/// `[project.supabase]`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SupabaseTable {
    /// The 20 letters of the project, from its dashboard's address.
    #[serde(rename = "ref")]
    pub reference: String,
    /// A scoped access token for the management API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<SecretRef>,
    /// The publishable key (`sb_publishable_…`) or the anon key: what every browser is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<SecretRef>,
    /// Tables that anybody may read on purpose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub public_tables: Vec<String>,
    /// Schemas that the API shows to browsers, where the token cannot ask.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schemas: Vec<String>,
    /// Where the management API is, instead of the vendor's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
    /// Where the project itself answers, instead of `https://REF.supabase.co`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// `[project.database]`. A table of the mapping holds `table` and, for each column whose name is not
/// usual, the agreed name with the real one.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DatabaseTable {
    /// `postgres://…` of a user that may only read, or `sqlite:FILE`.
    pub url: SecretRef,
    /// A PEM file with the authority that signed the server's certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<std::path::PathBuf>,
    /// What was sold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orders: Option<BTreeMap<String, String>>,
    /// The provider's events that the product has taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<BTreeMap<String, String>>,
    /// What was handed to the CRM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crm_sync: Option<BTreeMap<String, String>>,
    /// Subscriptions of customers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscriptions: Option<BTreeMap<String, String>>,
    /// Requests for help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tickets: Option<BTreeMap<String, String>>,
    /// Forms that were sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submissions: Option<BTreeMap<String, String>>,
}

/// `[project.crm]`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CrmTable {
    /// Which one.
    pub kind: CrmKind,
    /// A token that may read contacts.
    pub token: SecretRef,
    /// Where the API is, instead of the vendor's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
}

/// The CRMs that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names are those of the products")]
pub enum CrmKind {
    HubSpot,
    Pipedrive,
    Attio,
}

/// `[project.support]`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SupportTable {
    /// Which one.
    pub kind: SupportKind,
    /// A token that may read conversations.
    pub token: SecretRef,
    /// The account's name in the address (Zendesk, Freshdesk).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subdomain: Option<String>,
    /// Whose token it is (Zendesk: an address; Help Scout: the application's id).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Where the API is, instead of the vendor's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
}

/// The help desks that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names are those of the products")]
pub enum SupportKind {
    Zendesk,
    Intercom,
    Freshdesk,
    HelpScout,
    Front,
}

/// `[project.automation]`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AutomationTable {
    /// Which one.
    pub kind: AutomationKind,
    /// A token that may read scenarios and their runs.
    pub token: SecretRef,
    /// Where it is: your own n8n, or Make's zone (`https://eu1.make.com`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
    /// The team whose scenarios are read (Make).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
}

/// The automation services that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names are those of the products")]
pub enum AutomationKind {
    N8n,
    Make,
    Zapier,
}

/// `[project.edge]`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EdgeTable {
    /// Which one.
    pub kind: EdgeKind,
    /// A token that may read the zone, its settings and its records.
    pub token: SecretRef,
    /// Where the API is, instead of the vendor's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
}

/// The edges that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names are those of the products")]
pub enum EdgeKind {
    Cloudflare,
}

/// `[project.hosting]`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostingTable {
    /// Which one.
    pub kind: HostingKind,
    /// A token that may read the project.
    pub token: SecretRef,
    /// The project's id or name (Vercel), or the site's id (Netlify).
    pub site: String,
    /// The team that owns it (Vercel).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Where the API is, instead of the vendor's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
}

/// The hosts that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names are those of the products")]
pub enum HostingKind {
    Vercel,
    Netlify,
}

/// `[project.pagespeed]`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PagespeedTable {
    /// A key for the `PageSpeed` Insights API and nothing else.
    pub key: SecretRef,
    /// Where the API is, instead of the vendor's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
}

/// The tables of a project's accounts.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AccountTables {
    /// The payment provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stripe: Option<StripeTable>,
    /// Supabase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supabase: Option<SupabaseTable>,
    /// The project's own database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<DatabaseTable>,
    /// The CRM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crm: Option<CrmTable>,
    /// The help desk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub support: Option<SupportTable>,
    /// The automation service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automation: Option<AutomationTable>,
    /// The edge in front of the site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edge: Option<EdgeTable>,
    /// Where the site runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hosting: Option<HostingTable>,
    /// The service that measures pages in a browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pagespeed: Option<PagespeedTable>,
}
