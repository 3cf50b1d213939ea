//! Downloads what a browser would, a few files at a time, and keeps facts instead of bytes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use serde::{Deserialize, Serialize};
use url::Url;

use super::Options;
use super::gap::{self, Gap, Gaps};
use super::links::{self, page_name};
use super::references::{self, SourceMap};
use crate::contract::Target;
use crate::probe::{Http, HttpAnswer, HttpRequest, ProbeError, Seen, TargetFault};
use crate::secrets::detector::{self, FingerprintKey};
use crate::secrets::leak::{Leak, shortened};
use crate::suffix::registrable;

/// Downloads under way at once: their bodies are what the memory holds.
const AT_ONCE: usize = 4;
/// The most hops that a page or script is followed.
const HOPS: usize = 5;
/// The most keys that are kept of one crawl.
const LEAKS: usize = 60;
/// The most addresses that are told apart; past them files are only counted.
const SEEN: usize = 4_000;
/// The most home pages that are asked for.
const HOMES: usize = 40;
/// The most pages besides home pages that are asked for, on all hosts together.
const PAGES: usize = 120;
/// The most addresses of one list that are kept.
const ADDRESSES: usize = 12;
/// What a job downloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Home,
    Page,
    Script,
    Map,
}

#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) url: Url,
    pub(super) what: What,
    /// The page that needs it, as people write it.
    pub(super) page: String,
}

/// What came of one job, without the bytes.
#[derive(Debug)]
struct Outcome {
    job: Job,
    /// Where it was found after redirects, with its status.
    answer: Result<(Url, u16), ProbeError>,
    bytes: usize,
    cut: bool,
    is_html: bool,
    leaks: Vec<Leak>,
    /// Scripts, maps and pages that it names.
    next: Vec<Job>,
    /// A source map that was read as such, or inside this script.
    has_map: bool,
    /// Why nothing was read of it.
    gap: Option<Gap>,
}

/// A home page that was asked for.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Home {
    /// The host.
    pub(super) host: String,
    /// The status of its last answer.
    pub(super) status: Seen<u16>,
    /// The answer calls itself HTML: a page, and not the root of an API.
    pub(super) is_html: bool,
}

/// What a crawl found.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Crawl {
    /// The home page of each host.
    pub(super) homes: Vec<Home>,
    /// Pages read.
    pub(super) pages: usize,
    /// Scripts and source maps read.
    pub(super) files: usize,
    /// Bytes read.
    pub(super) bytes: usize,
    /// Keys, at most sixty, in a stable order.
    pub(super) leaks: Vec<Leak>,
    /// Keys that were not kept.
    pub(super) leaks_cut: usize,
    /// Addresses of source maps that anyone can read.
    pub(super) maps: Vec<String>,
    /// Files that are longer than what was read of them.
    pub(super) cut: Vec<String>,
    /// Files left out because a limit was reached.
    pub(super) left: usize,
    /// Scripts that were asked for.
    pub(super) scripts_named: usize,
    /// Scripts that were read.
    pub(super) scripts_read: usize,
    /// What could not be read.
    pub(super) gaps: Gaps,
    /// Hosts past the limit of home pages.
    pub(super) hosts_left: usize,
    /// Pages past the limit of pages.
    pub(super) pages_left: usize,
    /// Some of them.
    pub(super) pages_left_at: Vec<String>,
}

/// What every download needs.
struct Cx<'a> {
    target: &'a Target,
    options: &'a Options,
    http: &'a dyn Http,
    key: FingerprintKey,
}

