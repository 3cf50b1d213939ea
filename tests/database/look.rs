//! The port as the agent opens it, by a config and a file with the address.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use launchready::config::parse;
use launchready::connect::database::{Patience, ProjectDatabase};
use launchready_checks::contract::{AssessInput, Assessment, CheckError, History, Target};
use launchready_checks::probe::replay::{Replay, World};
use launchready_checks::probe::{Database, RowQuery, Slot, TableRole, Walked};
use launchready_checks::registry;
use serde_json::Value;

/// What a test waits for at most where something has to fail.
pub(crate) const SHORT: Patience = Patience {
    connect: Duration::from_secs(2),
    statement: Duration::from_secs(2),
    rows: Duration::from_secs(20),
};

/// The port to a database whose tables the config names as `tables` says.
pub(crate) fn open_with(url: &str, tables: &str, patience: Patience) -> Arc<ProjectDatabase> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("database.url"), url).unwrap();
    let text = format!(
        "[[project]]\nname = \"harbor\"\ndomain = \"harbor.example\"\n[project.database]\n\
         url = {{ file = \"database.url\" }}\n{tables}"
    );
    let config = parse(&text, folder.path()).unwrap();
    let settings = &config.projects[0].accounts;
    Arc::new(ProjectDatabase::new(settings, &[], patience).unwrap())
}

pub(crate) fn open(url: &str, tables: &str) -> Arc<ProjectDatabase> {
    open_with(url, tables, Patience::default())
}

/// Rows as lists of texts, sorted.
pub(crate) async fn rows(
    database: &dyn Database,
    query: RowQuery,
) -> Result<(Vec<Vec<Option<String>>>, Walked), String> {
    let mut rows: Vec<Vec<Option<String>>> = Vec::new();
    let walked = database
        .rows(query, &mut |row| {
            rows.push(row.0.iter().map(|value| value.map(ToOwned::to_owned)).collect());
        })
        .await
        .map_err(|error| error.to_string())?;
    rows.sort();
    Ok((rows, walked))
}

/// How many orders there are.
pub(crate) async fn orders(database: &dyn Database) -> Result<u64, String> {
    let query = RowQuery::new(TableRole::Orders, &["id"]);
    rows(database, query).await.map(|(_, walked)| walked.entries)
}

/// Runs a check against a database.
pub(crate) async fn check(
    id: &str,
    database: Arc<ProjectDatabase>,
    now: Timestamp,
) -> Result<Assessment, CheckError> {
    check_with(id, &Value::Null, database, now).await
}

/// Runs a check with options against a database.
pub(crate) async fn check_with(
    id: &str,
    options: &Value,
    database: Arc<ProjectDatabase>,
    now: Timestamp,
) -> Result<Assessment, CheckError> {
    let plugin = registry::find(id).unwrap();
    let check = (plugin.build)(options).unwrap();
    let mut probes = Replay::new(World::default(), now).unwrap().probes();
    probes.accounts.database = Slot::ready(database);
    let target = Target::default();
    let looked = check.collect(now, None, &target, &probes).await?;
    let history = History::default();
    let input =
        AssessInput { now, target: &target, previous: None, history: &history, baseline: None };
    check.assess(&looked.evidence, &input)
}

/// The codes of an assessment, sorted.
pub(crate) fn codes(assessment: &Assessment) -> Vec<&str> {
    let mut codes: Vec<_> = assessment.findings.iter().map(|found| found.code.as_str()).collect();
    codes.sort_unstable();
    codes
}
