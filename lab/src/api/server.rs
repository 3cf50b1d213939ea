//! The port of one fake: reads a request, applies the faults, answers.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};
use jiff::SignedDuration;
use serde_json::json;

use super::{Api, Ask, Reply, people};
use crate::error::LabError;
use crate::kept::locked;
use crate::listener::Servers;
use crate::live::Live;
use crate::plan::ApiFault;
use crate::web::{Body, serve_plain, text};

/// The largest body of a request.
const BODY: usize = 1024 * 1024;

/// The most questions that are told apart: several audits ask fewer, and a demo of many hours keeps no more.
const QUESTIONS: usize = 2_000;

/// What a fake was asked.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Each question once: method and path.
    pub questions: BTreeSet<(String, String)>,
    /// Answers that a fault changed.
    pub spoiled: u64,
}

/// A fake with its faults.
#[derive(Debug)]
pub(crate) struct Served {
    api: Arc<dyn Api>,
    faults: Vec<ApiFault>,
    /// Matching requests of each fault, and the first answer.
    seen: Mutex<Vec<(u64, Option<Reply>)>>,
    asked: Mutex<Asked>,
}

impl Served {
    pub(super) fn new(api: Arc<dyn Api>, faults: Vec<ApiFault>) -> Self {
        let seen = Mutex::new(vec![(0, None); faults.len()]);
        Self { api, faults, seen, asked: Mutex::default() }
    }

    pub(crate) fn asked(&self) -> Asked {
        locked(&self.asked).clone()
    }

    fn answer(&self, ask: &Ask<'_>) -> Reply {
        {
            let mut asked = locked(&self.asked);
            if asked.questions.len() < QUESTIONS {
                asked.questions.insert((ask.method.to_owned(), ask.path.to_owned()));
            }
        }
        for (index, fault) in self.faults.iter().enumerate() {
            if !ask.path.starts_with(&fault.path) {
                continue;
            }
            let mut seen = locked(&self.seen);
            let Some((times, first)) = seen.get_mut(index) else { continue };
            *times += 1;
            if *times < fault.from || (fault.to > 0 && *times > fault.to) {
                continue;
            }
            if fault.repeats
                && let Some(first) = first
            {
                locked(&self.asked).spoiled += 1;
                return first.clone();
            }
            let (reply, spoiled) = fault.apply(ask, || self.api.answer(ask));
            locked(&self.asked).spoiled += u64::from(spoiled);
            *first = Some(reply.clone());
            return reply;
        }
        self.api.answer(ask)
    }
}

impl ApiFault {
    /// The answer, and whether the fault changed anything in it.
    fn apply(&self, ask: &Ask<'_>, own: impl FnOnce() -> Reply) -> (Reply, bool) {
        let mut reply = if self.status == 0 {
            own()
        } else {
            Reply { status: self.status, headers: Vec::new(), body: self.body.clone() }
        };
        for line in &self.headers {
            if let Some((name, value)) = line.split_once(':') {
                reply = reply.with(name.trim(), value.trim());
            }
        }
        let spoiled = self.find.is_empty() || reply.body.contains(&self.find);
        if self.people {
            reply.body = people::beside(&reply.body);
        }
        if !self.find.is_empty() {
            reply.body = reply.body.replace(&self.find, &self.put);
        }
        if self.cut > 0 {
            let end = (0..=self.cut).rev().find(|end| reply.body.is_char_boundary(*end));
            reply.body.truncate(end.unwrap_or_default());
        }
        if self.clock != 0 {
            let there = ask.shown.checked_add(SignedDuration::from_secs(self.clock));
            let there =
                there.unwrap_or(ask.shown).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            reply = reply.with("date", there);
        }
        (reply, spoiled)
    }
}

/// Starts the port of a fake.
pub(super) async fn start(
    name: &'static str,
    live: &Arc<Live>,
    servers: &mut Servers,
) -> Result<SocketAddr, LabError> {
    let live = Arc::clone(live);
    servers
        .tcp(move |link| {
            let live = Arc::clone(&live);
            async move {
                let answer = |request| answer(name, request, Arc::clone(&live));
                serve_plain(link, live.clock, answer).await;
            }
        })
        .await
}

async fn answer(name: &str, request: Request<Incoming>, live: Arc<Live>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY).collect().await else {
        return respond(Reply::json(413, &json!({ "message": "too large" })));
    };
    let body = body.to_bytes();
    let value = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: BTreeMap<String, String> =
        head.headers.iter().map(|(name, text)| (name.as_str().to_owned(), value(text))).collect();
    let query = head.uri.query().unwrap_or_default();
    let ask = Ask {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: pairs(query),
        headers,
        body: &body,
        now: live.fast.now(),
        shown: live.clock.now(),
    };
    let served = live.state().api.get(name).map(Arc::clone);
    respond(match served {
        Some(served) => served.answer(&ask),
        None => Reply::json(404, &json!({ "message": "there is no such account" })),
    })
}

/// The pairs of a query, decoded.
fn pairs(query: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.as_bytes())
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect()
}

fn respond(reply: Reply) -> Response<Body> {
    let mut response = Response::new(text(reply.body));
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in reply.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
