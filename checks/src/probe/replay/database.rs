//! Answers the database port from a written-down world.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::{Replay, fault};
use crate::probe::{
    Answer, Catalogue, Database, DatabaseFacts, ProbeError, Repeated, Row, RowQuery, SqlAnswer,
    Strays, TableRole, TableShape, VisitRow, Walked,
};

/// The project's database.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseWorld {
    /// What it is.
    pub facts: DatabaseFacts,
    /// Tables by role.
    pub table: BTreeMap<TableRole, TableWorld>,
    /// What it says about itself.
    pub catalogue: Catalogue,
    /// Answers to statements.
    pub answer: BTreeMap<String, SqlAnswer>,
    /// What fails, by the role of the table, or `facts`, `catalogue` and `ask`: the words of
    /// [`super::HttpEntry::fault`], and `bad_credential`, `forbidden`, `misconfigured`.
    pub fault: BTreeMap<String, String>,
}

/// One table.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TableWorld {
    /// Its columns under their agreed names.
    pub columns: Vec<String>,
    /// Its rows; an empty text is no value.
    pub rows: Vec<Vec<String>>,
}

impl TableWorld {
    fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|known| known == column)
    }

    fn value<'a>(&self, row: &'a [String], column: &str) -> Option<&'a str> {
        row.get(self.place(column)?).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn matches(&self, row: &[String], query: &RowQuery) -> bool {
        let late = query.since.is_none_or(|(column, since)| {
            self.value(row, column)
                .and_then(|at| at.parse::<Timestamp>().ok())
                .is_some_and(|at| at >= since)
        });
        let among = query.among.as_ref().is_none_or(|(column, values)| {
            self.value(row, column).is_some_and(|value| values.iter().any(|wanted| wanted == value))
        });
        late && among
    }
}

impl Replay {
    fn stored(&self, what: &str) -> Result<&DatabaseWorld, ProbeError> {
        self.count(format!("DATABASE {what}"));
        let world = self.world.database.as_ref();
        let world = world.ok_or_else(|| fault("bad_credential", "no database is written down"))?;
        match world.fault.get(what) {
            Some(word) => Err(fault(word, "the database")),
            None => Ok(world),
        }
    }
}

impl Database for Replay {
    fn facts(&self) -> Answer<'_, Result<DatabaseFacts, ProbeError>> {
        let facts = self.stored("facts").map(|world| world.facts.clone());
        Box::pin(async move { facts })
    }

    fn shape(&self, table: TableRole) -> Answer<'_, Result<Option<TableShape>, ProbeError>> {
        let shape = self.stored(table.as_str()).map(|world| {
            world.table.get(&table).map(|known| TableShape {
                name: table.as_str().to_owned(),
                columns: known.columns.iter().map(|name| (name.clone(), name.clone())).collect(),
            })
        });
        Box::pin(async move { shape })
    }

    fn rows<'a>(
        &'a self,
        query: RowQuery,
        visit: VisitRow<'a>,
    ) -> Answer<'a, Result<Walked, ProbeError>> {
        let walked = self.stored(query.table.as_str()).map(|world| {
            let mut walked = Walked::default();
            let Some(table) = world.table.get(&query.table) else { return walked };
            for row in table.rows.iter().filter(|row| table.matches(row, &query)) {
                if query.limit.is_some_and(|limit| walked.entries >= limit) {
                    walked.cut = true;
                    break;
                }
                walked.entries += 1;
                let values: Vec<_> =
                    query.columns.iter().map(|column| table.value(row, column)).collect();
                visit(Row(&values));
            }
            walked
        });
        Box::pin(async move { walked })
    }

    fn repeated(
        &self,
        table: TableRole,
        column: &'static str,
    ) -> Answer<'_, Result<Repeated, ProbeError>> {
        let repeated = self.stored(table.as_str()).map(|world| {
            let mut times = BTreeMap::new();
            if let Some(table) = world.table.get(&table) {
                for value in table.rows.iter().filter_map(|row| table.value(row, column)) {
                    *times.entry(value.to_owned()).or_insert(0_u64) += 1;
                }
            }
            let values: Vec<_> = times.into_iter().filter(|(_, times)| *times > 1).collect();
            Repeated { total: u64::try_from(values.len()).unwrap_or(u64::MAX), values }
        });
        Box::pin(async move { repeated })
    }

    fn strays(
        &self,
        (from, column): (TableRole, &'static str),
        (to, key): (TableRole, &'static str),
    ) -> Answer<'_, Result<Strays, ProbeError>> {
        let strays = self.stored(from.as_str()).map(|world| {
            let values = |role: TableRole, column: &str| -> Vec<String> {
                let Some(table) = world.table.get(&role) else { return Vec::new() };
                let values = table.rows.iter().filter_map(|row| table.value(row, column));
                values.map(ToOwned::to_owned).collect()
            };
            let (all, known) = (values(from, column), values(to, key));
            let of = u64::try_from(all.len()).unwrap_or(u64::MAX);
            let mut strays: Vec<_> =
                all.into_iter().filter(|value| !known.contains(value)).collect();
            let rows = u64::try_from(strays.len()).unwrap_or(u64::MAX);
            strays.sort();
            strays.dedup();
            Strays { values: strays, rows, of }
        });
        Box::pin(async move { strays })
    }

    fn catalogue(&self) -> Answer<'_, Result<Catalogue, ProbeError>> {
        let catalogue = self.stored("catalogue").map(|world| world.catalogue.clone());
        Box::pin(async move { catalogue })
    }

    fn ask(&self, sql: String) -> Answer<'_, Result<SqlAnswer, ProbeError>> {
        let answer = self.stored("ask").and_then(|world| {
            let answer = world.answer.get(&sql).cloned();
            answer.ok_or_else(|| fault("forbidden", "the statement is not written down"))
        });
        Box::pin(async move { answer })
    }
}
