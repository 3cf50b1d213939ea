//! Front: conversations by status. Its times are seconds with a fraction.

use jiff::Timestamp;
use launchready_checks::probe::{
    Acknowledgement, Answer, Conversation, Desk, Email, Listed, Period, ProbeError, TAGS, Visit,
};
use serde::Deserialize;
use url::Url;

use super::pages::Pages;
use super::{Api, Reach, Shown, Vendor};
use crate::config::{Secret, SupportTable};

const VENDOR: Vendor = Vendor {
    name: "Front",
    // The smallest plan allows 50 requests a minute.
    pace: std::time::Duration::from_millis(250),
    headers: &[],
    permission: |_body| Some("the scope conversations:read".to_owned()),
    where_to: "Front: Settings → Developers → API tokens",
};
/// The most pages of one walk, 100 conversations each.
const PAGES: u32 = 50;

/// The help desk.
#[derive(Debug)]
pub(super) struct Front {
    api: Api,
}

#[derive(Deserialize)]
struct Found {
    #[serde(rename = "_results")]
    results: Vec<Item>,
    #[serde(rename = "_pagination")]
    pagination: Option<Pagination>,
}

#[derive(Deserialize)]
struct Pagination {
    next: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    id: String,
    created_at: f64,
    waiting_since: Option<f64>,
    #[serde(default)]
    assignee: serde_json::Value,
    #[serde(default)]
    tags: Vec<Tag>,
    recipient: Option<Recipient>,
    last_message: Option<Message>,
}

#[derive(Deserialize)]
struct Tag {
    name: Option<String>,
}

#[derive(Deserialize)]
struct Recipient {
    handle: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    created_at: Option<f64>,
}

/// A time of Front.
fn at(seconds: f64) -> Option<Timestamp> {
    let since = jiff::SignedDuration::try_from_secs_f64(seconds).ok()?;
    Timestamp::from_duration(since).ok()
}

impl Front {
    pub(super) fn new(
        table: &SupportTable,
        token: Secret,
        reach: &Reach,
    ) -> Result<Self, ProbeError> {
        let base = table.api.as_deref().unwrap_or("https://api2.frontapp.com");
        Ok(Self { api: Api::new(VENDOR, base, Shown::Bearer(token), reach)? })
    }

    /// Walks over conversations with one of these statuses; `enough` ends it early.
    async fn walk(
        &self,
        statuses: &str,
        order: &str,
        enough: impl Fn(&Item) -> bool + Send + Sync,
        visit: Visit<'_, Conversation>,
    ) -> Result<Listed, ProbeError> {
        let mut pages = Pages::new(VENDOR.name, PAGES);
        let mut cursor: Option<String> = None;
        while pages.more() {
            let mut query =
                vec![("q", statuses), ("sort_by", "date"), ("sort_order", order), ("limit", "100")];
            if let Some(cursor) = &cursor {
                query.push(("page_token", cursor));
            }
            let found: Found = self.api.get("/conversations", &query).await?;
            let (all, mut new, mut done) = (found.results.len(), 0, false);
            for item in found.results {
                if pages.is_new(&item.id) {
                    new += 1;
                    done |= enough(&item);
                    if let Some(one) = item.conversation() {
                        visit(one);
                    }
                }
            }
            pages.read(all, new)?;
            // The next page comes as an address; of it the cursor alone is followed.
            let next = found.pagination.and_then(|pagination| pagination.next);
            let next = next.filter(|_| all > 0 && !done).and_then(|next| page_token(&next));
            let Some(next) = next else { break };
            pages.follow(&next)?;
            cursor = Some(next);
        }
        Ok(Listed { walked: pages.end(), total: None })
    }
}

fn page_token(address: &str) -> Option<String> {
    let address = Url::parse(address).ok()?;
    let mut pairs = address.query_pairs();
    pairs.find(|(name, _)| name == "page_token").map(|(_, value)| value.into_owned())
}

impl Item {
    fn conversation(self) -> Option<Conversation> {
        let tags = self.tags.into_iter().filter_map(|tag| tag.name).take(TAGS).collect();
        let handle = self.recipient.and_then(|recipient| recipient.handle);
        Some(Conversation {
            id: self.id,
            created: at(self.created_at)?,
            waiting_since: self.waiting_since.filter(|since| *since > 0.0).and_then(at),
            assigned: Some(!self.assignee.is_null()),
            tags: Some(tags),
            requester: handle.as_deref().and_then(Email::new),
            ..Conversation::default()
        })
    }
}

impl Desk for Front {
    fn open<'a>(
        &'a self,
        visit: Visit<'a, Conversation>,
    ) -> Answer<'a, Result<Listed, ProbeError>> {
        Box::pin(self.walk(r#"{"statuses":["unassigned","assigned"]}"#, "asc", |_| false, visit))
    }

    fn created<'a>(
        &'a self,
        period: Period,
        visit: Visit<'a, Conversation>,
    ) -> Answer<'a, Result<Listed, ProbeError>> {
        Box::pin(async move {
            // The list is sorted by the last message, which is never older than the conversation.
            let since = period.since.as_duration().as_secs_f64();
            let enough = move |item: &Item| {
                let last = item.last_message.as_ref().and_then(|message| message.created_at);
                last.is_some_and(|last| last < since)
            };
            let mut count = 0;
            let mut within = |one: Conversation| {
                let at = one.created;
                if at >= period.since && period.until.is_none_or(|until| at < until) {
                    count += 1;
                    visit(one);
                }
            };
            let all = r#"{"statuses":["unassigned","assigned","archived"]}"#;
            let mut listed = self.walk(all, "desc", enough, &mut within).await?;
            listed.walked.entries = count;
            Ok(listed)
        })
    }

    fn acknowledgements(
        &self,
        _ids: Vec<String>,
    ) -> Answer<'_, Result<Option<Vec<Acknowledgement>>, ProbeError>> {
        Box::pin(async { Ok(None) })
    }
}
