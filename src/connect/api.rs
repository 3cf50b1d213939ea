//! One API of an outside system: credential, pace, retries, limits, and whose fault it is when nothing
//! comes back.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use launchready_checks::contract::json;
use launchready_checks::probe::{AgentFault, ProbeError, TargetFault};
use reqwest::header::{DATE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use serde::de::DeserializeOwned;
use url::Url;

use super::answer::{Reply, http_date, retry_after};
use super::grant::{Grant, Granted};
use super::pace::Turn;
use super::reach::Reach;
use super::shown::{NO_PASSWORD, Shown};
use crate::config::Secret;
use crate::probe::{bounded, fault};

/// The most bytes of one answer.
const ANSWER_BYTES: usize = 8 * 1024 * 1024;
/// Tries of one request: the first, and two more when the other side is busy.
const TRIES: u32 = 3;
/// The longest wait that is honoured within a run; a longer `Retry-After` ends it.
const PATIENCE: Duration = Duration::from_secs(10);
/// The wait before the second try where the other side names none; it doubles.
const BACK_OFF: Duration = Duration::from_millis(500);
/// A clock that is off by more gives wrong answers about windows of ten minutes.
const CLOCK_OFF_S: i64 = 120;

/// What one vendor says about its API.
#[derive(Debug, Clone, Copy)]
pub struct Vendor {
    /// Its name, for people.
    pub name: &'static str,
    /// The least time between two requests, from the vendor's documented rate.
    pub pace: Duration,
    /// Headers that every request carries.
    pub headers: &'static [(&'static str, &'static str)],
    /// The permission that an answer 403 names, read from its body; the vendor's own words at most.
    pub permission: fn(&serde_json::Value) -> Option<String>,
    /// Where a credential is made, for people.
    pub where_to: &'static str,
}

/// One API with its credential.
pub struct Api {
    vendor: Vendor,
    base: Url,
    shown: Shown,
    reach: Reach,
    /// When the next request may begin.
    turn: Turn,
    /// The longest that one answer may take, where the usual is too short.
    patience: Option<Duration>,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("vendor", &self.vendor.name).finish_non_exhaustive()
    }
}

impl Api {
    /// An API at `base`, which has been checked to be a web address.
    ///
    /// # Errors
    /// It is none.
    pub fn new(
        vendor: Vendor,
        base: &str,
        shown: Shown,
        reach: &Reach,
    ) -> Result<Self, ProbeError> {
        let base = Url::parse(&format!("{}/", base.trim_end_matches('/'))).map_err(|_error| {
            AgentFault::Refused(format!("the address of {} is no web address", vendor.name))
        })?;
        let (kind, credential) = shown.parts();
        let turn = reach.paces.of([base.as_str(), kind, &credential]);
        Ok(Self { vendor, base, shown, reach: reach.clone(), turn, patience: None })
    }

    /// The same API, whose answers may take as long as this.
    #[must_use]
    pub fn patient(mut self, longest: Duration) -> Self {
        self.patience = Some(longest);
        self
    }

    /// What the vendor says.
    pub const fn vendor(&self) -> &Vendor {
        &self.vendor
    }

    /// The present time.
    pub fn now(&self) -> Timestamp {
        self.reach.clock.now()
    }

    /// Reads JSON with GET.
    ///
    /// # Errors
    /// The fault of whoever is to blame.
    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, ProbeError> {
        self.ask(Method::GET, path, query, None).await?.json(&self.vendor)
    }

    /// Reads JSON with a POST that changes nothing, such as a search.
    ///
    /// # Errors
    /// The fault of whoever is to blame.
    pub async fn search<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<T, ProbeError> {
        self.ask(Method::POST, path, &[], Some(body)).await?.json(&self.vendor)
    }

