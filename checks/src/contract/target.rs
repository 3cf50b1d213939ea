//! What is audited: the declared facts of one project, without any credential.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{AccountFacts, Age, AttestationFacts, Goal, Ownership};

/// The declared facts of one project.
///
/// Names are lower-case A-labels without a trailing dot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Target {
    /// The project's name in config, metrics and reports.
    pub project: String,
    /// The domain that is audited.
    pub domain: String,
    /// Declared host names below or outside the domain, in full; the apex is not listed here.
    pub hosts: Vec<String>,
    /// What the project has to be ready for.
    pub goal: Goal,
    /// Whether active probes are allowed.
    pub ownership: Ownership,
    /// Facts about the web site.
    pub web: WebFacts,
    /// Facts about mail.
    pub mail: MailFacts,
    /// Facts about the registration.
    pub registration: RegistrationFacts,
    /// The source folder, where one was given.
    pub source: Option<SourceFacts>,
    /// Facts about the accounts.
    pub accounts: AccountFacts,
    /// The calls that jobs of the project have promised, in the order of the config.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub heartbeats: Vec<HeartbeatFacts>,
    /// What people have signed; absent where there is no config beside which they could.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attestations: Option<Vec<AttestationFacts>>,
}

impl Target {
    /// The apex and every declared host, apex first, each once.
    pub fn declared_hosts(&self) -> Vec<String> {
        let mut names = vec![self.domain.clone()];
        for host in &self.hosts {
            if !names.contains(host) {
                names.push(host.clone());
            }
        }
        names
    }

    /// The names at which the product may be found: the declared ones, and `www` when no host was
    /// declared. A `www` that was not declared may be missing without that being a defect.
    pub fn likely_hosts(&self) -> Vec<String> {
        let mut names = self.declared_hosts();
        if self.hosts.is_empty() {
            names.push(format!("www.{}", self.domain));
        }
        names
    }
}

/// Facts about the web site.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WebFacts {
    /// Old paths or URLs and where they must lead.
    pub redirect_map: Vec<RedirectRule>,
    /// Full URLs or paths at which webhooks arrive.
    pub webhook_paths: Vec<String>,
    /// Paths to which an identity provider sends the browser back.
    pub oauth_paths: Vec<String>,
    /// Paths of the privacy, terms and refund pages; empty means the usual ones are looked for.
    pub legal_pages: Vec<String>,
    /// Full URLs of Edge Functions that browsers call.
    pub functions: Vec<String>,
}

/// One row of the redirect map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedirectRule {
    /// An old path such as `/pricing-old`, or a full URL.
    pub from: String,
    /// Where it must lead: a path or a full URL.
    pub to: String,
    /// The status that the first answer must have; any permanent redirect where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

/// Facts about mail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MailFacts {
    /// Whether the project said that it sends and receives no mail at all.
    pub not_used: bool,
    /// Domains that stand in the From header of the product's mail; empty means the apex.
    pub sends_from: Vec<String>,
    /// DKIM selectors, either `name` or `name@domain`.
    pub selectors: Vec<String>,
    /// Sending tools such as `resend` or `hubspot`.
    pub tools: Vec<String>,
}

/// Facts about the registration that no server publishes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RegistrationFacts {
    /// The expiry date, where the registry publishes none.
    pub expires: Option<Date>,
    /// Whether somebody attested that the registrar renews by itself.
    pub auto_renew: bool,
}

/// The source folder of the project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFacts {
    /// Path of the folder on this machine.
    pub path: String,
}

/// A job that has promised to call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeartbeatFacts {
    /// Its name, unique within the project.
    pub name: String,
    /// When it calls, in words: `every 24h`, or `at "0 3 * * *" (Europe/Berlin)`.
    pub rhythm: String,
    /// How late a call may be.
    pub grace: Age,
    /// How long a run may last, for jobs that also say when they begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_runtime: Option<Age>,
}
