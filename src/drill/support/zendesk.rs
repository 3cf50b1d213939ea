//! Makes requests at Zendesk as a customer, finds them again by the address, and deletes them.

use std::time::Duration;

use launchready_checks::probe::ProbeError;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use crate::config::{Secret, SupportTable};
use crate::connect::{Api, Reach, Shown, Vendor};

/// What the key needs, for people.
pub(super) const PERMISSION: &str = "an agent who may make and delete tickets and end users, or the scopes read, tickets:write and users:write";

const VENDOR: Vendor = Vendor {
    name: "Zendesk",
    // The smallest plan allows 200 requests a minute; a drill makes fewer.
    pace: Duration::from_millis(100),
    headers: &[],
    permission: |_body| Some(format!("support_token needs {PERMISSION}")),
    where_to: "Zendesk: Admin Center → Apps and integrations → APIs → Zendesk API",
};
/// The name of the customer of a drill.
const NAME: &str = "launchready drill";

/// The desk, with the key that may write.
pub(super) struct Writer {
    api: Api,
}

#[derive(Deserialize)]
struct Made {
    ticket: Numbered,
}

#[derive(Deserialize)]
struct Numbered {
    id: u64,
}

#[derive(Deserialize)]
struct Users {
    users: Vec<User>,
}

#[derive(Deserialize)]
struct User {
    id: u64,
    email: Option<String>,
}

#[derive(Deserialize)]
struct Tickets {
    tickets: Vec<Numbered>,
}

#[derive(Deserialize)]
struct Groups {
    group: Group,
}

#[derive(Deserialize)]
struct Group {
    name: String,
}

impl Writer {
    pub(super) fn new(
        table: &SupportTable,
        token: Secret,
        reach: &Reach,
    ) -> Result<Self, ProbeError> {
        let subdomain = table.subdomain.as_deref().unwrap_or_default();
        let base = table.api.clone().unwrap_or_else(|| format!("https://{subdomain}.zendesk.com"));
        let shown = match &table.user {
            Some(user) => Shown::Basic(format!("{user}/token"), token),
            None => Shown::Bearer(token),
        };
        Ok(Self { api: Api::new(VENDOR, &base, shown, reach)? })
    }

    /// Makes a request; `once` keeps a second try from making a second one.
    pub(super) async fn make(
        &self,
        email: &str,
        subject: &str,
        text: &str,
        once: &str,
    ) -> Result<String, ProbeError> {
        let body = json!({ "ticket": {
            "subject": subject,
            "comment": { "body": text },
            "requester": { "name": NAME, "email": email },
        } });
        let headers = [("idempotency-key", once)];
        let path = "api/v2/tickets";
        let reply = self.api.any_with(&headers, Method::POST, path, &[], Some(&body)).await?;
        if !(200..300).contains(&reply.status) {
            return Err(self.api.refused(&reply));
        }
        let made: Made = reply.json(&VENDOR)?;
        Ok(made.ticket.id.to_string())
    }

    /// The name of a group.
    pub(super) async fn queue(&self, id: &str) -> Option<String> {
        let id: u64 = id.parse().ok()?;
        let found: Groups = self.api.get(&format!("api/v2/groups/{id}"), &[]).await.ok()?;
        Some(found.group.name)
    }

    /// The customers with an address.
    pub(super) async fn customers(&self, email: &str) -> Result<Vec<u64>, ProbeError> {
        let found: Users = self.api.get("api/v2/users/search", &[("query", email)]).await?;
        let is_it = |user: &User| {
            user.email.as_ref().is_some_and(|address| address.eq_ignore_ascii_case(email))
        };
        Ok(found.users.iter().filter(|user| is_it(user)).map(|user| user.id).collect())
    }

    /// The requests of a customer.
    pub(super) async fn requests(&self, customer: u64) -> Result<Vec<u64>, ProbeError> {
        let path = format!("api/v2/users/{customer}/tickets/requested");
        let reply = self.api.any(Method::GET, &path, &[("per_page", "100")], None).await?;
        match reply.status {
            404 => Ok(Vec::new()),
            200..=299 => {
                let found: Tickets = reply.json(&VENDOR)?;
                Ok(found.tickets.into_iter().map(|ticket| ticket.id).collect())
            }
            _ => Err(self.api.refused(&reply)),
        }
    }

    /// Deletes a request for good.
    pub(super) async fn delete(&self, request: u64) -> Result<(), ProbeError> {
        self.gone(&format!("api/v2/tickets/{request}")).await?;
        // It lies in the list of deleted tickets for 30 days otherwise; not every role may empty that.
        let _kept = self.gone(&format!("api/v2/deleted_tickets/{request}")).await;
        Ok(())
    }

    /// Deletes a customer who has no open request.
    pub(super) async fn forget(&self, customer: u64) -> Result<(), ProbeError> {
        self.gone(&format!("api/v2/users/{customer}")).await
    }

    async fn gone(&self, path: &str) -> Result<(), ProbeError> {
        let reply = self.api.any(Method::DELETE, path, &[], None).await?;
        // What is gone already is as good.
        if (200..300).contains(&reply.status) || reply.status == 404 {
            Ok(())
        } else {
            Err(self.api.refused(&reply))
        }
    }
}