    /// One question, tried again while the other side is busy.
    ///
    /// # Errors
    /// The fault of whoever is to blame.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&serde_json::Value>,
    ) -> Result<Reply, ProbeError> {
        let reply = self.any(method, path, query, body).await?;
        if (200..300).contains(&reply.status) { Ok(reply) } else { Err(self.refused(&reply)) }
    }

    /// One question, tried again while the other side is busy; whatever status it ends with.
    ///
    /// # Errors
    /// No answer came.
    pub async fn any(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&serde_json::Value>,
    ) -> Result<Reply, ProbeError> {
        self.any_with(&[], method, path, query, body).await
    }

    /// The same with headers of its own, which stand beside those of the vendor.
    ///
    /// # Errors
    /// No answer came.
    pub async fn any_with(
        &self,
        headers: &[(&'static str, &str)],
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&serde_json::Value>,
    ) -> Result<Reply, ProbeError> {
        let mut wait = BACK_OFF;
        let mut renewed = false;
        for tried in 1.. {
            let reply = self.once(headers, method.clone(), path, query, body).await?;
            // A token that was handed out may end before its time: once, another one is asked for.
            if reply.status == 401
                && let Shown::Granted(grant) = &self.shown
                && !std::mem::replace(&mut renewed, true)
                && grant.forget().await
            {
                continue;
            }
            let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::BAD_GATEWAY);
            let busy = status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error();
            let named = retry_after(&reply.headers, self.now());
            if !busy || tried >= TRIES || named.is_some_and(|named| named > PATIENCE) {
                return Ok(reply);
            }
            if let Some(named) = named {
                self.turn.put_off(named);
            }
            self.reach.wait(named.unwrap_or(wait)).await;
            wait *= 2;
        }
        Err(AgentFault::Bug("a request without an end".to_owned()).into())
    }

    async fn once(
        &self,
        extra: &[(&'static str, &str)],
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&serde_json::Value>,
    ) -> Result<Reply, ProbeError> {
        if !self.reach.has_turn(&self.turn, self.vendor.pace).await {
            let what = format!("too many looks ask {} with one credential", self.vendor.name);
            return Err(AgentFault::RateLimited(what).into());
        }
        let mut url = self.base.join(path.trim_start_matches('/')).map_err(|_error| {
            AgentFault::Bug(format!("the path of a request to {}", self.vendor.name))
        })?;
        // A path from an answer must not lead the credential to another host.
        if url.origin() != self.base.origin() {
            return Err(
                TargetFault::Malformed(format!("{} leads elsewhere", self.vendor.name)).into()
            );
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = self.reach.client.request(method, url).headers(self.headers()?);
        request = match &self.shown {
            Shown::Granted(grant) => request.bearer_auth(self.granted(grant).await?.expose()),
            Shown::Basic(name, secret) => request.basic_auth(name, Some(secret.expose())),
            Shown::Key(secret) => request.basic_auth(secret.expose(), Some(NO_PASSWORD)),
            Shown::Bearer(_) | Shown::Token(_) | Shown::Header(..) => request,
        };
        if let Some(longest) = self.patience {
            request = request.timeout(longest);
        }
        for (name, value) in extra {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = self.reach.send(request).await;
        let answer = answer.map_err(|error| fault(&error, self.vendor.name))?;
        self.clock_is_right(answer.headers())?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = self.shown.redact(bounded(answer, ANSWER_BYTES).await?).await;
        Ok(Reply { status, headers, body })
    }

    /// The token of an application, fetched where there is none that is good.
    async fn granted(&self, grant: &Grant) -> Result<Secret, ProbeError> {
        if let Some(token) = grant.token().await {
            return Ok(token);
        }
        let name = self.vendor.name;
        let url = self
            .base
            .join(grant.path.trim_start_matches('/'))
            .map_err(|_error| AgentFault::Bug(format!("the path of a token of {name}")))?;
        for tried in 1.. {
            let request = self.reach.client.post(url.clone()).body(grant.form());
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            let answer = self.reach.send(request).await.map_err(|error| fault(&error, name))?;
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            let body = grant.secret.redact_answer(bounded(answer, ANSWER_BYTES).await?);
            let reply = Reply { status, headers, body };
            let wait = retry_after(&reply.headers, self.now());
            match status {
                200..=299 => return Ok(grant.keep(reply.json::<Granted>(&self.vendor)?).await),
                429 | 500.. if tried < TRIES && wait.is_none_or(|wait| wait <= PATIENCE) => {
                    self.reach.wait(wait.unwrap_or(BACK_OFF)).await;
                }
                // RFC 6749 answers a wrong secret with 400 or 401.
                400 => return Err(self.refused(&Reply { status: 401, ..reply })),
                _ => return Err(self.refused(&reply)),
            }
        }
        Err(AgentFault::Bug("a token without an end".to_owned()).into())
    }

    fn headers(&self) -> Result<HeaderMap, ProbeError> {
        let mut headers = HeaderMap::new();
        headers.insert("accept", HeaderValue::from_static("application/json"));
        for (name, value) in self.vendor.headers {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let (name, text) = match &self.shown {
            Shown::Bearer(secret) => ("authorization", format!("Bearer {}", secret.expose())),
            Shown::Token(secret) => ("authorization", format!("Token {}", secret.expose())),
            Shown::Header(name, secret) => (*name, secret.expose().to_owned()),
            Shown::Basic(..) | Shown::Key(_) | Shown::Granted(_) => return Ok(headers),
        };
        let mut value = HeaderValue::from_str(&text).map_err(|_error| {
            let what = format!("the credential of {} holds a line break", self.vendor.name);
            AgentFault::BadCredential(what)
        })?;
        value.set_sensitive(true);
        headers.insert(HeaderName::from_static(name), value);
        Ok(headers)
    }

    /// Windows of minutes mean nothing on a machine whose clock is off.
    fn clock_is_right(&self, headers: &HeaderMap) -> Result<(), ProbeError> {
        if !self.reach.clock.is_true() {
            return Ok(());
        }
        let date = headers.get(DATE).and_then(|date| date.to_str().ok());
        let Some(theirs) = date.and_then(http_date) else { return Ok(()) };
        let off = self.now().as_second() - theirs.as_second();
        if off.abs() <= CLOCK_OFF_S {
            return Ok(());
        }
        let way = if off > 0 { "ahead of" } else { "behind" };
        let what = format!("{} s {way} that of {}", off.abs(), self.vendor.name);
        Err(AgentFault::ClockOff(what).into())
    }

    /// What a refusal means.
    pub fn refused(&self, reply: &Reply) -> ProbeError {
        let wait = retry_after(&reply.headers, self.now());
        let name = self.vendor.name;
        let body = json::value(&reply.body).unwrap_or_default();
        match reply.status {
            401 => {
                let what =
                    format!("{name} answers 401; make a new one at {}", self.vendor.where_to);
                AgentFault::BadCredential(what).into()
            }
            403 => {
                let named = (self.vendor.permission)(&body);
                let what = named.unwrap_or_else(|| "the vendor does not say which".to_owned());
                AgentFault::Forbidden(format!("{name}: {what}")).into()
            }
            429 => {
                let wait = wait.map(|wait| format!(", asks to wait {} s", wait.as_secs()));
                let what = format!("{name} answers 429{}", wait.unwrap_or_default());
                AgentFault::RateLimited(what).into()
            }
            status @ 300..=399 => {
                TargetFault::Malformed(format!("{name} answers {status}, a redirect")).into()
            }
            status => TargetFault::Malformed(format!("{name} answers {status}")).into(),
        }
    }
}
