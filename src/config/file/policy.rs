//! `[defaults]`, and the keys of the same names in `[[project]]`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use launchready_checks::contract::{Age, QuantityError};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::incident::Policy;

/// When something is believed, repeated, held back or told to somebody else.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyTable {
    /// The zone of schedules, quiet hours and times in messages, such as `Europe/Berlin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Looks in a row that must see a defect before anybody is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub confirmations: Option<u32>,
    /// Looks in a row that must not see it before it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub recoveries: Option<u32>,
    /// How soon the check looks again while a defect is suspected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub look_again: Option<Age>,
    /// How often a defect that lasts is told again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reminder: Option<Age>,
    /// How long a message waits for what opens together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_wait: Option<Age>,
    /// How long the message about what was wrong at the start waits for the rest of the checks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_look_wait: Option<Age>,
    /// An urgent incident that nobody acknowledges for this long goes to the channels with `escalation`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalate_after: Option<AgeOrNever>,
    /// What opens and closes this often within `flap_window` is told once and then left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 2, max = 1000))]
    pub flap_turns: Option<u32>,
    /// See `flap_turns`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flap_window: Option<Age>,
    /// What did not open or close for this long is calm again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flap_calm: Option<Age>,
    /// Due runs in a row that could not look before you are told so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub blind_runs: Option<u32>,
    /// Or so long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blind_after: Option<Age>,
}

impl From<&Policy> for PolicyTable {
    fn from(policy: &Policy) -> Self {
        let age = |time: Duration| Some(Age(time));
        Self {
            timezone: Some(policy.timezone.clone()),
            confirmations: Some(policy.confirmations),
            recoveries: Some(policy.recoveries),
            look_again: age(policy.look_again),
            reminder: age(policy.reminder),
            group_wait: age(policy.group_wait),
            first_look_wait: age(policy.first_look_wait),
            escalate_after: Some(AgeOrNever(policy.escalate_after)),
            flap_turns: Some(u32::try_from(policy.flap_turns).unwrap_or(u32::MAX)),
            flap_window: age(policy.flap_window),
            flap_calm: age(policy.flap_calm),
            blind_runs: Some(policy.blind_runs),
            blind_after: age(policy.blind_after),
        }
    }
}

/// A length of time, or `never`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgeOrNever(pub Option<Duration>);

impl fmt::Display for AgeOrNever {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(time) => Age(time).fmt(f),
            None => f.write_str("never"),
        }
    }
}

impl FromStr for AgeOrNever {
    type Err = QuantityError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "never" { Ok(Self(None)) } else { Ok(Self(Some(text.parse::<Age>()?.0))) }
    }
}

impl Serialize for AgeOrNever {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AgeOrNever {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'_, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for AgeOrNever {
    fn schema_name() -> Cow<'static, str> {
        "AgeOrNever".into()
    }
    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^(never|[0-9]{1,9} *(ms|s|m|h|d))$",
            "description": "a duration such as \"30m\", or \"never\"",
        })
    }
}
