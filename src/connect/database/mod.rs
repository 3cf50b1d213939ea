//! The project's own database: PostgreSQL or a file of SQLite, read and never changed but by the [`Eraser`] of
//! drills, which has an address of its own.

mod address;
#[doc(hidden)]
pub mod bytes;
mod erase;
mod fault;
mod mapping;
mod postgres;
mod quote;
mod select;
mod sqlite;
mod statement;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use launchready_checks::probe::{
    AgentFault, Answer, Catalogue, Database, DatabaseFacts, Missing, ProbeError, Repeated,
    RowQuery, SqlAnswer, Strays, TableRole, TableShape, VisitRow, Walked,
};
use tokio::sync::Mutex;

use crate::config::AccountSettings;
use address::Address;
pub use erase::{Eraser, Leftover, MARK};
use mapping::{Mapped, Wanted};
pub use postgres::Patience;
use postgres::Postgres;
pub(in crate::connect) use postgres::statements;
use sqlite::Sqlite;

/// The most rows of an answer to a question of the user.
const ROWS_OF_AN_ANSWER: usize = 200;

/// The database of a project.
pub struct ProjectDatabase {
    engine: Result<Engine, ProbeError>,
    wanted: BTreeMap<TableRole, Wanted>,
    schemas: Vec<String>,
    mapped: Mutex<BTreeMap<TableRole, Arc<Mapped>>>,
}

enum Engine {
    Postgres(Box<Postgres>),
    Sqlite(Sqlite),
}

impl ProjectDatabase {
    /// The database that the config names, with authorities that are trusted beside the usual ones.
    /// Nothing is opened yet; an address that is none is told by every answer.
    ///
    /// # Errors
    /// None is configured, or its address is missing.
    pub fn new(
        settings: &AccountSettings,
        extra_roots: &[PathBuf],
        patience: Patience,
    ) -> Result<Self, Missing> {
        let Some(table) = &settings.tables.database else {
            return Err(Missing {
                reason: "no database is configured".to_owned(),
                unlock: "add [project.database] with url = { env = \"DATABASE_URL\" } and its tables to the \
                         config"
                    .to_owned(),
            });
        };
        let url = settings.read(&table.url)?;
        let own = table.root.iter().map(|path| settings.path(path));
        let roots: Vec<_> = own.chain(extra_roots.iter().cloned()).collect();
        let engine = address::read(&url, &settings.folder, &roots).map(|address| match address {
            Address::Postgres(server) => {
                Engine::Postgres(Box::new(Postgres::new(*server, patience)))
            }
            Address::Sqlite(path) => Engine::Sqlite(Sqlite::new(path, patience)),
        });
        let wanted = TableRole::ALL.into_iter();
        let wanted = wanted.filter_map(|role| Some((role, table.mapping(role)?.clone())));
        let supabase = settings.tables.supabase.as_ref();
        Ok(Self {
            engine,
            wanted: wanted.collect(),
            schemas: supabase.map(|table| table.schemas.clone()).unwrap_or_default(),
            mapped: Mutex::default(),
        })
    }

    fn engine(&self) -> Result<&Engine, ProbeError> {
        self.engine.as_ref().map_err(Clone::clone)
    }

    /// Where a table of the config is. It is looked for once.
    async fn mapped(&self, role: TableRole) -> Result<Option<Arc<Mapped>>, ProbeError> {
        let Some(wanted) = self.wanted.get(&role) else { return Ok(None) };
        let mut known = self.mapped.lock().await;
        if let Some(mapped) = known.get(&role) {
            return Ok(Some(Arc::clone(mapped)));
        }
        let engine = self.engine()?;
        let relations = match engine {
            Engine::Postgres(server) => server.relations().await?,
            Engine::Sqlite(file) => file.relations().await?,
        };
        let relation = mapping::table(role, wanted, &relations)?;
        let columns = match engine {
            Engine::Postgres(server) => {
                server.sees_every_row(relation).await?;
                server.columns(relation).await?
            }
            Engine::Sqlite(file) => file.columns(relation).await?,
        };
        let mapped = Arc::new(mapping::columns(role, wanted, relation, &columns)?);
        known.insert(role, Arc::clone(&mapped));
        Ok(Some(mapped))
    }

