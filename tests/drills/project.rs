//! A Supabase project in small: sign-in for two users, and rows of a real PostgreSQL under its row level
//! security, asked as `PostgREST` asks.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get, post};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};
use tokio::task::JoinHandle;

/// The key that browsers are given.
pub(crate) const PUBLIC: &str = "sb_publishable_harbor";
/// The users: id, address and password.
pub(crate) const USERS: [(&str, &str, &str); 2] = [
    ("0f0e2c1a-0000-4000-8000-00000000000a", "a@harbor.example", "correct horse"),
    ("0f0e2c1a-0000-4000-8000-00000000000b", "b@harbor.example", "battery staple"),
];

/// What the server knows.
struct Known {
    database: PgConnectOptions,
    /// Whose session each token is.
    sessions: Mutex<BTreeMap<String, usize>>,
    /// How often somebody signed in.
    signed_in: Mutex<usize>,
}

/// The running project.
pub(crate) struct Project {
    pub(crate) address: SocketAddr,
    known: Arc<Known>,
    task: JoinHandle<()>,
}

impl Drop for Project {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Project {
    pub(crate) async fn start(database: PgConnectOptions) -> Self {
        let known =
            Arc::new(Known { database, sessions: Mutex::default(), signed_in: Mutex::default() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/auth/v1/token", post(sign_in))
            .route("/auth/v1/logout", post(sign_out))
            .route("/auth/v1/user", get(who))
            .route("/rest/v1/{table}", any(rest))
            .with_state(Arc::clone(&known));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, known, task }
    }

    /// How many sessions are open.
    pub(crate) fn sessions(&self) -> usize {
        self.known.sessions.lock().unwrap().len()
    }
}

fn says(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (status, [("content-type", "application/json")], body.to_string()).into_response()
}

fn has_key(headers: &HeaderMap) -> bool {
    headers.get("apikey").is_some_and(|key| key == PUBLIC)
}

/// Whose token is shown.
fn shown(known: &Known, headers: &HeaderMap) -> Option<usize> {
    let token = headers.get("authorization")?.to_str().unwrap().strip_prefix("Bearer ")?;
    known.sessions.lock().unwrap().get(token).copied()
}

async fn sign_in(
    State(known): State<Arc<Known>>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    assert_eq!(query.get("grant_type").map(String::as_str), Some("password"));
    if !has_key(&headers) {
        return says(401, &json!({ "message": "Invalid API key" }));
    }
    let body: Value = serde_json::from_slice(&body).unwrap();
    let fits = |user: &(&str, &str, &str)| body["email"] == user.1 && body["password"] == user.2;
    let Some(place) = USERS.iter().position(fits) else {
        let told = json!({
            "code": 400, "error_code": "invalid_credentials", "msg": "Invalid login credentials",
        });
        return says(400, &told);
    };
    let number = {
        let mut signed_in = known.signed_in.lock().unwrap();
        *signed_in += 1;
        *signed_in
    };
    let token = format!("token-{place}-{number}");
    known.sessions.lock().unwrap().insert(token.clone(), place);
    let session = json!({
        "access_token": token, "token_type": "bearer", "expires_in": 3600, "refresh_token": "r",
        "user": { "id": USERS[place].0, "aud": "authenticated", "email": USERS[place].1 },
    });
    says(200, &session)
}

async fn sign_out(
    State(known): State<Arc<Known>>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let Some(user) = shown(&known, &headers) else {
        return says(403, &json!({ "code": 403, "error_code": "session_not_found" }));
    };
    assert_eq!(query.get("scope").map(String::as_str), Some("global"));
    known.sessions.lock().unwrap().retain(|_, whose| *whose != user);
    StatusCode::NO_CONTENT.into_response()
}

async fn who(State(known): State<Arc<Known>>, headers: HeaderMap) -> Response {
    match shown(&known, &headers) {
        Some(user) => says(200, &json!({ "id": USERS[user].0 })),
        None => says(403, &json!({ "code": 403, "error_code": "session_not_found" })),
    }
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn name(text: &str) -> String {
    format!("\"{}\"", text.replace('"', ""))
}

fn names(text: &str) -> String {
    text.split(',').map(name).collect::<Vec<_>>().join(", ")
}

/// The filters of a query as a condition.
fn condition(query: &[(String, String)]) -> String {
    let filters = query.iter().filter(|(key, _)| !matches!(key.as_str(), "select" | "limit"));
    let one = |(key, filter): &(String, String)| {
        let column = name(key);
        match filter.split_once('.').unwrap() {
            ("eq", value) => format!("{column} = {}", literal(value)),
            ("like", value) => format!("{column} like {}", literal(&value.replace('*', "%"))),
            ("in", list) => {
                let list = list.trim_matches(['(', ')']).split(',').map(literal);
                format!("{column} in ({})", list.collect::<Vec<_>>().join(", "))
            }
            (other, _) => panic!("the operator {other}"),
        }
    };
    let all: Vec<_> = filters.map(one).collect();
    // What changes rows names which, always.
    if all.is_empty() { "true".to_owned() } else { all.join(" and ") }
}

/// The statement of a request, which gives one text.
fn statement(method: &Method, table: &str, query: &[(String, String)], body: &Value) -> String {
    let table = format!("public.{}", name(table));
    let wanted = query.iter().find(|(key, _)| key == "select").map(|(_, columns)| names(columns));
    let fields: Vec<_> = body.as_object().into_iter().flatten().map(|(key, _)| name(key)).collect();
    let (fields, body) = (fields.join(", "), literal(&body.to_string()));
    let fits = condition(query);
    let changes = match *method {
        Method::GET => {
            let limit = query.iter().find(|(key, _)| key == "limit");
            let limit = limit.map(|(_, rows)| format!("limit {rows}")).unwrap_or_default();
            let columns = wanted.unwrap_or_else(|| "*".to_owned());
            return format!(
                "select coalesce(json_agg(t), '[]')::text from (select {columns} from {table} where {fits} {limit}) t"
            );
        }
        Method::POST => format!(
            "insert into {table} ({fields}) select {fields} from json_populate_record(null::{table}, {body})"
        ),
        Method::PATCH => {
            assert_ne!(fits, "true", "every row would be changed");
            format!(
                "update {table} set ({fields}) = row(select {fields} from json_populate_record(null::{table}, {body})) \
                 where {fits}"
            )
            .replace("= row(select", "= (select")
        }
        Method::DELETE => {
            assert_ne!(fits, "true", "every row would be deleted");
            format!("delete from {table} where {fits}")
        }
        _ => panic!("{method}"),
    };
    match wanted {
        Some(columns) => format!(
            "with t as ({changes} returning {columns}) select coalesce(json_agg(t), '[]')::text from t"
        ),
        None => changes,
    }
}

async fn run(
    known: &Known,
    user: Option<usize>,
    sql: String,
) -> Result<Option<String>, sqlx::Error> {
    let mut connection: PgConnection = known.database.connect().await?;
    let mut work = connection.begin().await?;
    let (role, id) = user.map_or(("anon", ""), |user| ("authenticated", USERS[user].0));
    let before =
        format!("set local role {role}; select set_config('request.jwt.claim.sub', '{id}', true)");
    sqlx::raw_sql(AssertSqlSafe(before)).execute(&mut *work).await?;
    let row = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_optional(&mut *work).await?;
    work.commit().await?;
    Ok(row.map(|row| row.try_get_unchecked::<String, _>(0).unwrap()))
}

async fn rest(
    State(known): State<Arc<Known>>,
    Path(table): Path<String>,
    Query(query): Query<Vec<(String, String)>>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !has_key(&headers) {
        return says(401, &json!({ "message": "Invalid API key" }));
    }
    let user = shown(&known, &headers);
    if user.is_none() && headers.contains_key("authorization") {
        return says(401, &json!({ "code": "PGRST301", "message": "JWT expired" }));
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    match run(&known, user, statement(&method, &table, &query, &body)).await {
        Ok(Some(rows)) => {
            let status = if method == Method::POST { 201 } else { 200 };
            says(status, &serde_json::from_str(&rows).unwrap())
        }
        Ok(None) if method == Method::POST => StatusCode::CREATED.into_response(),
        Ok(None) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => {
            let error = error.as_database_error().unwrap_or_else(|| panic!("{error}"));
            let code = error.code().unwrap().into_owned();
            let (status, code) = match (code.as_str(), user) {
                ("42501", None) => (401, code.as_str()),
                ("42501", Some(_)) => (403, code.as_str()),
                ("23503" | "23505", _) => (409, code.as_str()),
                ("42P01", _) => (404, "PGRST205"),
                (code, _) => (400, code),
            };
            let told = json!({
                "code": code, "message": error.message(), "details": null, "hint": null,
            });
            says(status, &told)
        }
    }
}
