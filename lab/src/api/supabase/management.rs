//! The management API: what it answers about the project, and which permission each question needs.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{State, database, logs, message, value};
use crate::api::{Ask, Reply};

/// Answers a question with a token that was granted these permissions.
pub(super) fn answer(state: &State, granted: &[String], ask: &Ask<'_>) -> Reply {
    let Some(path) = ask.path.strip_prefix("/v1/projects/") else {
        return message(404, "Cannot GET the path");
    };
    let (reference, path) = path.split_once('/').unwrap_or((path, ""));
    if reference != state.reference {
        return message(404, "Project not found");
    }
    let permission = match (ask.method, path) {
        ("GET", "" | "health") => "project_admin_read",
        ("GET", "functions") => "edge_functions_read",
        ("GET", "analytics/endpoints/logs") => "analytics_logs_read",
        ("GET", "config/auth") => "auth_config_read",
        ("GET", "database/backups") => "backups_read",
        ("GET", "ssl-enforcement") => "database_ssl_config_read",
        ("GET", "postgrest") => "data_api_config_read",
        ("GET", "storage/buckets") => "storage_read",
        ("POST", "database/query/read-only") => "database_read",
        _ => return message(404, &format!("Cannot {} {}", ask.method, ask.path)),
    };
    if !granted.iter().any(|one| one == "*" || one == permission) {
        return message(403, "Your access token does not have the necessary permissions");
    }
    if state.status == "INACTIVE" && !path.is_empty() {
        return message(400, "Project is paused");
    }
    match path {
        "" => Reply::json(200, &project(state)),
        "health" => health(state, ask),
        "functions" => Reply::json(200, &functions(state)),
        "analytics/endpoints/logs" => logs::answer(state, ask),
        "config/auth" => Reply::json(200, &value(&state.auth)),
        "database/backups" => Reply::json(200, &backups(state, ask)),
        "ssl-enforcement" => {
            let config = json!({ "database": state.ssl });
            Reply::json(200, &json!({ "currentConfig": config, "appliedSuccessfully": true }))
        }
        "postgrest" => Reply::json(
            200,
            &json!({
                "db_schema": state.exposed, "max_rows": 1000,
                "db_extra_search_path": "public, extensions", "db_pool": null,
            }),
        ),
        "storage/buckets" => Reply::json(200, &buckets(state)),
        _ => database::answer(state, ask),
    }
}

fn project(state: &State) -> Value {
    json!({
        "id": state.reference, "ref": state.reference, "organization_id": "harbor", "name": "harbor",
        "region": state.region, "created_at": "2025-02-11T09:12:44.000000Z", "status": state.status,
        "database": {
            "host": format!("db.{}.supabase.co", state.reference), "version": state.version,
            "postgres_engine": "17", "release_channel": "ga",
        },
    })
}

fn health(state: &State, ask: &Ask<'_>) -> Reply {
    let wanted: Vec<&str> = ask
        .query
        .iter()
        .filter(|(key, _)| key == "services")
        .flat_map(|(_, value)| value.split(','))
        .collect();
    if wanted.is_empty() {
        return message(400, "services: Required");
    }
    let services: Vec<Value> = wanted
        .into_iter()
        .filter_map(|name| {
            let status = state.service.get(name)?;
            let mut service =
                json!({ "name": name, "status": status, "healthy": status == "ACTIVE_HEALTHY" });
            if let (true, Some(object)) = (status == "UNHEALTHY", service.as_object_mut()) {
                object.insert("error".to_owned(), "connection refused".into());
            }
            Some(service)
        })
        .collect();
    Reply::json(200, &Value::from(services))
}

fn functions(state: &State) -> Value {
    let all = state.function.iter().map(|(slug, function)| {
        json!({
            "id": function.id, "slug": slug, "name": slug, "status": function.status, "version": 14,
            "created_at": 1_760_000_000_000_i64, "updated_at": 1_790_000_000_000_i64,
            "verify_jwt": function.verify_jwt, "import_map": false,
        })
    });
    all.collect()
}

/// One complete backup each night at four, the last of them at least one night old.
fn backups(state: &State, ask: &Ask<'_>) -> Value {
    let night = ask.now.as_second().div_euclid(86_400) * 86_400 + 4 * 3600;
    let last = if ask.now.as_second() >= night { night } else { night - 86_400 };
    let all: Vec<Value> = (0..state.backups)
        .filter_map(|days| {
            let at = jiff::Timestamp::from_second(last).ok()?;
            let at = at.checked_sub(SignedDuration::from_hours(24 * i64::from(days))).ok()?;
            Some(json!({
                "id": 1000 - days, "is_physical_backup": true, "status": "COMPLETED",
                "inserted_at": at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
            }))
        })
        .collect();
    json!({
        "region": state.region, "walg_enabled": true, "pitr_enabled": state.pitr, "backups": all,
        "physical_backup_data": {},
    })
}

fn buckets(state: &State) -> Value {
    let all = state.bucket.iter().map(|(name, bucket)| {
        json!({
            "id": name, "name": name, "owner": "", "public": bucket.public,
            "created_at": "2025-03-01T10:00:00.000Z", "updated_at": "2025-03-01T10:00:00.000Z",
        })
    });
    all.collect()
}
