//! Holds a TOML document against the JSON schema: every error at once, each with its line.

use std::fmt;
use std::ops::Range;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

/// The deepest nesting of a config that is read.
const DEPTH: usize = 32;

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

    /// Everything that the schema does not allow.
    pub(super) fn errors(&self, schema: &Value) -> Vec<ConfigError> {
        let mut walk = Walk { text: self.text, root: schema, errors: Vec::new() };
        walk.table(schema, self.table.get_ref(), "", 0, &self.table.span());
        walk.errors.sort_by_key(|error| error.line);
        walk.errors
    }

    /// The document as JSON.
    pub(super) fn to_json(&self) -> Value {
        table_to_json(self.table.get_ref())
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

struct Walk<'a> {
    text: &'a str,
    root: &'a Value,
    errors: Vec<ConfigError>,
}

impl Walk<'_> {
    fn error(&mut self, span: &Range<usize>, key: &str, message: String) {
        let line = line_of(self.text, span.start);
        self.errors.push(ConfigError { line, key: key.to_owned(), message });
    }

    /// Follows `$ref`s and the first branch of `anyOf` that is not null.
    fn resolve<'s>(&'s self, schema: &'s Value) -> &'s Value {
        let mut schema = schema;
        for _ in 0..DEPTH {
            let next = if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
                reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer))
            } else if let Some(Value::Array(branches)) = schema.get("anyOf") {
                branches.iter().find(|b| b.get("type").is_none_or(|kind| kind != "null"))
            } else {
                None
            };
            match next {
                Some(next) => schema = next,
                None => break,
            }
        }
        schema
    }

    fn table(
        &mut self,
        schema: &Value,
        table: &DeTable<'_>,
        key: &str,
        depth: usize,
        at: &Range<usize>,
    ) {
        let schema = self.resolve(schema).clone();
        let empty = serde_json::Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
        for (name, value) in table {
            let path = if key.is_empty() {
                name.get_ref().to_string()
            } else {
                format!("{key}.{}", name.get_ref())
            };
            match properties.get(name.get_ref().as_ref()) {
                Some(inner) => self.value(inner, value, &path, depth + 1),
                None if closed => {
                    let known: Vec<&str> = properties.keys().map(String::as_str).collect();
                    let message = unknown(name.get_ref(), &known, key);
                    self.error(&name.span(), &path, message);
                }
                None => {}
            }
        }
        let required = schema.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            if !table.iter().any(|(present, _)| present.get_ref() == name) {
                self.error(at, key, format!("the key {name:?} is missing; add it"));
            }
        }
    }

    fn value(&mut self, schema: &Value, value: &Spanned<DeValue<'_>>, key: &str, depth: usize) {
        if depth > DEPTH {
            self.error(&value.span(), key, "the nesting is too deep".to_owned());
            return;
        }
        let schema = self.resolve(schema).clone();
        let span = value.span();
        let kinds: Vec<&str> = match schema.get("type") {
            Some(Value::String(kind)) => vec![kind],
            Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let wanted = |kind: &str| kinds.is_empty() || kinds.contains(&kind);
        match value.get_ref() {
            DeValue::Table(table) if wanted("object") => {
                self.table(&schema, table, key, depth, &span);
            }
            DeValue::Array(items) if wanted("array") => {
                if let Some(inner) = schema.get("items") {
                    for (index, item) in items.iter().enumerate() {
                        self.value(inner, item, &format!("{key}[{index}]"), depth + 1);
                    }
                }
            }
            DeValue::String(text) if wanted("string") => self.string(&schema, text, key, &span),
            DeValue::Integer(_) if wanted("integer") || wanted("number") => {}
            DeValue::Float(_) if wanted("number") => {}
            DeValue::Boolean(_) if wanted("boolean") => {}
            // A TOML date is read as its text.
            DeValue::Datetime(_) if wanted("string") => {}
            other => {
                let kinds: Vec<_> =
                    kinds.iter().filter(|k| **k != "null").map(|k| a_kind(k)).collect();
                let message = format!("this is {}; write {}", kind_of(other), kinds.join(" or "));
                self.error(&span, key, message);
            }
        }
    }

    fn string(&mut self, schema: &Value, text: &str, key: &str, span: &Range<usize>) {
        if let Some(Value::Array(words)) = schema.get("enum") {
            let words: Vec<_> = words.iter().filter_map(Value::as_str).collect();
            self.word(&words, text, key, span);
        } else if let Some(Value::Array(branches)) = schema.get("oneOf") {
            let words = branches.iter().filter_map(|b| b.get("const")).filter_map(Value::as_str);
            self.word(&words.collect::<Vec<_>>(), text, key, span);
        } else if let Some(pattern) = schema.get("pattern").and_then(Value::as_str)
            && !regex::Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(text))
        {
            let description = schema.get("description").and_then(Value::as_str).unwrap_or(pattern);
            self.error(span, key, format!("{text:?} cannot be read; write {description}"));
        }
    }

    fn word(&mut self, words: &[&str], text: &str, key: &str, span: &Range<usize>) {
        if !words.contains(&text) {
            let message = format!("{text:?} is none of {}", words.join(", "));
            self.error(span, key, message);
        }
    }
}

/// The message for an unknown key, with the closest known one.
fn unknown(name: &str, known: &[&str], table: &str) -> String {
    let closest = known.iter().max_by(|a, b| {
        let score = |known: &str| strsim::jaro_winkler(known, name);
        score(a).total_cmp(&score(b))
    });
    match closest {
        Some(closest) if strsim::jaro_winkler(closest, name) > 0.8 => {
            format!("unknown key; did you mean {closest:?}?")
        }
        _ if table == "checks" || table.ends_with(".checks") => {
            "there is no such check; `launchready explain` lists them".to_owned()
        }
        _ => format!("unknown key; known here: {}", known.join(", ")),
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn a_kind(kind: &str) -> &'static str {
    match kind {
        "string" => "text in quotes",
        "integer" | "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list in [ ]",
        _ => "a table",
    }
}

fn table_to_json(table: &DeTable<'_>) -> Value {
    table
        .iter()
        .map(|(name, value)| (name.get_ref().to_string(), to_json(value.get_ref())))
        .collect()
}

fn to_json(value: &DeValue<'_>) -> Value {
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
