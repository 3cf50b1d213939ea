//! Where a site runs: what is live, which previews there are, and the names of its environment variables.

use jiff::Timestamp;
use serde::Deserialize;

use super::{Answer, ProbeError};

/// One build that was put up.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    /// The vendor's id.
    pub id: String,
    /// When it was made.
    pub created: Timestamp,
    /// It was built for production.
    pub production: bool,
    /// The vendor's word for its state, in lower case.
    pub state: String,
    /// The commit that it was built from.
    #[serde(default)]
    pub commit: Option<String>,
    /// The branch.
    #[serde(default)]
    pub branch: Option<String>,
    /// The host names that it answers at, as far as they are known.
    #[serde(default)]
    pub hosts: Vec<String>,
}

/// The deployments of a site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deployments {
    /// What production traffic is answered by.
    pub live: Option<Deployment>,
    /// The newest ones, newest first.
    pub recent: Vec<Deployment>,
    /// By host name of the project that the vendor knows: the deployment that answers there.
    pub at: Vec<(String, Deployment)>,
}

/// Where a variable applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// What customers see.
    Production,
    /// Branches and pull requests.
    Preview,
    /// The machines of developers, and stages of the vendor's or the owner's own.
    Other,
}

/// One environment variable. Its value stays with the adapter.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// The name.
    pub name: String,
    /// Where it applies.
    pub stages: Vec<Stage>,
    /// A hash of the value that tells two values apart within one run, and outside it tells nothing; absent
    /// where the vendor does not show the value.
    #[serde(default)]
    pub hash: Option<u64>,
    /// It holds nothing.
    #[serde(default)]
    pub empty: bool,
}

/// Asks where the site runs. Nothing is changed.
pub trait Hosting: Send + Sync {
    /// The vendor's name, for people.
    fn vendor(&self) -> &'static str;

    /// What is live and what was put up of late; `hosts` are asked about by name.
    fn deployments(&self, hosts: Vec<String>) -> Answer<'_, Result<Deployments, ProbeError>>;

    /// The environment variables.
    fn variables(&self) -> Answer<'_, Result<Vec<Variable>, ProbeError>>;
}
