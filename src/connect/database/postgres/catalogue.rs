//! Tables, keys, policies and privileges of a PostgreSQL server, each told by the server as JSON.

use launchready_checks::contract::json;
use launchready_checks::probe::{
    Catalogue, CatalogueFunction, CatalogueTable, CatalogueView, ProbeError,
};
use serde::de::DeserializeOwned;

use super::{Postgres, Reading, statements};

/// The most tables, views and functions, each.
const ENTRIES: usize = 2_000;

impl Postgres {
    /// The catalogue of the schemas that are named, else of those that the API shows, else of `public`, and
    /// of those in which tables of the config are.
    pub(in super::super) async fn catalogue(
        &self,
        schemas: &[String],
        also: &[String],
    ) -> Result<Catalogue, ProbeError> {
        let mut reading = self.begin(self.patience.statement).await?;
        let exposed = self.exposed(&mut reading).await?;
        let mut wanted = if schemas.is_empty() { exposed.clone() } else { Some(schemas.to_vec()) }
            .unwrap_or_default();
        if wanted.is_empty() {
            wanted.push("public".to_owned());
        }
        wanted.extend(also.iter().cloned());
        wanted.sort();
        wanted.dedup();
        // Names in definitions come with their schemas then.
        self.texts(&mut reading, "SET LOCAL search_path = ''".to_owned()).await?;
        let list = statements::list(&wanted);
        let tables: (Vec<CatalogueTable>, bool) =
            self.entries(&mut reading, statements::tables(&list)).await?;
        let views: (Vec<CatalogueView>, bool) =
            self.entries(&mut reading, statements::views(&list)).await?;
        let functions: (Vec<CatalogueFunction>, bool) =
            self.entries(&mut reading, statements::functions(&list)).await?;
        let roles = self.texts(&mut reading, statements::ROLES.to_owned()).await?;
        self.end(reading).await;
        let cut = [tables.1, views.1, functions.1].contains(&true);
        Ok(Catalogue {
            schemas: wanted,
            exposed,
            roles: roles.into_iter().flatten().flatten().collect(),
            tables: tables.0,
            views: views.0,
            functions: functions.0,
            cut,
        })
    }

    /// The schemas that the API shows to browsers, where the database knows: a setting of the role that
    /// the API connects as.
    async fn exposed(&self, reading: &mut Reading<'_>) -> Result<Option<Vec<String>>, ProbeError> {
        let answer = self.texts(reading, statements::EXPOSED.to_owned()).await?;
        let line = answer.into_iter().flatten().flatten().next();
        Ok(line.map(|line| statements::names_of_setting(&line)))
    }

    /// Entries, each a line of JSON, and whether there were more.
    async fn entries<T: DeserializeOwned>(
        &self,
        reading: &mut Reading<'_>,
        sql: String,
    ) -> Result<(Vec<T>, bool), ProbeError> {
        let lines = self.texts(reading, format!("{sql} LIMIT {}", ENTRIES + 1)).await?;
        let cut = lines.len() > ENTRIES;
        let entries = lines.into_iter().take(ENTRIES).flatten().flatten();
        let entries = entries.map(|line| json::from_str(&line).map_err(|_error| self.odd()));
        Ok((entries.collect::<Result<_, _>>()?, cut))
    }
}
