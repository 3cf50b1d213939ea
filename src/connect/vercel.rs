//! Vercel behind the hosting port: deployments of one project, and the names of its variables.

use std::time::Duration;

use jiff::Timestamp;
use launchready_checks::contract::json;
use launchready_checks::probe::{
    AgentFault, Answer, Deployment, Deployments, Hosting, ProbeError, RunKey, Stage, TargetFault,
    Variable,
};
use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::answer::Reply;
use super::api::{Api, Vendor};
use super::reach::Reach;
use super::shown::Shown;
use crate::config::Secret;

/// The vendor's address.
const ADDRESS: &str = "https://api.vercel.com";
/// Deployments that are listed.
const RECENT: &str = "20";

const VENDOR: Vendor = Vendor {
    name: "Vercel",
    pace: Duration::from_millis(100),
    headers: &[],
    permission: |_body| None,
    where_to: "https://vercel.com/account/settings/tokens",
};

/// One project.
#[derive(Debug)]
pub struct Vercel {
    api: Api,
    project: String,
    team: Option<String>,
    key: RunKey,
}

#[derive(Deserialize)]
struct Project {
    id: String,
    targets: Option<Targets>,
}

#[derive(Deserialize)]
struct Targets {
    production: Option<Deploy>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Deploy {
    id: Option<String>,
    /// The name of `id` in lists.
    uid: Option<String>,
    url: Option<String>,
    created_at: Option<i64>,
    created: Option<i64>,
    ready_state: Option<String>,
    /// The name of `readyState` in lists.
    state: Option<String>,
    target: Option<String>,
    #[serde(default)]
    alias: Vec<String>,
    #[serde(default)]
    meta: Value,
}

#[derive(Deserialize)]
struct List {
    deployments: Vec<Deploy>,
}

#[derive(Deserialize)]
struct Envs {
    envs: Vec<Env>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Env {
    key: String,
    value: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    target: Target,
}

/// One stage, or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Target {
    One(String),
    Several(Vec<String>),
}

impl Default for Target {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

impl Vercel {
    /// A project at the vendor's address, or at `address`.
    ///
    /// # Errors
    /// The address is none of the web.
    pub fn new(
        token: Secret,
        address: Option<&str>,
        project: String,
        team: Option<String>,
        reach: &Reach,
    ) -> Result<Self, ProbeError> {
        let api = Api::new(VENDOR, address.unwrap_or(ADDRESS), Shown::Bearer(token), reach)?;
        Ok(Self { api, project, team, key: RunKey::random() })
    }

    async fn any(&self, path: &str, pairs: &[(&str, &str)]) -> Result<Reply, ProbeError> {
        let mut query = pairs.to_vec();
        query.extend(self.team.as_deref().map(|team| ("teamId", team)));
        self.api.any(Method::GET, path, &query, None).await
    }

    async fn read<T: DeserializeOwned>(
        &self,
        path: &str,
        pairs: &[(&str, &str)],
    ) -> Result<T, ProbeError> {
        let reply = self.any(path, pairs).await?;
        if (200..300).contains(&reply.status) {
            reply.json(&VENDOR)
        } else {
            Err(self.refused(&reply))
        }
    }

    /// What a refusal means: a wrong token is answered with 403 too.
    fn refused(&self, reply: &Reply) -> ProbeError {
        let body: Value = json::value(&reply.body).unwrap_or_default();
        let wrong = body.pointer("/error/invalidToken").and_then(Value::as_bool) == Some(true);
        match reply.status {
            403 if wrong => AgentFault::BadCredential(format!(
                "Vercel does not know the token; make a new one at {}",
                VENDOR.where_to
            ))
            .into(),
            403 => AgentFault::Forbidden(
                "Vercel: make the token in the scope of the team that owns the project, and set \
                 project.hosting.team"
                    .to_owned(),
            )
            .into(),
            404 => TargetFault::Malformed(
                "Vercel knows no such project: correct project.hosting.site, and for a team \
                 project.hosting.team"
                    .to_owned(),
            )
            .into(),
            _ => self.api.refused(reply),
        }
    }

