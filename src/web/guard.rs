//! What every request passes: limits, host, credentials, origin; and what every answer carries.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::{
    ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::fault::Fault;
use super::limits::Guesser;
use super::route::Web;
use super::session::{self, Key, Session};
use super::show::Segment;
use super::{Facts, heartbeat, origin, pages, time};
use crate::clock::pause;

/// The most characters of an address.
const TARGET_CHARS: usize = 4096;
/// How long an answer may take to begin.
const ANSWER: Duration = Duration::from_secs(30);
/// The header with the form token of a session, for programs that use its cookie.
const TOKEN_HEADER: &str = "x-csrf-token";

/// Where a request came from; put there by [`super::serve()`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

/// Who asks.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// How they are known.
    pub(super) who: Who,
    /// The token that their forms have to hold.
    pub(super) token: String,
    /// What has to be said of the agent's clock.
    pub(super) pace: Option<String>,
}

/// See [`Caller`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Who {
    /// Nobody in particular: the route is open.
    Anyone,
    /// Somebody at this machine, where no password is set.
    Local,
    /// Somebody who signed in.
    Session(Session),
    /// A program that knows the password.
    Password,
    /// A program that knows the token of the metrics.
    Metrics,
}

/// Whether a job calls, with its token in the address.
fn is_heartbeat(path: &str) -> bool {
    path.starts_with(heartbeat::PATH)
}

/// Routes that anybody may ask for. Everything else demands credentials, an unknown address too.
fn is_open(path: &str) -> bool {
    matches!(path, "/healthz" | "/login" | "/status")
        || path.starts_with("/static/")
        || is_heartbeat(path)
}

/// Routes that Prometheus asks for.
fn is_metrics(path: &str) -> bool {
    matches!(path, "/metrics" | "/sd" | "/probe")
}

/// Routes for programs: a refusal is no page.
fn is_program(path: &str) -> bool {
    path.starts_with("/api/")
        || is_metrics(path)
        || is_heartbeat(path)
        || matches!(path, "/healthz" | "/readyz" | "/events")
}

/// Lets a request through, or says why not; and dresses the answer.
pub(super) async fn guard(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    let facts = web.site.facts();
    let path = request.uri().path().to_owned();
    let wants_json = path.starts_with("/api/");
    let (mut parts, body) = request.into_parts();
    let response = match admit(&web, &facts, &mut parts).await {
        Ok(()) => {
            match tokio::time::timeout(ANSWER, next.run(Request::from_parts(parts, body))).await {
                Ok(response) => response,
                Err(_late) => Fault::of_status(StatusCode::SERVICE_UNAVAILABLE).into_response(),
            }
        }
        Err(refusal) => refusal,
    };
    let mut response = explain(response, &path, wants_json);
    dress(&facts, &path, response.headers_mut());
    response
}

/// Notes the caller of a request, or says why it is refused.
async fn admit(web: &Web, facts: &Facts, request: &mut Parts) -> Result<(), Response> {
    let refuse = |fault: Fault| fault.into_response();
    let (uri, headers) = (&request.uri, &request.headers);
    let target = uri.path_and_query().map_or("", |target| target.as_str());
    if target.len() > TARGET_CHARS {
        return Err(refuse(Fault::of_status(StatusCode::URI_TOO_LONG)));
    }
    let path = uri.path();
    // A balancer asks by the address of the machine, and learns nothing but that the process lives.
    if path != "/healthz" {
        origin::check_host(facts, headers).map_err(refuse)?;
    }
    let caller = if is_open(path) {
        Some(Caller { who: Who::Anyone, token: String::new(), pace: None })
    } else {
        identify(web, facts, request).await.map_err(refuse)?
    };
    let Some(mut caller) = caller else { return Err(unknown(facts, request, target)) };
    // Whoever knows the token of a job may call for it, from any page too.
    if !is_heartbeat(path) {
        origin::check_origin(facts, &request.method, headers).map_err(refuse)?;
    }
    let is_write = !request.method.is_safe();
    if is_write && path.starts_with("/api/") && matches!(caller.who, Who::Session(_)) {
        let sent = headers.get(TOKEN_HEADER).and_then(|value| value.to_str().ok());
        if !sent.is_some_and(|sent| session::same(sent, &caller.token)) {
            return Err(refuse(Fault::forbidden(
                "The request lacks the token of its session.",
                format!("Send what GET /api/v1/session answers as {TOKEN_HEADER}."),
            )));
        }
    }
    caller.pace = time::pace(&*web.site.clock);
    request.extensions.insert(caller);
    Ok(())
}

/// Who asks; nobody where credentials are needed and none hold.
async fn identify(web: &Web, facts: &Facts, request: &Parts) -> Result<Option<Caller>, Fault> {
    let headers = &request.headers;
    let who = if origin::needs_credentials(facts, headers) {
        match by_header(web, facts, request).await? {
            Some(who) => Some(who),
            None => by_cookie(web, facts, headers).await?,
        }
    } else {
        Some(Who::Local)
    };
    let Some(who) = who else { return Ok(None) };
    let token = match &who {
        Who::Session(session) => key(web).await?.form_token(&session.id),
        // Whoever can read the page may use its forms; a stranger's page cannot read it.
        Who::Local | Who::Password => key(web).await?.form_token("local"),
        Who::Metrics | Who::Anyone => String::new(),
    };
    Ok(Some(Caller { who, token, pace: None }))
}

/// The key that signs sessions; read from the store once.
pub(super) async fn key(web: &Web) -> Result<&Key, Fault> {
    web.key.get_or_try_init(|| Key::of(&*web.site.store)).await
}

