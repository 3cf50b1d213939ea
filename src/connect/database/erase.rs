//! Takes away the rows that a drill has left: the only statement that changes a database, sent as the user
//! that the config names for it and for nothing else.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use launchready_checks::probe::{AgentFault, Missing, ProbeError, TableRole, TargetFault};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};
use tokio::time::timeout;

use super::mapping::Mapped;
use super::select::Dialect;
use super::{Engine, Patience, ProjectDatabase, quote};
use crate::config::{AccountSettings, SecretRef};

/// How long all of it may take.
const WHOLE: Duration = Duration::from_secs(30);
/// Every key of a row that may go holds this.
pub const MARK: &str = "launchready_drill_";

/// Rows of one table that are to go.
#[derive(Debug, Clone)]
pub struct Leftover {
    /// The table.
    pub table: TableRole,
    /// Columns of it, by agreed name, of which one at least holds one of the keys; those that do not exist are
    /// passed over.
    pub columns: &'static [&'static str],
    /// The keys; each has to hold [`MARK`].
    pub keys: Vec<String>,
    /// Only rows whose column, a time, is this or later, where they have that column: a row that was there
    /// before is somebody's, whatever was written into it since.
    pub since: Option<(&'static str, Timestamp)>,
}

/// A user that may delete rows.
pub struct Eraser {
    database: ProjectDatabase,
}

impl std::fmt::Debug for Eraser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Eraser").finish_non_exhaustive()
    }
}

impl Eraser {
    /// The database at this address, with the tables of the config. Nothing is opened yet.
    ///
    /// # Errors
    /// No database is configured, or the address is missing.
    pub fn new(
        settings: &AccountSettings,
        url: &SecretRef,
        extra_roots: &[PathBuf],
    ) -> Result<Self, Missing> {
        let mut settings = settings.clone();
        if let Some(table) = &mut settings.tables.database {
            table.url = url.clone();
        }
        Ok(Self { database: ProjectDatabase::new(&settings, extra_roots, Patience::default())? })
    }

    /// Tables from which this user may not delete.
    ///
    /// # Errors
    /// The database cannot be asked.
    pub async fn refused(&self, tables: &[TableRole]) -> Result<Vec<String>, ProbeError> {
        let mut refused = Vec::new();
        for role in tables {
            let Some(mapped) = self.database.mapped(*role).await? else { continue };
            let Engine::Postgres(_) = self.database.engine()? else { continue };
            let name = table(&mapped);
            let question =
                format!("SELECT has_table_privilege({}, 'DELETE')::text", quote::text(&name));
            let answer = self.run(vec![question], true).await?;
            if answer.first().and_then(|row| row.as_deref()) != Some("true") {
                refused.push(mapped.relation.shown());
            }
        }
        Ok(refused)
    }

    /// Deletes rows, and those that were handed to the CRM of orders among them, in one transaction. Gives
    /// back how many went from each table.
    ///
    /// # Errors
    /// A key without a mark, or the database refuses; then nothing is deleted.
    pub async fn erase(&self, all: &[Leftover]) -> Result<Vec<(String, u64)>, ProbeError> {
        let mut statements = Vec::new();
        let mut names = Vec::new();
        for (shown, statement) in self.statements(all).await? {
            names.push(shown);
            statements.push(statement);
        }
        let counts = self.run(statements, false).await?;
        let counts = counts.into_iter().map(|row| row.and_then(|n| n.parse().ok()).unwrap_or(0));
        Ok(names.into_iter().zip(counts).filter(|(_, count)| *count > 0).collect())
    }

