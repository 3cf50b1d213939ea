//! Closed lists that describe a check and the outcome of its run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a run of a check ended in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It looked, and found nothing above `info`.
    Pass,
    /// Its worst finding is a warning.
    Warn,
    /// Its worst finding is critical.
    Fail,
    /// It could not look, or not at the part that has to be proven.
    Unknown,
    /// It is not configured for this project.
    Skipped,
}

impl Status {
    /// Every status, in the order in which reports count them.
    pub const ALL: [Self; 5] = [Self::Pass, Self::Warn, Self::Fail, Self::Unknown, Self::Skipped];

    /// The lower-case word used in JSON, metrics and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::Skipped => "skipped",
        }
    }
}

/// Where a look was taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vantage {
    /// As a stranger on the internet sees it.
    Outside,
    /// Through a provider's API with a credential.
    Provider,
    /// In the project's own database.
    Database,
    /// In source files or build output.
    Source,
    /// By a test that changes something, opt-in.
    Synthetic,
    /// A person signed it.
    Attestation,
}

impl Vantage {
    /// The lower-case word used in JSON and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Outside => "outside",
            Self::Provider => "provider",
            Self::Database => "database",
            Self::Source => "source",
            Self::Synthetic => "synthetic",
            Self::Attestation => "attestation",
        }
    }
}

/// The part of the product that a check belongs to; also the folder it lives in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// The registration of the domain.
    Domain,
    /// Name servers and records.
    Dns,
    /// Sending and receiving mail.
    Mail,
    /// Certificates and protocol versions.
    Tls,
    /// The web site as a browser sees it.
    Web,
    /// Keys and files that nobody should be able to read.
    Secrets,
    /// Jobs, deployments and what people do.
    Ops,
}

impl Area {
    /// Every area, in the order in which reports show them.
    pub const ALL: [Self; 7] =
        [Self::Domain, Self::Dns, Self::Mail, Self::Tls, Self::Web, Self::Secrets, Self::Ops];

    /// The lower-case word that is the first part of a check's id and its folder's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Domain => "domain",
            Self::Dns => "dns",
            Self::Mail => "mail",
            Self::Tls => "tls",
            Self::Web => "web",
            Self::Secrets => "secrets",
            Self::Ops => "ops",
        }
    }

    /// The heading that a reader of a report sees.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Domain => "Domain registration",
            Self::Dns => "DNS",
            Self::Mail => "Email",
            Self::Tls => "TLS",
            Self::Web => "Web",
            Self::Secrets => "Secrets and exposure",
            Self::Ops => "Operations",
        }
    }
}

/// What the project has to be ready for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Goal {
    /// Strangers with credit cards.
    #[default]
    Launch,
    /// Paid advertising.
    PaidTraffic,
    /// Another team takes over.
    Handover,
}

impl Goal {
    /// The word used on the command line and in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Launch => "launch",
            Self::PaidTraffic => "paid-traffic",
            Self::Handover => "handover",
        }
    }
}
