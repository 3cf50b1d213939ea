//! `ops-deployment`: see `deployment.md`.

mod judge;
mod look;

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{
    Area, AssessCx, Assessment, Bounded, Check, CheckError, CheckMeta, FindingSpec, LookCx,
    MeasurementSpec, Schedule, Target, Unit, Vantage,
};
use crate::probe::{Probes, Seen};

const NOT_EXPECTED: FindingSpec = FindingSpec::warning(
    "deployment-not-expected",
    "What is live is not what should be live",
    "Customers see an older build, or one that nobody approved: a fix that everybody believes to be live is \
     not.",
);
const PREVIEW_LIVE: FindingSpec = FindingSpec::critical(
    "deployment-preview-live",
    "A preview answers where customers look",
    "A preview is an unfinished state with the settings of a test: payments may go to a test account, and \
     orders into a test database.",
);
const MISSING: FindingSpec = FindingSpec::critical(
    "deployment-variable-missing",
    "An environment variable is missing in production",
    "The code that reads it fails only when a customer gets there, such as at the payment.",
);
const SHARED: FindingSpec = FindingSpec::warning(
    "deployment-variable-shared",
    "Production and preview share a credential",
    "Every branch and every pull request works with the real keys: a test writes into the real database, or \
     charges a real card.",
)
.noted();

const AGE: MeasurementSpec = MeasurementSpec {
    name: "live-since",
    metric: "launchready_ops_deployment_live_since_timestamp_seconds",
    unit: Unit::TimestampSeconds,
    help: "When the build that is live was made.",
    label: None,
    window: Duration::ZERO,
};

/// What is live, and with which settings.
#[derive(Debug)]
pub struct Deployment;

/// Options of `ops-deployment`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The commit that must be live, in full or its first 7 digits and more; where none is named, the newest
    /// build for production must be.
    // As an `example` the text would be taken for the name of a function.
    #[schemars(extend("examples" = ["a10867b1"]))]
    pub expected: Option<String>,
    /// A path or full URL on a host of the project whose answer names the commit that is live.
    #[schemars(example = "/version")]
    pub version_url: Option<String>,
    /// Environment variables that production must have.
    pub required_variables: Vec<String>,
    /// Credentials that production and preview may share.
    pub shared_variables: Vec<String>,
}

/// One build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Build {
    id: String,
    created: Timestamp,
    production: bool,
    state: String,
    commit: Option<String>,
    branch: Option<String>,
}

/// What the host of the site said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Account {
    vendor: String,
    live: Option<Build>,
    /// The newest build for production.
    newest: Option<Build>,
    /// By host name: what answers there.
    at: Vec<(String, Build)>,
}

/// The names of variables; never a value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Variables {
    /// How many there are.
    total: usize,
    /// Names that production has.
    production: Bounded<String>,
    /// Of the required ones, those that production lacks, and whether another stage has them.
    missing: Vec<(String, bool)>,
    /// Those that production has with nothing in them.
    empty: Bounded<String>,
    /// Credentials that production and preview share.
    shared: Bounded<String>,
}

/// What `version_url` answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Version {
    url: String,
    /// The commits that the answer names.
    commits: Vec<String>,
    /// Why nothing was read.
    unread: Option<String>,
}

/// What is live, and with which variables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Absent where no account is configured.
    account: Option<Seen<Account>>,
    variables: Option<Seen<Variables>>,
    version: Option<Version>,
    /// Why there is no account, and what unlocks it.
    no_account: Option<(String, String)>,
}

impl Check for Deployment {
    const META: CheckMeta = CheckMeta {
        id: "ops-deployment",
        area: Area::Ops,
        title: "What is live",
        vantage: Vantage::Provider,
        findings: &[NOT_EXPECTED, PREVIEW_LIVE, MISSING, SHARED],
        measurements: &[AGE],
        default_schedule: Schedule::Every(Duration::from_mins(5)),
        min_interval: Duration::from_mins(1),
        timeout: Duration::from_mins(1),
        needs: &[],
        evidence_version: 1,
        doc: include_str!("deployment.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        look: &LookCx<'_, Self>,
        target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        Ok((look::look(look.options, target, probes).await?, ()))
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        judge::judge(evidence, cx)
    }
}
