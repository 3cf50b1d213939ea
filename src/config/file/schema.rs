//! The JSON schema of config.toml, with the options of every check.

use launchready_checks::registry;
use serde_json::{Map, Value, json};

use super::{File, PolicyTable, channel};
use crate::incident::Policy;

/// JSON schema of the whole file, with the options of every check.
pub fn schema() -> Value {
    let mut schema = schemars::SchemaGenerator::default().into_root_schema_for::<File>().to_value();
    let (checks, definitions) = checks();
    if let Some(Value::Object(defs)) = schema.get_mut("$defs") {
        defs.extend(definitions);
        defs.insert("Checks".to_owned(), checks);
        if let Some(table) = defs.get("ChannelTable") {
            let by_kind = channel::by_kind(table);
            defs.insert("ChannelTable".to_owned(), by_kind);
        }
        if let Some(Value::Object(project)) = defs.get_mut("ProjectTable") {
            project.remove("unevaluatedProperties");
            project.insert("additionalProperties".to_owned(), json!(false));
        }
        if let Some(defaults) = defs.get_mut("PolicyTable") {
            with_defaults(defaults);
        }
    }
    let reference = json!({"$ref": "#/$defs/Checks"});
    for pointer in ["/properties/checks", "/$defs/ProjectTable/properties/checks"] {
        if let Some(place) = schema.pointer_mut(pointer) {
            *place = reference.clone();
        }
    }
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".to_owned(), json!("launchready config.toml"));
    }
    schema
}

/// The keys of a check's table that are the agent's and not the check's.
pub(in crate::config) const WHEN: [&str; 3] = ["schedule", "every", "enabled"];

/// The table `[checks]`, and the definitions that it needs.
fn checks() -> (Value, Map<String, Value>) {
    let mut properties = Map::new();
    let mut definitions = Map::new();
    for plugin in registry::ALL {
        let mut options = (plugin.schema)().to_value();
        if let Some(object) = options.as_object_mut() {
            object.remove("$schema");
            if let Some(Value::Object(own)) = object.remove("$defs") {
                definitions.extend(own);
            }
            object.insert("title".to_owned(), json!(plugin.meta.title));
            let own = object.entry("properties").or_insert_with(|| json!({}));
            if let (Some(own), Value::Object(when)) = (own.as_object_mut(), when()) {
                own.extend(when);
            }
        }
        properties.insert(plugin.meta.id.to_owned(), options);
    }
    let table = json!({
        "type": "object",
        "description": "Options and schedules of the checks, by id.",
        "properties": properties,
        "additionalProperties": false,
    });
    (table, definitions)
}

/// The properties of [`WHEN`].
fn when() -> Value {
    json!({
        "schedule": {
            "type": "string",
            "description": "When the agent runs it, as five-field cron in the project's zone.",
        },
        "every": {"$ref": "#/$defs/Age"},
        "enabled": {
            "type": "boolean",
            "description": "Whether the agent runs it at all.",
            "default": true,
        },
    })
}

/// Writes the defaults of the policy into the schema of `[defaults]`.
fn with_defaults(table: &mut Value) {
    let defaults = serde_json::to_value(PolicyTable::from(&Policy::default()));
    let Ok(Value::Object(defaults)) = defaults else { return };
    for (name, value) in defaults {
        if let Some(Value::Object(property)) = table.pointer_mut(&format!("/properties/{name}")) {
            property.insert("default".to_owned(), value);
        }
    }
}