    /// The statements, children before parents, with the name of the table of each.
    ///
    /// # Errors
    /// A key without a mark, or a mapping that does not fit.
    pub async fn statements(&self, all: &[Leftover]) -> Result<Vec<(String, String)>, ProbeError> {
        let mut statements = Vec::new();
        for leftover in all {
            if leftover.keys.iter().any(|key| !key.contains(MARK)) {
                return Err(AgentFault::Bug("a row without the mark of a drill".to_owned()).into());
            }
            let Some(mapped) = self.database.mapped(leftover.table).await? else { continue };
            let Some(these) = self.condition(leftover, &mapped)? else { continue };
            if leftover.table == TableRole::Orders
                && let Some(synced) = self.database.mapped(TableRole::CrmSync).await?
                && let (Some(child), Some(parent)) =
                    (synced.columns.get("order"), mapped.columns.get("id"))
            {
                let (child, parent) = (quote::name(&child.name), quote::name(&parent.name));
                let statement = format!(
                    "DELETE FROM {} WHERE CAST({child} AS text) IN (SELECT CAST({parent} AS text) FROM {} \
                     WHERE {these})",
                    table(&synced),
                    table(&mapped)
                );
                statements.push((synced.relation.shown(), statement));
            }
            let statement = format!("DELETE FROM {} WHERE {these}", table(&mapped));
            statements.push((mapped.relation.shown(), statement));
        }
        Ok(statements)
    }

    /// Which rows are meant; nothing where the table has none of the columns.
    fn condition(
        &self,
        leftover: &Leftover,
        mapped: &Mapped,
    ) -> Result<Option<String>, ProbeError> {
        let text = match self.database.engine()? {
            Engine::Postgres(_) => quote::text,
            Engine::Sqlite(_) => quote::text_of_sqlite,
        };
        let keys: Vec<String> = leftover.keys.iter().map(|key| text(key)).collect();
        let columns = leftover.columns.iter().filter_map(|agreed| mapped.columns.get(agreed));
        let any: Vec<String> = columns
            .map(|column| {
                format!("CAST({} AS text) IN ({})", quote::name(&column.name), keys.join(","))
            })
            .collect();
        if any.is_empty() || keys.is_empty() {
            return Ok(None);
        }
        let mut condition = format!("({})", any.join(" OR "));
        if let Some((agreed, at)) = leftover.since
            && let Some(column) = mapped.columns.get(agreed)
        {
            let dialect = match self.database.engine()? {
                Engine::Postgres(_) => Dialect::Postgres,
                Engine::Sqlite(_) => Dialect::Sqlite,
            };
            condition = format!("({condition} AND {})", dialect.since(column, at));
        }
        Ok(Some(condition))
    }

    /// Runs statements in one transaction, and gives the first column of each answer, or the number of rows
    /// that changed.
    async fn run(
        &self,
        statements: Vec<String>,
        asks: bool,
    ) -> Result<Vec<Option<String>>, ProbeError> {
        let doing = async {
            match self.database.engine()? {
                Engine::Postgres(server) => {
                    let mut on = server.connect().await?;
                    let explain = |error: sqlx::Error| server.fault(&error);
                    let mut on = on.begin().await.map_err(explain)?;
                    let mut answers = Vec::new();
                    for sql in statements {
                        let query = sqlx::raw_sql(AssertSqlSafe(sql));
                        answers.push(if asks {
                            let row = query.fetch_one(&mut *on).await.map_err(explain)?;
                            row.try_get_unchecked::<Option<String>, _>(0).map_err(explain)?
                        } else {
                            let done = query.execute(&mut *on).await.map_err(explain)?;
                            Some(done.rows_affected().to_string())
                        });
                    }
                    on.commit().await.map_err(explain)?;
                    Ok(answers)
                }
                Engine::Sqlite(file) => {
                    let explain = |error: sqlx::Error| file.fault(&error);
                    let options = SqliteConnectOptions::new()
                        .filename(file.path())
                        .busy_timeout(WHOLE / 2)
                        .disable_statement_logging();
                    let on = SqliteConnection::connect_with(&options).await;
                    let mut on = on.map_err(explain)?;
                    let mut on = on.begin().await.map_err(explain)?;
                    let mut answers = Vec::new();
                    for sql in statements {
                        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *on).await;
                        answers.push(Some(done.map_err(explain)?.rows_affected().to_string()));
                    }
                    on.commit().await.map_err(explain)?;
                    Ok(answers)
                }
            }
        };
        timeout(WHOLE, doing).await.unwrap_or_else(|_elapsed| {
            Err(TargetFault::TimedOut("taking rows of a drill away".to_owned()).into())
        })
    }
}

fn table(mapped: &Mapped) -> String {
    quote::qualified(&mapped.relation.schema, &mapped.relation.name)
}
