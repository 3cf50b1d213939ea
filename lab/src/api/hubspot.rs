//! HubSpot as its users see it: contacts in batches and by search, with scopes, limits and a lagging index.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::customers::{Contact, Customers};
use super::rate::Rate;
use super::{Api, Ask, Reply};
use crate::data::typed;

const SCOPE: &str = "crm.objects.contacts.read";
/// Inputs of a batch; results of a search page, and in all; groups, filters of a group, and bytes of a search.
const INPUTS: usize = 100;
const RESULTS: u64 = 200;
const ALL: u64 = 10_000;
const GROUPS: usize = 5;
const FILTERS: usize = 6;
const BODY: usize = 3_000;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    token: String,
    #[serde(default = "scopes")]
    scopes: Vec<String>,
    /// Requests in ten seconds, by plan.
    #[serde(default = "per_window")]
    per_window: u64,
    /// Searches in a second.
    #[serde(default = "searches")]
    searches: u64,
    /// Seconds by which the search lags.
    #[serde(default = "lag")]
    lag_s: i64,
    #[serde(default)]
    customers: Customers,
}

fn scopes() -> Vec<String> {
    vec![SCOPE.to_owned()]
}

const fn per_window() -> u64 {
    100
}

const fn searches() -> u64 {
    5
}

const fn lag() -> i64 {
    30
}

#[derive(Debug)]
struct HubSpot {
    account: Account,
    start: Timestamp,
    rate: Rate,
    searches: Rate,
}

pub(super) fn make(table: &toml::Table, now: Timestamp) -> Result<Arc<dyn Api>, serde_json::Error> {
    let account: Account = typed(table)?;
    let rate = Rate::new(account.per_window, 10);
    let searches = Rate::new(account.searches, 1);
    Ok(Arc::new(HubSpot { account, start: now, rate, searches }))
}

fn error(status: u16, category: &str, message: &str) -> Reply {
    Reply::json(
        status,
        &json!({
            "status": "error", "message": message, "category": category,
            "correlationId": "00000000-0000-4000-8000-000000000000",
        }),
    )
}

fn too_many(policy: &str) -> Reply {
    let body = json!({
        "status": "error", "message": format!("You have reached your {policy} limit."),
        "errorType": "RATE_LIMIT", "category": "RATE_LIMITS", "policyName": policy,
        "correlationId": "00000000-0000-4000-8000-000000000000",
    });
    Reply::json(429, &body)
}

impl Api for HubSpot {
    fn answer(&self, ask: &Ask<'_>) -> Reply {
        if ask.bearer() != Some(&self.account.token) {
            let message =
                "Authentication credentials not found. This API supports OAuth 2.0 authentication.";
            return error(401, "INVALID_AUTHENTICATION", message);
        }
        if !self.account.scopes.iter().any(|scope| scope == SCOPE) {
            let errors = json!([{
                "message": "One or more of the following scopes are required.",
                "context": { "requiredGranularScopes": [SCOPE] },
            }]);
            let body = json!({
                "status": "error", "category": "MISSING_SCOPES", "errors": errors,
                "message": "This app hasn't been granted all required scopes to make this call.",
                "correlationId": "00000000-0000-4000-8000-000000000000",
            });
            return Reply::json(403, &body);
        }
        if self.rate.take(ask.now).is_err() {
            return too_many("TEN_SECONDLY_ROLLING");
        }
        match (ask.method, ask.path) {
            ("GET", "/crm/v3/objects/contacts") => {
                let all: Vec<Value> = if self.account.customers.any() {
                    vec![drawn(
                        &Contact {
                            id: 1,
                            emails: vec!["first@customers.example".to_owned()],
                            age_s: 0,
                        },
                        ask.now,
                    )]
                } else {
                    Vec::new()
                };
                Reply::json(200, &json!({ "results": all }))
            }
            ("POST", "/crm/v3/objects/contacts/batch/read") => self.batch(ask),
            ("POST", "/crm/v3/objects/contacts/search") => {
                if self.searches.take(ask.now).is_err() {
                    return too_many("SECONDLY");
                }
                self.search(ask)
            }
            _ => error(404, "OBJECT_NOT_FOUND", "resource not found"),
        }
    }
}

impl HubSpot {
    fn holding(&self, email: &str, now: Timestamp) -> Vec<Contact> {
        self.account.customers.holding(email, self.start, now)
    }

