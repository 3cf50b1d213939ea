//! Holds a TOML document against the JSON schema: every error at once, each with its line, and what is
//! left of the document without them.

use std::ops::Range;

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::document::{ConfigError, line_of, to_json};
use super::mend::{Shape, of_no_kind, stand_in};
use super::say::{kind_of, meant, unknown, wanted_words};

/// The deepest nesting of a config that is read.
const DEPTH: usize = 32;

/// How a secret is written.
const SECRET: &str = "{ env = \"NAME\" } or { file = \"path\" }";

/// Everything that `schema` does not allow, and the rest.
pub(super) fn shape(text: &str, table: &Spanned<DeTable<'_>>, schema: &Value) -> Shape {
    let mut walk = Walk { text, root: schema, errors: Vec::new(), mended: Vec::new() };
    let value = walk.table(schema, table.get_ref(), "", 0, &table.span());
    Shape { errors: walk.errors, mended: walk.mended, value: Value::Object(value) }
}

struct Walk<'a> {
    text: &'a str,
    root: &'a Value,
    errors: Vec<ConfigError>,
    /// See [`Shape::mended`].
    mended: Vec<String>,
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

    /// The schema of a value. Where a text or a secret may stand, a table is a secret.
    fn branch<'s>(&'s self, schema: &'s Value, value: &DeValue<'_>) -> &'s Value {
        let named =
            schema.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix('#'));
        let schema = named.and_then(|name| self.root.pointer(name)).unwrap_or(schema);
        let branches = schema.get("anyOf").and_then(Value::as_array);
        let is_table = matches!(value, DeValue::Table(_));
        let secret = branches.into_iter().flatten().map(|branch| self.resolve(branch));
        let secret = secret.filter(|_| is_table).find(|branch| is_secret(branch));
        secret.unwrap_or_else(|| self.resolve(schema))
    }

    /// What goes into the place of a value that cannot be used, if anything can.
    fn mend(&mut self, schema: &Value, key: String) -> Option<Value> {
        self.mended.push(key);
        stand_in(self.resolve(schema))
    }

    fn table(
        &mut self,
        schema: &Value,
        table: &DeTable<'_>,
        key: &str,
        depth: usize,
        at: &Range<usize>,
    ) -> Map<String, Value> {
        let whole = self.resolve(schema).clone();
        let mut usable = Map::new();
        let Some((schema, kind)) = self.by_kind(&whole, table, key, at) else {
            self.mended.push(key.to_owned());
            return of_no_kind(&whole, table);
        };
        let empty = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
        for (name, value) in table {
            let path = if key.is_empty() {
                name.get_ref().to_string()
            } else {
                format!("{key}.{}", name.get_ref())
            };
            match properties.get(name.get_ref().as_ref()) {
                Some(inner) => {
                    let value = self.value(inner, value, &path, depth + 1);
                    if let Some(value) = value.or_else(|| self.mend(inner, path)) {
                        usable.insert(name.get_ref().to_string(), value);
                    }
                }
                None if closed => {
                    let known: Vec<&str> = properties.keys().map(String::as_str).collect();
                    let message = if takes_elsewhere(&whole, name.get_ref()) {
                        let kind = schema.get("title").and_then(Value::as_str).unwrap_or_default();
                        format!("{kind} takes no such key; it takes {}", known.join(", "))
                    } else {
                        unknown(name.get_ref(), &known, key)
                    };
                    self.error(&name.span(), &path, message);
                }
                None => {
                    usable.insert(name.get_ref().to_string(), to_json(value.get_ref()));
                }
            }
        }
        let required = schema.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            if !table.iter().any(|(present, _)| present.get_ref() == name) {
                self.error(at, key, format!("the key {name:?} is missing; add it"));
                let value = properties
                    .get(name)
                    .and_then(|inner| self.mend(inner, format!("{key}.{name}")));
                usable.extend(value.map(|value| (name.to_owned(), value)));
            }
        }
        usable.extend(kind.map(|kind| ("kind".to_owned(), Value::String(kind))));
        usable
    }

    /// The branch of a schema that the key `kind` of a table chooses, or was probably meant to, with that
    /// kind; the schema itself where it has no branches, and nothing where no branch is meant.
    fn by_kind<'s>(
        &mut self,
        schema: &'s Value,
        table: &DeTable<'_>,
        key: &str,
        at: &Range<usize>,
    ) -> Option<(&'s Value, Option<String>)> {
        let branches = schema.get("oneOf").and_then(Value::as_array);
        let Some(branches) = branches.filter(|all| all.iter().any(|b| kind_const(b).is_some()))
        else {
            return Some((schema, None));
        };
        let given = table.iter().find(|(name, _)| name.get_ref() == "kind");
        let Some((_, given)) = given else {
            let kinds: Vec<_> = branches.iter().filter_map(kind_const).collect();
            let message = format!("the key \"kind\" is missing; add it: {}", kinds.join(", "));
            self.error(at, key, message);
            return None;
        };
        let path = format!("{key}.kind");
        let DeValue::String(text) = given.get_ref() else {
            let message = format!("this is {}; write text in quotes", kind_of(given.get_ref()));
            self.error(&given.span(), &path, message);
            return None;
        };
        let kinds: Vec<_> = branches.iter().filter_map(kind_const).collect();
        self.word(&kinds, text, &path, &given.span());
        let kind = kinds.iter().find(|kind| *kind == text).copied();
        let kind = kind.or_else(|| meant(text, kinds.iter().copied()))?;
        let branch = branches.iter().find(|branch| kind_const(branch) == Some(kind))?;
        Some((branch, Some(kind.to_owned())))
    }

    /// A reference to a secret. Nothing of what stands here is ever quoted: it may be the secret.
    fn secret(&mut self, value: &Spanned<DeValue<'_>>, key: &str) -> Option<Value> {
        let span = value.span();
        let DeValue::Table(table) = value.get_ref() else {
            let message = format!("a secret never stands in this file; write {SECRET}");
            self.error(&span, key, message);
            return None;
        };
        let mut entries = table.iter();
        let message = match (entries.next(), entries.next()) {
            (Some((name, value)), None) => match (name.get_ref().as_ref(), value.get_ref()) {
                ("env", DeValue::String(text)) if is_variable(text) => {
                    return Some(to_json(&DeValue::Table(table.clone())));
                }
                ("file", DeValue::String(text)) if !text.trim().is_empty() => {
                    return Some(to_json(&DeValue::Table(table.clone())));
                }
                ("env", _) => {
                    "this is no name of a variable; write letters, digits and underscores, \
                               such as { env = \"SMTP_PASSWORD\" }, and never the secret itself"
                        .to_owned()
                }
                ("file", _) => "write the path of the file that holds the secret".to_owned(),
                _ => format!("this says not where the secret is; write {SECRET}"),
            },
            _ => format!("write one of {SECRET}"),
        };
        self.error(&span, key, message);
        None
    }

    /// The value where it can be used.
    fn value(
        &mut self,
        schema: &Value,
        value: &Spanned<DeValue<'_>>,
        key: &str,
        depth: usize,
    ) -> Option<Value> {
        if depth > DEPTH {
            self.error(&value.span(), key, "the nesting is too deep".to_owned());
            return None;
        }
        let schema = self.branch(schema, value.get_ref()).clone();
        let span = value.span();
        if is_secret(&schema) {
            return self.secret(value, key);
        }
        let kinds: Vec<&str> = match schema.get("type") {
            Some(Value::String(kind)) => vec![kind],
            Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let wanted = |kind: &str| kinds.is_empty() || kinds.contains(&kind);
        let before = self.errors.len();
        match value.get_ref() {
            DeValue::Table(table) if wanted("object") => {
                return Some(Value::Object(self.table(&schema, table, key, depth, &span)));
            }
            DeValue::Array(items) if wanted("array") => {
                let most = schema.get("maxItems").and_then(Value::as_u64);
                if let Some(most) = most.filter(|most| items.len() as u64 > *most) {
                    self.error(&span, key, format!("write at most {most}, not {}", items.len()));
                    return None;
                }
                if let Some(inner) = schema.get("items") {
                    let mut usable = Some(Vec::new());
                    for (index, item) in items.iter().enumerate() {
                        let key = format!("{key}[{index}]");
                        let item = self.value(inner, item, &key, depth + 1);
                        // Without a stand-in the items after it would have another place.
                        match (item.or_else(|| self.mend(inner, key)), &mut usable) {
                            (Some(item), Some(usable)) => usable.push(item),
                            _ => usable = None,
                        }
                    }
                    return usable.map(Value::Array);
                }
            }
            DeValue::String(text) if wanted("string") => self.string(&schema, text, key, &span),
            DeValue::Integer(number) if wanted("integer") || wanted("number") => {
                match i64::from_str_radix(number.as_str(), number.radix()) {
                    Ok(number) => self.number(&schema, number as f64, key, &span),
                    Err(_) => self.error(&span, key, "the number is too large".to_owned()),
                }
            }
            DeValue::Float(number) if wanted("number") => {
                let number = number.as_str().parse().unwrap_or(f64::NAN);
                self.number(&schema, number, key, &span);
            }
            DeValue::Boolean(_) if wanted("boolean") => {}
            // A TOML date is read as its text.
            DeValue::Datetime(date) if wanted("string") => {
                self.string(&schema, &date.to_string(), key, &span);
            }
            other => {
                let items = schema.get("items").map(|items| self.resolve(items));
                let wanted = wanted_words(&schema, items, &kinds, key, other);
                self.error(&span, key, format!("this is {}; write {wanted}", kind_of(other)));
            }
        }
        (self.errors.len() == before).then(|| to_json(value.get_ref()))
    }

    fn number(&mut self, schema: &Value, number: f64, key: &str, span: &Range<usize>) {
        let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
        let (least, most) = (bound("minimum"), bound("maximum"));
        if number.is_finite()
            && least.is_none_or(|least| number >= least)
            && most.is_none_or(|most| number <= most)
        {
            return;
        }
        let message = match (least, most) {
            (Some(least), Some(most)) => format!("write a number from {least} to {most}"),
            (Some(least), None) => format!("write a number of at least {least}"),
            (None, Some(most)) => format!("write a number of at most {most}"),
            (None, None) => "write a finite number".to_owned(),
        };
        self.error(span, key, message);
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

/// Whether a secret stands at such a place.
fn is_secret(schema: &Value) -> bool {
    schema.get("writeOnly") == Some(&Value::Bool(true))
}

/// The word that chooses a branch.
fn kind_const(branch: &Value) -> Option<&str> {
    branch.pointer("/properties/kind/const").and_then(Value::as_str)
}

/// Whether a table of another kind takes a key.
fn takes_elsewhere(schema: &Value, name: &str) -> bool {
    let branches = schema.get("oneOf").and_then(Value::as_array);
    branches.into_iter().flatten().any(|branch| {
        branch.get("properties").is_some_and(|properties| properties.get(name).is_some())
    })
}

/// Whether a text can be the name of a variable.
fn is_variable(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (1..=128).contains(&text.len())
        && text.chars().all(allowed)
        && !text.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use crate::config::parse;
    use std::path::Path;

    #[test]
    fn a_secret_in_the_file_is_refused_and_never_quoted() {
        let slack = "[[channel]]\nname = \"a\"\nkind = \"slack\"\nurl =";
        for place in [
            "[agent]\nheartbeat_url =",
            "[agent.auth]\npassword =",
            "[agent.auth]\nmetrics_token =",
            slack,
        ] {
            for value in [
                "\"hunter2/hunter2\"",
                "[\"hunter2/hunter2\"]",
                "{ env = \"hunter2/hunter2\" }",
                "{ env = [\"hunter2/hunter2\"] }",
                "{ value = \"hunter2/hunter2\" }",
                "{ env = \"A\", file = \"hunter2/hunter2\" }",
                "{ file = \"\" }",
                "{}",
                "7",
                "2026-12-01",
                "hunter2/hunter2",
                "\"hunter2/hunter2",
            ] {
                let text = format!("{place} {value}\n");
                let errors = parse(&text, Path::new(".")).unwrap_err().to_string();
                assert_eq!(errors.lines().count(), 1, "{text}: {errors}");
                assert!(!errors.contains("hunter2"), "{errors}");
                let line = format!("line {}", place.lines().count());
                assert!(errors.contains(&line), "{text}: {errors}");
            }
            let errors =
                parse(&format!("{place} \"x\"\n"), Path::new(".")).unwrap_err().to_string();
            assert!(errors.contains("write { env = \"NAME\" } or { file = \"path\" }"), "{errors}");
        }
    }
}
