//! Asks each host for the files, gently, and stops at a wall.

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::paths::{CANDIDATES, Candidate, Exposure, Page};
use crate::contract::Target;
use crate::probe::{AgentFault, Http, HttpAnswer, HttpRequest, ProbeError, TargetFault};

/// Of each body only so much is read, in bytes.
const BODY: usize = 4 * 1024;
/// Requests under way at one host at once.
const AT_ONCE: usize = 6;
/// Hosts that are asked at once.
const HOSTS_AT_ONCE: usize = 8;

/// One file that a stranger can read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Readable {
    /// What it gives away.
    pub(super) exposure: Exposure,
    /// The path.
    pub(super) path: String,
    /// What in it proves that, without any value.
    pub(super) proof: String,
}

/// Why a host was not looked at to the end.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stop {
    /// It refuses every path, or asks to slow down.
    Wall(u16),
    /// It does not answer.
    Target(TargetFault),
    /// We could not ask.
    Agent(AgentFault),
    /// The limit of requests.
    Limit,
}

/// What one host answered.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct HostFiles {
    /// The host.
    pub(super) host: String,
    /// It sends everything elsewhere within the product.
    pub(super) leads_to: Option<String>,
    /// Paths that were asked for.
    pub(super) asked: usize,
    /// Paths that were not asked for or gave no answer.
    pub(super) left: usize,
    /// Of these, paths whose file would be a critical finding.
    #[serde(default)]
    pub(super) left_critical: usize,
    /// Files that a stranger can read.
    pub(super) readable: Vec<Readable>,
    /// Why it was not looked at to the end.
    pub(super) stop: Option<Stop>,
}

/// A path that exists nowhere, another one each time.
fn nowhere(target: &Target, now: Timestamp) -> String {
    let mut hash = Sha256::new();
    hash.update(target.domain.as_bytes());
    hash.update(now.as_millisecond().to_be_bytes());
    let digest = hash.finalize();
    format!("/launchready-{}", hex::encode(digest.get(..8).unwrap_or_default()))
}

/// Asks the hosts, a few at once, each with at most `max_requests` of its own.
pub(super) async fn look(
    target: &Target,
    now: Timestamp,
    http: &dyn Http,
    hosts: &[String],
    max_requests: usize,
) -> Vec<HostFiles> {
    let nowhere = nowhere(target, now);
    let looks: Vec<_> =
        hosts.iter().map(|host| one_host(http, host, &nowhere, max_requests)).collect();
    stream::iter(looks).buffered(HOSTS_AT_ONCE).collect().await
}

async fn one_host(http: &dyn Http, host: &str, nowhere: &str, max_requests: usize) -> HostFiles {
    let (mut files, control) = control(http, host, nowhere).await;
    if files.is_open() {
        let budget = max_requests.saturating_sub(1);
        let refused = ask(http, &mut files, control.as_ref(), budget).await;
        let is_past = files.asked + 2 > max_requests;
        if refused && !is_past && matches!(files.stop, None | Some(Stop::Limit)) {
            files.stop = wall_behind(http, host, nowhere).await.or(files.stop);
        }
    }
    files
}

/// Whether the host has begun to refuse everything: a firewall that takes the questions amiss
/// answers 403 from then on, and such a 403 hides no file.
async fn wall_behind(http: &dyn Http, host: &str, nowhere: &str) -> Option<Stop> {
    let answer = http.send(request(host, &format!("{nowhere}-again"))).await.ok()?;
    (is_wall(&answer) || answer.status == 403).then_some(Stop::Wall(answer.status))
}

impl HostFiles {
    fn new(host: &str) -> Self {
        Self {
            host: host.to_owned(),
            leads_to: None,
            asked: 0,
            left: 0,
            left_critical: 0,
            readable: Vec::new(),
            stop: None,
        }
    }

    /// Counts paths of which nothing is known.
    fn leave(&mut self, candidates: &[Candidate]) {
        self.left += candidates.len();
        self.left_critical +=
            candidates.iter().filter(|candidate| candidate.exposure.is_critical()).count();
    }

    const fn is_open(&self) -> bool {
        self.stop.is_none() && self.leads_to.is_none()
    }
}

