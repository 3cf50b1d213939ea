//! A file of SQLite that is opened for reading.

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::StreamExt as _;
use launchready_checks::probe::{
    AgentFault, Catalogue, CatalogueColumn, CatalogueTable, DatabaseFacts, ForeignKey, ProbeError,
    Repeated, Row, RowQuery, SqlAnswer, Strays, TargetFault, VisitRow, Walked,
};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Column as _, ConnectOptions as _, Connection as _, Row as _};
use tokio::time::timeout;

use super::ROWS_OF_AN_ANSWER;
use super::mapping::{Column, Kind, Mapped, Relation};
use super::postgres::{Patience, Texts};
use super::quote;
use super::select::{Dialect, repeated, strays};
use super::statement::is_one;

/// How long another program may hold the file.
const BUSY: Duration = Duration::from_secs(5);
/// The most tables of a catalogue.
const ENTRIES: usize = 2_000;

/// A file.
pub(super) struct Sqlite {
    path: PathBuf,
    patience: Patience,
}

impl Sqlite {
    pub(super) const fn new(path: PathBuf, patience: Patience) -> Self {
        Self { path, patience }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn fault(&self, error: &sqlx::Error) -> ProbeError {
        explain(error, &self.path)
    }

    async fn open(&self) -> Result<SqliteConnection, ProbeError> {
        if !self.path.is_file() {
            let what = format!("project.database.url: there is no file {}", self.path.display());
            return Err(AgentFault::Misconfigured(what).into());
        }
        let options = SqliteConnectOptions::new()
            .filename(&self.path)
            .read_only(true)
            .pragma("query_only", "on")
            .busy_timeout(BUSY)
            .statement_cache_capacity(0)
            .disable_statement_logging();
        let mut connection = self.in_time(SqliteConnection::connect_with(&options)).await?;
        self.in_time(sqlx::raw_sql("BEGIN").execute(&mut connection)).await?;
        Ok(connection)
    }

    async fn in_time<T>(
        &self,
        doing: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, ProbeError> {
        match timeout(self.patience.statement, doing).await {
            Ok(done) => done.map_err(|error| explain(&error, &self.path)),
            Err(_elapsed) => Err(TargetFault::TimedOut(self.path.display().to_string()).into()),
        }
    }

    async fn texts(
        &self,
        connection: &mut SqliteConnection,
        sql: String,
    ) -> Result<Vec<Texts>, ProbeError> {
        let rows = self.in_time(sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(connection)).await?;
        rows.iter().map(|row| self.read(row)).collect()
    }

    fn read(&self, row: &SqliteRow) -> Result<Texts, ProbeError> {
        (0..row.len())
            .map(|place| {
                row.try_get_unchecked::<Option<String>, _>(place)
                    .map_err(|error| explain(&error, &self.path))
            })
            .collect()
    }

    fn odd(&self) -> ProbeError {
        let what = format!("the catalogue of {} has another shape", self.path.display());
        TargetFault::Malformed(what).into()
    }

    /// Every table and view.
    pub(super) async fn relations(&self) -> Result<Vec<Relation>, ProbeError> {
        let mut connection = self.open().await?;
        let sql = "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') \
                   AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name LIMIT 20000";
        let names = self.texts(&mut connection, sql.to_owned()).await?;
        let relation = |name| Relation { schema: String::new(), name, id: 0, path: Some(0) };
        Ok(names.into_iter().flatten().flatten().map(relation).collect())
    }

    /// The columns of one.
    pub(super) async fn columns(&self, relation: &Relation) -> Result<Vec<Column>, ProbeError> {
        let mut connection = self.open().await?;
        let columns = self.columns_of(&mut connection, &relation.name).await?;
        let column = |(name, kind): (String, String)| Column { name, kind: kind_of(&kind) };
        Ok(columns.into_iter().map(column).collect())
    }

    async fn columns_of(
        &self,
        connection: &mut SqliteConnection,
        table: &str,
    ) -> Result<Vec<(String, String)>, ProbeError> {
        let table = quote::text_of_sqlite(table);
        let sql = format!("SELECT name, type FROM pragma_table_info({table}) ORDER BY cid");
        let rows = self.texts(connection, sql).await?;
        rows.into_iter()
            .map(|row| match &row[..] {
                [Some(name), kind] => Ok((name.clone(), kind.clone().unwrap_or_default())),
                _ => Err(self.odd()),
            })
            .collect()
    }

    /// What it is. Nothing can be changed in a file that is opened for reading.
    pub(super) async fn facts(&self) -> Result<DatabaseFacts, ProbeError> {
        let mut connection = self.open().await?;
        let version = self.texts(&mut connection, "SELECT sqlite_version()".to_owned()).await?;
        Ok(DatabaseFacts {
            engine: "sqlite".to_owned(),
            version: version.into_iter().flatten().flatten().next().unwrap_or_default(),
            user: String::new(),
            may_change: Vec::new(),
            encrypted: true,
        })
    }

    /// Walks over rows, in one snapshot.
    pub(super) async fn rows(
        &self,
        query: &RowQuery,
        mapped: &Mapped,
        visit: VisitRow<'_>,
    ) -> Result<Walked, ProbeError> {
        let sql = Dialect::Sqlite.select(query, mapped)?;
        let mut connection = self.open().await?;
        let mut rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch(&mut connection);
        let mut walked = Walked::default();
        loop {
            let late = |_elapsed| TargetFault::TimedOut(self.path.display().to_string());
            let row = timeout(self.patience.statement, rows.next()).await.map_err(late)?;
            let Some(row) = row else { return Ok(walked) };
            let row = row.map_err(|error| explain(&error, &self.path))?;
            if query.limit.is_some_and(|limit| walked.entries >= limit) {
                walked.cut = true;
                return Ok(walked);
            }
            walked.entries += 1;
            let values: Vec<Option<&str>> = (0..query.columns.len())
                .map(|place| row.try_get_unchecked(place))
                .collect::<Result<_, _>>()
                .map_err(|error| explain(&error, &self.path))?;
            visit(Row(&values));
        }
    }

    /// Values that stand in more than one row.
    pub(super) async fn repeated(
        &self,
        mapped: &Mapped,
        column: &str,
    ) -> Result<Repeated, ProbeError> {
        let sql = Dialect::Sqlite.repeated(mapped, column)?;
        let mut connection = self.open().await?;
        repeated(self.texts(&mut connection, sql).await?).ok_or_else(|| self.odd())
    }

    /// Values that lead to no row of another table.
    pub(super) async fn strays(
        &self,
        from: (&Mapped, &str),
        to: (&Mapped, &str),
    ) -> Result<Strays, ProbeError> {
        let sql = Dialect::Sqlite.strays(from, to)?;
        let mut connection = self.open().await?;
        strays(self.texts(&mut connection, sql).await?).ok_or_else(|| self.odd())
    }

    /// Tables, unique columns and foreign keys.
    pub(super) async fn catalogue(&self) -> Result<Catalogue, ProbeError> {
        let mut relations = self.relations().await?;
        let cut = relations.len() > ENTRIES;
        relations.truncate(ENTRIES);
        let mut connection = self.open().await?;
        let mut tables = Vec::new();
        for relation in relations {
            tables.push(self.table(&mut connection, relation.name).await?);
        }
        Ok(Catalogue { schemas: vec![String::new()], tables, cut, ..Catalogue::default() })
    }

    async fn table(
        &self,
        connection: &mut SqliteConnection,
        name: String,
    ) -> Result<CatalogueTable, ProbeError> {
        let quoted = quote::text_of_sqlite(&name);
        let columns = self.columns_of(connection, &name).await?;
        let indices = format!(
            "SELECT l.name, l.\"unique\" AND NOT l.partial, x.name FROM pragma_index_list({quoted}) l, \
             pragma_index_info(l.name) x ORDER BY l.seq, x.seqno"
        );
        let mut found: Vec<(String, bool, Vec<Option<String>>)> = Vec::new();
        for row in self.texts(connection, indices).await? {
            let [Some(index), unique, column] = &row[..] else { return Err(self.odd()) };
            if let Some((_, _, columns)) = found.last_mut().filter(|(name, ..)| name == index) {
                columns.push(column.clone());
            } else {
                let unique = unique.as_deref() == Some("1");
                found.push((index.clone(), unique, vec![column.clone()]));
            }
        }
        // An index over an expression has no name there, and says nothing about a column.
        let whole =
            |columns: &[Option<String>]| columns.iter().cloned().collect::<Option<Vec<_>>>();
        let unique = found.iter().filter(|(_, unique, _)| *unique);
        let mut unique: Vec<Vec<String>> = unique.filter_map(|(.., names)| whole(names)).collect();
        let mut indexed: Vec<_> = found.iter().filter_map(|(.., names)| whole(names)).collect();
        // A primary key that is the number of the row has no index of its own.
        let keys = format!("SELECT name FROM pragma_table_info({quoted}) WHERE pk > 0 ORDER BY pk");
        let keys = self.texts(connection, keys).await?;
        let key: Vec<String> = keys.into_iter().flatten().flatten().collect();
        if !key.is_empty() && !unique.contains(&key) {
            unique.push(key.clone());
            indexed.push(key);
        }
        let keys = format!(
            "SELECT id, \"from\", \"table\" FROM pragma_foreign_key_list({quoted}) ORDER BY id, seq"
        );
        let mut foreign_keys: Vec<(String, ForeignKey)> = Vec::new();
        for row in self.texts(connection, keys).await? {
            let [Some(id), Some(from), Some(to)] = &row[..] else { return Err(self.odd()) };
            if let Some((_, key)) = foreign_keys.last_mut().filter(|(known, _)| known == id) {
                key.columns.push(from.clone());
            } else {
                let key = ForeignKey { columns: vec![from.clone()], to: to.clone() };
                foreign_keys.push((id.clone(), key));
            }
        }
        let column = |(name, kind)| CatalogueColumn { name, kind };
        Ok(CatalogueTable {
            name,
            columns: columns.into_iter().map(column).collect(),
            unique,
            indexed,
            foreign_keys: foreign_keys.into_iter().map(|(_, key)| key).collect(),
            ..CatalogueTable::default()
        })
    }

    /// The answer to one statement that only reads.
    pub(super) async fn ask(&self, sql: &str) -> Result<SqlAnswer, ProbeError> {
        if !is_one(sql) {
            let what = "one statement is asked at a time; take the others out".to_owned();
            return Err(AgentFault::Misconfigured(what).into());
        }
        let mut connection = self.open().await?;
        // What stands inside SELECT cannot change anything.
        let sql = sql.trim().trim_end_matches(';');
        let sql = format!("SELECT * FROM (\n{sql}\n) LIMIT {}", ROWS_OF_AN_ANSWER + 1);
        let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut connection);
        let rows = self.in_time(rows).await?;
        let columns = rows.first().map(sqlx::Row::columns).unwrap_or_default();
        Ok(SqlAnswer {
            columns: columns.iter().map(|column| column.name().to_owned()).collect(),
            rows: rows
                .iter()
                .take(ROWS_OF_AN_ANSWER)
                .map(|row| self.read(row))
                .collect::<Result<_, _>>()?,
            cut: rows.len() > ROWS_OF_AN_ANSWER,
        })
    }
}

/// How a column is read, by the type that it was declared with ("Datatypes In SQLite", section 3.1).
fn kind_of(declared: &str) -> Kind {
    let declared = declared.to_ascii_uppercase();
    let has = |part: &str| declared.contains(part);
    if has("INT") {
        Kind::Whole
    } else if has("CHAR") || has("CLOB") || has("TEXT") {
        Kind::Text
    } else if has("DECIMAL") || has("NUMERIC(") || has("MONEY") {
        if has(",0)") || has(", 0)") { Kind::Whole } else { Kind::Decimal }
    } else if has("REAL") || has("FLOA") || has("DOUB") || has("NUMERIC") {
        Kind::Number
    } else {
        Kind::Other
    }
}

/// `SQLITE_BUSY` and `SQLITE_LOCKED`.
const BUSY_CODES: [i64; 2] = [5, 6];
/// `SQLITE_READONLY`.
const READ_ONLY: i64 = 8;
/// `SQLITE_CORRUPT` and `SQLITE_NOTADB`.
const DAMAGED: [i64; 2] = [11, 26];
/// `SQLITE_CANTOPEN`.
const CANNOT_OPEN: i64 = 14;
/// `SQLITE_ERROR`: the statement is wrong.
const WRONG: i64 = 1;

fn explain(error: &sqlx::Error, path: &Path) -> ProbeError {
    let name = path.display();
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<i64>().ok());
    let says = match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        other => other.to_string(),
    };
    match code.map(|code| code & 0xff) {
        Some(code) if BUSY_CODES.contains(&code) => {
            TargetFault::TimedOut(format!("{name} is held by another program")).into()
        }
        Some(code) if DAMAGED.contains(&code) => {
            TargetFault::Malformed(format!("{name} is no database of SQLite, or is damaged")).into()
        }
        Some(CANNOT_OPEN) => AgentFault::Forbidden(format!("to read {name}: {says}")).into(),
        Some(WRONG | READ_ONLY) => {
            AgentFault::Misconfigured(format!("{name}: SQLite says: {says}")).into()
        }
        _ => TargetFault::Malformed(format!("{name}: {says}")).into(),
    }
}
