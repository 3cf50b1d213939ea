//! A page on which a person reads what was sent: mails, Slack messages, webhooks.

mod pace;
mod view;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use jiff::Timestamp;

use self::pace::Pace;
use crate::error::LabError;
use crate::gate::Gate;
use crate::web::{Body, Clock, serve_plain, text};
use crate::{Mailbox, Sinks};

/// What a page may load: its own style, and the pictures inside a mail that are in the mail itself.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The running page. Dropping it ends its server.
#[derive(Debug)]
pub struct Page {
    gate: Gate,
}

impl Page {
    /// Serves the page on a free port of loopback. Whoever sent the messages has a clock that began at
    /// `now` and runs `speed` times faster than the world's: all times are shown by it.
    ///
    /// # Errors
    /// No port.
    pub fn start(
        now: Timestamp,
        speed: f64,
        mailbox: Arc<Mailbox>,
        sinks: Arc<Sinks>,
    ) -> Result<Self, LabError> {
        let clock = Clock::new(now, 1.0);
        let pace = Pace { from: now, speed };
        let mut gate = Gate::new(Duration::ZERO, move |link| {
            let (mailbox, sinks) = (Arc::clone(&mailbox), Arc::clone(&sinks));
            async move {
                let answer = |request: Request<hyper::body::Incoming>| {
                    let (method, path) = (request.method(), request.uri().path());
                    let answer = answer(method, path, &mailbox, &sinks, pace);
                    std::future::ready(answer)
                };
                serve_plain(link, clock, answer).await;
            }
        })?;
        gate.open()?;
        Ok(Self { gate })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.gate.address()
    }

    /// Its address for a browser.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address())
    }
}

fn answer(
    method: &Method,
    path: &str,
    mailbox: &Mailbox,
    sinks: &Sinks,
    pace: Pace,
) -> Response<Body> {
    if method != Method::GET && method != Method::HEAD {
        return respond(StatusCode::METHOD_NOT_ALLOWED, view::message("Only reading is possible."));
    }
    let number = |kind: &str| path.strip_prefix(kind)?.parse::<u64>().ok();
    let page = if path == "/" {
        Some(view::list(&mailbox.mails(), sinks, pace))
    } else if let Some(number) = number("/mail/") {
        mailbox.mail(number).map(|mail| view::mail(&mail, pace))
    } else {
        number("/message/")
            .and_then(|number| sinks.request(number))
            .map(|one| view::received(&one, pace))
    };
    match page {
        Some(page) => respond(StatusCode::OK, page),
        None => respond(
            StatusCode::NOT_FOUND,
            view::message("There is no such message, or it was forgotten."),
        ),
    }
}

fn respond(status: StatusCode, page: String) -> Response<Body> {
    let mut response = Response::new(text(page));
    *response.status_mut() = status;
    let headers = [
        ("content-security-policy", POLICY),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
    ];
    for (name, value) in headers {
        let name = HeaderName::from_static(name);
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
