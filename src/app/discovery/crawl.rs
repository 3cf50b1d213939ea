//! Reads the home pages of a product and the scripts that hang on them, a few at a time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use launchready_checks::dns::names::in_page;
use launchready_checks::probe::{Http, HttpAnswer, HttpRequest, ProbeError, TargetFault};
use launchready_checks::secrets::downloads;
use launchready_checks::suffix::registrable;
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::discover::{Bundle, LegalPages};

/// Downloads under way at once.
const AT_ONCE: usize = 6;
/// The most redirects that are followed.
const HOPS: usize = 5;
/// The most pages, scripts and bytes that are read in all.
const PAGES: usize = 24;
const SCRIPTS: usize = 80;
const BYTES: usize = 16 * 1024 * 1024;
/// The most bytes of one script that are read.
const SCRIPT_BYTES: usize = 4 * 1024 * 1024;
/// The most reasons that are told.
const UNSEEN: usize = 6;

/// A file that is to be read.
#[derive(Debug)]
struct Job {
    url: Url,
    is_script: bool,
    is_home: bool,
}

/// What was read so far.
#[derive(Debug)]
pub(super) struct Crawl {
    domain: String,
    end: Instant,
    seen: BTreeSet<String>,
    pages: usize,
    scripts: usize,
    bytes: usize,
    bundle: Bundle,
    names: BTreeSet<String>,
    /// The headers of the first answer of each host.
    headers: BTreeMap<String, Vec<(String, String)>>,
    /// The address of the first home page, and its text.
    home: Option<(Url, String)>,
    unseen: Vec<String>,
}

/// What came of one file.
struct Outcome {
    job: Job,
    /// The headers of the first answer, where there was one.
    first: Option<Vec<(String, String)>>,
    end: Result<(Url, HttpAnswer), ProbeError>,
}

impl Crawl {
    /// Nothing is read yet; it ends in time.
    pub(super) fn new(domain: &str, end: Instant) -> Self {
        Self {
            domain: domain.to_owned(),
            end,
            seen: BTreeSet::new(),
            pages: 0,
            scripts: 0,
            bytes: 0,
            bundle: Bundle::default(),
            names: BTreeSet::new(),
            headers: BTreeMap::new(),
            home: None,
            unseen: Vec::new(),
        }
    }

    /// Reads the home pages of hosts, core pages that they link to, and their scripts.
    pub(super) async fn run(&mut self, http: &dyn Http, hosts: &[String]) {
        let domain = self.domain.clone();
        let mut queue: VecDeque<Job> = VecDeque::new();
        for host in hosts {
            if let Ok(url) = Url::parse(&format!("https://{host}/"))
                && self.seen.insert(url.to_string())
            {
                queue.push_back(Job { url, is_script: false, is_home: true });
            }
        }
        let mut running = FuturesUnordered::new();
        loop {
            while running.len() < AT_ONCE
                && let Some(job) = queue.pop_front()
            {
                let count = if job.is_script { &mut self.scripts } else { &mut self.pages };
                let most = if job.is_script { SCRIPTS } else { PAGES };
                let room = BYTES.saturating_sub(self.bytes).min(SCRIPT_BYTES);
                if *count >= most || room == 0 {
                    continue;
                }
                *count += 1;
                running.push(fetch(http, &domain, job, room));
            }
            let outcome = match timeout_at(self.end, running.next()).await {
                Ok(Some(outcome)) => outcome,
                Ok(None) => break,
                Err(_elapsed) => {
                    self.tell("the time ended before every script was read".to_owned());
                    break;
                }
            };
            for job in self.take_up(outcome) {
                if is_same_site(&job.url, &domain) && self.seen.insert(job.url.to_string()) {
                    queue.push_back(job);
                }
            }
        }
    }

