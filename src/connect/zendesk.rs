//! Zendesk: tickets by search, their metrics by the hundred, and comments and audits one ticket at a time.
//!
//! Search gives at most ten pages of a hundred, and its index lags by minutes; the walk goes on from the
//! time of the last ticket.

use std::collections::HashMap;

use jiff::Timestamp;
use launchready_checks::probe::{
    Acknowledgement, Answer, Conversation, Desk, Email, Listed, Origin, Period, ProbeError, TAGS,
    Visit,
};
use serde::Deserialize;

use super::pages::Pages;
use super::{Api, Reach, Shown, Vendor};
use crate::config::{Secret, SupportTable};

const VENDOR: Vendor = Vendor {
    name: "Zendesk",
    // The smallest plan allows 200 requests a minute; a look makes fewer.
    pace: std::time::Duration::from_millis(100),
    headers: &[],
    permission: |_body| Some("read access to tickets (a role that sees all tickets, or the scope read)".to_owned()),
    where_to: "Zendesk: Admin Center → Apps and integrations → APIs → Zendesk API",
};
/// The most that search gives on one page, and the last page that it gives.
const PAGE: usize = 100;
const LAST_PAGE: u32 = 10;
/// The most pages of one walk: 5,000 tickets.
const PAGES: u32 = 50;
/// The most tickets whose comments are read in one look.
const COMMENTS: usize = 60;

/// The help desk.
#[derive(Debug)]
pub(super) struct Zendesk {
    api: Api,
}

#[derive(Deserialize)]
struct Found {
    results: Vec<FoundTicket>,
}

#[derive(Deserialize)]
struct FoundTicket {
    id: u64,
    created_at: Timestamp,
}

#[derive(Deserialize)]
struct Count {
    count: u64,
}

#[derive(Deserialize)]
struct Many {
    tickets: Vec<Ticket>,
    #[serde(default)]
    metric_sets: Vec<MetricSet>,
    #[serde(default)]
    users: Vec<User>,
}

#[derive(Deserialize)]
struct Ticket {
    id: u64,
    created_at: Timestamp,
    #[serde(default)]
    status: String,
    priority: Option<String>,
    requester_id: Option<u64>,
    submitter_id: Option<u64>,
    assignee_id: Option<u64>,
    group_id: Option<u64>,
    #[serde(default)]
    tags: Vec<String>,
    external_id: Option<String>,
    #[serde(default)]
    via: Via,
    metric_set: Option<MetricSet>,
}

#[derive(Default, Deserialize)]
struct Via {
    #[serde(default)]
    channel: serde_json::Value,
    #[serde(default)]
    source: Source,
}

#[derive(Default, Deserialize)]
struct Source {
    rel: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
struct MetricSet {
    #[serde(default)]
    ticket_id: u64,
    #[serde(default)]
    replies: u64,
    #[serde(default)]
    reply_time_in_minutes: Minutes,
    requester_updated_at: Option<Timestamp>,
    assignee_updated_at: Option<Timestamp>,
}

#[derive(Clone, Default, Deserialize)]
struct Minutes {
    calendar: Option<f64>,
}

#[derive(Deserialize)]
struct User {
    id: u64,
    email: Option<String>,
    #[serde(default)]
    role: String,
}

#[derive(Deserialize)]
struct Comments {
    comments: Vec<Comment>,
    #[serde(default)]
    users: Vec<User>,
}

#[derive(Deserialize)]
struct Comment {
    author_id: Option<u64>,
    #[serde(default)]
    public: bool,
    created_at: Timestamp,
}

#[derive(Deserialize)]
struct Audits {
    audits: Vec<Audit>,
}

#[derive(Deserialize)]
struct Audit {
    created_at: Timestamp,
    author_id: Option<i64>,
    #[serde(default)]
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type", default)]
    kind: String,
    field_name: Option<String>,
    #[serde(default)]
    value: serde_json::Value,
    #[serde(default)]
    via: Via,
    #[serde(default)]
    recipients: Vec<serde_json::Value>,
}

impl Zendesk {
    pub(super) fn new(
        table: &SupportTable,
        token: Secret,
        reach: &Reach,
    ) -> Result<Self, ProbeError> {
        let subdomain = table.subdomain.as_deref().unwrap_or_default();
        let base = table.api.clone().unwrap_or_else(|| format!("https://{subdomain}.zendesk.com"));
        // An API token goes with the address of an agent, an OAuth token alone.
        let shown = match &table.user {
            Some(user) => Shown::Basic(format!("{user}/token"), token),
            None => Shown::Bearer(token),
        };
        Ok(Self { api: Api::new(VENDOR, &base, shown, reach)? })
    }

