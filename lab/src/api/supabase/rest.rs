//! The project itself: `PostgREST` with row level security, storage, and the settings of sign-in.

use serde_json::{Map, Value, json};

use super::State;
use super::database::{Policy, Table};
use crate::api::{Ask, Reply};

/// Answers a question with the public key.
pub(super) fn answer(state: &State, ask: &Ask<'_>) -> Reply {
    let Some(key) = ask.header("apikey") else {
        let hint = "No `apikey` request header or url param was found.";
        return error(401, &json!({ "message": "No API key found in request", "hint": hint }));
    };
    if !state.public_keys.iter().any(|known| known == key) {
        let hint = "Double check your Supabase `anon` or `service_role` API key.";
        return error(401, &json!({ "message": "Invalid API key", "hint": hint }));
    }
    if ask.bearer().is_some_and(|bearer| bearer != key) {
        return error(
            401,
            &json!({ "code": "PGRST301", "message": "JWSError JWSInvalidSignature" }),
        );
    }
    if state.status == "INACTIVE" {
        return error(540, &json!({ "message": "Project paused" }));
    }
    let path = ask.path;
    if path == "/auth/v1/settings" {
        let email = state.auth.get("external_email_enabled").and_then(toml::Value::as_bool);
        return Reply::json(
            200,
            &json!({ "external": { "email": email }, "disable_signup": false }),
        );
    }
    if let Some(path) = path.strip_prefix("/storage/v1/") {
        return storage(state, ask, path);
    }
    match path.strip_prefix("/rest/v1/") {
        Some("") => root(state),
        Some(table) => rows(state, ask, table),
        None => error(404, &json!({ "message": "no Route matched with those values" })),
    }
}

fn error(status: u16, body: &Value) -> Reply {
    Reply::json(status, body)
}

/// The description of the API, which is refused to public keys since 2026.
fn root(state: &State) -> Reply {
    if !state.described {
        let hint = "Only the `service_role` API key can be used for this endpoint.";
        return error(401, &json!({ "message": "Invalid API key", "hint": hint }));
    }
    let mut paths = Map::new();
    for name in state.table.keys().chain(state.view.keys()) {
        let name = name.strip_prefix("public.").unwrap_or(name);
        paths.insert(format!("/{name}"), json!({ "get": {} }));
    }
    for name in state.routine.keys() {
        let name = name.strip_prefix("public.").unwrap_or(name);
        let name = name.split('(').next().unwrap_or_default();
        paths.insert(format!("/rpc/{name}"), json!({ "post": {} }));
    }
    Reply::json(200, &json!({ "swagger": "2.0", "paths": paths }))
}

fn rows(state: &State, ask: &Ask<'_>, table: &str) -> Reply {
    let schema = ask.header("accept-profile").unwrap_or("public");
    if !state.exposed.split(',').any(|shown| shown.trim() == schema) {
        let text = format!("The schema must be one of the following: {}", state.exposed);
        return error(406, &json!({ "code": "PGRST106", "message": text }));
    }
    let name = format!("{schema}.{table}");
    let (grants, total) = match (state.table.get(&name), state.view.get(&name)) {
        (Some(table), _) => (&table.grants, seen(table)),
        (None, Some(view)) => (&view.grants, view.rows),
        (None, None) => {
            let text = format!("Could not find the table '{name}' in the schema cache");
            return error(404, &json!({ "code": "PGRST205", "message": text }));
        }
    };
    let may = grants.iter().any(|line| {
        let mut words = line.split_whitespace();
        matches!(words.next(), Some("anon" | "public")) && words.any(|word| word == "SELECT")
    });
    if !may {
        let text = format!("permission denied for table {table}");
        return error(401, &json!({ "code": "42501", "message": text }));
    }
    let counted = ask.header("prefer").is_some_and(|prefer| prefer.contains("count=exact"));
    let of = if counted { total.to_string() } else { "*".to_owned() };
    if ask.query("limit") == Some("0") || total == 0 {
        return Reply::json(200, &json!([])).with("content-range", format!("*/{of}"));
    }
    // The fake holds no rows: whoever asks for one gets an empty object.
    let part = if ask.header("range") == Some("0-0") && total > 1 { 206 } else { 200 };
    let last = if part == 206 { 0 } else { total - 1 };
    let body = if ask.method == "HEAD" { json!(null) } else { json!([{}]) };
    Reply::json(part, &body).with("content-range", format!("0-{last}/{of}"))
}

/// How many rows anon sees.
fn seen(table: &Table) -> u64 {
    let is_for_anon = |policy: &&Policy| {
        matches!(policy.command.as_str(), "SELECT" | "ALL")
            && policy.roles.iter().any(|role| role == "anon" || role == "public")
    };
    let is_true = |policy: &Policy| policy.using.as_deref() == Some("true");
    let mut policies = table.policy.iter().filter(is_for_anon);
    let open = table.policy.iter().filter(is_for_anon).any(|one| one.permissive && is_true(one));
    let closed = policies.any(|one| !one.permissive && !is_true(one));
    if !table.rls || (open && !closed) { table.rows } else { 0 }
}

fn storage(state: &State, ask: &Ask<'_>, path: &str) -> Reply {
    if path == "bucket" {
        // Buckets themselves are rows of a table without a policy for anon.
        return Reply::json(200, &json!([]));
    }
    let bucket = path.strip_prefix("object/list/").and_then(|name| state.bucket.get(name));
    let Some(bucket) = bucket.filter(|_| ask.method == "POST") else {
        let body = json!({ "statusCode": "404", "error": "Bucket not found", "message": "Bucket not found" });
        return error(400, &body);
    };
    let wanted = ask.json().get("limit").and_then(Value::as_u64).unwrap_or(100);
    let there = if bucket.listed { u64::from(bucket.files).min(wanted) } else { 0 };
    let files: Vec<Value> = (0..there)
        .map(|n| json!({ "name": format!("file-{n}.pdf"), "id": n.to_string() }))
        .collect();
    Reply::json(200, &Value::from(files))
}
