//! How single words and times are written into columns.

use std::borrow::Cow;

use jiff::Timestamp;
use launchready_checks::contract::json;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::DeliveryState;
use crate::incident::{Tell, Unheard};

/// A time as milliseconds since 1970.
pub(super) fn ms(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// The time of milliseconds since 1970.
pub(super) fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// A text as PostgreSQL takes it, which refuses the one sign that ends texts in C. What people and other
/// machines say may hold any.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// A word of a closed list that a column holds.
///
/// # Errors
/// The list has no such word.
pub(super) fn word<T: DeserializeOwned>(text: String) -> Result<T, json::Error> {
    json::from_value(&Value::String(text))
}

/// A value as the text of a JSON column.
///
/// # Errors
/// It cannot be written as JSON.
pub(super) fn json<T: Serialize>(value: &T) -> Result<String, serde_json::Error> {
    serde_json::to_string(value)
}

impl DeliveryState {
    /// The lower-case word used in the store, JSON and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }
}

/// Why a change is not told, as a sentence without a full stop; none where it is.
pub(super) fn unheard(tell: &Tell) -> Option<String> {
    let Tell::No(reason) = tell else { return None };
    Some(match reason {
        None => "It is recorded only".to_owned(),
        Some(Unheard::Silenced { silence }) => format!("The silence {silence} mutes it"),
        Some(Unheard::Maintenance { window }) => format!("The window {window:?} announces work"),
        Some(Unheard::DependsOn { incident }) => {
            format!("It hangs on what the incident {incident} says is down")
        }
        Some(Unheard::Flapping) => "It opens and closes too often".to_owned(),
        Some(Unheard::Digest) => "It is for the weekly summary alone".to_owned(),
    })
}

/// Why a change that is to be told is not: nobody wants it.
pub(super) const NO_CHANNEL: &str = "No channel takes it";
/// Why the end of an incident is not told when its check is taken out of the config.
pub(super) const NOT_CONFIGURED: &str = "The config no longer has what it is about";
