//! What Prometheus and supervisors ask for.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::ProbeRefused;
use super::fault::Fault;
use super::route::Web;

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The most shards that are taken for one.
const SHARDS: u32 = 1_024;

#[derive(Debug, Deserialize)]
pub(super) struct Scrape {
    shard: Option<String>,
}

/// `i/n` with `i` from 1 to `n`.
fn shard(text: &str) -> Result<(u32, u32), Fault> {
    let read = || {
        let (index, count) = text.split_once('/')?;
        Some((index.parse::<u32>().ok()?, count.parse::<u32>().ok()?))
    };
    read()
        .filter(|(index, count)| (1..=*count).contains(index) && *count <= SHARDS)
        .ok_or_else(|| Fault::bad("That is no shard.", "Write shard=1/4 for the first of four."))
}

pub(super) async fn metrics(
    State(web): State<Arc<Web>>,
    Query(scrape): Query<Scrape>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let shard = scrape.shard.as_deref().map(shard).transpose()?;
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let openmetrics = accept.contains("application/openmetrics-text");
    let text = web.site.metrics.render(shard, openmetrics).map_err(|why| {
        Fault::bad(why, "Let Prometheus ask /sd for the shards (http_sd_configs).")
    })?;
    let kind = if openmetrics { OPENMETRICS } else { TEXT };
    Ok(([(CONTENT_TYPE, kind)], text).into_response())
}

/// The shards of `/metrics` in the shape of Prometheus' HTTP service discovery, at the address by which
/// Prometheus came here.
pub(super) async fn discovery(State(web): State<Arc<Web>>, headers: HeaderMap) -> Response {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    Json(web.site.metrics.service_discovery(host)).into_response()
}

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    target: String,
    #[serde(default)]
    module: String,
}

/// What a probe may take where the scrape does not say it.
const PROBE: Duration = Duration::from_secs(10);
/// What is left of the time of a scrape for its answer.
const MARGIN: f64 = 0.5;
/// The most characters of a target.
const TARGET: usize = 1_024;

pub(super) async fn probe(
    State(web): State<Arc<Web>>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    if asked.target.is_empty() || asked.target.len() > TARGET {
        return Err(Fault::bad("A probe needs a target.", "Add target=HOST to the address."));
    }
    let module = if asked.module.is_empty() { "http_2xx" } else { asked.module.as_str() };
    let limit = headers
        .get("x-prometheus-scrape-timeout-seconds")
        .and_then(|seconds| seconds.to_str().ok()?.parse::<f64>().ok())
        .filter(|seconds| (1.0..=25.0).contains(seconds))
        .map_or(PROBE, |seconds| Duration::from_secs_f64(seconds - MARGIN));
    let text = web.site.probe_now.probe(module, &asked.target, limit).await.map_err(|refused| {
        let (status, next) = match &refused {
            ProbeRefused::Target(_) => {
                (StatusCode::FORBIDDEN, "Hosts of the projects may be probed without that.")
            }
            ProbeRefused::Module { .. } => (StatusCode::BAD_REQUEST, "Mend the scrape config."),
            ProbeRefused::Busy => {
                (StatusCode::SERVICE_UNAVAILABLE, "Try again at the next scrape.")
            }
        };
        Fault::new(status, format!("{refused}."), next)
    })?;
    Ok(([(CONTENT_TYPE, TEXT)], text).into_response())
}

/// The process lives.
pub(super) async fn alive() -> &'static str {
    "alive\n"
}

/// The store answers, and the agent does its work.
pub(super) async fn ready(State(web): State<Arc<Web>>) -> Result<&'static str, Fault> {
    let not_ready = |why: String| {
        Fault::new(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("Not ready: {why}."),
            "Look into the log of the agent if this lasts.",
        )
    };
    web.site.store.ping().await.map_err(|error| not_ready(error.to_string()))?;
    web.site.ready.ready().map_err(not_ready)?;
    Ok("ready\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_counts_from_one() {
        assert_eq!(shard("1/4").unwrap(), (1, 4));
        assert_eq!(shard("4/4").unwrap(), (4, 4));
        for bad in ["", "4", "0/4", "5/4", "1/0", "-1/4", "1/4/4", "1/99999"] {
            assert!(shard(bad).is_err(), "{bad}");
        }
    }
}
