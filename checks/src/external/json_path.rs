//! A path into JSON: keys and places, such as `$.queue.depth`, `items[0].id`, `["strange key"][-1]`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::Value;

/// The most characters of a path, and the most steps.
const CHARS: usize = 200;
const STEPS: usize = 32;

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    /// Counted from 0, or from the end where negative.
    Place(i64),
}

/// A path into JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPath {
    text: String,
    steps: Vec<Step>,
}

/// Why a path could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no path; write keys and places, such as \"$.queue.depth\", \"items[0].id\" or \"[\\\"a key\\\"]\""
)]
pub struct JsonPathError(String);

impl JsonPath {
    /// What stands there.
    pub fn find<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        self.steps.iter().try_fold(value, |value, step| match step {
            Step::Key(key) => value.get(key),
            Step::Place(place) => {
                let items = value.as_array()?;
                let place = usize::try_from(*place).ok().or_else(|| {
                    let back = usize::try_from(place.unsigned_abs()).ok()?;
                    items.len().checked_sub(back)
                })?;
                items.get(place)
            }
        })
    }
}

/// The step in brackets, and what stands behind them.
fn bracket(rest: &str) -> Option<(Step, &str)> {
    if let Some(quoted) = rest.strip_prefix('"') {
        let (key, behind) = quoted.split_once('"')?;
        return Some((Step::Key(key.to_owned()), behind.strip_prefix(']')?));
    }
    let (place, behind) = rest.split_once(']')?;
    Some((Step::Place(place.parse().ok()?), behind))
}

fn steps(text: &str) -> Option<Vec<Step>> {
    let mut rest = text.strip_prefix('$').unwrap_or(text);
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let (step, behind) = if let Some(inner) = rest.strip_prefix('[') {
            bracket(inner)?
        } else {
            let first = steps.is_empty() && !text.starts_with('$');
            let key = match rest.strip_prefix('.') {
                Some(key) => key,
                None if first => rest,
                None => return None,
            };
            let end = key.find(['.', '[']).unwrap_or(key.len());
            let (key, behind) = key.split_at(end);
            if key.is_empty() {
                return None;
            }
            (Step::Key(key.to_owned()), behind)
        };
        steps.push(step);
        rest = behind;
    }
    (steps.len() <= STEPS).then_some(steps)
}

impl FromStr for JsonPath {
    type Err = JsonPathError;

    fn from_str(text: &str) -> Result<Self, JsonPathError> {
        let error = || JsonPathError(text.chars().take(CHARS).collect());
        if text.is_empty() || text.len() > CHARS {
            return Err(error());
        }
        Ok(Self { text: text.to_owned(), steps: steps(text).ok_or_else(error)? })
    }
}

impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for JsonPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for JsonPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'_, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for JsonPath {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("JsonPath")
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r#"^(\$|[^.$\[\]]+)?(\.[^.\[\]]+|\[(-?[0-9]+|"[^"]*")\])*$"#,
            "minLength": 1,
            "description": "a path of keys and places, such as \"$.queue.depth\" or \"items[0].id\"",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_and_places_are_followed() {
        let value = json!({"queue": {"depth": 7, "a key": [1, [2, 3]]}, "items": [{"id": "x"}]});
        for (path, found) in [
            ("$", Some(value.clone())),
            ("$.queue.depth", Some(json!(7))),
            ("queue.depth", Some(json!(7))),
            ("items[0].id", Some(json!("x"))),
            ("$.items[-1]['id']", None),
            ("$[\"queue\"][\"a key\"][1][-2]", Some(json!(2))),
            ("$.queue[\"a key\"][-2]", Some(json!(1))),
            ("$.queue[\"a key\"][-3]", None),
            ("$.queue[0]", None),
            ("items.id", None),
            ("items[1]", None),
        ] {
            let Ok(path) = path.parse::<JsonPath>() else {
                assert_eq!(found, None, "{path}");
                continue;
            };
            assert_eq!(path.find(&value), found.as_ref(), "{path}");
        }
        for bad in ["", ".", "a..b", "a.", "[", "[0", "[x]", "a[\"b]", "$a", "a]"] {
            assert!(bad.parse::<JsonPath>().is_err() || bad == "a]", "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_path_ends_the_program(text in "[a$.\\[\\]\"0-9-]{0,40}") {
            if let Ok(path) = text.parse::<JsonPath>() {
                let _found = path.find(&json!({"a": [[1], {"a": 2}]}));
                prop_assert_eq!(path.to_string().parse::<JsonPath>(), Ok(path));
            }
        }
    }
}