/// Reads the home page of each host and what hangs on it.
pub(super) async fn crawl(
    target: &Target,
    options: &Options,
    http: &dyn Http,
    hosts: &[String],
) -> Crawl {
    let key = FingerprintKey::of_project(&target.project);
    let cx = Cx { target, options, http, key };
    let mut out = Crawl::default();
    let mut seen = BTreeSet::new();
    let mut queue: VecDeque<Job> = VecDeque::new();
    let address = |host: &String| Url::parse(&format!("https://{host}/")).ok();
    let home = |url: Url| Job { page: page_name(&url), url, what: What::Home };
    queue.extend(hosts.iter().take(HOMES).filter_map(address).map(home));
    out.hosts_left = hosts.len() - queue.len();
    let mut pages_asked: BTreeMap<String, usize> = BTreeMap::new();
    let mut files_asked = 0;
    let mut running = FuturesUnordered::new();
    loop {
        while running.len() < AT_ONCE
            && let Some(job) = queue.pop_front()
        {
            let is_file = matches!(job.what, What::Script | What::Map);
            let room = cx.total_bytes().saturating_sub(out.bytes).min(cx.file_bytes());
            if is_file && (files_asked >= options.max_files || room == 0) {
                out.left += 1;
                continue;
            }
            files_asked += usize::from(is_file);
            out.scripts_named += usize::from(job.what == What::Script);
            running.push(cx.download(job, room));
        }
        let Some(outcome) = running.next().await else { break };
        for job in out.add(outcome, &mut seen) {
            let is_page = job.what == What::Page;
            if !is_same_site(&job.url, target) || seen.contains(job.url.as_str()) {
                continue;
            }
            if seen.len() >= SEEN {
                out.left += 1;
                continue;
            }
            seen.insert(job.url.to_string());
            if is_page {
                let all: usize = pages_asked.values().sum();
                let host = job.url.host_str().unwrap_or_default().to_owned();
                let here = pages_asked.entry(host).or_default();
                if *here >= options.max_pages || all >= PAGES {
                    out.pages_left += 1;
                    out.pages_left_at.push(job.page);
                    continue;
                }
                *here += 1;
            }
            // Maps last: where a limit comes first, it is the scripts that must have been read.
            if job.what == What::Map { queue.push_back(job) } else { queue.push_front(job) }
        }
    }
    out.finish();
    out
}

impl Crawl {
    /// Takes up an outcome and gives what is to be read next.
    fn add(&mut self, outcome: Outcome, seen: &mut BTreeSet<String>) -> Vec<Job> {
        let Outcome { job, answer, bytes, cut, is_html, leaks, next, has_map, gap } = outcome;
        let url = shortened(job.url.as_str());
        if job.what == What::Home {
            let status = answer.as_ref().map(|(_, status)| *status).map_err(Clone::clone).into();
            let host = job.url.host_str().unwrap_or_default().to_owned();
            self.homes.push(Home { host, status, is_html });
        }
        // What keeps a home page from being read is told by its status.
        if let Some(gap) = gap.filter(|_| job.what != What::Home) {
            self.gaps.add(&job.page, job.what == What::Script, gap);
        }
        let Ok((found_at, status)) = answer else { return Vec::new() };
        let is_page = matches!(job.what, What::Home | What::Page);
        // Two hosts that lead to one page are one page.
        if is_page && !seen.insert(found_at.to_string()) && found_at != job.url {
            return Vec::new();
        }
        self.bytes += bytes;
        if is_page {
            self.pages += usize::from((200..300).contains(&status));
        } else if bytes > 0 {
            self.files += 1;
            self.scripts_read += usize::from(job.what == What::Script);
        }
        if has_map {
            self.maps.push(url.clone());
        }
        if cut {
            self.cut.push(url);
        }
        self.leaks.extend(leaks);
        next
    }

    /// Downloads end in any order; evidence has one.
    fn finish(&mut self) {
        self.homes.sort_by(|a, b| a.host.cmp(&b.host));
        self.leaks.sort_by(|a, b| (&a.place, a.offset).cmp(&(&b.place, b.offset)));
        self.leaks_cut = self.leaks.len().saturating_sub(LEAKS);
        self.leaks.truncate(LEAKS);
        self.gaps.finish();
        for list in [&mut self.maps, &mut self.cut, &mut self.pages_left_at] {
            list.sort();
            list.truncate(ADDRESSES);
        }
    }
}

impl Job {
    /// Whether it matters that it was not read. A page may be for customers alone and a map is an
    /// extra: of these only what says nothing about them counts.
    fn gap(&self, gap: Gap) -> Option<Gap> {
        match self.what {
            What::Home => None,
            What::Script => Some(gap),
            What::Page => (gap.is_wall || gap.is_ours).then_some(gap),
            What::Map => gap.is_ours.then_some(gap),
        }
    }
}

