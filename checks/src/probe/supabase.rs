//! The ports to a Supabase project: what its management API says about it, and what anybody may do with
//! the public key.
//!
//! What functions print is counted where it is kept: no line of a log leaves the provider.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Answer, Catalogue, Period, ProbeError};

/// The longest period of one question about logs; the provider refuses more.
pub const LOG_HOURS: i64 = 24;

/// What a token may do, as far as its form tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenPower {
    /// It was granted single permissions (`sbp_fc…`).
    Scoped,
    /// It may do everything that its owner may, in every project (`sbp_…`).
    Full,
    /// Its form does not tell.
    #[default]
    Unknown,
}

/// The state of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SupabaseProject {
    /// `ACTIVE_HEALTHY`, `INACTIVE`, `PAUSING`, …, or a word we do not know.
    pub status: String,
    /// Where it runs, such as `eu-central-1`.
    pub region: String,
    /// The version of its database.
    pub database: Option<String>,
}

/// The state of one service of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServiceHealth {
    /// `auth`, `db`, `rest`, `storage`, …
    pub name: String,
    /// `ACTIVE_HEALTHY`, `COMING_UP`, `UNHEALTHY`, or a word we do not know.
    pub status: String,
    /// What is wrong, in the provider's words; at most 200 characters.
    pub error: Option<String>,
}

/// One Edge Function.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EdgeFunction {
    /// The id under which logs know it.
    pub id: String,
    /// Its name in the address.
    pub slug: String,
    /// `ACTIVE`, `REMOVED`, `THROTTLED`, or a word we do not know.
    pub status: String,
    /// The gateway lets nobody call it without a valid token; `None` where the provider does not say.
    pub verify_jwt: Option<bool>,
}

/// Calls of one function in a period, counted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FunctionCalls {
    /// The id of the function.
    pub function: String,
    /// Calls by status.
    pub statuses: BTreeMap<u16, u64>,
    /// 95th percentile of the time that a call took.
    pub p95_ms: Option<f64>,
}

/// What one function printed in a period, counted by kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FunctionPrints {
    /// The id of the function.
    pub function: String,
    /// Lines in all.
    pub lines: u64,
    /// Lines that tell of JSON that could not be read.
    pub json_errors: u64,
    /// Lines that hold a credential.
    pub secrets: u64,
    /// Lines that hold an e-mail address.
    pub addresses: u64,
}

/// What functions did in a period.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FunctionLogs<T> {
    /// One entry a function.
    pub functions: Vec<T>,
    /// The provider gave the most rows that it gives, and there may be more functions.
    pub cut: bool,
}

/// Settings of sign-in. What is absent was not said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuthSettings {
    /// Where links in mails lead.
    pub site_url: Option<String>,
    /// Where a sign-in may lead beside that, patterns included.
    pub redirects: Vec<String>,
    /// Sign-in by e-mail is on.
    pub email: Option<bool>,
    /// The project's own mail server is set.
    pub own_mail_server: Option<bool>,
    /// How long a code or link in a mail is valid, in seconds.
    pub code_life_s: Option<u64>,
    /// Passwords are compared with those that have leaked.
    pub leaked_passwords: Option<bool>,
    /// Limits by the provider's names, such as `rate_limit_verify`.
    pub limits: BTreeMap<String, u64>,
}

/// What could be restored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Backups {
    /// Any point in time can be restored.
    pub point_in_time: bool,
    /// The last complete daily backup.
    pub latest: Option<Timestamp>,
    /// Complete daily backups.
    pub complete: u32,
}

/// Asks the management API of Supabase. Nothing is changed.
pub trait Supabase: Send + Sync {
    /// What the token may do, as far as its form tells.
    fn token(&self) -> TokenPower;

    /// The state of the project.
    fn project(&self) -> Answer<'_, Result<SupabaseProject, ProbeError>>;

    /// The state of its services.
    fn health(&self) -> Answer<'_, Result<Vec<ServiceHealth>, ProbeError>>;

    /// Its Edge Functions.
    fn functions(&self) -> Answer<'_, Result<Vec<EdgeFunction>, ProbeError>>;

    /// How functions answered in a period of at most [`LOG_HOURS`].
    fn calls(&self, period: Period) -> Answer<'_, Result<FunctionLogs<FunctionCalls>, ProbeError>>;

    /// What functions printed in a period of at most [`LOG_HOURS`].
    fn prints(
        &self,
        period: Period,
    ) -> Answer<'_, Result<FunctionLogs<FunctionPrints>, ProbeError>>;

    /// Settings of sign-in.
    fn auth(&self) -> Answer<'_, Result<AuthSettings, ProbeError>>;

    /// What could be restored.
    fn backups(&self) -> Answer<'_, Result<Backups, ProbeError>>;

    /// The database refuses connections without TLS.
    fn ssl_enforced(&self) -> Answer<'_, Result<bool, ProbeError>>;

    /// The schemas that the API shows to browsers.
    fn exposed(&self) -> Answer<'_, Result<Vec<String>, ProbeError>>;

    /// The names of its buckets.
    fn buckets(&self) -> Answer<'_, Result<Vec<String>, ProbeError>>;

    /// Tables, keys, policies and privileges, by a statement that only reads.
    fn catalogue(&self) -> Answer<'_, Result<Catalogue, ProbeError>>;
}

/// What the public key sees of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum PublicLook {
    /// Rows; how many, where that was said.
    Rows {
        /// All rows that it sees.
        total: Option<u64>,
    },
    /// No row: the table is empty, or its policies hide every row.
    Empty,
    /// It has no privilege (`42501`).
    Denied,
    /// The API shows no such table (`PGRST205`), or not its schema (`PGRST106`).
    Absent,
    /// Something else, by its status and the code of `PostgREST` or PostgreSQL.
    Other {
        /// The status of HTTP.
        status: u16,
        /// The code, where one was said.
        code: Option<String>,
    },
}

/// What the public key sees of a bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BucketLook {
    /// Its name.
    pub name: String,
    /// Its files can be read by whoever knows their names.
    pub public: bool,
    /// The names of its files are listed: there was at least one.
    pub listed: bool,
}

/// What the API itself lists to the public key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PublicNames {
    /// Tables and views.
    pub tables: Vec<String>,
    /// Functions.
    pub functions: Vec<String>,
    /// The list is refused to this key, as Supabase does since 2026.
    pub refused: bool,
}

/// Asks a Supabase project with the key that every browser is given. No row and no file is fetched.
pub trait SupabasePublic: Send + Sync {
    /// Whether the key is one at all: what answers a refused key says nothing about tables.
    fn key_works(&self) -> Answer<'_, Result<(), ProbeError>>;

    /// What is seen of a table, `schema.table` or `table` of the first schema.
    fn table(&self, name: String) -> Answer<'_, Result<PublicLook, ProbeError>>;

    /// The buckets that are listed and those that are known by name, each asked whether its files are listed.
    fn buckets(&self, known: Vec<String>) -> Answer<'_, Result<Vec<BucketLook>, ProbeError>>;

    /// What the API lists.
    fn names(&self) -> Answer<'_, Result<PublicNames, ProbeError>>;
}
