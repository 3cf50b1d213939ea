//! A TOML document whose keys are found by line, and what is wrong with one.

use std::fmt;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::mend::Shape;
use super::walk;

/// One thing that is wrong with a config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The line, counting from 1; 0 where the error belongs to no line.
    pub line: usize,
    /// The key, such as `project[0].domain`; empty for the whole file.
    pub key: String,
    /// What is wrong, and the remedy.
    pub message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// Everything that is wrong with a config, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "  {error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// A document whose keys can be found by line.
pub(super) struct Document<'a> {
    text: &'a str,
    table: Spanned<DeTable<'a>>,
}

impl<'a> Document<'a> {
    /// Reads TOML.
    pub(super) fn parse(text: &'a str) -> Result<Self, ConfigError> {
        let table = DeTable::parse(text).map_err(|error| ConfigError {
            line: error.span().map_or(0, |span| line_of(text, span.start)),
            key: String::new(),
            message: format!("this is no TOML: {}", error.message()),
        })?;
        Ok(Self { text, table })
    }

    /// What the schema does not allow, and the rest as JSON.
    pub(super) fn shape(&self, schema: &Value) -> Shape {
        walk::shape(self.text, &self.table, schema)
    }

    /// The line of a key such as `project[0].domain`, or of the closest table above it.
    pub(super) fn line(&self, key: &str) -> usize {
        let mut span = self.table.span();
        let mut table = Some(self.table.get_ref());
        let mut array: Option<&DeArray<'_>> = None;
        for part in key.split(['.', '[']) {
            let value = match part.strip_suffix(']') {
                Some(index) => index.parse().ok().and_then(|i: usize| array?.get(i)),
                None => table.and_then(|table| {
                    table.iter().find(|(name, _)| name.get_ref() == part).map(|(name, value)| {
                        span = name.span();
                        value
                    })
                }),
            };
            let Some(value) = value else { break };
            if part.ends_with(']') {
                span = value.span();
            }
            (table, array) = match value.get_ref() {
                DeValue::Table(inner) => (Some(inner), None),
                DeValue::Array(inner) => (None, Some(inner)),
                _ => (None, None),
            };
        }
        line_of(self.text, span.start)
    }
}

pub(super) fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

fn table_to_json(table: &DeTable<'_>) -> Value {
    table
        .iter()
        .map(|(name, value)| (name.get_ref().to_string(), to_json(value.get_ref())))
        .collect()
}

/// A value as JSON; a date is its text.
pub(super) fn to_json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or(Value::Null, Value::from)
        }
        DeValue::Float(number) => number.as_str().parse::<f64>().map_or(Value::Null, Value::from),
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Datetime(date) => Value::String(date.to_string()),
        DeValue::Array(items) => items.iter().map(|item| to_json(item.get_ref())).collect(),
        DeValue::Table(table) => table_to_json(table),
    }
}