impl Cx<'_> {
    const fn file_bytes(&self) -> usize {
        self.options.max_file_mib.saturating_mul(1024 * 1024)
    }

    const fn total_bytes(&self) -> usize {
        self.options.max_total_mib.saturating_mul(1024 * 1024)
    }

    /// Downloads one file, reads it and lets its bytes go.
    async fn download(&self, job: Job, room: usize) -> Outcome {
        let answer = self.follow(&job, room).await;
        let found_at = answer.as_ref().map(|(url, answer)| (url.clone(), answer.status));
        let mut outcome = Outcome {
            job,
            answer: found_at.map_err(Clone::clone),
            bytes: 0,
            cut: false,
            is_html: false,
            leaks: Vec::new(),
            next: Vec::new(),
            has_map: false,
            gap: None,
        };
        match answer {
            Ok((url, answer)) => self.read(&mut outcome, &url, &answer),
            Err(fault) => outcome.gap = outcome.job.gap(Gap::of_fault(&fault, &outcome.job.url)),
        }
        outcome
    }

    /// Asks, and follows redirects within the site.
    async fn follow(&self, job: &Job, room: usize) -> Result<(Url, HttpAnswer), ProbeError> {
        let mut url = job.url.clone();
        for _hop in 0..HOPS {
            let request = match job.what {
                What::Home | What::Page => HttpRequest::get(url.clone()),
                What::Script | What::Map => HttpRequest::get(url.clone()).unshared().at_most(room),
            };
            let answer = self.http.send(request).await?;
            match answer.location().filter(|_| answer.is_redirect()) {
                Some(next) if is_same_site(&next, self.target) => url = next,
                Some(_) | None => return Ok((url, answer)),
            }
        }
        Err(TargetFault::Malformed(format!("{} redirects more than {HOPS} times", job.url)).into())
    }

    fn read(&self, outcome: &mut Outcome, url: &Url, answer: &HttpAnswer) {
        let is_html = answer.header("content-type").is_some_and(|kind| kind.contains("text/html"));
        let what = outcome.job.what;
        outcome.is_html = is_html;
        // A missing file of a single-page application is answered with the home page.
        let is_missing = !(200..300).contains(&answer.status)
            || (matches!(what, What::Script | What::Map) && is_html)
            || (what == What::Map && !answer.body.trim_ascii_start().starts_with(b"{"));
        // A challenge may come with any status, and a shared page of one stands for no script.
        let challenge = gap::is_challenge(answer);
        if is_missing || (challenge && what != What::Home) {
            let gap = Gap::of_answer(answer, &outcome.job.url);
            outcome.gap = outcome.job.gap(gap);
            return;
        }
        outcome.bytes = answer.body.len();
        outcome.cut = answer.body_cut;
        outcome.leaks = self.leaks(&answer.body, url.as_str());
        match what {
            What::Home | What::Page => outcome.next = links::of_page(&answer.text(), url),
            What::Map => outcome.has_map = true,
            What::Script => {
                let page = outcome.job.page.clone();
                let job = |url| Job { url, what: What::Script, page: page.clone() };
                outcome.next =
                    references::scripts(&answer.body, url).into_iter().map(job).collect();
                let header = answer.header("sourcemap").or_else(|| answer.header("x-sourcemap"));
                match references::source_map(&answer.body, header, url) {
                    Some(SourceMap::At(url)) => {
                        outcome.next.push(Job { url, what: What::Map, page });
                    }
                    Some(SourceMap::Inside(map)) => {
                        let place = format!("{url} (source map inside)");
                        outcome.leaks.extend(self.leaks(&map, &place));
                        outcome.has_map = true;
                    }
                    None => {}
                }
            }
        }
    }

    fn leaks(&self, bytes: &[u8], place: &str) -> Vec<Leak> {
        let found = detector::scan(bytes);
        found.iter().take(LEAKS).map(|hit| Leak::of(hit, bytes, place, &self.key)).collect()
    }
}

/// Whether an address belongs to the product: its registrable domain, or a declared host.
fn is_same_site(url: &Url, target: &Target) -> bool {
    let Some(host) = url.host_str().filter(|_| matches!(url.scheme(), "http" | "https")) else {
        return false;
    };
    registrable(host).is_some_and(|own| Some(own) == registrable(&target.domain))
        || target.declared_hosts().iter().any(|declared| declared == host)
}
