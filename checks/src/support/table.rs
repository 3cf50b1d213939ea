//! The project's own table of tickets, read as a help desk.

use jiff::Timestamp;

use crate::contract::CheckError;
use crate::probe::{
    Acknowledgement, Answer, Conversation, Database, Desk, Listed, Origin, Period, ProbeError, Row,
    RowQuery, TAGS, TableRole, TableShape, Visit, Walked,
};

/// The most rows that one look reads.
const ROWS: u64 = 50_000;
/// Words of a status that ends a ticket.
const CLOSED: [&str; 11] = [
    "closed",
    "solved",
    "resolved",
    "done",
    "complete",
    "completed",
    "archived",
    "spam",
    "deleted",
    "cancelled",
    "canceled",
];
/// The columns that are read, in this order.
const COLUMNS: [&str; 8] =
    ["id", "status", "created", "waiting", "replied", "assignee", "tags", "submission"];

/// The table.
pub(super) struct Table<'a> {
    database: &'a dyn Database,
    shape: TableShape,
}

impl<'a> Table<'a> {
    /// The table, where its columns say enough.
    ///
    /// # Errors
    /// They do not.
    pub(super) fn new(database: &'a dyn Database, shape: TableShape) -> Result<Self, CheckError> {
        let answered = shape.has("waiting") || shape.has("replied") || shape.has("status");
        if shape.has("id") && shape.has("created") && answered {
            return Ok(Self { database, shape });
        }
        Err(CheckError::unknown(
            format!("the table {} does not say which customers wait", shape.name),
            "name its columns id, created, and one of waiting, replied or status under \
             [project.database.tickets]",
        ))
    }

    fn conversation(&self, row: &Row<'_>) -> Option<Conversation> {
        let created = row.time(2)?;
        let (asked, replied) = (row.time(3), row.time(4));
        Some(Conversation {
            id: row.text(0)?.to_owned(),
            created,
            waiting_since: self.waiting_since(created, asked, replied),
            assigned: self.shape.has("assignee").then(|| row.text(5).is_some()),
            tags: self.shape.has("tags").then(|| tags(row.text(6).unwrap_or_default())),
            first_reply: replied,
            origin: if self.shape.has("submission") && row.text(7).is_some() {
                Origin::Product
            } else {
                Origin::Unsaid
            },
            submission: row.text(7).map(str::to_owned),
            ..Conversation::default()
        })
    }

    /// `waiting` holds the customer's last word, or since when they wait; it is void once a reply is later.
    fn waiting_since(
        &self,
        created: Timestamp,
        asked: Option<Timestamp>,
        replied: Option<Timestamp>,
    ) -> Option<Timestamp> {
        let asked = if self.shape.has("waiting") { asked? } else { created };
        replied.is_none_or(|replied| replied < asked).then_some(asked)
    }

    async fn walk(
        &self,
        query: RowQuery,
        wanted: impl Fn(&Row<'_>, &Conversation) -> bool + Send + Sync,
        visit: Visit<'_, Conversation>,
    ) -> Result<Listed, ProbeError> {
        let mut seen = 0_u64;
        let query = RowQuery { limit: Some(ROWS), ..query };
        let walked = self
            .database
            .rows(query, &mut |row| {
                if let Some(conversation) = self.conversation(&row)
                    && wanted(&row, &conversation)
                {
                    seen += 1;
                    visit(conversation);
                }
            })
            .await?;
        Ok(Listed { walked: Walked { entries: seen, cut: walked.cut }, total: None })
    }
}

impl Desk for Table<'_> {
    fn open<'a>(
        &'a self,
        visit: Visit<'a, Conversation>,
    ) -> Answer<'a, Result<Listed, ProbeError>> {
        // Without a status every row is a ticket of some time, and only those that wait are open.
        let told = self.shape.has("status");
        let open = move |row: &Row<'_>, one: &Conversation| {
            let status = row.text(1).unwrap_or_default().trim().to_ascii_lowercase();
            !CLOSED.contains(&status.as_str()) && (told || one.waiting_since.is_some())
        };
        let query = RowQuery::new(TableRole::Tickets, &COLUMNS);
        Box::pin(self.walk(query, open, visit))
    }

    fn created<'a>(
        &'a self,
        period: Period,
        visit: Visit<'a, Conversation>,
    ) -> Answer<'a, Result<Listed, ProbeError>> {
        let within = move |_: &Row<'_>, one: &Conversation| {
            period.until.is_none_or(|until| one.created < until)
        };
        let query = RowQuery::new(TableRole::Tickets, &COLUMNS).since("created", period.since);
        Box::pin(self.walk(query, within, visit))
    }

    fn acknowledgements(
        &self,
        _ids: Vec<String>,
    ) -> Answer<'_, Result<Option<Vec<Acknowledgement>>, ProbeError>> {
        Box::pin(async { Ok(None) })
    }
}

/// A list of tags as databases write it: `{a,b}`, `["a","b"]` or `a, b`.
fn tags(text: &str) -> Vec<String> {
    text.trim_matches(|c| matches!(c, '{' | '}' | '[' | ']'))
        .split(',')
        .map(|tag| tag.trim().trim_matches('"').to_owned())
        .filter(|tag| !tag.is_empty())
        .take(TAGS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::tags;

    #[test]
    fn tags_are_read_in_every_form_of_a_database() {
        for text in ["{a,b}", "[\"a\", \"b\"]", "a, b"] {
            assert_eq!(tags(text), ["a", "b"], "{text}");
        }
        assert!(tags("{}").is_empty() && tags("").is_empty());
    }
}
