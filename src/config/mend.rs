//! What stands in for the parts of a config that have the wrong shape, so that the values of the rest are
//! judged in the same go.

use serde_json::{Map, Value, json};
use toml::de::DeTable;

use super::document::ConfigError;

/// A document held against its schema.
#[derive(Debug)]
pub(super) struct Shape {
    /// Everything that the schema does not allow.
    pub(super) errors: Vec<ConfigError>,
    /// The keys whose value is not that of the document, such as `project[0].domain`.
    pub(super) mended: Vec<String>,
    /// The document, with stand-ins at those keys or without them.
    pub(super) value: Value,
}

impl Shape {
    /// The errors of the shape, and those of the values that do not merely follow from them.
    pub(super) fn with(self, values: Vec<ConfigError>) -> Vec<ConfigError> {
        let Self { mut errors, mended, .. } = self;
        let own = values.into_iter().filter(|error| !follows(&error.key, &mended));
        errors.extend(own.collect::<Vec<_>>());
        errors.sort_by_key(|error| error.line);
        errors
    }
}

/// Whether what is wrong at a key may be so only because other keys were mended: it is one of them, in one
/// of them, around one of them, or names one of them.
fn follows(key: &str, mended: &[String]) -> bool {
    let within = |inner: &str, outer: &str| {
        inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let renamed = |list: &str| {
        mended.iter().any(|mended| {
            let rest = mended.strip_prefix(list);
            rest.is_some_and(|rest| !rest.contains('.') || rest.ends_with("].name"))
        })
    };
    mended.iter().any(|mended| within(key, mended) || within(mended, key))
        || (key.contains(".projects[") && renamed("project"))
        || (key.ends_with(".fallback") && renamed("channel"))
}

/// A value of the shape that a schema asks for, where one can be made up.
pub(super) fn stand_in(schema: &Value) -> Option<Value> {
    if let Some(default) = schema.get("default") {
        return Some(default.clone());
    }
    if schema.get("writeOnly") == Some(&Value::Bool(true)) {
        // No secret is read while there are errors.
        return Some(json!({"env": "_"}));
    }
    let is = |kind: &str| match schema.get("type") {
        Some(Value::String(one)) => one == kind,
        Some(Value::Array(all)) => all.iter().any(|one| one == kind),
        _ => false,
    };
    let is_free = ["enum", "oneOf", "pattern"].iter().all(|limit| schema.get(limit).is_none());
    if is("string") && is_free {
        Some(json!(""))
    } else if is("array") {
        Some(json!([]))
    } else {
        None
    }
}

/// What is kept of a table whose kind is not known: others may name it.
pub(super) fn of_no_kind(schema: &Value, table: &DeTable<'_>) -> Map<String, Value> {
    let name = table.iter().find(|(name, _)| name.get_ref() == "name");
    let name = name.and_then(|(_, value)| value.get_ref().as_str()).unwrap_or_default();
    let kind = schema.pointer("/oneOf/0/properties/kind/const").cloned().unwrap_or_default();
    [("name".to_owned(), Value::String(name.to_owned())), ("kind".to_owned(), kind)]
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::config::parse;
    use std::path::Path;

    fn told(text: &str) -> Vec<(usize, String)> {
        let errors = parse(text, Path::new(".")).unwrap_err();
        errors.0.into_iter().map(|error| (error.line, error.key)).collect()
    }

    #[test]
    fn wrong_shapes_and_wrong_values_are_told_together_in_the_order_of_the_file() {
        let text = "[agent]\nlisten = 9797\nstore = \"file.db\"\nsumary = \"never\"\n\
                    [agent.auth]\npassword = \"hunter2-hunter2\"\n\
                    [network]\nresolvers = [\"1.1.1.1\", 53, \"dns\"]\n\
                    [checks.mail-spf]\nevery = \"1m\"\nvoid_lookups = \"two\"\n\
                    [checks.mail-dkim]\nevery = 5\n\
                    [[project]]\nname = \"a\"\ndomain = \"a b\"\ngoal = \"lunch\"\nnot_used = [\"cmr\"]\n\
                    [[channel]]\nname = \"m\"\nkind = \"emial\"\nsmtp = \"m.example\"\nfrom = 1\nto = [\"x\"]\n\
                    [[maintenance]]\nname = \"Move\"\nweekly = 7\nprojects = [\"b\"]\n";
        let wanted = [
            (2, "agent.listen"),
            (3, "agent.store"),
            (4, "agent.sumary"),
            (6, "agent.auth.password"),
            (8, "network.resolvers[1]"),
            (8, "network.resolvers[2]"),
            (10, "checks.mail-spf.every"),
            (11, "checks.mail-spf.void_lookups"),
            (13, "checks.mail-dkim.every"),
            (16, "project[0].domain"),
            (17, "project[0].goal"),
            (18, "project[0].not_used[0]"),
            (21, "channel[0].kind"),
            (22, "channel[0].smtp"),
            (23, "channel[0].from"),
            (24, "channel[0].to[0]"),
            (27, "maintenance[0].weekly"),
            (28, "maintenance[0].projects[0]"),
        ];
        let wanted: Vec<_> = wanted.into_iter().map(|(line, key)| (line, key.to_owned())).collect();
        assert_eq!(told(text), wanted);
    }

    #[test]
    fn what_only_follows_from_another_error_is_not_told() {
        for (text, key) in [
            // Without its password the page would be open to the world.
            (
                "[agent]\nlisten = \"0.0.0.0:1\"\n[agent.auth]\npassword = 7\n",
                "agent.auth.password",
            ),
            (
                "[[project]]\ndomain = \"a.example\"\n[[maintenance]]\nname = \"Move\"\nweekly = \"Sun 1:00-2:00\"\nprojects = [\"a\"]\n",
                "project[0]",
            ),
            (
                "[[channel]]\nname = \"a\"\nkind = \"carrier\"\nsmtp = 1\n[[channel]]\nname = \"b\"\nkind = \"alertmanager\"\nurl = \"http://b.example\"\nfallback = \"a\"\n",
                "channel[0].kind",
            ),
            (
                "[[channel]]\nname = \"a\"\nkind = \"email\"\nsmtp = \"smtps://m.example\"\nfrom = \"a@b.example\"\nto = [\"a@b.example\"]\nuser = 7\npassword = { env = \"A\" }\n",
                "channel[0].user",
            ),
            (
                "[[maintenance]]\nname = \"Move\"\ncron = \"0 1 * * *\"\nlength = \"long\"\n",
                "maintenance[0].length",
            ),
            ("project = [\"shop.example\"]\n", "project[0]"),
        ] {
            let told: Vec<_> = told(text).into_iter().map(|(_, key)| key).collect();
            assert_eq!(told, [key], "{text}");
        }
    }
}
