//! An RDAP server (RFC 9082 and 9083).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::error::LabError;
use crate::listener::Servers;
use crate::live::Live;
use crate::plan::{Plan, RegistrationPlan};
use crate::web::{Body, serve_plain, text};

/// What the registry says about each domain.
pub(crate) fn build(plan: &Plan, now: Timestamp) -> BTreeMap<String, Value> {
    plan.registration.iter().map(|(name, plan)| (name.clone(), domain(name, plan, now))).collect()
}

/// Starts the server; its base is `http://ADDRESS/`.
pub(crate) async fn start(live: &Arc<Live>, servers: &mut Servers) -> Result<SocketAddr, LabError> {
    let live = Arc::clone(live);
    let handle = move |link| {
        let live = Arc::clone(&live);
        async move {
            let answer = |request: hyper::Request<hyper::body::Incoming>| {
                let name = request.uri().path().strip_prefix("/domain/").unwrap_or_default();
                let answer = match live.state().registration.get(&name.to_ascii_lowercase()) {
                    Some(known) => object(StatusCode::OK, known),
                    None => object(StatusCode::NOT_FOUND, &not_found()),
                };
                std::future::ready(answer)
            };
            serve_plain(link, live.clock, answer).await;
        }
    };
    servers.tcp(handle).await
}

fn object(status: StatusCode, object: &Value) -> Response<Body> {
    let mut response = Response::new(text(object.to_string()));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/rdap+json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn not_found() -> Value {
    json!({
        "rdapConformance": ["rdap_level_0"],
        "errorCode": 404,
        "title": "Not Found",
        "description": ["The registry does not know this object."],
    })
}

fn domain(name: &str, plan: &RegistrationPlan, now: Timestamp) -> Value {
    let date = |days: i64| {
        let day = SignedDuration::from_hours(days.saturating_mul(24));
        now.checked_add(day).unwrap_or(now).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    };
    let servers: Vec<_> = plan
        .name_servers
        .iter()
        .map(|server| json!({ "objectClassName": "nameserver", "ldhName": server }))
        .collect();
    json!({
        "rdapConformance": ["rdap_level_0", "icann_rdap_response_profile_0"],
        "objectClassName": "domain",
        "handle": format!("{:08}_DOMAIN-LAB", name.len()),
        "ldhName": name.to_ascii_uppercase(),
        "status": plan.status,
        "events": [
            { "eventAction": "registration", "eventDate": date(plan.age_days.saturating_neg()) },
            { "eventAction": "expiration", "eventDate": date(plan.left_days) },
            { "eventAction": "last changed", "eventDate": date(-40) },
            { "eventAction": "last update of RDAP database", "eventDate": date(0) },
        ],
        "secureDNS": { "delegationSigned": plan.signed },
        "nameservers": servers,
        "entities": [{
            "objectClassName": "entity",
            "handle": "292",
            "roles": ["registrar"],
            "vcardArray": ["vcard", [
                ["version", {}, "text", "4.0"],
                ["fn", {}, "text", plan.registrar],
            ]],
        }],
    })
}
