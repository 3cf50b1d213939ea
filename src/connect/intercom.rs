//! Intercom: conversations by search, which says itself since when a customer waits.

use jiff::Timestamp;
use launchready_checks::probe::{
    Acknowledgement, Answer, Conversation, Desk, Email, Listed, Origin, Period, ProbeError, TAGS,
    Visit,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::pages::Pages;
use super::{Api, Reach, Shown, Vendor};
use crate::config::{Secret, SupportTable};

const VENDOR: Vendor = Vendor {
    name: "Intercom",
    // 10,000 a minute for an app, spread over windows of ten seconds.
    pace: std::time::Duration::from_millis(10),
    headers: &[("intercom-version", "2.15")],
    permission: |_body| Some("the permission \"Read conversations\"".to_owned()),
    where_to: "Intercom: Developer Hub → your app → Configure → Authentication",
};
/// The most pages of one walk, 150 conversations each.
const PAGES: u32 = 100;

/// The help desk.
#[derive(Debug)]
pub(super) struct Intercom {
    api: Api,
}

#[derive(Deserialize)]
struct Found {
    conversations: Vec<Item>,
    total_count: Option<u64>,
    pages: Option<PagesOf>,
}

#[derive(Deserialize)]
struct PagesOf {
    next: Option<Next>,
}

#[derive(Deserialize)]
struct Next {
    starting_after: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    id: String,
    created_at: i64,
    waiting_since: Option<i64>,
    #[serde(default)]
    admin_assignee_id: Value,
    #[serde(default)]
    team_assignee_id: Value,
    priority: Option<String>,
    #[serde(default)]
    tags: Tags,
    statistics: Option<Statistics>,
    #[serde(default)]
    source: Source,
    #[serde(default)]
    custom_attributes: serde_json::Map<String, Value>,
}

#[derive(Default, Deserialize)]
struct Tags {
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
struct Tag {
    name: Option<String>,
}

#[derive(Deserialize)]
struct Statistics {
    first_admin_reply_at: Option<i64>,
}

#[derive(Default, Deserialize)]
struct Source {
    #[serde(rename = "type")]
    kind: Option<String>,
    delivered_as: Option<String>,
    author: Option<Author>,
}

#[derive(Deserialize)]
struct Author {
    email: Option<String>,
}

impl Intercom {
    pub(super) fn new(
        table: &SupportTable,
        token: Secret,
        reach: &Reach,
    ) -> Result<Self, ProbeError> {
        let base = table.api.as_deref().unwrap_or("https://api.intercom.io");
        Ok(Self { api: Api::new(VENDOR, base, Shown::Bearer(token), reach)? })
    }

    async fn walk(
        &self,
        query: Value,
        wanted: impl Fn(&Conversation) -> bool + Send + Sync,
        visit: Visit<'_, Conversation>,
    ) -> Result<Listed, ProbeError> {
        let mut pages = Pages::new(VENDOR.name, PAGES);
        let (mut after, mut total) = (None::<String>, None);
        while pages.more() {
            let mut pagination = json!({ "per_page": 150 });
            if let (Some(after), Some(map)) = (&after, pagination.as_object_mut()) {
                map.insert("starting_after".to_owned(), json!(after));
            }
            let body = json!({ "query": query, "pagination": pagination });
            let found: Found = self.api.search("/conversations/search", &body).await?;
            total = total.or(found.total_count);
            let (all, mut new) = (found.conversations.len(), 0);
            for item in found.conversations {
                if pages.is_new(&item.id) {
                    new += 1;
                    if let Some(one) = item.conversation().filter(&wanted) {
                        visit(one);
                    }
                }
            }
            pages.read(all, new)?;
            let next =
                found.pages.and_then(|pages| pages.next).and_then(|next| next.starting_after);
            let Some(next) = next.filter(|_| all > 0) else { break };
            pages.follow(&next)?;
            after = Some(next);
        }
        Ok(Listed { walked: pages.end(), total })
    }
}

impl Item {
    fn conversation(self) -> Option<Conversation> {
        let at = |second: i64| Timestamp::from_second(second).ok();
        let named = |value: &Value| match value {
            Value::Number(number) if number.as_i64() != Some(0) => Some(number.to_string()),
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            _ => None,
        };
        let origin = match (self.source.kind.as_deref(), self.source.delivered_as.as_deref()) {
            (Some("api"), _) => Origin::Product,
            (_, Some("admin_initiated")) => Origin::Hand,
            (_, Some("customer_initiated")) => Origin::Customer,
            (_, Some("automated" | "operator_initiated" | "campaigns_initiated")) => {
                Origin::Product
            }
            _ => Origin::Unsaid,
        };
        let submission = ["submission_id", "external_id"]
            .iter()
            .find_map(|key| named(self.custom_attributes.get(*key)?));
        let tags = self.tags.tags.into_iter().filter_map(|tag| tag.name).take(TAGS).collect();
        let email = self.source.author.and_then(|author| author.email);
        Some(Conversation {
            id: self.id,
            created: at(self.created_at)?,
            waiting_since: self.waiting_since.filter(|since| *since > 0).and_then(at),
            assigned: Some(named(&self.admin_assignee_id).is_some()),
            queue: named(&self.team_assignee_id),
            tags: Some(tags),
            first_reply: self.statistics.and_then(|known| known.first_admin_reply_at).and_then(at),
            priority: self.priority,
            origin,
            submission,
            requester: email.as_deref().and_then(Email::new),
        })
    }
}

impl Desk for Intercom {
    fn open<'a>(
        &'a self,
        visit: Visit<'a, Conversation>,
    ) -> Answer<'a, Result<Listed, ProbeError>> {
        let state = |word: &str| json!({ "field": "state", "operator": "=", "value": word });
        let query = json!({ "operator": "OR", "value": [state("open"), state("snoozed")] });
        Box::pin(self.walk(query, |_| true, visit))
    }

    fn created<'a>(
        &'a self,
        period: Period,
        visit: Visit<'a, Conversation>,
    ) -> Answer<'a, Result<Listed, ProbeError>> {
        // The comparison knows "greater" alone, and may round to the day; what came before is left out here.
        let since = period.since.as_second().saturating_sub(1).to_string();
        let query = json!({ "operator": "AND", "value": [
            { "field": "created_at", "operator": ">", "value": since },
        ] });
        let wanted = move |one: &Conversation| {
            one.created >= period.since && period.until.is_none_or(|until| one.created < until)
        };
        Box::pin(self.walk(query, wanted, visit))
    }

    fn acknowledgements(
        &self,
        _ids: Vec<String>,
    ) -> Answer<'_, Result<Option<Vec<Acknowledgement>>, ProbeError>> {
        Box::pin(async { Ok(None) })
    }
}