    /// The tables of the config that are there.
    async fn tables(&self) -> Result<Vec<mapping::Relation>, ProbeError> {
        let mut tables = Vec::new();
        for role in self.wanted.keys() {
            match self.mapped(*role).await {
                Ok(Some(mapped)) => tables.push(mapped.relation.clone()),
                // The check that needs the table says what is wrong with it.
                Ok(None) | Err(ProbeError::Agent(_)) => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(tables)
    }

    /// A table that a question needs.
    async fn needed(&self, role: TableRole) -> Result<Arc<Mapped>, ProbeError> {
        self.mapped(role).await?.ok_or_else(|| {
            let what = format!("project.database.{} names no table", role.as_str());
            AgentFault::Misconfigured(what).into()
        })
    }

    async fn walk(&self, query: RowQuery, visit: VisitRow<'_>) -> Result<Walked, ProbeError> {
        let engine = self.engine()?;
        let mapped = self.needed(query.table).await?;
        match engine {
            Engine::Postgres(server) => server.rows(&query, &mapped, visit).await,
            Engine::Sqlite(file) => file.rows(&query, &mapped, visit).await,
        }
    }
}

impl std::fmt::Debug for ProjectDatabase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProjectDatabase").field("wanted", &self.wanted).finish_non_exhaustive()
    }
}

impl Database for ProjectDatabase {
    fn facts(&self) -> Answer<'_, Result<DatabaseFacts, ProbeError>> {
        Box::pin(async move {
            match self.engine()? {
                Engine::Postgres(server) => server.facts(&self.tables().await?).await,
                Engine::Sqlite(file) => file.facts().await,
            }
        })
    }

    fn shape(&self, table: TableRole) -> Answer<'_, Result<Option<TableShape>, ProbeError>> {
        Box::pin(async move { Ok(self.mapped(table).await?.map(|mapped| mapped.shape())) })
    }

    fn rows<'a>(
        &'a self,
        query: RowQuery,
        visit: VisitRow<'a>,
    ) -> Answer<'a, Result<Walked, ProbeError>> {
        Box::pin(self.walk(query, visit))
    }

    fn repeated(
        &self,
        table: TableRole,
        column: &'static str,
    ) -> Answer<'_, Result<Repeated, ProbeError>> {
        Box::pin(async move {
            let mapped = self.needed(table).await?;
            match self.engine()? {
                Engine::Postgres(server) => server.repeated(&mapped, column).await,
                Engine::Sqlite(file) => file.repeated(&mapped, column).await,
            }
        })
    }

    fn strays(
        &self,
        (from, column): (TableRole, &'static str),
        (to, key): (TableRole, &'static str),
    ) -> Answer<'_, Result<Strays, ProbeError>> {
        Box::pin(async move {
            let (from, to) = (self.needed(from).await?, self.needed(to).await?);
            let (from, to) = ((&*from, column), (&*to, key));
            match self.engine()? {
                Engine::Postgres(server) => server.strays(from, to).await,
                Engine::Sqlite(file) => file.strays(from, to).await,
            }
        })
    }

    fn catalogue(&self) -> Answer<'_, Result<Catalogue, ProbeError>> {
        Box::pin(async move {
            match self.engine()? {
                Engine::Postgres(server) => {
                    let also: Vec<_> =
                        self.tables().await?.into_iter().map(|table| table.schema).collect();
                    server.catalogue(&self.schemas, &also).await
                }
                Engine::Sqlite(file) => file.catalogue().await,
            }
        })
    }

    fn ask(&self, sql: String) -> Answer<'_, Result<SqlAnswer, ProbeError>> {
        Box::pin(async move {
            match self.engine()? {
                Engine::Postgres(server) => server.ask(&sql).await,
                Engine::Sqlite(file) => file.ask(&sql).await,
            }
        })
    }
}