    /// Reads one file, and says what it leads to.
    fn take_up(&mut self, outcome: Outcome) -> Vec<Job> {
        let Outcome { job, first, end } = outcome;
        let host = job.url.host_str().unwrap_or_default().to_owned();
        if let Some(headers) = first {
            self.headers.entry(host.clone()).or_insert(headers);
        }
        let (url, answer) = match end {
            Ok(found) => found,
            Err(error) => {
                if job.is_home && host == self.domain {
                    self.tell(format!("https://{host}/: {error}"));
                }
                return Vec::new();
            }
        };
        let is_html = answer.header("content-type").is_some_and(|kind| kind.contains("html"));
        if !(200..300).contains(&answer.status) || job.is_script == is_html {
            if job.is_home && host == self.domain {
                self.tell(format!("https://{host}/ answers {}", answer.status));
            }
            return Vec::new();
        }
        if !job.is_script && url != job.url && !self.seen.insert(url.to_string()) {
            return Vec::new();
        }
        self.bytes += answer.body.len();
        let place = format!("{}{}", url.host_str().unwrap_or_default(), url.path());
        self.bundle.read(&answer.body, place.trim_end_matches('/'));
        if job.is_script {
            let more = downloads::of_script(&answer.body, &url).into_iter();
            return more.map(|url| Job { url, is_script: true, is_home: false }).collect();
        }
        let text = answer.text();
        self.names.extend(in_page(&text, &self.domain));
        let found = downloads::of_page(&text, &url);
        if job.is_home && self.home.is_none() {
            self.home = Some((url, text));
        }
        let scripts = found.scripts.into_iter().map(|url| (url, true));
        let pages = found.pages.into_iter().map(|url| (url, false));
        scripts
            .chain(pages)
            .map(|(url, is_script)| Job { url, is_script, is_home: false })
            .collect()
    }

    fn tell(&mut self, what: String) {
        if self.unseen.len() < UNSEEN && !self.unseen.contains(&what) {
            self.unseen.push(what);
        }
    }

    /// What the pages and scripts hold.
    pub(super) const fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// Names below the domain that the pages hold.
    pub(super) fn names(&self) -> BTreeSet<String> {
        self.names.clone()
    }

    /// The headers of the first answer of a host.
    pub(super) fn headers_of(&self, host: &str) -> Vec<(String, String)> {
        self.headers.get(host).cloned().unwrap_or_default()
    }

    /// The project of Supabase by the header of its gateway, or by the address in a script.
    pub(super) fn supabase(&self) -> Option<(String, String)> {
        let of_header = self.headers.iter().find_map(|(host, headers)| {
            let (_, value) = headers.iter().find(|(name, _)| name == "sb-project-ref")?;
            let fits = value.len() == 20 && value.bytes().all(|byte| byte.is_ascii_lowercase());
            fits.then(|| (value.clone(), format!("{host}: header sb-project-ref")))
        });
        let of_script = || {
            let reference = self.bundle.projects.first()?;
            Some((reference.clone(), format!("{reference}.supabase.co in the page's scripts")))
        };
        of_header.or_else(of_script)
    }

    /// The host of the home page.
    pub(super) fn home_host(&self) -> Option<&str> {
        self.home.as_ref().and_then(|(url, _)| url.host_str())
    }

    /// The legal pages that the home page links to.
    pub(super) fn legal_pages(&self) -> Vec<String> {
        let home = self.home.as_ref();
        home.map(|(url, text)| LegalPages::of_page(text, url).pages).unwrap_or_default()
    }

    /// What could not be read.
    pub(super) fn unseen(self) -> Vec<String> {
        self.unseen
    }
}

/// Asks for a file, and follows redirects within the site.
async fn fetch(http: &dyn Http, domain: &str, job: Job, room: usize) -> Outcome {
    let mut url = job.url.clone();
    let mut first = None;
    for _hop in 0..=HOPS {
        let request = HttpRequest::get(url.clone());
        let request = if job.is_script { request.unshared().at_most(room) } else { request };
        let answer = match http.send(request).await {
            Ok(answer) => answer,
            Err(error) => return Outcome { job, first, end: Err(error) },
        };
        first.get_or_insert_with(|| answer.headers.clone());
        match answer.location().filter(|_| answer.is_redirect()) {
            Some(next) if is_same_site(&next, domain) => url = next,
            Some(_) | None => return Outcome { job, first, end: Ok((url, answer)) },
        }
    }
    let fault = TargetFault::Malformed(format!("more than {HOPS} redirects"));
    Outcome { job, first, end: Err(fault.into()) }
}

/// Whether an address belongs to the product.
fn is_same_site(url: &Url, domain: &str) -> bool {
    let host = url.host_str().filter(|_| matches!(url.scheme(), "http" | "https"));
    host.and_then(registrable).is_some_and(|own| Some(own) == registrable(domain))
}
