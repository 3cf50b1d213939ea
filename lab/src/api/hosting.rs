//! Vercel's and Netlify's APIs: deployments of one site, and its variables.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::flows::iso;
use super::{Api, Ask, Reply};
use crate::data::typed;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Site {
    token: String,
    id: String,
    name: String,
    /// The team that owns it.
    #[serde(default)]
    team: Option<String>,
    /// The token lacks access to the team.
    #[serde(default)]
    forbidden: bool,
    /// The deployment that is live, by its name in `deployment`.
    #[serde(default)]
    live: Option<String>,
    /// The deployment that answers at each host name.
    #[serde(default)]
    at: BTreeMap<String, String>,
    #[serde(default)]
    deployment: BTreeMap<String, Build>,
    /// Variables, each with the stages it applies to.
    #[serde(default)]
    variables: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Build {
    /// It was made so many seconds before the world began.
    ago_s: i64,
    /// `production` or `preview`.
    stage: String,
    #[serde(default = "ready")]
    state: String,
    #[serde(default)]
    commit: String,
    #[serde(default)]
    branch: String,
}

fn ready() -> String {
    "READY".to_owned()
}

impl Site {
    /// Deployments, newest first.
    fn builds(&self) -> Vec<(&String, &Build)> {
        let mut all: Vec<_> = self.deployment.iter().collect();
        all.sort_by_key(|(_, build)| build.ago_s);
        all
    }

    fn build(&self, name: Option<&String>) -> Option<(&String, &Build)> {
        self.deployment.get_key_value(name?)
    }
}

#[derive(Debug)]
struct Vercel(Site, Timestamp);

pub(super) fn vercel(
    table: &toml::Table,
    now: Timestamp,
) -> Result<Arc<dyn Api>, serde_json::Error> {
    Ok(Arc::new(Vercel(typed(table)?, now)))
}

impl Vercel {
    fn refused(status: u16, code: &str, message: &str) -> Reply {
        Reply::json(status, &json!({ "error": { "code": code, "message": message } }))
    }

    fn drawn(&self, (name, build): (&String, &Build)) -> Value {
        let production = build.stage == "production";
        let created = (self.1.as_second() - build.ago_s) * 1000;
        json!({
            "id": format!("dpl_{name}"), "uid": format!("dpl_{name}"), "name": self.0.name,
            "url": format!("{}-{}.vercel.app", self.0.name, name.to_lowercase()), "createdAt": created,
            "created": created, "readyState": build.state, "state": build.state,
            "target": production.then_some("production"), "alias": [],
            "meta": { "githubCommitSha": build.commit, "githubCommitRef": build.branch }
        })
    }

    fn route(&self, ask: &Ask<'_>) -> Option<Reply> {
        let site = &self.0;
        let parts: Vec<&str> = ask.path.trim_matches('/').split('/').collect();
        let own = |name: &str| name == site.id || name == site.name;
        Some(match *parts.as_slice() {
            ["v9", "projects", name] if own(name) => {
                let live = site.build(site.live.as_ref()).map(|live| self.drawn(live));
                let targets = json!({ "production": live });
                let link = json!({ "type": "github", "productionBranch": "main" });
                Reply::json(
                    200,
                    &json!({ "id": site.id, "name": site.name, "targets": targets, "link": link }),
                )
            }
            ["v6", "deployments"] if ask.query("projectId").is_some_and(own) => {
                let most = ask.query("limit").and_then(|text| text.parse().ok()).unwrap_or(20);
                let all: Vec<Value> =
                    site.builds().into_iter().take(most).map(|build| self.drawn(build)).collect();
                Reply::json(
                    200,
                    &json!({ "deployments": all, "pagination": { "count": all.len(), "next": null } }),
                )
            }
            ["v13", "deployments", host] => {
                Reply::json(200, &self.drawn(site.build(site.at.get(host))?))
            }
            ["v10", "projects", name, "env"] if own(name) => {
                let all: Vec<Value> = site
                    .variables
                    .iter()
                    .map(|(key, stages)| {
                        json!({
                            "id": format!("env_{key}"), "key": key, "type": "encrypted", "target": stages,
                            "value": "eyJ2IjoidjIi", "customEnvironmentIds": []
                        })
                    })
                    .collect();
                Reply::json(
                    200,
                    &json!({ "envs": all, "pagination": { "count": all.len(), "next": null } }),
                )
            }
            _ => return None,
        })
    }
}

impl Api for Vercel {
    fn answer(&self, ask: &Ask<'_>) -> Reply {
        let site = &self.0;
        if ask.bearer() != Some(site.token.as_str()) {
            let error =
                json!({ "code": "forbidden", "message": "Not authorized", "invalidToken": true });
            return Reply::json(403, &json!({ "error": error }));
        }
        if site.forbidden {
            return Self::refused(
                403,
                "forbidden",
                "You don't have permission to access this resource.",
            );
        }
        if site.team.as_deref() != ask.query("teamId") {
            return Self::refused(404, "not_found", "Project not found.");
        }
        self.route(ask)
            .unwrap_or_else(|| Self::refused(404, "not_found", "The resource was not found."))
    }
}

#[derive(Debug)]
struct Netlify(Site, Timestamp);

pub(super) fn netlify(
    table: &toml::Table,
    now: Timestamp,
) -> Result<Arc<dyn Api>, serde_json::Error> {
    Ok(Arc::new(Netlify(typed(table)?, now)))
}

impl Netlify {
    fn drawn(&self, (name, build): (&String, &Build)) -> Value {
        let context = if build.stage == "production" { "production" } else { "deploy-preview" };
        json!({
            "id": name, "site_id": self.0.id, "created_at": iso(self.1.as_second() - build.ago_s),
            "state": build.state.to_lowercase(), "context": context, "commit_ref": build.commit,
            "branch": build.branch
        })
    }

    fn route(&self, ask: &Ask<'_>) -> Option<Reply> {
        let site = &self.0;
        let parts: Vec<&str> = ask.path.trim_matches('/').split('/').collect();
        let team = site.team.as_deref().unwrap_or("team");
        Some(match *parts.as_slice() {
            ["api", "v1", "sites", id] if id == site.id => {
                let mut hosts = site.at.keys();
                let live = site.build(site.live.as_ref()).map(|live| self.drawn(live));
                Reply::json(
                    200,
                    &json!({
                        "id": site.id, "name": site.name, "account_id": team, "custom_domain": hosts.next(),
                        "domain_aliases": hosts.collect::<Vec<_>>(), "published_deploy": live
                    }),
                )
            }
            ["api", "v1", "sites", id, "deploys"] if id == site.id => {
                let most = ask.query("per_page").and_then(|text| text.parse().ok()).unwrap_or(20);
                let all: Vec<Value> =
                    site.builds().into_iter().take(most).map(|build| self.drawn(build)).collect();
                Reply::json(200, &Value::Array(all))
            }
            ["api", "v1", "accounts", account, "env"] if account == team => {
                let all: Vec<Value> = site
                    .variables
                    .iter()
                    .map(|(key, stages)| {
                        let value = |stage: &String| json!({ "id": "1", "context": stage, "value": key });
                        let values: Vec<Value> = stages.iter().map(value).collect();
                        json!({ "key": key, "scopes": ["builds"], "is_secret": false, "values": values })
                    })
                    .collect();
                Reply::json(200, &Value::Array(all))
            }
            _ => return None,
        })
    }
}

impl Api for Netlify {
    fn answer(&self, ask: &Ask<'_>) -> Reply {
        let refused = |status: u16, message: &str| {
            Reply::json(status, &json!({ "code": status, "message": message }))
        };
        if ask.bearer() != Some(self.0.token.as_str()) {
            return refused(401, "Access Denied");
        }
        if self.0.forbidden {
            return refused(403, "Forbidden");
        }
        self.route(ask).unwrap_or_else(|| refused(404, "Not Found"))
    }
}
