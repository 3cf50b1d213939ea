//! The database of the project: its catalogue, as the read-only endpoint answers it.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{State, message};
use crate::api::{Ask, Reply};

/// One table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    /// Row level security is on.
    pub(super) rls: bool,
    /// How many rows there are.
    #[serde(default)]
    pub(super) rows: u64,
    /// Lines `name type`; the first is the key.
    columns: Vec<String>,
    /// Lines `role PRIVILEGE PRIVILEGE`.
    #[serde(default)]
    pub(super) grants: Vec<String>,
    #[serde(default)]
    pub(super) policy: Vec<Policy>,
    /// Lines `column table`, each with an index.
    #[serde(default)]
    keys: Vec<String>,
}

/// One policy.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Policy {
    name: String,
    pub(super) command: String,
    pub(super) roles: Vec<String>,
    #[serde(default = "yes")]
    pub(super) permissive: bool,
    #[serde(default)]
    pub(super) using: Option<String>,
    #[serde(default)]
    check: Option<String>,
}

const fn yes() -> bool {
    true
}

/// One view.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct View {
    #[serde(default)]
    pub(super) invoker: bool,
    columns: Vec<String>,
    #[serde(default)]
    pub(super) grants: Vec<String>,
    reads: Vec<String>,
    #[serde(default)]
    pub(super) rows: u64,
}

/// One function of the database.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Routine {
    definer: bool,
    callers: Vec<String>,
}

/// Answers a statement about the catalogue; the fake holds no rows.
pub(super) fn answer(state: &State, ask: &Ask<'_>) -> Reply {
    let body = ask.json();
    let Some(sql) = body.get("query").and_then(Value::as_str) else {
        return message(400, "query: Required");
    };
    let is_in = |name: &str| {
        let schema = name.split('.').next().unwrap_or_default();
        sql.contains(&format!("'{schema}'"))
    };
    let values: Vec<Value> = if sql.contains("pgrst.db_schemas") {
        vec![Value::Null]
    } else if sql.contains("FROM pg_proc") {
        state.routine.iter().filter(|(name, _)| is_in(name)).map(routine).collect()
    } else if sql.contains("c.relkind IN ('r', 'p')") {
        state.table.iter().filter(|(name, _)| is_in(name)).map(table).collect()
    } else if sql.contains("c.relkind IN ('v', 'm')") {
        state.view.iter().filter(|(name, _)| is_in(name)).map(view).collect()
    } else if sql.contains("FROM pg_roles") {
        ["anon", "authenticated", "service_role"].into_iter().map(Value::from).collect()
    } else {
        return message(400, "Failed to run sql query: ERROR:  42501: permission denied");
    };
    let rows: Vec<Value> = values.into_iter().map(|value| json!({ "value": value })).collect();
    Reply::json(201, &Value::from(rows))
}

fn split(name: &str) -> (&str, &str) {
    name.split_once('.').unwrap_or(("public", name))
}

fn columns(lines: &[String]) -> Vec<Value> {
    let column = |line: &String| {
        let (name, kind) = line.split_once(' ').unwrap_or((line, "text"));
        json!({ "name": name, "kind": kind })
    };
    lines.iter().map(column).collect()
}

fn grants(lines: &[String]) -> Vec<Value> {
    let grant = |line: &String| {
        let mut words = line.split_whitespace();
        let role = words.next().unwrap_or_default();
        json!({ "role": role, "privileges": words.collect::<Vec<_>>() })
    };
    lines.iter().map(grant).collect()
}

fn table((name, table): (&String, &Table)) -> Value {
    let (schema, name) = split(name);
    let first = |line: &String| line.split_whitespace().next().map(str::to_owned);
    let key: Vec<String> = table.columns.first().and_then(first).into_iter().collect();
    let mut indexed = vec![key.clone()];
    let mut foreign = Vec::new();
    for line in &table.keys {
        let (column, to) = line.split_once(' ').unwrap_or((line, ""));
        indexed.push(vec![column.to_owned()]);
        foreign.push(json!({ "columns": [column], "to": to }));
    }
    let policies: Vec<Value> = table
        .policy
        .iter()
        .map(|policy| {
            json!({
                "name": policy.name, "command": policy.command, "roles": policy.roles,
                "permissive": policy.permissive, "using": policy.using, "check": policy.check,
            })
        })
        .collect();
    json!({
        "schema": schema, "name": name, "rls": table.rls, "rows": table.rows,
        "columns": columns(&table.columns), "policies": policies, "grants": grants(&table.grants),
        "unique": [key], "indexed": indexed, "foreign_keys": foreign,
    })
}

fn view((name, view): (&String, &View)) -> Value {
    let (schema, name) = split(name);
    json!({
        "schema": schema, "name": name, "security_invoker": view.invoker, "materialised": false,
        "columns": columns(&view.columns), "grants": grants(&view.grants), "reads": view.reads,
    })
}

fn routine((name, routine): (&String, &Routine)) -> Value {
    let (schema, signature) = split(name);
    json!({
        "schema": schema, "signature": signature, "security_definer": routine.definer,
        "callers": routine.callers,
    })
}
