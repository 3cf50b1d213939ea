//! The typed data of the lab, out of TOML.

use launchready_checks::contract::json;
use serde::Serialize;
use serde::de::{DeserializeOwned, Error as _};
use toml::Table;

use crate::LabError;

/// A table, or another value of TOML, as a `T`.
///
/// # Errors
/// It has another shape.
pub(crate) fn typed<T: DeserializeOwned>(data: &impl Serialize) -> Result<T, serde_json::Error> {
    let value = serde_json::to_value(data)?;
    json::from_value(&value).map_err(|error| serde_json::Error::custom(error.quoting()))
}

/// The text of `part` as a `T`.
///
/// # Errors
/// It is no TOML, or has another shape.
pub(crate) fn read<T: DeserializeOwned>(part: &str, text: &str) -> Result<T, LabError> {
    of(part, &table(part, text)?)
}

/// The table or value of `part` as a `T`.
///
/// # Errors
/// It has another shape.
pub(crate) fn of<T: DeserializeOwned>(part: &str, data: &impl Serialize) -> Result<T, LabError> {
    typed(data).map_err(|source| LabError::Data { part: part.to_owned(), source: source.into() })
}

/// The text of `part` as it is.
///
/// # Errors
/// It is no TOML.
pub(crate) fn table(part: &str, text: &str) -> Result<Table, LabError> {
    toml::from_str(text)
        .map_err(|source| LabError::Data { part: part.to_owned(), source: Box::new(source) })
}
