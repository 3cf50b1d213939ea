//! The tables of a store in the order in which they can be written: what a row refers to comes before it.
//!
//! `muting` counts changes for whoever has the store open, and `agent` who is at work: neither is carried over.

use Kind::{Bytes, Flag, Number, Real, Text};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Kind {
    /// A whole number.
    Number,
    /// A number.
    Real,
    /// Yes or no.
    Flag,
    /// A text.
    Text,
    /// Bytes.
    Bytes,
}

/// A table.
#[derive(Debug)]
pub(in crate::store) struct Table {
    /// Its name.
    pub(in crate::store) name: &'static str,
    /// Its columns.
    pub(in crate::store) columns: &'static [(&'static str, Kind)],
    /// The column whose numbers the database gives out.
    pub(in crate::store) numbered: Option<&'static str>,
}

impl Table {
    /// The names of the columns, as a statement lists them.
    pub(in crate::store) fn names(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|(name, _)| *name).collect();
        names.join(", ")
    }

    /// The statement that reads every row in the order of its numbers; `added` is what puts waivers into the order in
    /// which they were added. All names are those of the list.
    pub(in crate::store) fn select(&self, added: &str) -> String {
        let order = if self.name == "waiver" { Some(added) } else { self.numbered };
        let order = order.map(|column| format!(" ORDER BY {column}")).unwrap_or_default();
        format!("SELECT {} FROM {}{order}", self.names(), self.name)
    }
}

/// A table without numbers of its own.
const fn plain(name: &'static str, columns: &'static [(&'static str, Kind)]) -> Table {
    Table { name, columns, numbered: None }
}

/// A table whose first column holds numbers that the database gives out.
const fn numbered(
    name: &'static str,
    column: &'static str,
    columns: &'static [(&'static str, Kind)],
) -> Table {
    Table { name, columns, numbered: Some(column) }
}

