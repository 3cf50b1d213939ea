//! Zendesk: tickets by search, their metrics by the hundred, and comments and audits one ticket at a time.
//!
//! Search gives at most ten pages of a hundred, and its index lags by minutes; the walk goes on from the
//! time of the last ticket.

mod wire;

use std::collections::HashMap;

use jiff::Timestamp;
use launchready_checks::probe::{
    Acknowledgement, Answer, Conversation, Desk, Listed, Origin, Period, ProbeError, Visit,
};

use super::pages::Pages;
use super::{Api, Reach, Shown, Vendor};
use crate::config::{Secret, SupportTable};
use wire::{Audits, Comment, Comments, Count, Event, Found, Many, Ticket, number};

const VENDOR: Vendor = Vendor {
    name: "Zendesk",
    // The smallest plan allows 200 requests a minute; a look makes fewer.
    pace: std::time::Duration::from_millis(100),
    headers: &[],
    permission: |_body| {
        Some("read access to tickets (a role that sees all tickets, or the scope read)".to_owned())
    },
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

/// A walk over the tickets of a query, oldest first.
struct Search {
    query: &'static str,
    /// The time from which tickets are asked for, and the page from there.
    from: Option<Timestamp>,
    page: u32,
    done: bool,
    pages: Pages,
}

impl Search {
    fn new(query: &'static str, from: Option<Timestamp>) -> Self {
        Self { query, from, page: 1, done: false, pages: Pages::new(VENDOR.name, PAGES) }
    }

    /// The next tickets that are new; `None` at the end.
    async fn next(&mut self, api: &Api) -> Result<Option<Vec<u64>>, ProbeError> {
        while !self.done && self.pages.more() {
            let since = self.from.map(|from| format!(" created>={from:.0}")).unwrap_or_default();
            let (query, page) = (format!("{}{since}", self.query), self.page.to_string());
            let query = [
                ("query", query.as_str()),
                ("sort_by", "created_at"),
                ("sort_order", "asc"),
                ("per_page", "100"),
                ("page", page.as_str()),
            ];
            let found: Found = api.get("/api/v2/search", &query).await?;
            let all = found.results.len();
            let last = found.results.last().map(|ticket| ticket.created_at);
            let pages = &mut self.pages;
            let new = found.results.iter().filter(|ticket| pages.is_new(&ticket.id.to_string()));
            let new: Vec<u64> = new.map(|ticket| ticket.id).collect();
            // The first page from a new time begins with tickets that were seen.
            if self.page > 1 {
                pages.read(all, new.len())?;
            }
            self.done = all < PAGE;
            self.page += 1;
            if self.page > LAST_PAGE {
                if new.is_empty() || last == self.from {
                    pages.cut();
                    self.done = true;
                }
                (self.from, self.page) = (last, 1);
            }
            if !new.is_empty() {
                return Ok(Some(new));
            }
        }
        Ok(None)
    }
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
        Ok(public
            .take_while(|comment| by_customer(comment))
            .map(|comment| comment.created_at)
            .last())
    }

    async fn walk_open(&self, visit: Visit<'_, Conversation>) -> Result<Listed, ProbeError> {
        const OPEN: &str = "type:ticket status<solved";
        let count: Count = self.api.get("/api/v2/search/count", &[("query", OPEN)]).await?;
        let mut search = Search::new(OPEN, None);
        let (mut read, mut guessed) = (0, false);
        while let Some(ids) = search.next(&self.api).await? {
            for (ticket, metric, requester) in self.many(&ids).await?.into_rows() {
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
        }
        let mut walked = search.pages.end();
        walked.cut |= guessed;
        Ok(Listed { walked, total: Some(count.count) })
    }

    async fn walk_created(
        &self,
        period: Period,
        visit: Visit<'_, Conversation>,
    ) -> Result<Listed, ProbeError> {
        let mut search = Search::new("type:ticket", Some(period.since));
        while let Some(ids) = search.next(&self.api).await? {
            for (ticket, metric, requester) in self.many(&ids).await?.into_rows() {
                let at = ticket.created_at;
                if at >= period.since && period.until.is_none_or(|until| at < until) {
                    visit(ticket.conversation(&metric, None, requester));
                }
            }
        }
        Ok(Listed { walked: search.pages.end(), total: None })
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
            let rule =
                event.via.channel == "rule" || event.via.source.rel.as_deref() == Some("trigger");
            let told = event.recipients.iter().any(|who| number(who) == requester);
            matches!(event.kind.as_str(), "Notification" | "NotificationWithCcs") && rule && told
        };
        let at = found.audits.iter().find(|audit| audit.events.iter().any(tells));
        Ok(Acknowledgement { id, at: at.map(|audit| audit.created_at) })
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
