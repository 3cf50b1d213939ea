//! A Supabase project as people who signed in see it: the sign-in, rows, and the end of a session.

use std::time::Duration;

use launchready_checks::probe::{ProbeError, TargetFault};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::config::{Secret, SupabaseTable};
use crate::connect::{Api, Reach, Reply, Shown, Vendor};

/// The gateway allows thousands of requests a second; the product's own database answers them.
const VENDOR: Vendor = Vendor {
    name: "the Supabase project",
    pace: Duration::from_millis(20),
    headers: &[],
    permission: |_body| None,
    where_to: "Settings → API Keys in the dashboard",
};
/// The most characters of a code of an error.
const CODE: usize = 40;
/// The longest id of a user; a UUID has 36 characters.
const ID: usize = 64;

/// A row, as the API gives it.
pub(super) type Row = Map<String, Value>;

/// Somebody who signed in.
pub(super) struct User {
    pub(super) id: String,
    bearer: Secret,
}

/// Why nobody signed in.
pub(super) enum NoSession {
    /// The project says no, with this code.
    Refused(String),
    /// It could not be asked.
    Error(ProbeError),
}

impl From<ProbeError> for NoSession {
    fn from(error: ProbeError) -> Self {
        Self::Error(error)
    }
}

/// What came of a question about rows.
#[derive(Debug, PartialEq)]
pub(super) enum Told {
    /// It was done; the rows that were asked for.
    Rows(Vec<Row>),
    /// A policy or a missing privilege forbids it.
    Denied,
    /// Something else stands against it.
    Refused { status: u16, code: String },
}

/// The project, asked with the public key.
pub(super) struct Project {
    api: Api,
    /// Keys of the older kind are also shown as a token where nobody signed in.
    bearer: Option<Secret>,
}

#[derive(Deserialize)]
struct Session {
    access_token: String,
    user: Account,
}

#[derive(Deserialize)]
struct Account {
    id: String,
}

impl Project {
    pub(super) fn new(
        table: &SupabaseTable,
        key: Secret,
        reach: &Reach,
    ) -> Result<Self, ProbeError> {
        let own = format!("https://{}.supabase.co", table.reference);
        let base = table.url.as_deref().unwrap_or(&own);
        let bearer = key.expose().starts_with("eyJ").then(|| format!("Bearer {}", key.expose()));
        let api = Api::new(VENDOR, base, Shown::Header("apikey", key), reach)?;
        Ok(Self { api, bearer: bearer.map(Secret::new) })
    }

    /// Signs in with address and password.
    pub(super) async fn sign_in(&self, email: &str, password: &Secret) -> Result<User, NoSession> {
        let query = [("grant_type", "password")];
        let body = json!({ "email": email, "password": password.expose() });
        let reply = self.api.any(Method::POST, "auth/v1/token", &query, Some(&body)).await?;
        match reply.status {
            200..=299 => {
                let session: Session = reply.json(&VENDOR)?;
                let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
                let id = session.user.id;
                if id.is_empty() || id.len() > ID || !id.bytes().all(fits) {
                    let what = "the Supabase project sends an id of a user that is none";
                    return Err(NoSession::Error(TargetFault::Malformed(what.to_owned()).into()));
                }
                Ok(User { id, bearer: Secret::new(format!("Bearer {}", session.access_token)) })
            }
            429 | 500.. => Err(self.api.refused(&reply).into()),
            _ => Err(NoSession::Refused(code(&reply))),
        }
    }

    /// Ends all sessions of a user; whether they are over was looked at.
    pub(super) async fn sign_out(&self, user: &User) -> Result<bool, ProbeError> {
        let shown = [("authorization", user.bearer.expose())];
        let query = [("scope", "global")];
        let path = "auth/v1/logout";
        self.api.any_with(&shown, Method::POST, path, &query, None).await?;
        let reply = self.api.any_with(&shown, Method::GET, "auth/v1/user", &[], None).await?;
        Ok(matches!(reply.status, 401 | 403))
    }

    /// Asks for rows that fit a query, as a user or as a visitor.
    pub(super) async fn read(
        &self,
        who: Option<&User>,
        table: &str,
        query: &[(&str, &str)],
    ) -> Result<Told, ProbeError> {
        self.ask(who, Method::GET, table, query, None).await
    }

    /// Makes a row. It is given back only where a column is asked for: a policy for reading may forbid that,
    /// and would hide whether the row was made.
    pub(super) async fn make(
        &self,
        who: &User,
        table: &str,
        row: Row,
        back: Option<&str>,
    ) -> Result<Told, ProbeError> {
        let query = back.map(|column| ("select", column));
        self.ask(Some(who), Method::POST, table, query.as_slice(), Some(&Value::Object(row))).await
    }

    /// Changes rows that fit a query.
    pub(super) async fn change(
        &self,
        who: &User,
        table: &str,
        query: &[(&str, &str)],
        columns: Row,
    ) -> Result<Told, ProbeError> {
        let body = Value::Object(columns);
        self.ask(Some(who), Method::PATCH, table, query, Some(&body)).await
    }

    /// Deletes rows that fit a query.
    pub(super) async fn delete(
        &self,
        who: &User,
        table: &str,
        query: &[(&str, &str)],
    ) -> Result<Told, ProbeError> {
        self.ask(Some(who), Method::DELETE, table, query, None).await
    }

    async fn ask(
        &self,
        who: Option<&User>,
        method: Method,
        table: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Told, ProbeError> {
        let mut headers = Vec::new();
        if let Some(bearer) = who.map(|user| &user.bearer).or(self.bearer.as_ref()) {
            headers.push(("authorization", bearer.expose()));
        }
        if method != Method::GET {
            let back = query.iter().any(|(name, _)| *name == "select");
            let back = if back { "return=representation" } else { "return=minimal" };
            headers.push(("prefer", back));
        }
        let path = format!("rest/v1/{table}");
        let reply = self.api.any_with(&headers, method, &path, query, body).await?;
        match reply.status {
            200..=299 if reply.body.is_empty() => Ok(Told::Rows(Vec::new())),
            200..=299 => Ok(Told::Rows(reply.json(&VENDOR)?)),
            429 => Err(self.api.refused(&reply)),
            status => {
                let code = code(&reply);
                let denied = matches!(status, 401 | 403) && code == "42501";
                Ok(if denied { Told::Denied } else { Told::Refused { status, code } })
            }
        }
    }
}

/// The code of an error: a word of the database, of `PostgREST`, or of the sign-in in any of its versions.
fn code(reply: &Reply) -> String {
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let named = ["error_code", "code", "error"].iter().find_map(|key| body.get(*key)?.as_str());
    let word = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    named.unwrap_or_default().chars().filter(word).take(CODE).collect()
}
