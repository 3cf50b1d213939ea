//! Typed values out of JSON: the one way in which a type of ours is read.
//!
//! `serde_json` reads a type from a text, from bytes and from a value, and a struct also from an array of its
//! fields. The program would carry each of these for each of several hundred types, a megabyte of code that
//! nothing calls. Here JSON is always parsed to a [`Value`] first, and a struct is an object.
//!
//! Who reads a million lines of one small shape is quicker with `serde_json` itself.

mod error;
mod key;
mod read;
#[cfg(test)]
mod tests;

use serde::de::DeserializeOwned;
use serde_json::Value;

pub use error::Error;
use read::Read;

/// The most values that one text may have. A value takes some 100 bytes of memory and as few as two of text, so
/// that an answer of 8 MB could take 400. A page of an API has 30,000 of them: a hundred things of 300 values.
pub const MOST_VALUES: usize = 200_000;

/// The value as a `T`.
///
/// # Errors
/// It has another shape.
pub fn from_value<T: DeserializeOwned>(value: &Value) -> Result<T, Error> {
    T::deserialize(Read(value))
}

/// The text as a `T`.
///
/// # Errors
/// It is no JSON, is nested deeper than 128 levels, has more than [`MOST_VALUES`], or has another shape.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    from_slice(text.as_bytes())
}

/// The bytes as a `T`.
///
/// # Errors
/// Those of [`from_str`]; bytes that are not UTF-8 are no JSON.
pub fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    from_value(&value(bytes)?)
}

/// The bytes as a value of any shape.
///
/// # Errors
/// They are no JSON, are nested deeper than 128 levels, or have more than [`MOST_VALUES`].
pub fn value(bytes: &[u8]) -> Result<Value, Error> {
    if has_more_values(bytes, MOST_VALUES) {
        return Err(Error::large(MOST_VALUES));
    }
    Ok(serde_json::from_slice(bytes)?)
}

/// Whether JSON has more values than `most`: each but the outermost comes after a comma or an opening bracket.
fn has_more_values(bytes: &[u8], most: usize) -> bool {
    // What is shorter cannot hold as many.
    if bytes.len() < most {
        return false;
    }
    let (mut count, mut is_text, mut is_escaped) = (1, false, false);
    for byte in bytes {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            b',' | b'[' | b'{' if !is_text => count += 1,
            _ => {}
        }
    }
    count > most
}