    fn project_path(&self) -> Result<&str, ProbeError> {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let name = self.project.as_str();
        if name.is_empty() || name == ".." || name == "." || !name.bytes().all(letter) {
            let what = "project.hosting.site is no name of a project of Vercel".to_owned();
            return Err(AgentFault::Refused(what).into());
        }
        Ok(name)
    }
}

impl Deploy {
    fn normal(self, live: bool) -> Deployment {
        let meta = |names: [&str; 4]| {
            let found = names.iter().find_map(|name| self.meta.get(*name)?.as_str());
            found.map(|text| text.chars().take(80).collect::<String>())
        };
        let hosts = self.url.iter().chain(&self.alias).take(20).cloned().collect();
        Deployment {
            created: millis(self.created_at.or(self.created)),
            production: live || self.target.as_deref() == Some("production"),
            state: self
                .ready_state
                .clone()
                .or(self.state.clone())
                .unwrap_or_default()
                .to_lowercase(),
            commit: meta([
                "githubCommitSha",
                "gitlabCommitSha",
                "bitbucketCommitSha",
                "gitCommitSha",
            ]),
            branch: meta([
                "githubCommitRef",
                "gitlabCommitRef",
                "bitbucketCommitRef",
                "gitCommitRef",
            ]),
            hosts,
            id: self.id.or(self.uid).unwrap_or_default(),
        }
    }
}

fn millis(at: Option<i64>) -> Timestamp {
    at.and_then(|at| Timestamp::from_millisecond(at).ok()).unwrap_or_default()
}

fn stage(word: &str) -> Stage {
    match word {
        "production" => Stage::Production,
        "preview" => Stage::Preview,
        _ => Stage::Other,
    }
}

impl Hosting for Vercel {
    fn vendor(&self) -> &'static str {
        VENDOR.name
    }

    fn deployments(&self, hosts: Vec<String>) -> Answer<'_, Result<Deployments, ProbeError>> {
        Box::pin(async move {
            let name = self.project_path()?;
            let project: Project = self.read(&format!("v9/projects/{name}"), &[]).await?;
            let query = [("projectId", project.id.as_str()), ("limit", RECENT)];
            let list: List = self.read("v6/deployments", &query).await?;
            let live = project.targets.and_then(|targets| targets.production);
            let mut at = Vec::new();
            for host in hosts {
                let reply = self.any(&format!("v13/deployments/{host}"), &[]).await?;
                match reply.status {
                    200 => {
                        let found: Deploy = reply.json(&VENDOR)?;
                        at.push((host, found.normal(false)));
                    }
                    // The host is served by something else.
                    404 => {}
                    _ => return Err(self.refused(&reply)),
                }
            }
            Ok(Deployments {
                live: live.map(|live| live.normal(true)),
                recent: list.deployments.into_iter().map(|one| one.normal(false)).collect(),
                at,
            })
        })
    }

    fn variables(&self) -> Answer<'_, Result<Vec<Variable>, ProbeError>> {
        Box::pin(async {
            let name = self.project_path()?;
            let envs: Envs = self.read(&format!("v10/projects/{name}/env"), &[]).await?;
            let all = envs.envs.into_iter().map(|env| {
                // What is encrypted differs from entry to entry, whatever it holds.
                let plain = env.value.filter(|_| env.kind.as_deref() == Some("plain"));
                let stages = match env.target {
                    Target::One(one) => vec![stage(&one)],
                    Target::Several(several) => several.iter().map(|one| stage(one)).collect(),
                };
                Variable {
                    name: env.key,
                    stages,
                    hash: plain.as_ref().map(|value| self.key.hash(value)),
                    empty: plain.is_some_and(|value| value.is_empty()),
                }
            });
            Ok(all.collect())
        })
    }
}
