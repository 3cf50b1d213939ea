//! One host: its certificate, and which route answers a request with what.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode, header};
use jiff::Timestamp;
use rustls::version::{TLS12, TLS13};
use sha2::{Digest as _, Sha256};

use super::body::{Body, gzip, hostile, text};
use crate::error::LabError;
use crate::plan::{Content, PlainHttp, RoutePlan, SitePlan, Values, WireFault};
use crate::template::{fill, fixed};
use crate::tls::{Endpoint, Pki};

/// Bodies shorter than this are not worth packing, as most servers have it.
const WORTH_PACKING: usize = 200;
/// Beginnings of the content types that edge networks pack.
const PACKED_TYPES: [&str; 6] = [
    "text/",
    "application/javascript",
    "application/json",
    "application/xml",
    "application/manifest+json",
    "image/svg+xml",
];
/// A picture of one transparent dot (`GIF89a`).
const DOT: [u8; 43] = *b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\
\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

/// One host.
#[derive(Debug)]
pub(crate) struct Site {
    host: String,
    pub(crate) tls: Option<Endpoint>,
    /// Old versions that it accepts, as they are on the wire.
    pub(super) old: Vec<u16>,
    pub(super) fault: Option<WireFault>,
    plain: PlainHttp,
    plain_status: u16,
    routes: Vec<Route>,
    /// For placeholders that differ from answer to answer; one count for the whole lab.
    answers: Arc<AtomicU64>,
}

/// A route with the headers of its site merged in.
#[derive(Debug)]
struct Route {
    plan: RoutePlan,
    headers: Vec<(HeaderName, String)>,
    /// It says for itself how it is packed.
    own_encoding: bool,
    binary: Option<Bytes>,
}

/// The parts of a request that a route looks at.
pub(super) struct Asked<'a, B> {
    pub(super) request: &'a Request<B>,
    pub(super) host: &'a str,
    pub(super) over_tls: bool,
}

impl Site {
    pub(crate) fn new(
        host: &str,
        plan: &SitePlan,
        pki: &Pki,
        now: Timestamp,
        answers: Arc<AtomicU64>,
    ) -> Result<Self, LabError> {
        let versions: Vec<_> = [(plan.tls12, &TLS12), (plan.tls13, &TLS13)]
            .into_iter()
            .filter(|(on, _)| *on)
            .collect();
        let versions: Vec<_> = versions.into_iter().map(|(_, version)| version).collect();
        // A head that never ends is only possible in the older protocol.
        let protocols: &[&str] = match plan.fault {
            Some(WireFault::EndlessHead) => &["http/1.1"],
            _ => &["h2", "http/1.1"],
        };
        let tls = plan.https.then(|| pki.endpoint(host, &plan.certificate, &versions, protocols));
        let routes = plan.routes.iter().map(|route| Route::new(host, plan, route, pki, now));
        Ok(Self {
            host: host.to_owned(),
            tls: tls.transpose()?,
            old: plan.old_tls.iter().map(|version| version.wire()).collect(),
            fault: plan.fault,
            plain: plan.http,
            plain_status: plan.http_status,
            routes: routes.collect::<Result<_, _>>()?,
            answers,
        })
    }

    /// The answer to one request.
    pub(super) async fn answer<B>(&self, asked: Asked<'_, B>) -> Response<Body> {
        if !asked.over_tls && self.plain == PlainHttp::Redirect {
            let target = format!("https://{}{}", self.host, path_and_query(asked.request));
            return respond(self.plain_status, &[(header::LOCATION, target)], text(Bytes::new()));
        }
        let path = asked.request.uri().path();
        let mut known = false;
        for route in self.routes.iter().filter(|route| route.is_at(path)) {
            known |= route.plan.path != "*" && route.plan.path != "/*";
            if route.fits(asked.request) {
                tokio::time::sleep(Duration::from_millis(route.plan.delay_ms)).await;
                return self.send(route, &asked);
            }
        }
        let status = if known { 405 } else { 404 };
        respond(status, &[(header::CONTENT_TYPE, "text/plain".to_owned())], text("Not here.\n"))
    }