/// Every table that is carried over.
pub(in crate::store) const TABLES: &[Table] = &[
    plain("evidence", &[("hash", Bytes), ("body", Bytes)]),
    numbered(
        "job",
        "id",
        &[
            ("id", Number),
            ("project", Text),
            ("check_id", Text),
            ("target", Text),
            ("schedule", Text),
            ("due_at", Number),
            ("early", Flag),
            ("lease_by", Text),
            ("lease_until", Number),
            ("gone_at", Number),
            ("last_due", Number),
            ("last_at", Number),
            ("last_look", Number),
            ("duration_ms", Number),
            ("status", Text),
            ("since", Number),
            ("reason", Text),
            ("unlock", Text),
            ("blind_runs", Number),
            ("blind_since", Number),
            ("span", Number),
            ("evidence", Bytes),
            ("evidence_version", Number),
            ("judged", Bytes),
            ("carried", Bytes),
            ("measured", Text),
            ("hour", Number),
            ("figures", Bytes),
        ],
    ),
    plain("judgement", &[("job", Number), ("body", Text)]),
    plain("carry", &[("job", Number), ("body", Text)]),
    numbered(
        "span",
        "id",
        &[
            ("id", Number),
            ("job", Number),
            ("status", Text),
            ("reason", Text),
            ("from_at", Number),
            ("to_at", Number),
            ("runs", Number),
        ],
    ),
    plain("hourly", &[("job", Number), ("hour", Number), ("figures", Bytes)]),
    plain(
        "point",
        &[
            ("job", Number),
            ("at", Number),
            ("name", Text),
            ("subject", Text),
            ("value", Real),
            ("keep_until", Number),
        ],
    ),
    plain(
        "incident",
        &[
            ("id", Text),
            ("project", Text),
            ("check_id", Text),
            ("code", Text),
            ("target", Text),
            ("state", Text),
            ("flapping", Flag),
            ("first_seen", Number),
            ("resolved_at", Number),
            ("first_evidence", Bytes),
            ("last_evidence", Bytes),
            ("wake_at", Number),
            ("severity", Text),
            ("body", Text),
        ],
    ),
    numbered(
        "change",
        "id",
        &[
            ("id", Number),
            ("incident", Text),
            ("kind", Text),
            ("at", Number),
            ("members", Text),
            ("unheard", Text),
            ("body", Text),
        ],
    ),
    numbered(
        "notification",
        "seq",
        &[
            ("seq", Number),
            ("id", Text),
            ("kind", Text),
            ("project", Text),
            ("made_at", Number),
            ("due_at", Number),
            ("hold", Number),
            ("sealed", Flag),
            ("changes", Number),
            ("body", Text),
        ],
    ),
    numbered(
        "delivery",
        "seq",
        &[
            ("seq", Number),
            ("id", Text),
            ("notification", Number),
            ("channel", Text),
            ("instead_of", Text),
            ("state", Text),
            ("made_at", Number),
            ("due_at", Number),
            ("attempts", Number),
            ("lease_by", Text),
            ("lease_until", Number),
            ("last_error", Text),
            ("sent_at", Number),
        ],
    ),
    plain("told", &[("change", Number), ("channel", Text), ("delivery", Number)]),
    plain(
        "attempt",
        &[
            ("delivery", Number),
            ("at", Number),
            ("duration_ms", Number),
            ("outcome", Text),
            ("error", Text),
        ],
    ),
    plain("silence", &[("id", Text), ("from_at", Number), ("until_at", Number), ("body", Text)]),
    plain("waiver", &[("id", Text), ("until_at", Number), ("last_used", Number), ("body", Text)]),
    plain("setting", &[("name", Text), ("value", Text)]),
    numbered(
        "heartbeat",
        "id",
        &[
            ("id", Number),
            ("project", Text),
            ("name", Text),
            ("promised_at", Number),
            ("gone_at", Number),
            ("first_call", Number),
            ("last_start", Number),
            ("last_success", Number),
            ("last_failure", Number),
            ("exit", Number),
            ("calls", Number),
            ("failures", Number),
        ],
    ),
    plain(
        "heartbeat_call",
        &[
            ("heartbeat", Number),
            ("number", Number),
            ("at", Number),
            ("signal", Text),
            ("exit", Number),
        ],
    ),
    plain(
        "baseline",
        &[
            ("project", Text),
            ("check_id", Text),
            ("approved_at", Number),
            ("approved_by", Text),
            ("note", Text),
            ("evidence_version", Number),
            ("evidence", Bytes),
        ],
    ),
    plain(
        "drill",
        &[
            ("mark", Text),
            ("project", Text),
            ("drill", Text),
            ("started_at", Number),
            ("finished_at", Number),
            ("passed", Flag),
            ("is_left", Flag),
            ("record", Text),
        ],
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use sqlx::Row as _;

    use super::*;
    use crate::store::sqlite::SqliteStore;

    /// What a file has and a transfer leaves out.
    const LEFT: [&str; 3] = ["agent", "muting", "sqlite_sequence"];

    #[tokio::test]
    async fn every_table_and_column_of_a_file_is_carried_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let store = SqliteStore::open(&path).await.unwrap();
        let pool = sqlx::SqlitePool::connect(&format!("sqlite:{}", path.display())).await.unwrap();
        let rows = sqlx::query(
            "SELECT t.name AS of, c.name AS name, c.type AS kind FROM sqlite_schema t, \
             pragma_table_info(t.name) c WHERE t.type = 'table' ORDER BY t.name, c.cid",
        )
        .fetch_all(&pool)
        .await
        .unwrap();
        let mut found: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for row in rows {
            let column = (row.get("name"), row.get("kind"));
            found.entry(row.get("of")).or_default().push(column);
        }
        found.retain(|table, _| !LEFT.contains(&table.as_str()));
        for columns in found.values_mut() {
            columns.sort();
        }
        let listed: BTreeMap<_, _> = TABLES
            .iter()
            .map(|table| {
                let columns = table.columns.iter().map(|(name, kind)| {
                    let kind = match kind {
                        Number | Flag => "INTEGER",
                        Real => "REAL",
                        Text => "TEXT",
                        Bytes => "BLOB",
                    };
                    ((*name).to_owned(), kind.to_owned())
                });
                let mut columns: Vec<_> = columns.collect();
                columns.sort();
                (table.name.to_owned(), columns)
            })
            .collect();
        assert_eq!(found, listed);
        drop(store);
    }
}
