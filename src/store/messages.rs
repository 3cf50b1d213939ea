//! What is read of notifications and deliveries, and what comes of a try.

use launchready_checks::contract::json;

use super::fault::Fault;
use super::row::Columns;
use super::words::ms;
use super::{
    Attempt, AttemptOutcome, Claimed, Delivery, Notification, NotificationKind, OutboxCount, Told,
};
use crate::incident::Incident;

/// A change that is told.
#[derive(Debug, Clone, Copy)]
pub(super) struct News<'c> {
    pub(super) change: i64,
    pub(super) incident: &'c str,
    pub(super) project: &'c str,
}

/// A delivery to be made.
#[derive(Debug, Clone, Copy)]
pub(super) struct New<'n> {
    pub(super) notification: i64,
    pub(super) channel: &'n str,
    /// The channel that failed, where this one stands in for it.
    pub(super) instead_of: Option<&'n str>,
    pub(super) made_at: i64,
    pub(super) due_at: i64,
}

/// A delivery that was refused for good.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failed<'f> {
    pub(super) seq: i64,
    pub(super) notification: i64,
    pub(super) channel: &'f str,
}

/// The delivery of a row.
pub(super) fn delivery(row: &impl Columns) -> Result<Delivery, Fault> {
    Ok(Delivery {
        id: row.text("id")?.to_owned(),
        notification: row.text("notification")?.to_owned(),
        channel: row.text("channel")?.to_owned(),
        state: row.word("state")?,
        due_at: row.time("due_at")?,
        attempts: u32::try_from(row.number("attempts")?).unwrap_or(u32::MAX),
        last_error: row.some_text("last_error")?,
        sent_at: row.some_time("sent_at")?,
        instead_of: row.some_text("instead_of")?,
    })
}

/// A delivery with all that it says, or with the reason why that cannot be read. `row` holds it with `kind`,
/// `project`, `made_at` and `body` of its notification.
pub(super) fn claimed<R: Columns>(row: &R, told: &[R]) -> Result<Claimed, Fault> {
    let delivery = delivery(row)?;
    let head = Notification {
        id: delivery.notification.clone(),
        // What cannot be read is never sent, whatever it was.
        kind: row.word("kind").unwrap_or(NotificationKind::Agent),
        project: row.text("project")?.to_owned(),
        at: row.time("made_at")?,
        told: Vec::new(),
        text: None,
    };
    Ok(match read(row, told, &head) {
        Ok(notification) => Claimed { delivery, notification, unreadable: None },
        Err(fault) => {
            let id = &delivery.id;
            tracing::error!(delivery = id, "a message cannot be read, and is not sent: {fault}");
            Claimed { delivery, notification: head, unreadable: Some(fault.to_string()) }
        }
    })
}

fn read<R: Columns>(row: &R, changes: &[R], head: &Notification) -> Result<Notification, Fault> {
    let mut notification = match row.some_text("body")? {
        Some(body) => json::from_str(&body)?,
        None => Notification { kind: row.word("kind")?, ..head.clone() },
    };
    for told in changes {
        let incident: Incident = json::from_str(told.text("body")?)?;
        notification.told.push(Told {
            change: told.number("id")?,
            kind: told.word("kind")?,
            at: told.time("at")?,
            incident,
            members: json::from_str(told.text("members")?)?,
        });
    }
    Ok(notification)
}

/// What came of a try, as it is written down.
#[derive(Debug, Clone, Copy)]
pub(super) struct Verdict<'a> {
    /// The word for the try.
    pub(super) outcome: &'static str,
    /// The word for the delivery.
    pub(super) state: &'static str,
    /// When it is tried again.
    pub(super) due_at: Option<i64>,
    /// When it was accepted.
    pub(super) sent_at: Option<i64>,
    /// Why it was not.
    pub(super) error: Option<&'a str>,
}

impl<'a> Verdict<'a> {
    /// That of a try.
    pub(super) fn of(attempt: &'a Attempt) -> Self {
        let (outcome, state, due_at, error) = match &attempt.outcome {
            AttemptOutcome::Sent => ("sent", "sent", None, None),
            AttemptOutcome::Retry { at, error } => ("retry", "pending", Some(ms(*at)), Some(error)),
            AttemptOutcome::Failed { error } => ("failed", "failed", None, Some(error)),
        };
        let sent_at = (state == "sent").then_some(ms(attempt.at));
        Self { outcome, state, due_at, sent_at, error: error.map(String::as_str) }
    }

    /// Whether it changes the delivery of a row with `state` and `lease_by`, where it is of a try of `agent`.
    /// Accepted is accepted: what was tried after a lease ran out changes nothing, and what comes of it is for
    /// whoever has the delivery by now. Accepted late, also after it was given up, is still accepted.
    pub(super) fn changes<R: Columns>(&self, row: &R, agent: &str) -> Result<bool, Fault> {
        let before = row.text("state")?;
        let of_other = row.some_text("lease_by")?.is_some_and(|holder| holder != agent);
        Ok(before != "sent" && (self.state == "sent" || (before != "failed" && !of_other)))
    }
}

/// Deliveries counted in rows with `channel`, `state`, `count` and `oldest`.
pub(super) fn counts<R: Columns>(rows: &[R]) -> Result<Vec<OutboxCount>, Fault> {
    let count = |row: &R| {
        Ok(OutboxCount {
            channel: row.text("channel")?.to_owned(),
            state: row.word("state")?,
            count: row.count("count")?,
            oldest: row.some_time("oldest")?,
        })
    };
    rows.iter().map(count).collect()
}
