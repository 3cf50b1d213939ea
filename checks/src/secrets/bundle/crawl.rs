//! Downloads what a browser would, a few files at a time, and keeps facts instead of bytes.

use std::collections::{BTreeSet, VecDeque};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use serde::{Deserialize, Serialize};
use url::Url;

use super::Options;
use super::references::{self, SourceMap};
use crate::contract::Target;
use crate::document::Document;
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
/// The most addresses of one list that are kept.
const ADDRESSES: usize = 12;
/// Words in the paths of pages that have scripts of their own.
const CORE_PAGES: [&str; 10] = [
    "login",
    "signin",
    "sign-in",
    "signup",
    "sign-up",
    "register",
    "checkout",
    "pricing",
    "dashboard",
    "account",
];

/// What a job downloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Home,
    Page,
    Script,
    Map,
}

#[derive(Debug, Clone)]
struct Job {
    url: Url,
    what: What,
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

/// A file that could not be read through no fault of the target.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Unread {
    /// Its address.
    pub(super) url: String,
    /// Why.
    pub(super) reason: String,
    /// What unlocks it.
    pub(super) unlock: String,
}

/// What a crawl found.
#[derive(Debug, Default, Serialize, Deserialize)]
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
    /// Files that could not be read through no fault of the target.
    pub(super) unread: Vec<Unread>,
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
    let home = |host: &String| Url::parse(&format!("https://{host}/")).ok();
    queue
        .extend(hosts.iter().take(HOMES).filter_map(home).map(|url| Job { url, what: What::Home }));
    let mut pages_asked = queue.len();
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
            running.push(cx.download(job, room));
        }
        let Some(outcome) = running.next().await else { break };
        for job in out.add(outcome, &mut seen) {
            let is_page = job.what == What::Page;
            if seen.len() >= SEEN {
                out.left += 1;
                continue;
            }
            if (is_page && pages_asked >= options.max_pages)
                || !is_same_site(&job.url, target)
                || !seen.insert(job.url.to_string())
            {
                continue;
            }
            pages_asked += usize::from(is_page);
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
        let Outcome { job, answer, bytes, cut, is_html, leaks, next, has_map } = outcome;
        let url = shortened(job.url.as_str());
        if job.what == What::Home {
            let status = answer.as_ref().map(|(_, status)| *status).map_err(Clone::clone).into();
            let host = job.url.host_str().unwrap_or_default().to_owned();
            self.homes.push(Home { host, status, is_html });
        }
        let (found_at, status) = match answer {
            Ok(answer) => answer,
            Err(ProbeError::Agent(fault)) => {
                if job.what != What::Home {
                    let reason = shortened(&fault.to_string());
                    self.unread.push(Unread { url, reason, unlock: fault.unlock().to_owned() });
                }
                return Vec::new();
            }
            Err(ProbeError::Target(_)) => return Vec::new(),
        };
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
        self.unread.sort_by(|a, b| a.url.cmp(&b.url));
        self.unread.truncate(ADDRESSES);
        for list in [&mut self.maps, &mut self.cut] {
            list.sort();
            list.truncate(ADDRESSES);
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
        };
        if let Ok((url, answer)) = answer {
            self.read(&mut outcome, &url, &answer);
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
        if is_missing {
            return;
        }
        outcome.bytes = answer.body.len();
        outcome.cut = answer.body_cut;
        outcome.leaks = self.leaks(&answer.body, url.as_str());
        match what {
            What::Home | What::Page => outcome.next = of_page(&answer.text(), url),
            What::Map => outcome.has_map = true,
            What::Script => {
                outcome.next = of_script(&answer.body, url);
                let header = answer.header("sourcemap").or_else(|| answer.header("x-sourcemap"));
                match references::source_map(&answer.body, header, url) {
                    Some(SourceMap::At(url)) => outcome.next.push(Job { url, what: What::Map }),
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

fn of_script(bytes: &[u8], url: &Url) -> Vec<Job> {
    let scripts = references::scripts(bytes, url);
    scripts.into_iter().map(|url| Job { url, what: What::Script }).collect()
}

/// The scripts that a page loads or names, and the core pages that it links to.
fn of_page(html: &str, url: &Url) -> Vec<Job> {
    let document = Document::parse(html);
    let base = document.all("base").find_map(|base| url.join(base.attribute("href")?).ok());
    let base = base.as_ref().unwrap_or(url);
    let mut jobs = Vec::new();
    let mut add = |what, address: Option<&str>| {
        if let Some(url) = address.and_then(|address| base.join(address).ok()) {
            jobs.push(Job { url, what });
        }
    };
    for link in document.all("a") {
        let path = link.attribute("href").unwrap_or_default().to_ascii_lowercase();
        if CORE_PAGES.iter().any(|word| path.contains(word)) && !path.contains(['?', '#']) {
            add(What::Page, link.attribute("href"));
        }
    }
    for link in document.all("link") {
        let is_script = link.has_word("rel", "modulepreload")
            || ((link.has_word("rel", "preload") || link.has_word("rel", "prefetch"))
                && link.attribute("as").is_some_and(|kind| kind.eq_ignore_ascii_case("script")));
        if is_script {
            add(What::Script, link.attribute("href"));
        }
    }
    for script in document.all("script") {
        add(What::Script, script.attribute("src").filter(|source| !source.is_empty()));
        for url in references::scripts(script.text.as_bytes(), url) {
            add(What::Script, Some(url.as_str()));
        }
    }
    jobs
}

/// Whether an address belongs to the product: its registrable domain, or a declared host.
fn is_same_site(url: &Url, target: &Target) -> bool {
    let Some(host) = url.host_str().filter(|_| matches!(url.scheme(), "http" | "https")) else {
        return false;
    };
    registrable(host).is_some_and(|own| Some(own) == registrable(&target.domain))
        || target.declared_hosts().iter().any(|declared| declared == host)
}