    fn send<B>(&self, route: &Route, asked: &Asked<'_, B>) -> Response<Body> {
        let number = self.answers.fetch_add(1, Ordering::Relaxed);
        let value = |name: &str| request_value(name, asked, number);
        let body = match &route.binary {
            Some(binary) => binary.clone(),
            None => Bytes::from(fill(&route.plan.body, value)),
        };
        let tag = || hex::encode(Sha256::digest(&body).get(..8).unwrap_or_default());
        let mut headers: Vec<_> = route
            .headers
            .iter()
            .map(|(name, header)| {
                let value = |name: &str| if name == "etag" { Some(tag()) } else { value(name) };
                (name.clone(), fill(header, value))
            })
            .collect();
        if let Some(target) = &route.plan.redirect {
            headers.push((header::LOCATION, fill(target, value)));
        }
        if let Some(fault) = route.plan.fault {
            if fault == crate::plan::BodyFault::GzipBomb {
                headers.push((header::CONTENT_ENCODING, "gzip".to_owned()));
            }
            return respond(route.plan.status, &headers, hostile(fault));
        }
        let has = |name: HeaderName| headers.iter().find(|(n, _)| *n == name).map(|(_, v)| v);
        let asks = |name| asked.request.headers().get(name).and_then(|v| v.to_str().ok());
        let matched = has(header::ETAG)
            .zip(asks(header::IF_NONE_MATCH))
            .is_some_and(|(own, theirs)| theirs.contains(own.trim_start_matches("W/")));
        if matched && route.plan.status == 200 {
            return respond(304, &headers, text(Bytes::new()));
        }
        let packable = !route.own_encoding
            && body.len() >= WORTH_PACKING
            && has(header::CONTENT_TYPE)
                .is_some_and(|kind| PACKED_TYPES.iter().any(|start| kind.starts_with(start)));
        let mut sent = body;
        if packable {
            headers.push((header::VARY, "Accept-Encoding".to_owned()));
            if asks(header::ACCEPT_ENCODING).is_some_and(|accepted| accepted.contains("gzip")) {
                headers.push((header::CONTENT_ENCODING, "gzip".to_owned()));
                sent = gzip(&sent).into();
            }
        }
        if asked.request.method() == Method::HEAD {
            headers.push((header::CONTENT_LENGTH, sent.len().to_string()));
            sent = Bytes::new();
        }
        respond(route.plan.status, &headers, text(sent))
    }
}

impl Route {
    fn new(
        host: &str,
        site: &SitePlan,
        route: &RoutePlan,
        pki: &Pki,
        now: Timestamp,
    ) -> Result<Self, LabError> {
        let value = |name: &str| fixed(name, now);
        let mut merged: BTreeMap<String, &Values> = BTreeMap::new();
        for (name, values) in site.headers.iter().chain(&route.headers) {
            merged.insert(name.to_ascii_lowercase(), values);
        }
        let mut headers = Vec::new();
        for (name, values) in &merged {
            let name = HeaderName::try_from(name.as_str())
                .map_err(|_source| LabError::Plan(format!("{host}: {name:?} is no header name")))?;
            headers.extend(values.iter().map(|text| (name.clone(), fill(text, value))));
        }
        let mut plan = route.clone();
        plan.body = fill(&plan.body, value);
        plan.redirect = plan.redirect.map(|target| fill(&target, value));
        Ok(Self {
            own_encoding: merged.contains_key("content-encoding"),
            headers,
            binary: plan.content.map(|content| match content {
                Content::Intermediate => Bytes::copy_from_slice(pki.intermediate_der()),
                Content::Icon => Bytes::from_static(&DOT),
            }),
            plan,
        })
    }

    fn is_at(&self, path: &str) -> bool {
        match self.plan.path.strip_suffix('*') {
            Some(prefix) => path.starts_with(prefix),
            None => path == self.plan.path,
        }
    }

    fn fits<B>(&self, request: &Request<B>) -> bool {
        let method = request.method().as_str();
        self.plan.methods.iter().any(|own| own == method || own == "*")
            && self.plan.when.as_ref().is_none_or(|condition| {
                request
                    .headers()
                    .get(&condition.header)
                    .and_then(|value| value.to_str().ok())
                    .is_some_and(|value| condition.equals.as_deref().is_none_or(|own| own == value))
            })
    }
}

/// The value of a placeholder that depends on the request.
fn request_value<B>(name: &str, asked: &Asked<'_, B>, number: u64) -> Option<String> {
    let origin = || asked.request.headers().get(header::ORIGIN)?.to_str().ok();
    Some(match name {
        "request.origin" => origin().unwrap_or_default().to_owned(),
        "request.host" => asked.host.to_owned(),
        "request.path" => path_and_query(asked.request).to_owned(),
        "unique" => {
            let digest = Sha256::digest(format!("{} {number}", asked.host));
            hex::encode(digest.get(..16).unwrap_or_default())
        }
        _ => return None,
    })
}

fn path_and_query<B>(request: &Request<B>) -> &str {
    request.uri().path_and_query().map_or("/", |path| path.as_str())
}

/// Puts an answer together; a header that HTTP does not allow is left out.
pub(super) fn respond(status: u16, headers: &[(HeaderName, String)], body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        match HeaderValue::from_str(value) {
            Ok(value) => {
                response.headers_mut().append(name, value);
            }
            Err(error) => tracing::warn!(%name, %error, "a header was left out"),
        }
    }
    response
}

/// The answer to a request for a host that is not here.
pub(super) fn unknown_host(host: &str) -> Response<Body> {
    let body = format!("The deployment could not be found on this server: {host}\n");
    respond(404, &[(header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned())], text(body))
}
