//! `[[project.heartbeat]]`: a job that has promised to call.

use launchready_checks::contract::Age;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::SecretRef;

/// A job that calls the agent when it has ended.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeartbeatTable {
    /// Its name in findings and metrics.
    pub name: String,
    /// The last part of the address that it calls: at least 16 letters, digits, `-`, `_` or `.`.
    pub token: SecretRef,
    /// How often it calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Age>,
    /// When it calls, as five-field cron in the project's zone; instead of `every`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// How late a call may be.
    #[serde(default = "one_hour")]
    pub grace: Age,
    /// How long a run may last, for jobs that also say when they begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_runtime: Option<Age>,
}

const fn one_hour() -> Age {
    Age::hours(1)
}
