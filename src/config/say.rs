//! Words for what has the wrong shape in a config: what it is, and what to write.

use serde_json::Value;
use toml::de::DeValue;

/// The known word that `given` was probably meant to be.
pub(super) fn meant<'k>(given: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let known: Vec<_> = known.into_iter().collect();
    // A part of a name, such as `spf`, means more than letters that are alike.
    let ends = |word: &&&str| word.strip_suffix(given).is_some_and(|rest| rest.ends_with('-'));
    if let Some(word) = known.iter().find(ends).filter(|_| given.len() > 2) {
        return Some(word);
    }
    let scored = known.into_iter().map(|word| (strsim::jaro_winkler(word, given), word));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(score, _)| *score > 0.8).map(|(_, word)| word)
}

/// The message for an unknown key, with the closest known one.
pub(super) fn unknown(name: &str, known: &[&str], table: &str) -> String {
    match meant(name, known.iter().copied()) {
        Some(closest) => format!("unknown key; did you mean {closest:?}?"),
        None if table == "checks" || table.ends_with(".checks") => {
            "there is no such check; `launchready explain` lists them".to_owned()
        }
        None => format!("unknown key; known here: {}", known.join(", ")),
    }
}

/// What a value is.
pub(super) fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// What has to be written in its place: the schema's own words where it has them.
pub(super) fn wanted_words(
    schema: &Value,
    items: Option<&Value>,
    kinds: &[&str],
    key: &str,
    given: &DeValue<'_>,
) -> String {
    let is_table = items.and_then(|items| items.get("type")).is_some_and(|kind| kind == "object");
    if is_table && matches!(given, DeValue::Table(_)) {
        // `[project]` where there may be several.
        let name = key.rsplit('.').next().unwrap_or(key);
        return format!("[[{name}]] in double brackets, because there may be several");
    }
    if let (true, DeValue::String(name)) = (is_mapping(key, kinds), given) {
        return mapping(name, key);
    }
    let described = schema.get("description").and_then(Value::as_str);
    if let (Some(description), Some(_)) = (described, schema.get("pattern")) {
        return description.to_owned();
    }
    let kinds: Vec<_> =
        kinds.iter().filter(|kind| **kind != "null").map(|kind| a_kind(kind)).collect();
    kinds.join(" or ")
}

/// Whether a key names a table of the product's database and its columns.
fn is_mapping(key: &str, kinds: &[&str]) -> bool {
    key.contains(".database.") && kinds.contains(&"object")
}

/// How the name of a table is written that stands there alone.
fn mapping(name: &str, key: &str) -> String {
    let is_name = |name: &str| {
        let plain = |c: char| c.is_alphanumeric() || "_.".contains(c);
        !name.is_empty() && name.len() <= 63 && name.chars().all(plain)
    };
    let usual = key.rsplit('.').next().unwrap_or(key);
    format!("{{ table = {:?} }}", if is_name(name) { name } else { usual })
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

#[cfg(test)]
mod tests {
    use crate::config::parse;
    use std::path::Path;

    #[test]
    fn what_to_write_is_said_as_it_is_written() {
        for (text, part) in [
            ("[project]\nname = \"a\"\n", "line 1: project: this is a table; write [[project]] in"),
            ("[channel]\nname = \"a\"\n", "write [[channel]] in double brackets"),
            ("[defaults]\nreminder = 4\n", "this is a number; write a duration such as"),
            ("[checks.spf]\n", "did you mean \"mail-spf\"?"),
            ("[network]\nresolvers = \"1.1.1.1\"\n", "this is text; write a list in [ ]"),
            (
                "[[project]]\nname = \"a\"\ndomain = \"a.example\"\n[project.database]\n\
                 url = { env = \"DB\" }\norders = \"shop.orders\"\n",
                "database.orders: this is text; write { table = \"shop.orders\" }",
            ),
        ] {
            let errors = parse(text, Path::new(".")).unwrap_err().to_string();
            assert!(errors.contains(part), "{text}: {errors}");
            assert_eq!(errors.lines().count(), 1, "{errors}");
        }
    }
}
