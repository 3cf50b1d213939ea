//! The management API of Supabase.

use std::time::Duration;

use launchready_checks::contract::json;
use launchready_checks::probe::{
    AgentFault, Answer, AuthSettings, Backups, Catalogue, EdgeFunction, FunctionCalls,
    FunctionLogs, FunctionPrints, Period, ProbeError, ServiceHealth, Supabase, SupabaseProject,
    TargetFault, TokenPower,
};
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::answers::{Auth, BackupList, Bucket, Function, Postgrest, Project, Service, Ssl};
use super::logs;
use crate::config::{Secret, SupabaseTable};
use crate::connect::database::statements;
use crate::connect::{Api, Reach, Shown, Vendor};

/// 120 requests a minute to one endpoint are allowed, and no run asks one of them more than six times.
const VENDOR: Vendor = Vendor {
    name: "Supabase",
    pace: Duration::from_millis(50),
    headers: &[],
    permission: |_body| None,
    where_to: "https://supabase.com/dashboard/account/tokens",
};
/// The most entries of each kind of the catalogue.
const ENTRIES: usize = 2_000;
/// The services whose state is asked.
const SERVICES: [&str; 5] = ["auth", "db", "rest", "storage", "pooler"];
/// The most functions, services and buckets that are read.
const MANY: usize = 1_000;

/// The management API, for one project.
#[derive(Debug)]
pub(super) struct Management {
    api: Api,
    reference: String,
    schemas: Vec<String>,
    power: TokenPower,
}

impl Management {
    pub(super) fn new(
        base: &str,
        table: &SupabaseTable,
        token: Secret,
        reach: &Reach,
    ) -> Result<Self, ProbeError> {
        let power = power(token.expose());
        let api = Api::new(VENDOR, base, Shown::Bearer(token), reach)?;
        let reference = table.reference.clone();
        Ok(Self { api, reference, schemas: table.schemas.clone(), power })
    }

    /// Reads an answer of the project; a refusal names the permission that the endpoint wants.
    async fn read<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        permission: &str,
    ) -> Result<T, ProbeError> {
        let reply = self.raw(Method::GET, path, query, None, permission).await?;
        json::from_slice(&reply).map_err(|error| shape(&error))
    }

    async fn raw(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
        permission: &str,
    ) -> Result<Vec<u8>, ProbeError> {
        let path = format!("v1/projects/{}{path}", self.reference);
        let reply = self.api.any(method, &path, query, body).await?;
        match reply.status {
            200..=299 => Ok(reply.body),
            403 => Err(AgentFault::Forbidden(format!(
                "the token of Supabase needs {permission} for this project"
            ))
            .into()),
            404 => Err(AgentFault::BadCredential(format!(
                "Supabase knows no project {}, or the token does not reach it",
                self.reference
            ))
            .into()),
            _ => Err(self.api.refused(&reply)),
        }
    }

    /// The rows of a log query; each window is at most a day.
    async fn logs(&self, sql: logs::Query, period: Period) -> Result<Vec<Value>, ProbeError> {
        let (start, end) = logs::window(period, self.api.now())?;
        let path = format!("v1/projects/{}/analytics/endpoints/logs", self.reference);
        let mut column = "source";
        loop {
            let text = sql(column);
            let query = [
                ("sql", text.as_str()),
                ("iso_timestamp_start", start.as_str()),
                ("iso_timestamp_end", end.as_str()),
            ];
            let reply = self.api.any(Method::GET, &path, &query, None).await?;
            match reply.status {
                200..=299 => {}
                403 => {
                    let what = "the token of Supabase needs analytics_logs_read for this project";
                    return Err(AgentFault::Forbidden(what.to_owned()).into());
                }
                404 | 410 => {
                    let what =
                        format!("the address of Supabase's logs has changed ({})", reply.status);
                    return Err(TargetFault::Malformed(what).into());
                }
                _ => return Err(self.api.refused(&reply)),
            }
            match logs::rows(&reply.body)? {
                Ok(rows) => return Ok(rows),
                // The table of logs names its source in either way.
                Err(error) if column == "source" && logs::is_unknown_column(&error) => {
                    column = "source_name";
                }
                Err(error) => {
                    let what = format!("the logs of Supabase answer with an error: {error}");
                    return Err(TargetFault::Malformed(what).into());
                }
            }
        }
    }

    /// The values of the first column of a statement that only reads.
    async fn values(&self, sql: String) -> Result<Vec<Value>, ProbeError> {
        let body = json!({ "query": sql, "parameters": [] });
        let path = "/database/query/read-only";
        let reply = self.raw(Method::POST, path, &[], Some(&body), "database_read").await?;
        let rows: Vec<serde_json::Map<String, Value>> =
            json::from_slice(&reply).map_err(|error| shape(&error))?;
        Ok(rows
            .into_iter()
            .filter_map(|row| row.into_iter().next())
            .map(|(_, value)| value)
            .collect())
    }

    async fn entries<T: DeserializeOwned>(
        &self,
        sql: String,
    ) -> Result<(Vec<T>, bool), ProbeError> {
        let values = self.values(format!("{sql} LIMIT {}", ENTRIES + 1)).await?;
        let cut = values.len() > ENTRIES;
        let entries = values.into_iter().take(ENTRIES).map(|value| match value {
            Value::String(text) => json::from_str(&text).map_err(|error| shape(&error)),
            value => json::from_value(&value).map_err(|error| shape(&error)),
        });
        Ok((entries.collect::<Result<_, _>>()?, cut))
    }

    async fn read_catalogue(&self) -> Result<Catalogue, ProbeError> {
        let texts = |values: Vec<Value>| -> Vec<String> {
            values.into_iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()
        };
        let mut schemas = self.schemas.clone();
        if schemas.is_empty() {
            // Without this permission the database may still know.
            schemas = self.exposed_schemas().await.unwrap_or_default();
        }
        let told = texts(self.values(statements::EXPOSED.to_owned()).await?);
        let told = told.first().map(|line| statements::names_of_setting(line));
        if schemas.is_empty() {
            schemas = told.clone().unwrap_or_default();
        }
        if schemas.is_empty() {
            schemas.push("public".to_owned());
        }
        let list = statements::list(&schemas);
        let roles = texts(self.values(statements::ROLES.to_owned()).await?);
        let (tables, more_tables) = self.entries(statements::tables(&list)).await?;
        let (views, more_views) = self.entries(statements::views(&list)).await?;
        let (functions, more_functions) = self.entries(statements::functions(&list)).await?;
        Ok(Catalogue {
            schemas,
            exposed: told,
            roles: roles.into_iter().collect(),
            tables,
            views,
            functions,
            cut: more_tables || more_views || more_functions,
        })
    }

    async fn exposed_schemas(&self) -> Result<Vec<String>, ProbeError> {
        let config: Postgrest = self.read("/postgrest", &[], "data_api_config_read").await?;
        Ok(statements::names_of_setting(&config.db_schema))
    }

    async fn list<T, U>(&self, path: &str, permission: &str) -> Result<Vec<U>, ProbeError>
    where
        T: DeserializeOwned,
        U: From<T>,
    {
        let all: Vec<T> = self.read(path, &[], permission).await?;
        Ok(all.into_iter().take(MANY).map(U::from).collect())
    }
}

