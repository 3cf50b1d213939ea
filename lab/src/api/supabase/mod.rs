//! Supabase: the management API of one project, and the project itself behind the same port.

mod database;
mod logs;
mod management;
mod rest;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Api, Ask, Reply};
use crate::data::typed;
use crate::kept::locked;

/// Requests to one endpoint in a minute.
const A_MINUTE: u32 = 120;
/// Questions about logs in a minute.
const LOGS_A_MINUTE: u32 = 30;

/// `[api.supabase]` of a world.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    /// The 20 letters of the project.
    reference: String,
    /// The tokens of the management API.
    tokens: Vec<Token>,
    /// The keys that browsers are given.
    public_keys: Vec<String>,
    /// The state of the project, in the words of the vendor.
    status: String,
    region: String,
    version: String,
    /// The state of each service.
    service: BTreeMap<String, String>,
    /// Settings of sign-in, in the words of the vendor.
    auth: toml::Table,
    /// Point-in-time recovery is on.
    #[serde(default)]
    pitr: bool,
    /// Daily backups that are kept.
    backups: u32,
    /// Connections without TLS are refused.
    #[serde(default)]
    ssl: bool,
    /// `db_schema` of `PostgREST`.
    exposed: String,
    /// `PostgREST` describes itself to the public key, as it did before 2026.
    #[serde(default)]
    described: bool,
    /// The column of logs that holds the source; `source` unless said otherwise.
    #[serde(default)]
    source_column: Option<String>,
    /// Functions by their slug.
    #[serde(default)]
    function: BTreeMap<String, Function>,
    /// Calls and prints of functions, by any name.
    #[serde(default)]
    traffic: BTreeMap<String, Stream>,
    /// Tables by schema and name.
    #[serde(default)]
    table: BTreeMap<String, database::Table>,
    /// Views by schema and name.
    #[serde(default)]
    view: BTreeMap<String, database::View>,
    /// Functions of the database by schema and signature.
    #[serde(default)]
    routine: BTreeMap<String, database::Routine>,
    /// Buckets by name.
    #[serde(default)]
    bucket: BTreeMap<String, Bucket>,
}

/// One token.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    token: String,
    /// What it may do; `*` is everything.
    permissions: Vec<String>,
}

/// One Edge Function.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Function {
    id: String,
    #[serde(default = "active")]
    status: String,
    verify_jwt: bool,
}

fn active() -> String {
    "ACTIVE".to_owned()
}

/// Something that happens again and again.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stream {
    /// The slug of the function.
    function: String,
    /// Seconds between two of them.
    every: u32,
    /// The status of a call; prints have none.
    #[serde(default)]
    status: u16,
    /// Milliseconds that a call takes.
    #[serde(default)]
    ms: u32,
    /// What is printed.
    #[serde(default)]
    text: String,
}

/// One bucket.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bucket {
    public: bool,
    /// How many files there are.
    files: u32,
    /// A policy lets anybody list them.
    #[serde(default)]
    listed: bool,
}

/// The fake with what it was asked in this minute.
#[derive(Debug)]
struct Supabase {
    state: State,
    asked: Mutex<BTreeMap<String, (i64, u32)>>,
}

/// Makes the fake from its table.
pub(super) fn make(
    table: &toml::Table,
    _now: Timestamp,
) -> Result<Arc<dyn Api>, serde_json::Error> {
    let state: State = typed(table)?;
    Ok(Arc::new(Supabase { state, asked: Mutex::default() }))
}

impl Api for Supabase {
    fn answer(&self, ask: &Ask<'_>) -> Reply {
        if !ask.path.starts_with("/v1/") {
            return rest::answer(&self.state, ask);
        }
        let known = |shown: &str| self.state.tokens.iter().find(|one| one.token == shown);
        let Some(Token { permissions: granted, .. }) = ask.bearer().and_then(known) else {
            return message(401, "Unauthorized");
        };
        let (left, limit) = self.count(ask);
        let reset = 60 - ask.now.as_second().rem_euclid(60);
        let reply = match left {
            None => message(429, "ThrottlerException: Too Many Requests"),
            Some(_) => management::answer(&self.state, granted, ask),
        };
        reply
            .with("x-ratelimit-limit", limit.to_string())
            .with("x-ratelimit-remaining", left.unwrap_or(0).to_string())
            .with("x-ratelimit-reset", reset.to_string())
    }
}

impl Supabase {
    /// Counts a request; how many are left in this minute, and how many there are.
    fn count(&self, ask: &Ask<'_>) -> (Option<u32>, u32) {
        let limit = if ask.path.ends_with("/logs") { LOGS_A_MINUTE } else { A_MINUTE };
        let minute = ask.now.as_second().div_euclid(60);
        let mut asked = locked(&self.asked);
        let (last, times) = asked.entry(ask.path.to_owned()).or_insert((minute, 0));
        if *last != minute {
            (*last, *times) = (minute, 0);
        }
        *times += 1;
        (limit.checked_sub(*times), limit)
    }
}

/// An error of the management API.
fn message(status: u16, text: &str) -> Reply {
    Reply::json(status, &json!({ "message": text }))
}

/// A table of the world as JSON.
fn value(table: &toml::Table) -> Value {
    serde_json::to_value(table).unwrap_or_default()
}