async fn by_cookie(web: &Web, facts: &Facts, headers: &HeaderMap) -> Result<Option<Who>, Fault> {
    let (Some(cookie), Some(password)) = (session::cookie(facts, headers), &facts.password) else {
        return Ok(None);
    };
    let now = web.site.clock.now();
    let Some(session) = key(web).await?.read(cookie, password, now) else { return Ok(None) };
    let has_ended = session::has_ended(&*web.site.store, &session).await?;
    Ok((!has_ended).then_some(Who::Session(session)))
}

/// `Authorization: Bearer …`, or `Basic` with any name and the password.
async fn by_header(web: &Web, facts: &Facts, request: &Parts) -> Result<Option<Who>, Fault> {
    let Some(line) = request.headers.get(AUTHORIZATION) else { return Ok(None) };
    let line = line.to_str().unwrap_or_default();
    let Some((scheme, value)) = line.split_once(' ') else { return Ok(None) };
    let value = value.trim();
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    let secret = if is_bearer {
        value.to_owned()
    } else if scheme.eq_ignore_ascii_case("basic") {
        let pair = STANDARD.decode(value).ok().and_then(|pair| String::from_utf8(pair).ok());
        let Some(pair) = pair else { return Ok(None) };
        pair.split_once(':').map(|(_, password)| password.to_owned()).unwrap_or_default()
    } else {
        return Ok(None);
    };
    // A scrape must not be shut out by somebody who guesses passwords.
    if is_metrics(request.uri.path())
        && facts.metrics_token.as_ref().is_some_and(|token| session::same(token.expose(), &secret))
    {
        return Ok(Some(Who::Metrics));
    }
    let Some(password) = &facts.password else { return Ok(None) };
    let guesser = Guesser::at(address(request));
    let clock = &*web.site.clock;
    let slow = web.headers.count(&guesser, clock.now()).map_err(Fault::too_often)?;
    if !slow.is_zero() {
        pause(clock, slow).await;
    }
    if !session::same(password.expose(), &secret) {
        return Ok(None);
    }
    web.headers.right(&guesser);
    Ok(Some(Who::Password))
}

/// The address that is held responsible for wrong passwords. A proxy on this machine appends the one
/// that it saw as the last of `X-Forwarded-For`.
pub(super) fn address(request: &Parts) -> IpAddr {
    let peer = request.extensions.get::<Peer>().map(|peer| peer.0);
    let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let forwarded = request.headers.get_all("x-forwarded-for").iter().next_back();
    let forwarded = forwarded.and_then(|line| line.to_str().ok()).and_then(|line| {
        line.rsplit(',').next().and_then(|last| last.trim().parse::<IpAddr>().ok())
    });
    if peer.is_loopback() { forwarded.unwrap_or(peer) } else { peer }
}

/// What somebody without credentials is told: people are led to the form.
fn unknown(facts: &Facts, request: &Parts, target: &str) -> Response {
    let path = request.uri.path();
    let accepts = request.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    let is_page =
        accepts.is_none_or(|accept| accept.contains("text/html") || accept.contains("*/*"));
    if !is_program(path) && request.method.is_safe() && is_page {
        let to = if target == "/" {
            "/login".to_owned()
        } else {
            format!("/login?next={}", Segment(target))
        };
        let mut response = StatusCode::SEE_OTHER.into_response();
        if let Ok(to) = HeaderValue::from_str(&to) {
            response.headers_mut().insert(LOCATION, to);
        }
        return response;
    }
    let next = if facts.password.is_none() {
        "Set password under [agent.auth] in the config; without one nobody gets in from elsewhere."
    } else if is_metrics(path) {
        "Send the metrics_token of the config as Authorization: Bearer."
    } else {
        "Sign in at /login, or send the password as Authorization: Bearer."
    };
    let mut fault = Fault::new(StatusCode::UNAUTHORIZED, "Credentials are missing or wrong.", next);
    let challenge = HeaderValue::from_static("Bearer realm=\"launchready\"");
    fault.header = Some(Box::new((WWW_AUTHENTICATE, challenge)));
    fault.into_response()
}

/// Replaces a bare refusal by one that says what to do next.
fn explain(mut response: Response, path: &str, wants_json: bool) -> Response {
    let status = response.status();
    let fault = response.extensions_mut().remove::<Fault>();
    let is_bare = status.is_client_error() || status.is_server_error();
    let fault = match fault {
        Some(fault) => fault,
        None if is_bare && response.extensions().get::<Told>().is_none() => {
            Fault::of_status(status)
        }
        None => return response,
    };
    let header = fault.header.clone().map(|header| *header);
    let mut response = if wants_json {
        let body = serde_json::json!({"error": fault.what, "next": fault.next});
        (fault.status, axum::Json(body)).into_response()
    } else if is_program(path) {
        (fault.status, format!("{} {}\n", fault.what, fault.next)).into_response()
    } else {
        pages::fault_page(&fault)
    };
    if let Some((name, value)) = header {
        response.headers_mut().insert(name, value);
    }
    response
}

/// Marks a refusal that says by itself what to do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told;

/// What every answer carries. Style and script are files of our own, and nobody may frame a page.
fn dress(facts: &Facts, path: &str, headers: &mut HeaderMap) {
    const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
        connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    // The one page with a style of its own says which.
    if !headers.contains_key(CONTENT_SECURITY_POLICY) {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    }
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(X_FRAME_OPTIONS, "DENY");
    // With no-referrer a browser would send `Origin: null` with our own forms.
    set(REFERRER_POLICY, "same-origin");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    set(
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    );
    if facts.is_https() {
        // Two years.
        set(STRICT_TRANSPORT_SECURITY, "max-age=63072000");
    }
    if !path.starts_with("/static/") {
        set(CACHE_CONTROL, "no-store");
    }
}