/// What a token may do, by its prefix.
fn power(token: &str) -> TokenPower {
    if token.starts_with("sbp_fc") {
        TokenPower::Scoped
    } else if token.starts_with("sbp_") {
        TokenPower::Full
    } else {
        TokenPower::Unknown
    }
}

/// JSON of another shape.
fn shape(error: &json::Error) -> ProbeError {
    TargetFault::Malformed(format!("Supabase sends JSON of another shape: {error}")).into()
}

impl Supabase for Management {
    fn token(&self) -> TokenPower {
        self.power
    }

    fn project(&self) -> Answer<'_, Result<SupabaseProject, ProbeError>> {
        Box::pin(async {
            let project: Project = self.read("", &[], "project_admin_read").await?;
            Ok(project.into())
        })
    }

    fn health(&self) -> Answer<'_, Result<Vec<ServiceHealth>, ProbeError>> {
        Box::pin(async {
            let query = SERVICES.map(|service| ("services", service));
            let all: Vec<Service> = self.read("/health", &query, "project_admin_read").await?;
            if all.is_empty() {
                let what = "Supabase tells the state of no service".to_owned();
                return Err(TargetFault::Malformed(what).into());
            }
            Ok(all.into_iter().take(MANY).map(ServiceHealth::from).collect())
        })
    }

    fn functions(&self) -> Answer<'_, Result<Vec<EdgeFunction>, ProbeError>> {
        Box::pin(self.list::<Function, _>("/functions", "edge_functions_read"))
    }

    fn calls(&self, period: Period) -> Answer<'_, Result<FunctionLogs<FunctionCalls>, ProbeError>> {
        Box::pin(async move {
            let statuses = self.logs(logs::statuses, period).await?;
            let times = self.logs(logs::times, period).await?;
            logs::calls(&statuses, &times)
        })
    }

    fn prints(
        &self,
        period: Period,
    ) -> Answer<'_, Result<FunctionLogs<FunctionPrints>, ProbeError>> {
        Box::pin(async move { logs::prints(&self.logs(logs::printed, period).await?) })
    }

    fn auth(&self) -> Answer<'_, Result<AuthSettings, ProbeError>> {
        Box::pin(async {
            let auth: Auth = self.read("/config/auth", &[], "auth_config_read").await?;
            Ok(auth.into())
        })
    }

    fn backups(&self) -> Answer<'_, Result<Backups, ProbeError>> {
        Box::pin(async {
            let list: BackupList = self.read("/database/backups", &[], "backups_read").await?;
            Ok(list.into())
        })
    }

    fn ssl_enforced(&self) -> Answer<'_, Result<bool, ProbeError>> {
        Box::pin(async {
            let ssl: Ssl = self.read("/ssl-enforcement", &[], "database_ssl_config_read").await?;
            Ok(ssl.current.database)
        })
    }

    fn exposed(&self) -> Answer<'_, Result<Vec<String>, ProbeError>> {
        Box::pin(self.exposed_schemas())
    }

    fn buckets(&self) -> Answer<'_, Result<Vec<String>, ProbeError>> {
        Box::pin(async {
            let all: Vec<Bucket> = self.read("/storage/buckets", &[], "storage_read").await?;
            Ok(all.into_iter().take(MANY).map(|bucket| bucket.name).collect())
        })
    }

    fn catalogue(&self) -> Answer<'_, Result<Catalogue, ProbeError>> {
        Box::pin(self.read_catalogue())
    }
}
