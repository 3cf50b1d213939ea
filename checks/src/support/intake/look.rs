//! Reads the forms that were sent and the tickets that began.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Options;
use super::pair::{Pairs, Sent, Ticket, pair};
use crate::contract::{Age, Bounded, CheckError, Target};
use crate::probe::{Database, Desk, Email, Period, Probes, RowQuery, RunKey, TableRole, Walked};
use crate::support::source::source;

/// The most forms that one look reads.
const SENT: u64 = 20_000;
/// The most ids of one kind that are kept.
const KEPT: usize = 100;
/// The most characters of an id that are kept.
const CHARS: usize = 80;
/// Clocks of a shop and its desk differ by so much at most.
pub(super) const SKEW_S: i64 = 300;

/// What was seen.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The desk, in the word of the config.
    pub(super) desk: String,
    /// Forms that were sent within the window.
    pub(super) sent: u64,
    /// Tickets that began within it.
    pub(super) tickets: u64,
    /// A limit came before the end of the forms, or of the tickets.
    pub(super) sent_cut: bool,
    pub(super) tickets_cut: bool,
    /// By what forms and tickets could be compared.
    pub(super) by: Vec<String>,
    /// The desk showed any ticket, so that one that is missing is missing.
    pub(super) desk_seen: bool,
    /// Forms without a ticket after the settle time.
    pub(super) missing: Bounded<Lost>,
    /// Forms of which several tickets came.
    pub(super) several: Bounded<Several>,
}

/// A form without a ticket.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Lost {
    pub(super) id: String,
    pub(super) sent: Timestamp,
}

impl Lost {
    /// With its id in the length in which it is kept.
    fn short(self) -> Self {
        Self { id: self.id.chars().take(CHARS).collect(), ..self }
    }
}

/// A form with several tickets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Several {
    pub(super) id: String,
    pub(super) tickets: Vec<String>,
}

impl Several {
    fn short(self) -> Self {
        let cut = |id: &String| id.chars().take(CHARS).collect::<String>();
        Self { id: cut(&self.id), tickets: self.tickets.iter().map(cut).collect() }
    }
}

/// Looks.
pub(super) async fn look(
    now: Timestamp,
    options: &Options,
    target: &Target,
    probes: &Probes,
) -> Result<Evidence, CheckError> {
    let database = probes.accounts.database.get()?;
    let shape = database.shape(TableRole::Submissions).await.map_err(CheckError::unseen)?;
    let shape = shape.ok_or_else(|| {
        CheckError::skipped(
            "the config names no table of forms that were sent",
            "name it under [project.database.submissions], with its columns id, created, ticket and email",
        )
    })?;
    if !shape.has("id") || !shape.has("created") {
        return Err(CheckError::unknown(
            format!("the table {} has no id or no time", shape.name),
            "name its columns id and created under [project.database.submissions]",
        ));
    }
    let source = source(&probes.accounts).await?;
    let (desk, kind) = (source.desk(), source.kind(target));
    let key = RunKey::random();
    let since = before(now, options.window);
    let (sent, sent_walk) = read_sent(database, since, key).await?;
    let (tickets, tickets_cut) = read_tickets(desk, since, key).await?;
    let desk_seen = !tickets.is_empty() || any_open(desk).await;
    let mut by = Vec::new();
    if shape.has("ticket") {
        by.push("the ticket that the form names".to_owned());
    }
    if tickets.iter().any(|ticket| ticket.submission.is_some()) {
        by.push("the form that the ticket names".to_owned());
    }
    if shape.has("email") && tickets.iter().any(|ticket| ticket.address.is_some()) {
        by.push("the customer's address".to_owned());
    }
    let Pairs { missing, several } = pair(&sent, &tickets, options.duplicate_within);
    let settled = before(now, options.settle);
    let missing = missing.into_iter().filter(|lost| lost.sent < settled);
    Ok(Evidence {
        desk: kind,
        sent: sent.len() as u64,
        tickets: tickets.len() as u64,
        sent_cut: sent_walk.cut,
        tickets_cut,
        by,
        desk_seen,
        missing: Bounded::keep(missing.map(Lost::short), KEPT),
        several: Bounded::keep(several.into_iter().map(Several::short), KEPT),
    })
}

async fn read_sent(
    database: &dyn Database,
    since: Timestamp,
    key: RunKey,
) -> Result<(Vec<Sent>, Walked), CheckError> {
    let query = RowQuery::new(TableRole::Submissions, &["id", "created", "ticket", "email"]);
    let query = RowQuery { limit: Some(SENT), ..query.since("created", since) };
    let mut sent = Vec::new();
    let walked = database
        .rows(query, &mut |row| {
            if let (Some(id), Some(at)) = (row.text(0), row.time(1)) {
                sent.push(Sent {
                    id: id.to_owned(),
                    at,
                    ticket: row.text(2).is_some(),
                    address: row.text(3).and_then(Email::new).map(|email| email.keyed(key)),
                });
            }
        })
        .await
        .map_err(CheckError::unseen)?;
    sent.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.id.cmp(&b.id)));
    Ok((sent, walked))
}

async fn read_tickets(
    desk: &dyn Desk,
    since: Timestamp,
    key: RunKey,
) -> Result<(Vec<Ticket>, bool), CheckError> {
    let since = since.checked_sub(SignedDuration::from_secs(SKEW_S)).unwrap_or(since);
    let mut tickets = Vec::new();
    let listed = desk
        .created(Period { since, until: None }, &mut |one| {
            tickets.push(Ticket {
                id: one.id,
                at: one.created,
                submission: one.submission,
                address: one.requester.map(|email| email.keyed(key)),
            });
        })
        .await
        .map_err(CheckError::unseen)?;
    tickets.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.id.cmp(&b.id)));
    tickets.dedup_by(|a, b| a.id == b.id);
    Ok((tickets, listed.walked.cut))
}

async fn any_open(desk: &dyn Desk) -> bool {
    let mut any = false;
    let _listed = desk.open(&mut |_| any = true).await;
    any
}

fn before(now: Timestamp, age: Age) -> Timestamp {
    now.checked_sub(SignedDuration::from_secs(age.whole_seconds())).unwrap_or(Timestamp::MIN)
}
