//! Takes a request, lets the service judge it, and answers as it and its faults want.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;

use super::{Inside, Received, SinkFault, SinkKind, pagerduty, slack, webhook};
use crate::kept::locked;
use crate::link::Link;

/// The largest body that is read, that of an event of `PagerDuty`.
const BODY: usize = 512 * 1024;
/// What the answer with a broken body promises.
const PROMISED: &str = "64";

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// What a service says to a request.
#[derive(Debug)]
pub(super) struct Judgement {
    pub(super) status: u16,
    pub(super) body: String,
    /// Why it is refused.
    pub(super) refused: Option<String>,
}

impl Judgement {
    pub(super) fn taken(status: u16, body: impl Into<String>) -> Self {
        Self { status, body: body.into(), refused: None }
    }

    pub(super) fn refused(status: u16, body: impl Into<String>, why: impl Into<String>) -> Self {
        Self { status, body: body.into(), refused: Some(why.into()) }
    }
}

/// The path of a service.
pub(super) const fn path(kind: SinkKind) -> &'static str {
    match kind {
        SinkKind::Slack => "/services/T00000LAB/B00000LAB/alerts",
        SinkKind::Webhook => "/webhook",
        SinkKind::PagerDuty => "/v2/enqueue",
        SinkKind::DeadMan => "/ping/5d2e6f0a-9b1c-4c7d-8e3f-0a1b2c3d4e5f",
    }
}

fn kind_of(path_asked: &str) -> Option<SinkKind> {
    SinkKind::ALL.into_iter().find(|kind| match path_asked.strip_prefix(path(*kind)) {
        Some("") => true,
        Some(signal) => *kind == SinkKind::DeadMan && is_signal(signal),
        None => false,
    })
}

/// `/start`, `/fail`, `/log` or an exit status, as healthchecks.io has them.
fn is_signal(signal: &str) -> bool {
    let Some(word) = signal.strip_prefix('/') else { return false };
    matches!(word, "start" | "fail" | "log") || word.parse::<u8>().is_ok()
}

/// Serves one connection.
pub(super) async fn serve(link: Link, inside: Arc<Inside>) {
    // All services are on one port, so a reset before the first byte hits whichever asks next.
    if inside.faults.strike(|(_, fault)| *fault == SinkFault::Reset).is_some() {
        let _closed = link.reset();
        return;
    }
    let service = service_fn(move |request| answer(request, Arc::clone(&inside)));
    let served = http1::Builder::new().serve_connection(TokioIo::new(link), service).await;
    if let Err(error) = served {
        tracing::trace!(%error, "HTTP connection ended");
    }
}

/// The answer; an error ends the connection without one.
async fn answer(
    request: Request<Incoming>,
    inside: Arc<Inside>,
) -> Result<Response<Body>, io::Error> {
    let (head, body) = request.into_parts();
    let Some(kind) = kind_of(head.uri.path()) else {
        return Ok(respond(404, "no_service", None));
    };
    let Ok(body) = Limited::new(body, BODY).collect().await else {
        return Ok(respond(413, "too large", None));
    };
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value)));
    let mut received = Received {
        number: 0,
        kind,
        at: inside.clock.now(),
        method: head.method.to_string(),
        path: head.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        headers: headers.collect(),
        body: body.to_bytes(),
        status: None,
        taken: false,
        refused: None,
    };
    let fault = inside.faults.strike(|(at, _)| *at == kind).map(|(_, fault)| fault);
    match fault {
        Some(SinkFault::Stall) => {
            keep(&inside, received);
            std::future::pending().await
        }
        Some(SinkFault::Status(status, retry_after)) => {
            received.status = Some(status);
            received.taken = (200..300).contains(&status);
            keep(&inside, received);
            Ok(respond(status, "", retry_after))
        }
        Some(SinkFault::CloseMidBody) => {
            keep(&inside, received);
            Ok(broken_off())
        }
        Some(SinkFault::AnswerLost) => {
            let judgement = judge(&inside, &received, &head.method);
            received.taken = judgement.refused.is_none();
            received.refused = judgement.refused;
            keep(&inside, received);
            Err(io::Error::other("the answer is lost"))
        }
        Some(SinkFault::Reset) => Err(io::Error::other("reset")),
        None => {
            let judgement = judge(&inside, &received, &head.method);
            received.status = Some(judgement.status);
            received.taken = judgement.refused.is_none();
            received.refused = judgement.refused;
            keep(&inside, received);
            Ok(respond(judgement.status, &judgement.body, None))
        }
    }
}

fn keep(inside: &Inside, received: Received) {
    inside.kept.add(|number| Received { number, ..received });
}

fn judge(inside: &Inside, received: &Received, method: &Method) -> Judgement {
    if received.kind == SinkKind::DeadMan {
        return match *method {
            Method::GET | Method::HEAD | Method::POST => Judgement::taken(200, "OK"),
            _ => Judgement::refused(405, "", "GET, HEAD or POST"),
        };
    }
    if method != Method::POST {
        return Judgement::refused(405, "", "it has to be a POST");
    }
    match received.kind {
        SinkKind::Slack => slack::judge(&received.body),
        SinkKind::PagerDuty => pagerduty::judge(&received.body, received.number),
        _ => webhook::judge(received, locked(&inside.webhook_key).as_deref()),
    }
}

fn respond(status: u16, body: &str, retry_after: Option<u64>) -> Response<Body> {
    let json = body.starts_with('{');
    let whole = Full::new(Bytes::copy_from_slice(body.as_bytes()));
    let mut response = Response::new(whole.map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let kind = if json { "application/json" } else { "text/plain; charset=utf-8" };
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// A body that is shorter than it was said to be.
fn broken_off() -> Response<Body> {
    let first = stream::once(async { Ok(Frame::data(Bytes::from_static(b"o"))) });
    let end = stream::once(async {
        // An error at once would end the connection before the head is sent.
        tokio::task::yield_now().await;
        Err(io::Error::other("broken off"))
    });
    let mut response = Response::new(StreamBody::new(first.chain(end)).boxed_unsync());
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static(PROMISED));
    response
}
