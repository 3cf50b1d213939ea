//! Freshdesk: the list of tickets with their statistics, oldest first, and the search for the count.

use jiff::{SignedDuration, Timestamp};
use launchready_checks::probe::{
    Acknowledgement, Answer, Conversation, Desk, Email, Listed, Origin, Period, ProbeError, TAGS,
    Visit,
};
use serde::Deserialize;

use super::pages::Pages;
use super::{Api, Reach, Shown, Vendor};
use crate::config::{Secret, SupportTable};

const VENDOR: Vendor = Vendor {
    name: "Freshdesk",
    // A trial allows 50 requests a minute; with more, the vendor says how long to wait.
    pace: std::time::Duration::from_millis(200),
    headers: &[],
    permission: |_body| Some("an agent whose role and groups see all tickets".to_owned()),
    where_to: "Freshdesk: Profile settings → Your API key",
};
/// The most tickets of one page, and the most pages of one walk; the vendor gives 300.
const PAGE: usize = 100;
const PAGES: u32 = 100;
/// Without a time the list holds the last 30 days alone.
const YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);
/// Statuses of a ticket that is done; custom ones are open.
const RESOLVED: i64 = 4;
const CLOSED: i64 = 5;

/// The help desk.
#[derive(Debug)]
pub(super) struct Freshdesk {
    api: Api,
}

#[derive(Deserialize)]
struct Total {
    total: u64,
}

#[derive(Deserialize)]
struct Ticket {
    id: u64,
    created_at: Timestamp,
    #[serde(default)]
    status: i64,
    priority: Option<i64>,
    source: Option<i64>,
    responder_id: Option<u64>,
    group_id: Option<u64>,
    #[serde(default)]
    tags: Vec<String>,
    stats: Option<Stats>,
    requester: Option<Requester>,
    #[serde(default)]
    custom_fields: serde_json::Map<String, serde_json::Value>,
}

#[derive(Default, Deserialize)]
#[allow(clippy::struct_field_names, reason = "the names are the vendor's")]
struct Stats {
    agent_responded_at: Option<Timestamp>,
    requester_responded_at: Option<Timestamp>,
    first_responded_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Requester {
    email: Option<String>,
}

impl Freshdesk {
    pub(super) fn new(
        table: &SupportTable,
        token: Secret,
        reach: &Reach,
    ) -> Result<Self, ProbeError> {
        let domain = table.subdomain.as_deref().unwrap_or_default();
        let base = table.api.clone().unwrap_or_else(|| format!("https://{domain}.freshdesk.com"));
        Ok(Self { api: Api::new(VENDOR, &base, Shown::Key(token), reach)? })
    }

    async fn walk(
        &self,
        since: Timestamp,
        wanted: impl Fn(&Ticket) -> bool + Send + Sync,
        visit: Visit<'_, Conversation>,
    ) -> Result<Listed, ProbeError> {
        let mut pages = Pages::new(VENDOR.name, PAGES);
        let since = format!("{since:.0}");
        for page in 1_u32.. {
            if !pages.more() {
                break;
            }
            let number = page.to_string();
            let query = [
                ("order_by", "created_at"),
                ("order_type", "asc"),
                ("updated_since", &since),
                ("include", "stats,requester"),
                ("per_page", "100"),
                ("page", &number),
            ];
            let tickets: Vec<Ticket> = self.api.get("/api/v2/tickets", &query).await?;
            let (all, mut new) = (tickets.len(), 0);
            for ticket in tickets {
                if pages.is_new(&ticket.id.to_string()) {
                    new += 1;
                    if wanted(&ticket) {
                        visit(ticket.conversation());
                    }
                }
            }
            pages.read(all, new)?;
            if all < PAGE {
                break;
            }
        }
        Ok(Listed { walked: pages.end(), total: None })
    }
}

impl Ticket {
    const fn is_done(&self) -> bool {
        matches!(self.status, RESOLVED | CLOSED)
    }

    fn conversation(self) -> Conversation {
        let stats = self.stats.unwrap_or_default();
        // The list knows the customer's last word alone: the wait counts from there once somebody answered.
        let waiting_since = match (stats.agent_responded_at, stats.requester_responded_at) {
            (None, _) => Some(self.created_at),
            (Some(ours), Some(theirs)) if theirs > ours => Some(theirs),
            (Some(_), _) => None,
        };
        let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
        let submission = ["cf_submission_id", "cf_external_id"]
            .iter()
            .find_map(|key| text(self.custom_fields.get(*key)?));
        let email = self.requester.and_then(|requester| requester.email);
        Conversation {
            id: self.id.to_string(),
            created: self.created_at,
            waiting_since: waiting_since.filter(|_| !matches!(self.status, RESOLVED | CLOSED)),
            assigned: Some(self.responder_id.is_some()),
            queue: self.group_id.map(|group| group.to_string()),
            tags: Some(self.tags.into_iter().take(TAGS).collect()),
            first_reply: stats.first_responded_at,
            priority: self.priority.map(|priority| priority.to_string()),
            // 1 mail, 3 phone, 7 chat, 9 widget, 10 a mail that goes out; 2 is the portal and the API.
            origin: match self.source {
                Some(1 | 7 | 9) => Origin::Customer,
                Some(3 | 10) => Origin::Hand,
                _ => Origin::Unsaid,
            },
            submission,
            requester: email.as_deref().and_then(Email::new),
        }
    }
}

impl Desk for Freshdesk {
    fn open<'a>(
        &'a self,
        visit: Visit<'a, Conversation>,
    ) -> Answer<'a, Result<Listed, ProbeError>> {
        Box::pin(async move {
            let since = self.api.now().checked_sub(YEAR).unwrap_or(Timestamp::UNIX_EPOCH);
            let query = [("query", "\"status:2 OR status:3\"")];
            let total: Total = self.api.get("/api/v2/search/tickets", &query).await?;
            let mut open = 0;
            let mut count = |one: Conversation| {
                open += 1;
                visit(one);
            };
            let mut listed = self.walk(since, |ticket| !ticket.is_done(), &mut count).await?;
            listed.walked.entries = open;
            Ok(Listed { total: Some(total.total.max(open)), ..listed })
        })
    }

    fn created<'a>(
        &'a self,
        period: Period,
        visit: Visit<'a, Conversation>,
    ) -> Answer<'a, Result<Listed, ProbeError>> {
        let wanted = move |ticket: &Ticket| {
            let at = ticket.created_at;
            at >= period.since && period.until.is_none_or(|until| at < until)
        };
        Box::pin(self.walk(period.since, wanted, visit))
    }

    fn acknowledgements(
        &self,
        _ids: Vec<String>,
    ) -> Answer<'_, Result<Option<Vec<Acknowledgement>>, ProbeError>> {
        Box::pin(async { Ok(None) })
    }
}
