//! Files that were asked for and not read, page by page, and why.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::probe::{HttpAnswer, ProbeError, TargetFault};
use crate::secrets::leak::shortened;

/// The most pages whose gaps are told apart; further ones are only counted.
const PAGES: usize = 12;

/// Why nothing was read of a file.
#[derive(Debug)]
pub(super) struct Gap {
    url: String,
    reason: String,
    unlock: String,
    /// No browser gets it either.
    is_missing: bool,
    /// A browser may get it: it was refused to us, or the server is in trouble.
    pub(super) is_wall: bool,
    /// We could not ask.
    pub(super) is_ours: bool,
}

/// The files of one page that were not read.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PageGap {
    /// The page.
    pub(super) page: String,
    /// How many files.
    pub(super) count: usize,
    /// The first of them, by its address.
    pub(super) url: String,
    /// Why that one was not read.
    pub(super) reason: String,
    /// What unlocks it.
    pub(super) unlock: String,
    /// They may hold what nothing else shows: scripts, and whatever we could not ask for.
    pub(super) blocks: bool,
}

/// What could not be read.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Gaps {
    /// By page.
    pub(super) pages: Vec<PageGap>,
    /// Files of further pages.
    pub(super) more: usize,
    /// Scripts that do not exist, as far as anybody can tell.
    pub(super) missing: usize,
    /// One of them.
    pub(super) missing_at: Option<String>,
}

impl Gap {
    /// Of a file that gave no answer.
    pub(super) fn of_fault(fault: &ProbeError, url: &Url) -> Self {
        let url = shortened(url.as_str());
        let reason = shortened(&fault.to_string());
        match fault {
            ProbeError::Agent(agent) => {
                let unlock = agent.unlock().to_owned();
                Self { url, reason, unlock, is_missing: false, is_wall: false, is_ours: true }
            }
            ProbeError::Target(target) => {
                let is_missing =
                    matches!(target, TargetFault::Unresolvable(_) | TargetFault::PrivateAddress(_));
                let unlock = "make the address answer over https, then look again".to_owned();
                Self { url, reason, unlock, is_missing, is_wall: !is_missing, is_ours: false }
            }
        }
    }

    /// Of a file whose answer is not the file.
    pub(super) fn of_answer(answer: &HttpAnswer, url: &Url) -> Self {
        let status = answer.status;
        let challenge = is_challenge(answer);
        let is_wall = challenge || status == 429 || status >= 500;
        let missing = match status {
            // A single-page application answers with its page, or leads to it; 304 needs a cache.
            200..400 | 404 | 410 => true,
            403 => is_missing_in_a_bucket(answer),
            _ => false,
        };
        let (reason, unlock) = if challenge {
            ("it is refused to programs with a bot challenge".to_owned(), LET_THROUGH)
        } else if status >= 500 {
            (format!("it answers {status}"), "mend the server, then look again")
        } else {
            (format!("it answers {status}"), LET_THROUGH)
        };
        Self {
            url: shortened(url.as_str()),
            reason,
            unlock: unlock.to_owned(),
            is_missing: missing && !challenge,
            is_wall,
            is_ours: false,
        }
    }
}

const LET_THROUGH: &str =
    "let launchready through the bot protection, or run it from an allowed network";

/// What edges set on the pages that they put in front of a file.
pub(super) fn is_challenge(answer: &HttpAnswer) -> bool {
    ["cf-mitigated", "x-vercel-mitigated", "x-amzn-waf-action"]
        .iter()
        .any(|name| answer.header(name).is_some())
}

/// A bucket of Amazon S3 whose files may not be listed answers so for a file that it has not got.
fn is_missing_in_a_bucket(answer: &HttpAnswer) -> bool {
    let text = answer.text();
    ["<Code>AccessDenied</Code>", "Code: AccessDenied"].iter().any(|mark| text.contains(mark))
}

impl Gaps {
    /// Counts a file that `page` needs.
    pub(super) fn add(&mut self, page: &str, is_script: bool, gap: Gap) {
        if gap.is_missing {
            self.missing += 1;
            let first = self.missing_at.take().filter(|first| *first <= gap.url);
            self.missing_at = first.or(Some(gap.url));
            return;
        }
        let blocks = is_script || gap.is_ours;
        let same = |known: &&mut PageGap| known.page == page && known.blocks == blocks;
        let Gap { url, reason, unlock, .. } = gap;
        if let Some(known) = self.pages.iter_mut().find(same) {
            known.count += 1;
            // Downloads end in any order; the first by its address is told.
            if url < known.url {
                (known.url, known.reason, known.unlock) = (url, reason, unlock);
            }
        } else {
            self.pages.push(PageGap {
                page: page.to_owned(),
                count: 1,
                url,
                reason,
                unlock,
                blocks,
            });
        }
    }

    /// One order, and no more than is kept.
    pub(super) fn finish(&mut self) {
        self.pages.sort_by(|a, b| (b.blocks, &a.page).cmp(&(a.blocks, &b.page)));
        let cut = self.pages.get(PAGES..).unwrap_or_default();
        self.more = cut.iter().map(|gap| gap.count).sum();
        self.pages.truncate(PAGES);
    }
}