    fn batch(&self, ask: &Ask<'_>) -> Reply {
        let body = ask.json();
        let inputs = body.get("inputs").and_then(Value::as_array).cloned().unwrap_or_default();
        if inputs.len() > INPUTS {
            let message = "No more than 100 objects may be requested in a single request";
            return error(400, "VALIDATION_ERROR", message);
        }
        if body.get("idProperty").and_then(Value::as_str) != Some("email") {
            return error(400, "VALIDATION_ERROR", "idProperty must name a unique property");
        }
        let ids = inputs.iter().filter_map(|input| input.get("id").and_then(Value::as_str));
        let (mut results, mut missing) = (Vec::new(), Vec::new());
        for id in ids {
            // An address leads to one contact: its own before one that holds it beside.
            let mut found = self.holding(id, ask.now);
            found.sort_by_key(|contact| contact.emails.first().is_some_and(|own| own != id));
            match found.first() {
                Some(contact) => results.push(drawn(contact, ask.now)),
                None => missing.push(id.to_owned()),
            }
        }
        let mut reply = json!({
            "status": "COMPLETE", "results": results,
            "startedAt": ask.now.to_string(), "completedAt": ask.now.to_string(),
        });
        if missing.is_empty() {
            return Reply::json(200, &reply);
        }
        if let Some(map) = reply.as_object_mut() {
            map.insert("numErrors".to_owned(), json!(1));
            let errors = json!([{
                "status": "error", "category": "OBJECT_NOT_FOUND",
                "message": "Could not get some CONTACT objects, they may be deleted or not exist.",
                "context": { "ids": missing },
            }]);
            map.insert("errors".to_owned(), errors);
        }
        Reply::json(207, &reply)
    }

    fn search(&self, ask: &Ask<'_>) -> Reply {
        if ask.body.len() > BODY {
            return error(
                400,
                "VALIDATION_ERROR",
                "The request body is longer than 3000 characters",
            );
        }
        let body = ask.json();
        let groups =
            body.get("filterGroups").and_then(Value::as_array).cloned().unwrap_or_default();
        let filters = |group: &Value| {
            group.get("filters").and_then(Value::as_array).cloned().unwrap_or_default()
        };
        if groups.len() > GROUPS || groups.iter().any(|group| filters(group).len() > FILTERS) {
            return error(400, "VALIDATION_ERROR", "Too many filters or filter groups");
        }
        let limit = body.get("limit").and_then(Value::as_u64).unwrap_or(10);
        let after = body
            .get("after")
            .and_then(|after| after.as_u64().or_else(|| after.as_str()?.parse().ok()));
        let after = after.unwrap_or(0);
        if limit > RESULTS || after + limit > ALL {
            return error(400, "VALIDATION_ERROR", "The page is outside of what a search gives");
        }
        let mut found: Vec<Contact> = Vec::new();
        for filter in groups.iter().flat_map(filters) {
            for contact in self.filtered(&filter, ask.now) {
                if contact.age_s >= self.account.lag_s && !found.contains(&contact) {
                    found.push(contact);
                }
            }
        }
        let total = found.len() as u64;
        let page: Vec<Value> = found
            .iter()
            .skip(usize::try_from(after).unwrap_or(usize::MAX))
            .take(usize::try_from(limit).unwrap_or(0))
            .map(|contact| drawn(contact, ask.now))
            .collect();
        let mut reply = json!({ "total": total, "results": page });
        if after + limit < total
            && let Some(map) = reply.as_object_mut()
        {
            let next = json!({ "next": { "after": (after + limit).to_string() } });
            map.insert("paging".to_owned(), next);
        }
        Reply::json(200, &reply)
    }

    /// The contacts of one filter. A group of several filters is not what this fake is asked for.
    fn filtered(&self, filter: &Value, now: Timestamp) -> Vec<Contact> {
        let text = |key: &str| filter.get(key).and_then(Value::as_str).unwrap_or_default();
        let values: Vec<String> = match filter.get("values").and_then(Value::as_array) {
            Some(values) => values.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            None => vec![text("value").to_owned()],
        };
        let own =
            |contact: &Contact, value: &str| contact.emails.first().is_some_and(|own| own == value);
        let mut found = Vec::new();
        for value in values {
            let all = self.holding(&value, now);
            match (text("propertyName"), text("operator")) {
                ("email", "EQ" | "IN") => {
                    found.extend(all.into_iter().filter(|one| own(one, &value)));
                }
                ("hs_additional_emails", "CONTAINS_TOKEN") => {
                    found.extend(all.into_iter().filter(|one| !own(one, &value)));
                }
                _ => {}
            }
        }
        found
    }
}

fn drawn(contact: &Contact, now: Timestamp) -> Value {
    let made = now.checked_sub(SignedDuration::from_secs(contact.age_s)).unwrap_or(now).to_string();
    let beside: Vec<_> = contact.emails.iter().skip(1).cloned().collect();
    json!({
        "id": contact.id.to_string(),
        "properties": {
            "email": contact.emails.first(),
            "hs_additional_emails": (!beside.is_empty()).then(|| beside.join(";")),
            "createdate": made,
        },
        "createdAt": made,
        "updatedAt": made,
        "archived": false,
    })
}