/// What the host answers to a path that does not exist: a page for everything, a wall, a redirect.
async fn control(http: &dyn Http, host: &str, path: &str) -> (HostFiles, Option<HttpAnswer>) {
    let mut files = HostFiles::new(host);
    match http.send(request(host, path)).await {
        Err(ProbeError::Target(fault)) => files.stop = Some(Stop::Target(fault)),
        Err(ProbeError::Agent(fault)) => files.stop = Some(Stop::Agent(fault)),
        Ok(answer) => {
            let leads_to = answer.location().filter(|_| answer.is_redirect());
            let other = leads_to.and_then(|url| url.host_str().map(str::to_owned));
            files.leads_to = other.filter(|other| other != host);
            if is_wall(&answer) || answer.status == 403 {
                files.stop = Some(Stop::Wall(answer.status));
            }
            return (files, Some(answer));
        }
    }
    (files, None)
}

fn request(host: &str, path: &str) -> HttpRequest {
    HttpRequest::get(format!("https://{host}{path}")).unshared().at_most(BODY)
}

/// An answer that asks to go away; a single 403 is how a careful server hides a file.
fn is_wall(answer: &HttpAnswer) -> bool {
    answer.status == 429
        || answer.header("cf-mitigated").is_some()
        || answer.header("x-vercel-mitigated").is_some()
}

/// Asks one host for the first `budget` paths, a few at once, up to the first wall, and tells
/// whether one of them was refused.
async fn ask(
    http: &dyn Http,
    files: &mut HostFiles,
    control: Option<&HttpAnswer>,
    budget: usize,
) -> bool {
    let (mine, cut) = CANDIDATES.split_at(budget.min(CANDIDATES.len()));
    files.leave(cut);
    let mut refused = false;
    let mut answered = false;
    let mut dropped = None;
    let mut batches = mine.chunks(AT_ONCE);
    for batch in batches.by_ref() {
        let answers = batch.iter().map(|candidate| http.send(request(&files.host, candidate.path)));
        for (candidate, answer) in batch.iter().zip(join_all(answers).await) {
            files.asked += 1;
            match answer {
                Ok(answer) if is_wall(&answer) => {
                    files.stop = Some(Stop::Wall(answer.status));
                    files.leave(std::slice::from_ref(candidate));
                }
                Ok(answer) => {
                    answered = true;
                    refused |= answer.status == 403;
                    files.readable.extend(readable(candidate, &answer, control));
                }
                // A server may drop the connection instead of answering 404.
                Err(ProbeError::Target(fault)) => dropped = Some(fault),
                Err(ProbeError::Agent(fault)) => {
                    files.stop = Some(Stop::Agent(fault));
                    files.leave(std::slice::from_ref(candidate));
                }
            }
        }
        if files.stop.is_some() {
            break;
        }
    }
    for batch in batches {
        files.leave(batch);
    }
    if files.stop.is_none() {
        files.stop = match dropped {
            // It has answered the first question, and not one of the others.
            Some(fault) if !answered => Some(Stop::Target(fault)),
            _ => (!cut.is_empty()).then_some(Stop::Limit),
        };
    }
    refused
}

fn readable(
    candidate: &Candidate,
    answer: &HttpAnswer,
    control: Option<&HttpAnswer>,
) -> Option<Readable> {
    let kind = answer.header("content-type").unwrap_or_default().to_ascii_lowercase();
    let page = Page { body: &answer.body, is_html: kind.contains("html") };
    // What a path that does not exist gives as well proves nothing.
    let same = control.is_some_and(|control| control.body == answer.body);
    if answer.status != 200 || same {
        return None;
    }
    let proof = candidate.proof(&page)?;
    let control_too = control.filter(|control| control.status == 200).is_some_and(|control| {
        let kind = control.header("content-type").unwrap_or_default().to_ascii_lowercase();
        candidate.proof(&Page { body: &control.body, is_html: kind.contains("html") }).is_some()
    });
    (!control_too).then(|| Readable {
        exposure: candidate.exposure,
        path: candidate.path.to_owned(),
        proof,
    })
}
