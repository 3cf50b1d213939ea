//! Stripe as its users see it: keys with permissions, lists newest first, and its words for every error.

mod access;
mod entries;
mod lists;
mod objects;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Api, Ask, Reply};
use crate::data::typed;
use crate::kept::locked;
use crate::sales::{Sales, SalesPlan};
use entries::List;

/// The state of the account.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    /// `acct_…`.
    id: String,
    #[serde(default = "yes")]
    charges_enabled: bool,
    #[serde(default = "yes")]
    payouts_enabled: bool,
    #[serde(default)]
    disabled_reason: Option<String>,
    #[serde(default)]
    past_due: Vec<String>,
    #[serde(default)]
    currently_due: Vec<String>,
    /// Days until what is due has to be there.
    #[serde(default)]
    deadline_days: Option<i64>,
    /// Keys by any name.
    key: BTreeMap<String, Key>,
    /// Webhook endpoints by the end of their id.
    #[serde(default)]
    webhook: BTreeMap<String, Webhook>,
    /// Newer event destinations by the end of their id.
    #[serde(default)]
    destination: BTreeMap<String, Destination>,
    /// What is sold; nothing where absent.
    #[serde(default)]
    sales: Option<SalesPlan>,
    /// Events that are not delivered, by any name; at most ten.
    #[serde(default)]
    stuck: BTreeMap<String, Stuck>,
    /// The sale that was last made so many seconds before the world began was never told of.
    #[serde(default)]
    lost_s: Vec<i64>,
    /// The plain sale that was last made so many seconds before the world began was paid twice.
    #[serde(default)]
    paid_twice_s: Vec<i64>,
    /// Requests a second that are answered; all of them where it is 0.
    #[serde(default)]
    requests_a_second: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    key: String,
    /// Slugs such as `rak_event_read`; everything where absent.
    #[serde(default)]
    permissions: Option<Vec<String>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Webhook {
    url: String,
    events: Vec<String>,
    #[serde(default = "enabled")]
    status: String,
    #[serde(default)]
    api_version: Option<String>,
    /// A Connect application's.
    #[serde(default)]
    application: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Destination {
    /// `webhook_endpoint`, `amazon_eventbridge`, `azure_event_grid`.
    kind: String,
    #[serde(default)]
    url: Option<String>,
    events: Vec<String>,
    #[serde(default = "enabled")]
    status: String,
    /// `snapshot` or `thin`.
    payload: String,
    /// `self`, `other_accounts`.
    from: Vec<String>,
}

/// A run of events that no destination takes, as long as the world is so.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stuck {
    kind: String,
    /// The age of the oldest, in seconds.
    oldest_s: i64,
    /// The age of the youngest.
    youngest_s: i64,
    /// Seconds between two.
    every_s: i64,
}

fn yes() -> bool {
    true
}

fn enabled() -> String {
    "enabled".to_owned()
}

/// The version that is rendered where a request names none.
pub(super) const VERSION: &str = "2026-07-29.dahlia";

/// The fake.
#[derive(Debug)]
pub(super) struct Stripe {
    account: Account,
    sales: Option<Sales>,
    /// The numbers of the sales that were paid twice.
    paid_twice: Vec<u64>,
    /// When the world began.
    start: Timestamp,
    /// The present second and the requests in it.
    second: Mutex<(i64, u64)>,
}

pub(super) fn make(table: &toml::Table, now: Timestamp) -> Result<Arc<dyn Api>, serde_json::Error> {
    let account: Account = typed(table)?;
    let sales = account.sales.clone().map(|plan| Sales { plan, start: now });
    let plain = |before: &i64| sales.as_ref()?.plain(*before);
    let paid_twice = account.paid_twice_s.iter().filter_map(plain).collect();
    Ok(Arc::new(Stripe { account, sales, paid_twice, start: now, second: Mutex::new((0, 0)) }))
}

impl Api for Stripe {
    fn answer(&self, ask: &Ask<'_>) -> Reply {
        let version = ask.header("stripe-version").unwrap_or(VERSION).to_owned();
        let request =
            format!("req_{:016x}", self.count(ask.now).1 ^ ask.now.as_second().cast_unsigned());
        let (Ok(reply) | Err(reply)) = self.route(ask);
        reply.with("request-id", request).with("stripe-version", version)
    }
}

impl Stripe {
    fn route(&self, ask: &Ask<'_>) -> Result<Reply, Reply> {
        let live = self.enter(ask)?;
        let parts: Vec<&str> = ask.path.trim_matches('/').split('/').collect();
        let list = |list: List| lists::list(self, list, ask, live);
        match *parts.as_slice() {
            ["v1", "account"] => Ok(Reply::json(200, &objects::account(self, live))),
            ["v1", "webhook_endpoints"] => lists::webhooks(self, ask, live),
            ["v2", "core", "event_destinations"] => Ok(lists::destinations(self, ask, live)),
            ["v1", "checkout", "sessions"] => list(List::Sessions),
            ["v1", "checkout", "sessions", id] => lists::one(self, List::Sessions, id, ask, live),
            ["v1", name] => match List::named(name) {
                Some(found) => list(found),
                None => Err(unknown(ask)),
            },
            ["v1", name, id] => match List::named(name) {
                Some(found) => lists::one(self, found, id, ask, live),
                None => Err(unknown(ask)),
            },
            _ => Err(unknown(ask)),
        }
    }

    /// Counts a request; gives back the second and how many there were in it.
    fn count(&self, now: Timestamp) -> (i64, u64) {
        let mut second = locked(&self.second);
        if second.0 != now.as_second() {
            *second = (now.as_second(), 0);
        }
        second.1 += 1;
        *second
    }
}

fn unknown(ask: &Ask<'_>) -> Reply {
    let message = format!(
        "Unrecognized request URL ({}: {}). Please see https://stripe.com/docs or we can help at \
         https://support.stripe.com/.",
        ask.method, ask.path
    );
    error(404, "invalid_request_error", &message, None, None)
}

/// An error in Stripe's form.
fn error(status: u16, kind: &str, message: &str, code: Option<&str>, param: Option<&str>) -> Reply {
    let doc =
        code.map(|code| format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-")));
    let parts = [
        ("type", Some(kind)),
        ("message", Some(message)),
        ("code", code),
        ("doc_url", doc.as_deref()),
        ("param", param),
    ];
    let parts = parts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.into())));
    let error: serde_json::Map<String, Value> = parts.collect();
    Reply::json(status, &json!({ "error": error }))
}