    /// Walks over the tickets of a query, a hundred at a time, oldest first.
    async fn search(
        &self,
        query: &str,
        from: Option<Timestamp>,
        pages: &mut Pages,
        mut each: impl AsyncFnMut(Vec<u64>) -> Result<(), ProbeError>,
    ) -> Result<(), ProbeError> {
        let (mut from, mut page) = (from, 1_u32);
        while pages.more() {
            let since = from.map(|from| format!(" created>={from:.0}")).unwrap_or_default();
            let (text, number) = (format!("{query}{since}"), page.to_string());
            let found: Found = self
                .api
                .get(
                    "/api/v2/search",
                    &[
                        ("query", &text),
                        ("sort_by", "created_at"),
                        ("sort_order", "asc"),
                        ("per_page", "100"),
                        ("page", &number),
                    ],
                )
                .await?;
            let all = found.results.len();
            let last = found.results.last().map(|ticket| ticket.created_at);
            let new: Vec<u64> = found
                .results
                .iter()
                .filter(|ticket| pages.is_new(&ticket.id.to_string()))
                .map(|ticket| ticket.id)
                .collect();
            // The first page from a new time begins with tickets that were seen.
            if page > 1 {
                pages.read(all, new.len())?;
            }
            let none_new = new.is_empty();
            if !none_new {
                each(new).await?;
            }
            if all < PAGE {
                return Ok(());
            }
            page += 1;
            if page > LAST_PAGE {
                if none_new || last == from {
                    pages.cut();
                    return Ok(());
                }
                (from, page) = (last, 1);
            }
        }
        Ok(())
    }

    async fn many(&self, ids: &[u64]) -> Result<Many, ProbeError> {
        let ids: Vec<_> = ids.iter().map(u64::to_string).collect();
        let ids = ids.join(",");
        let query = [("ids", ids.as_str()), ("include", "metric_sets,users")];
        self.api.get("/api/v2/tickets/show_many", &query).await
    }

    /// Since when the customer has the last public word, read from the comments.
    async fn last_word(&self, ticket: &Ticket) -> Result<Option<Timestamp>, ProbeError> {
        let path = format!("/api/v2/tickets/{}/comments", ticket.id);
        let query = [("sort_order", "desc"), ("include", "users"), ("per_page", "100")];
        let found: Comments = self.api.get(&path, &query).await?;
        let role: HashMap<u64, &str> =
            found.users.iter().map(|user| (user.id, user.role.as_str())).collect();
        let by_customer = |comment: &Comment| {
            comment.author_id.is_some_and(|author| {
                Some(author) == ticket.requester_id
                    || role.get(&author).is_some_and(|role| *role == "end-user")
            })
        };
        let public = found.comments.iter().filter(|comment| comment.public);
        Ok(public.take_while(|comment| by_customer(comment)).map(|comment| comment.created_at).last())
    }

    async fn walk_open(&self, visit: Visit<'_, Conversation>) -> Result<Listed, ProbeError> {
        const OPEN: &str = "type:ticket status<solved";
        let count: Count = self.api.get("/api/v2/search/count", &[("query", OPEN)]).await?;
        let mut pages = Pages::new(VENDOR.name, PAGES);
        let (mut read, mut guessed) = (0, false);
        self.search(OPEN, None, &mut pages, async |ids| {
            let many = self.many(&ids).await?;
            for (ticket, metric, requester) in many.into_rows() {
                // The index lags: what was solved a moment ago is still found.
                if matches!(ticket.status.as_str(), "solved" | "closed" | "deleted") {
                    continue;
                }
                let origin = ticket.origin();
                let waiting_since = if metric.replies == 0 && origin != Origin::Hand {
                    Some(ticket.created_at)
                } else if ticket.status == "pending" {
                    // A customer's word opens a pending ticket again.
                    None
                } else if read < COMMENTS {
                    read += 1;
                    self.last_word(&ticket).await?
                } else {
                    guessed = true;
                    let theirs = metric.requester_updated_at;
                    theirs.filter(|at| metric.assignee_updated_at.is_none_or(|ours| ours < *at))
                };
                visit(ticket.conversation(&metric, waiting_since, requester));
            }
            Ok(())
        })
        .await?;
        let mut walked = pages.end();
        walked.cut |= guessed;
        Ok(Listed { walked, total: Some(count.count) })
    }

