//! Typed values out of JSON: the one way in which a type of ours is read.
//!
//! `serde_json` reads a type from a text, from bytes and from a value, and a struct also from an array of its
//! fields. The program would carry each of these for each of several hundred types, a megabyte of code that
//! nothing calls. Here JSON is always parsed to a [`Value`] first, and a struct is an object.
//!
//! Who reads a million lines of one small shape is quicker with `serde_json` itself.

mod key;
mod read;
#[cfg(test)]
mod tests;

use serde::de::DeserializeOwned;
use serde_json::{Error, Value};

use read::Read;

/// The value as a `T`.
///
/// # Errors
/// It has another shape; the text names keys and types, and may quote the value.
pub fn from_value<T: DeserializeOwned>(value: &Value) -> Result<T, Error> {
    T::deserialize(Read(value))
}

/// The text as a `T`.
///
/// # Errors
/// It is no JSON, is nested deeper than 128 levels, or has another shape.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    from_value(&serde_json::from_str(text)?)
}

/// The bytes as a `T`.
///
/// # Errors
/// Those of [`from_str`]; bytes that are not UTF-8 are no JSON.
pub fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    from_value(&serde_json::from_slice(bytes)?)
}
