//! `external-http`: see `http.md`.

mod judge;
mod look;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use url::Url;

use self::look::{Look, look_at};
use super::json_path::JsonPath;
use super::question::{self, Question, Worst, checked};
use super::range::Range;
use super::value::{ByUnit, ValueUnit, measured};
use crate::contract::{
    Age, Area, AssessCx, Assessment, Check, CheckError, CheckMeta, FindingSpec, LookCx,
    MeasurementSpec, Need, Schedule, Target, Unit, Vantage,
};
use crate::probe::{Probes, Seen};

const UNEXPECTED: FindingSpec = FindingSpec::critical(
    "answer-unexpected",
    "An address of your own does not answer as it should",
    "You wrote this address down because the product hangs on it, and it gives no answer, or another one \
     than you said.",
)
.now();
const CRITICAL: FindingSpec = FindingSpec::critical(
    "answer-critical",
    "An address of your own gives a critical number",
    "You wrote this number down because it matters to the product, and it is out of the range that you \
     called critical.",
)
.now();
const WARNING: FindingSpec = FindingSpec::warning(
    "answer-warning",
    "An address of your own gives a number to worry about",
    "You wrote this number down because it matters to the product, and it is out of the range that you \
     called a warning.",
);

const DURATION: MeasurementSpec = measured(
    "duration",
    "launchready_external_http_duration_seconds",
    Unit::Seconds,
    "From the request of the question to the last byte of its answer.",
);
const COUNT: MeasurementSpec = measured(
    "value",
    "launchready_external_http_value",
    Unit::Count,
    "The number in the answer of the question.",
);
const SECONDS: MeasurementSpec = measured(
    "value-seconds",
    "launchready_external_http_value_seconds",
    Unit::Seconds,
    "The time in the answer of the question.",
);
const BYTES: MeasurementSpec = measured(
    "value-bytes",
    "launchready_external_http_value_bytes",
    Unit::Bytes,
    "The size in the answer of the question.",
);
const RATIO: MeasurementSpec = measured(
    "value-ratio",
    "launchready_external_http_value_ratio",
    Unit::Ratio,
    "The part of one in the answer of the question.",
);
const VALUES: ByUnit = ByUnit([COUNT, SECONDS, BYTES, RATIO]);

/// The most conditions of each kind.
const CONDITIONS: usize = 20;

/// What addresses say that the user wrote down.
#[derive(Debug)]
pub struct Http;

/// The requests of `external-http`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The requests, each with a name.
    #[serde(deserialize_with = "requests")]
    pub request: Vec<HttpQuestion>,
}

fn requests<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<HttpQuestion>, D::Error> {
    checked("request", Vec::deserialize(deserializer)?)
}

/// One request with the answer that it should have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpQuestion {
    /// The name of the question.
    pub name: String,
    /// The address that is read, http or https.
    pub url: String,
    /// The statuses that are right; any of 200 to 299 where none is said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<u16>,
    /// Headers with the text that each must contain, in any case; an empty text for any value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub header: BTreeMap<String, String>,
    /// Text that the body must contain.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// What must stand in the JSON of the body.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub json: Vec<JsonCondition>,
    /// Where in the JSON the number stands; without it the number is the time of the answer in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<JsonPath>,
    /// When the number is a warning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<Range>,
    /// When the number is critical.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critical: Option<Range>,
    /// What the number counts: count, seconds, bytes or ratio.
    #[serde(default)]
    pub unit: ValueUnit,
    /// The request is given up after this long.
    #[serde(default = "usual_timeout")]
    pub timeout: Age,
    /// How bad it is when the answer is wrong: critical, warning or info.
    #[serde(default)]
    pub severity: Worst,
    /// What to do then, in your own words.
    #[serde(default)]
    pub fix: String,
}

const fn usual_timeout() -> Age {
    Age::secs(10)
}

/// What must stand at a place of the JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JsonCondition {
    /// The place.
    pub path: JsonPath,
    /// The text, number or truth that must stand there; anything where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<Scalar>,
}

/// A text, a number, or true or false.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// True or false.
    Truth(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
}

impl JsonSchema for Scalar {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("Scalar")
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["boolean", "number", "string"],
            "description": "a text, a number, or true or false",
        })
    }
}

impl Scalar {
    fn is(&self, value: &Value) -> bool {
        match self {
            Self::Truth(wanted) => value.as_bool() == Some(*wanted),
            Self::Number(wanted) => {
                value.as_f64().is_some_and(|found| found.to_bits() == wanted.to_bits())
            }
            Self::Text(wanted) => value.as_str() == Some(wanted),
        }
    }
}

impl Question for HttpQuestion {
    fn name(&self) -> &str {
        &self.name
    }

    fn worst(&self) -> Worst {
        self.severity
    }

    fn remedy(&self) -> &str {
        &self.fix
    }

    fn fault(&self) -> Option<(&'static str, String)> {
        let url = Url::parse(&self.url).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let Some(url) = url else {
            let text = format!("{:?} is no web address; write it in full", self.url);
            return Some(("url", text));
        };
        if !url.username().is_empty() || url.password().is_some() {
            let text = "a user and a password never stand in this file; leave them out";
            return Some(("url", text.to_owned()));
        }
        if [self.status.len(), self.header.len(), self.json.len()]
            .into_iter()
            .any(|n| n > CONDITIONS)
        {
            return Some(("name", format!("it has more than {CONDITIONS} conditions of a kind")));
        }
        if self.status.iter().any(|status| !(100..=599).contains(status)) {
            return Some(("status", "write statuses from 100 to 599".to_owned()));
        }
        let thresholds = self.warning.is_some() || self.critical.is_some();
        if self.value.is_none() && self.unit != ValueUnit::Count {
            let text = "without value the number is the time of the answer; leave unit out";
            return Some(("unit", text.to_owned()));
        }
        if self.value.is_some() && !thresholds {
            let text =
                "say when the number is wrong: warning = \"10\", critical = \"100\", or both";
            return Some(("value", text.to_owned()));
        }
        question::timeout_fault(self.timeout)
    }
}

/// The answers by the name of the question, in the order of the config.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    answers: Vec<(String, Seen<Look>)>,
}

impl Check for Http {
    const META: CheckMeta = CheckMeta {
        id: "external-http",
        area: Area::External,
        title: "Addresses of your own",
        vantage: Vantage::Outside,
        findings: &[UNEXPECTED, CRITICAL, WARNING],
        measurements: &[DURATION, COUNT, SECONDS, BYTES, RATIO],
        default_schedule: Schedule::Every(Duration::from_mins(1)),
        min_interval: Duration::from_secs(10),
        timeout: Duration::from_mins(5),
        needs: &[Need::Setting("project.checks.external-http.request")],
        evidence_version: 1,
        doc: include_str!("../http.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        look: &LookCx<'_, Self>,
        _target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        if look.options.request.is_empty() {
            let example = "name = \"status\", url = \"https://status.harbor.example/api\" and what it \
                           should answer";
            return Err(question::none("external-http.request", example));
        }
        let answers =
            look.options.request.iter().map(async |asked| {
                (asked.name.clone(), look_at(asked, probes.http.as_ref()).await)
            });
        Ok((Evidence { answers: join_all(answers).await }, ()))
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        judge::judge(evidence, cx.options)
    }
}
