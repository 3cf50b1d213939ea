//! Help Scout: conversations by status, sorted by how long the customer waits. A token is handed out for the
//! application's id and secret.

use std::sync::Arc;

use jiff::Timestamp;
use launchready_checks::probe::{
    Acknowledgement, Answer, Conversation, Desk, Email, Listed, Origin, Period, ProbeError, TAGS,
    TargetFault, Visit,
};
use serde::Deserialize;

use super::grant::Grant;
use super::pages::Pages;
use super::{Api, Reach, Shown, Vendor};
use crate::config::{Secret, SupportTable};

const VENDOR: Vendor = Vendor {
    name: "Help Scout",
    pace: std::time::Duration::from_millis(150),
    headers: &[],
    permission: |_body| {
        Some("a user who sees every inbox, as the owner of the application".to_owned())
    },
    where_to: "Help Scout: Your profile → My apps",
};
/// The most pages of one walk, 25 or 50 conversations each.
const PAGES: u32 = 200;

/// The help desk.
#[derive(Debug)]
pub(super) struct HelpScout {
    api: Api,
}

#[derive(Deserialize)]
struct Found {
    #[serde(rename = "_embedded", default)]
    embedded: Embedded,
    page: Page,
}

#[derive(Default, Deserialize)]
struct Embedded {
    #[serde(default)]
    conversations: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    total_elements: u64,
    total_pages: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    id: u64,
    created_at: Timestamp,
    #[serde(default)]
    status: String,
    assignee: Option<serde_json::Value>,
    mailbox_id: Option<u64>,
    #[serde(default)]
    tags: Vec<Tag>,
    customer_waiting_since: Option<WaitingSince>,
    #[serde(default)]
    source: Source,
    primary_customer: Option<Customer>,
}

#[derive(Deserialize)]
struct Tag {
    tag: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WaitingSince {
    time: Option<Timestamp>,
    latest_reply_from: Option<String>,
}

#[derive(Default, Deserialize)]
struct Source {
    #[serde(rename = "type")]
    kind: Option<String>,
    via: Option<String>,
}

#[derive(Deserialize)]
struct Customer {
    email: Option<String>,
}

impl HelpScout {
    pub(super) fn new(
        table: &SupportTable,
        secret: Secret,
        reach: &Reach,
    ) -> Result<Self, ProbeError> {
        let base = table.api.as_deref().unwrap_or("https://api.helpscout.net");
        let id = table.user.clone().unwrap_or_default();
        let shown = Shown::Granted(Arc::new(Grant::new("/v2/oauth2/token", id, secret)));
        Ok(Self { api: Api::new(VENDOR, base, shown, reach)? })
    }

    async fn walk(
        &self,
        query: &[(&str, &str)],
        wanted: impl Fn(&Item) -> bool + Send + Sync,
        visit: Visit<'_, Conversation>,
    ) -> Result<Listed, ProbeError> {
        let mut pages = Pages::new(VENDOR.name, PAGES);
        let mut total = None;
        for page in 1_u32.. {
            if !pages.more() {
                break;
            }
            let number = page.to_string();
            let mut query = query.to_vec();
            query.push(("page", &number));
            let found: Found = self.api.get("/v2/conversations", &query).await?;
            total = total.or(Some(found.page.total_elements));
            let (all, mut new) = (found.embedded.conversations.len(), 0);
            for item in found.embedded.conversations {
                if pages.is_new(&item.id.to_string()) {
                    new += 1;
                    if wanted(&item) {
                        visit(item.conversation());
                    }
                }
            }
            pages.read(all, new)?;
            if all == 0 && page <= found.page.total_pages && found.page.total_elements > 0 {
                let what = "Help Scout counts conversations on a page and shows none of them";
                return Err(TargetFault::Malformed(what.to_owned()).into());
            }
            if page >= found.page.total_pages || all == 0 {
                break;
            }
        }
        Ok(Listed { walked: pages.end(), total })
    }
}

impl Item {
    fn conversation(self) -> Conversation {
        let waiting = self.customer_waiting_since;
        // An unknown word for whose reply is the latest is no customer's.
        let theirs = waiting.filter(|since| since.latest_reply_from.as_deref() == Some("customer"));
        let origin = match (self.source.kind.as_deref(), self.source.via.as_deref()) {
            (Some("api"), _) => Origin::Product,
            (_, Some("user")) => Origin::Hand,
            (_, Some("customer")) => Origin::Customer,
            _ => Origin::Unsaid,
        };
        let tags = self.tags.into_iter().filter_map(|tag| tag.tag).take(TAGS).collect();
        let email = self.primary_customer.and_then(|customer| customer.email);
        Conversation {
            id: self.id.to_string(),
            created: self.created_at,
            waiting_since: theirs.and_then(|since| since.time).filter(|_| self.status != "closed"),
            assigned: Some(self.assignee.is_some_and(|who| !who.is_null())),
            queue: self.mailbox_id.map(|inbox| inbox.to_string()),
            tags: Some(tags),
            first_reply: None,
            priority: None,
            origin,
            submission: None,
            requester: email.as_deref().and_then(Email::new),
        }
    }
}

impl Desk for HelpScout {
    fn open<'a>(
        &'a self,
        visit: Visit<'a, Conversation>,
    ) -> Answer<'a, Result<Listed, ProbeError>> {
        Box::pin(async move {
            let query = [("status", "open"), ("sortField", "waitingSince"), ("sortOrder", "asc")];
            self.walk(&query, |_| true, visit).await
        })
    }

    fn created<'a>(
        &'a self,
        period: Period,
        visit: Visit<'a, Conversation>,
    ) -> Answer<'a, Result<Listed, ProbeError>> {
        Box::pin(async move {
            let since = format!("(createdAt:[{:.0} TO *])", period.since);
            let query = [("status", "all"), ("query", since.as_str()), ("sortField", "createdAt")];
            let wanted = move |item: &Item| {
                let at = item.created_at;
                at >= period.since && period.until.is_none_or(|until| at < until)
            };
            self.walk(&query, wanted, visit).await
        })
    }

    fn acknowledgements(
        &self,
        _ids: Vec<String>,
    ) -> Answer<'_, Result<Option<Vec<Acknowledgement>>, ProbeError>> {
        Box::pin(async { Ok(None) })
    }
}
