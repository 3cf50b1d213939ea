//! Netlify behind the hosting port: deploys of one site, and the names of its variables.

use std::time::Duration;

use jiff::Timestamp;
use launchready_checks::probe::{
    AgentFault, Answer, Deployment, Deployments, Hosting, ProbeError, RunKey, Stage, TargetFault,
    Variable,
};
use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::api::{Api, Vendor};
use super::reach::Reach;
use super::shown::Shown;
use crate::config::Secret;

/// The vendor's address.
const ADDRESS: &str = "https://api.netlify.com";
/// Deploys that are listed.
const RECENT: &str = "20";

const VENDOR: Vendor = Vendor {
    name: "Netlify",
    // 500 requests a minute are allowed.
    pace: Duration::from_millis(150),
    headers: &[],
    permission: |_body| None,
    where_to: "https://app.netlify.com/user/applications",
};

/// One site.
#[derive(Debug)]
pub struct Netlify {
    api: Api,
    site: String,
    key: RunKey,
}

#[derive(Deserialize)]
struct Site {
    id: String,
    account_id: Option<String>,
    custom_domain: Option<String>,
    #[serde(default)]
    domain_aliases: Vec<String>,
    published_deploy: Option<Deploy>,
}

#[derive(Deserialize, Clone)]
struct Deploy {
    id: String,
    created_at: Option<Timestamp>,
    state: Option<String>,
    context: Option<String>,
    commit_ref: Option<String>,
    branch: Option<String>,
}

#[derive(Deserialize)]
struct Env {
    key: String,
    #[serde(default)]
    is_secret: bool,
    #[serde(default)]
    values: Vec<Value>,
}

#[derive(Deserialize)]
struct Value {
    value: Option<String>,
    context: Option<String>,
}

impl Netlify {
    /// A site at the vendor's address, or at `address`.
    ///
    /// # Errors
    /// The address is none of the web.
    pub fn new(
        token: Secret,
        address: Option<&str>,
        site: String,
        reach: &Reach,
    ) -> Result<Self, ProbeError> {
        let address = address.unwrap_or(ADDRESS).trim_end_matches('/');
        let api = Api::new(VENDOR, &format!("{address}/api/v1"), Shown::Bearer(token), reach)?;
        Ok(Self { api, site, key: RunKey::random() })
    }

    async fn read<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, ProbeError> {
        let reply = self.api.any(Method::GET, path, query, None).await?;
        match reply.status {
            200..=299 => reply.json(&VENDOR),
            403 => Err(AgentFault::Forbidden(
                "Netlify: let the owner of the token join the team of the site".to_owned(),
            )
            .into()),
            404 => Err(TargetFault::Malformed(
                "Netlify knows no such site: correct project.hosting.site".to_owned(),
            )
            .into()),
            _ => Err(self.api.refused(&reply)),
        }
    }

    async fn site(&self) -> Result<Site, ProbeError> {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        let name = self.site.as_str();
        if name.is_empty() || name == ".." || name == "." || !name.bytes().all(letter) {
            let what = "project.hosting.site is no id of a site of Netlify".to_owned();
            return Err(AgentFault::Refused(what).into());
        }
        self.read(&format!("sites/{name}"), &[]).await
    }
}

impl Deploy {
    fn normal(self) -> Deployment {
        Deployment {
            id: self.id,
            created: self.created_at.unwrap_or_default(),
            production: self.context.as_deref() == Some("production"),
            state: self.state.unwrap_or_default().to_lowercase(),
            commit: self.commit_ref,
            branch: self.branch,
            hosts: Vec::new(),
        }
    }
}

fn stages(context: &str) -> Vec<Stage> {
    match context {
        "all" => vec![Stage::Production, Stage::Preview, Stage::Other],
        "production" => vec![Stage::Production],
        "deploy-preview" | "branch-deploy" => vec![Stage::Preview],
        _ => vec![Stage::Other],
    }
}

impl Hosting for Netlify {
    fn vendor(&self) -> &'static str {
        VENDOR.name
    }

    fn deployments(&self, hosts: Vec<String>) -> Answer<'_, Result<Deployments, ProbeError>> {
        Box::pin(async move {
            let site = self.site().await?;
            let query = [("per_page", RECENT), ("page", "1")];
            let list: Vec<Deploy> =
                self.read(&format!("sites/{}/deploys", site.id), &query).await?;
            let live = site.published_deploy.map(Deploy::normal);
            let here = |host: &String| {
                site.custom_domain.as_ref() == Some(host) || site.domain_aliases.contains(host)
            };
            let at = live.iter().flat_map(|live| {
                hosts.iter().filter(|host| here(host)).map(|host| (host.clone(), live.clone()))
            });
            let at = at.collect();
            Ok(Deployments { at, live, recent: list.into_iter().map(Deploy::normal).collect() })
        })
    }

    fn variables(&self) -> Answer<'_, Result<Vec<Variable>, ProbeError>> {
        Box::pin(async {
            let site = self.site().await?;
            let account =
                site.account_id.filter(|id| id.bytes().all(|it| it.is_ascii_alphanumeric()));
            let account = account.ok_or_else(|| {
                TargetFault::Malformed("Netlify names no team of the site".to_owned())
            })?;
            let query = [("site_id", site.id.as_str())];
            let envs: Vec<Env> = self.read(&format!("accounts/{account}/env"), &query).await?;
            let mut all = Vec::new();
            for env in envs {
                for value in env.values {
                    // A secret is shown as asterisks.
                    let shown = value.value.filter(|_| !env.is_secret);
                    all.push(Variable {
                        name: env.key.clone(),
                        stages: stages(value.context.as_deref().unwrap_or("all")),
                        hash: shown.as_ref().map(|shown| self.key.hash(shown)),
                        empty: shown.is_some_and(|shown| shown.is_empty()),
                    });
                }
            }
            Ok(all)
        })
    }
}
