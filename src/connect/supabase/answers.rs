//! The answers of the management API, of which only what is needed is read: some hold secrets beside it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use launchready_checks::probe::{
    AuthSettings, Backups, EdgeFunction, ServiceHealth, SupabaseProject,
};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The most characters of a text of the provider.
const TEXT: usize = 200;

/// A text of the provider, no longer than it needs to be.
pub(super) fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(TEXT).collect()
}

/// `GET /v1/projects/{ref}`.
#[derive(Debug, Deserialize)]
pub(super) struct Project {
    status: String,
    #[serde(default)]
    region: String,
    #[serde(default)]
    database: Option<ProjectDatabase>,
}

#[derive(Debug, Deserialize)]
struct ProjectDatabase {
    #[serde(default)]
    version: Option<String>,
}

impl From<Project> for SupabaseProject {
    fn from(project: Project) -> Self {
        let version = project.database.and_then(|database| database.version);
        Self {
            status: short(&project.status),
            region: short(&project.region),
            database: version.as_deref().map(short),
        }
    }
}

/// `GET /v1/projects/{ref}/health`.
#[derive(Debug, Deserialize)]
pub(super) struct Service {
    name: String,
    status: String,
    #[serde(default)]
    error: Option<String>,
}

impl From<Service> for ServiceHealth {
    fn from(service: Service) -> Self {
        Self {
            name: short(&service.name),
            status: short(&service.status),
            error: service.error.as_deref().map(short),
        }
    }
}

/// `GET /v1/projects/{ref}/functions`.
#[derive(Debug, Deserialize)]
pub(super) struct Function {
    id: String,
    slug: String,
    status: String,
    #[serde(default)]
    verify_jwt: Option<bool>,
}

impl From<Function> for EdgeFunction {
    fn from(function: Function) -> Self {
        Self {
            id: short(&function.id),
            slug: short(&function.slug),
            status: short(&function.status),
            verify_jwt: function.verify_jwt,
        }
    }
}

/// `GET /v1/projects/{ref}/config/auth`: two hundred keys, passwords of mail and text servers among them.
#[derive(Debug, Deserialize)]
pub(super) struct Auth {
    /// `null` where none is set; settings without it are no settings.
    #[serde(deserialize_with = "Option::deserialize")]
    site_url: Option<String>,
    #[serde(default)]
    uri_allow_list: Option<String>,
    #[serde(default)]
    external_email_enabled: Option<bool>,
    /// `null` where none is set; absent where this was not said.
    #[serde(default, deserialize_with = "said")]
    smtp_host: Option<Value>,
    #[serde(default)]
    mailer_otp_exp: Option<u64>,
    #[serde(default)]
    password_hibp_enabled: Option<bool>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// A value that was said, `null` as well.
fn said<'de, D: serde::Deserializer<'de>>(source: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(source).map(Some)
}

impl From<Auth> for AuthSettings {
    fn from(auth: Auth) -> Self {
        let limits: BTreeMap<String, u64> = auth
            .rest
            .into_iter()
            .filter(|(name, _)| name.starts_with("rate_limit_"))
            .filter_map(|(name, value)| Some((name, value.as_u64()?)))
            .collect();
        let patterns = auth.uri_allow_list.unwrap_or_default();
        Self {
            site_url: auth.site_url.as_deref().map(short),
            redirects: patterns
                .split(',')
                .map(|pattern| short(pattern.trim()))
                .filter(|pattern| !pattern.is_empty())
                .collect(),
            email: auth.external_email_enabled,
            own_mail_server: auth
                .smtp_host
                .map(|host| host.as_str().is_some_and(|host| !host.trim().is_empty())),
            code_life_s: auth.mailer_otp_exp,
            leaked_passwords: auth.password_hibp_enabled,
            limits,
        }
    }
}

/// `GET /v1/projects/{ref}/database/backups`.
#[derive(Debug, Deserialize)]
pub(super) struct BackupList {
    pitr_enabled: bool,
    backups: Vec<Backup>,
}

#[derive(Debug, Deserialize)]
struct Backup {
    #[serde(default)]
    status: Option<String>,
    inserted_at: String,
}

impl From<BackupList> for Backups {
    fn from(list: BackupList) -> Self {
        let complete = list.backups.iter().filter(|backup| {
            // Physical backups of some regions are listed without a status.
            backup.status.as_deref().is_none_or(|status| status == "COMPLETED")
        });
        let times: Vec<Timestamp> =
            complete.filter_map(|backup| time(&backup.inserted_at)).collect();
        Self {
            point_in_time: list.pitr_enabled,
            latest: times.iter().max().copied(),
            complete: u32::try_from(times.len()).unwrap_or(u32::MAX),
        }
    }
}

/// A time of the provider: RFC 3339, at some places without a zone, which is UTC then.
fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| format!("{text}Z").parse().ok())
}

/// `GET /v1/projects/{ref}/ssl-enforcement`.
#[derive(Debug, Deserialize)]
pub(super) struct Ssl {
    #[serde(rename = "currentConfig")]
    pub(super) current: SslConfig,
}

#[derive(Debug, Deserialize)]
pub(super) struct SslConfig {
    pub(super) database: bool,
}

/// `GET /v1/projects/{ref}/postgrest`, which also holds the secret that signs every session.
#[derive(Debug, Deserialize)]
pub(super) struct Postgrest {
    pub(super) db_schema: String,
}

/// `GET /v1/projects/{ref}/storage/buckets`.
#[derive(Debug, Deserialize)]
pub(super) struct Bucket {
    pub(super) name: String,
}