    async fn walk_created(
        &self,
        period: Period,
        visit: Visit<'_, Conversation>,
    ) -> Result<Listed, ProbeError> {
        let mut pages = Pages::new(VENDOR.name, PAGES);
        self.search("type:ticket", Some(period.since), &mut pages, async |ids| {
            let many = self.many(&ids).await?;
            for (ticket, metric, requester) in many.into_rows() {
                let at = ticket.created_at;
                if at >= period.since && period.until.is_none_or(|until| at < until) {
                    visit(ticket.conversation(&metric, None, requester));
                }
            }
            Ok(())
        })
        .await?;
        Ok(Listed { walked: pages.end(), total: None })
    }

    /// When a rule first wrote to the customer.
    async fn acknowledged(&self, id: String) -> Result<Acknowledgement, ProbeError> {
        if id.parse::<u64>().is_err() {
            return Ok(Acknowledgement { id, at: None });
        }
        let path = format!("/api/v2/tickets/{id}/audits");
        let found: Audits = self.api.get(&path, &[("per_page", "100")]).await?;
        let first = found.audits.first();
        let requester = first.and_then(|audit| {
            let named = |event: &&Event| event.field_name.as_deref() == Some("requester_id");
            let named = audit.events.iter().find(named).map(|event| number(&event.value));
            named.unwrap_or(audit.author_id)
        });
        let tells = |event: &Event| {
            let rule = event.via.channel == "rule" || event.via.source.rel.as_deref() == Some("trigger");
            let told = event.recipients.iter().any(|who| number(who) == requester);
            matches!(event.kind.as_str(), "Notification" | "NotificationWithCcs") && rule && told
        };
        let at = found.audits.iter().find(|audit| audit.events.iter().any(tells));
        Ok(Acknowledgement { id, at: at.map(|audit| audit.created_at) })
    }
}

/// A number, or the text of one.
fn number(value: &serde_json::Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

impl Many {
    /// Each ticket with its metrics and the address of whoever asks.
    fn into_rows(self) -> Vec<(Ticket, MetricSet, Option<Email>)> {
        let metrics: HashMap<u64, MetricSet> =
            self.metric_sets.into_iter().map(|metric| (metric.ticket_id, metric)).collect();
        let emails: HashMap<u64, Email> = self
            .users
            .into_iter()
            .filter_map(|user| Some((user.id, Email::new(&user.email?)?)))
            .collect();
        let row = |mut ticket: Ticket| {
            let own = ticket.metric_set.take();
            let metric = own.or_else(|| metrics.get(&ticket.id).cloned()).unwrap_or_default();
            let requester = ticket.requester_id.and_then(|id| emails.get(&id).cloned());
            (ticket, metric, requester)
        };
        self.tickets.into_iter().map(row).collect()
    }
}

impl Ticket {
    fn origin(&self) -> Origin {
        let same = self.submitter_id.is_none() || self.submitter_id == self.requester_id;
        match self.via.channel.as_str() {
            Some("api") => Origin::Product,
            Some("web" | "voice" | "phone") if !same => Origin::Hand,
            Some(_) => Origin::Customer,
            None => Origin::Unsaid,
        }
    }

    fn conversation(
        self,
        metric: &MetricSet,
        waiting_since: Option<Timestamp>,
        requester: Option<Email>,
    ) -> Conversation {
        let minutes = metric.reply_time_in_minutes.calendar.filter(|minutes| minutes.is_finite());
        let after = minutes.and_then(|minutes| jiff::SignedDuration::try_from_secs_f64(minutes * 60.0).ok());
        Conversation {
            origin: self.origin(),
            id: self.id.to_string(),
            created: self.created_at,
            waiting_since,
            assigned: Some(self.assignee_id.is_some()),
            queue: self.group_id.map(|group| group.to_string()),
            tags: Some(self.tags.into_iter().take(TAGS).collect()),
            first_reply: after.and_then(|after| self.created_at.checked_add(after).ok()),
            priority: self.priority,
            submission: self.external_id.filter(|id| !id.is_empty()),
            requester,
        }
    }
}

impl Desk for Zendesk {
    fn open<'a>(
        &'a self,
        visit: Visit<'a, Conversation>,
    ) -> Answer<'a, Result<Listed, ProbeError>> {
        Box::pin(self.walk_open(visit))
    }

    fn created<'a>(
        &'a self,
        period: Period,
        visit: Visit<'a, Conversation>,
    ) -> Answer<'a, Result<Listed, ProbeError>> {
        Box::pin(self.walk_created(period, visit))
    }

    fn acknowledgements(
        &self,
        ids: Vec<String>,
    ) -> Answer<'_, Result<Option<Vec<Acknowledgement>>, ProbeError>> {
        Box::pin(async move {
            let mut all = Vec::new();
            for id in ids {
                all.push(self.acknowledged(id).await?);
            }
            Ok(Some(all))
        })
    }
}
