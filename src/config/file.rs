//! The shape of config.toml, version 1, and its JSON schema.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::civil::Date;
use launchready_checks::contract::Goal;
use launchready_checks::registry;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The whole file.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    /// How this machine reaches the world.
    pub network: NetworkTable,
    /// Options of the checks, by id, for all projects.
    pub checks: BTreeMap<String, Value>,
    /// The audited products.
    pub project: Vec<ProjectTable>,
}

/// How this machine reaches the world.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkTable {
    /// Resolvers, `IP` or `IP:port`; the system's where none are given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resolvers: Vec<String>,
    /// PEM files of certificate authorities beside the usual ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra_roots: Vec<PathBuf>,
    /// Follow the product to private addresses.
    pub allow_private: bool,
    /// Connect elsewhere than the DNS says, as curl's --connect-to does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub connect_to: Vec<ConnectToTable>,
    /// An RDAP server that is asked instead of the registry's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rdap: Option<String>,
}

/// One rule of `network.connect_to`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectToTable {
    /// `HOST:PORT` or `ADDRESS:PORT` as asked for; `*` matches any.
    pub from: String,
    /// `ADDRESS:PORT` to connect to.
    pub to: String,
}

/// One audited product.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectTable {
    /// Its name in reports and metrics.
    pub name: String,
    /// Its domain.
    pub domain: String,
    /// Its hosts, relative (`www`) or full; the apex need not be named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// What it has to be ready for.
    #[serde(default)]
    pub goal: Goal,
    /// Parts that the product does not have, so that their absence is no oversight.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_used: Vec<String>,
    /// The token that a TXT record at `_launchready.<domain>` must hold before active probes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ownership: Option<String>,
    /// Facts about the web site.
    #[serde(default)]
    pub web: WebTable,
    /// Facts about mail.
    #[serde(default)]
    pub mail: MailTable,
    /// Facts about the registration.
    #[serde(default)]
    pub registration: RegistrationTable,
    /// The source folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceTable>,
    /// Options of the checks, by id, for this project alone.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub checks: BTreeMap<String, Value>,
}

/// Facts about the web site.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WebTable {
    /// CSV file with the header line `from,to,status`; status may be empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_map: Option<PathBuf>,
    /// URLs or paths at which webhooks arrive.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub webhook_paths: Vec<String>,
    /// Paths to which an identity provider sends the browser back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub oauth_paths: Vec<String>,
    /// Paths of the privacy, terms and refund pages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub legal_pages: Vec<String>,
    /// URLs of Edge Functions that browsers call.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<String>,
}

/// Facts about mail.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MailTable {
    /// Domains in the From header of the product's mail.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sends_from: Vec<String>,
    /// DKIM selectors, `name` or `name@domain`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub selectors: Vec<String>,
    /// Sending tools, such as `resend` or `hubspot`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
}

/// Facts about the registration that no server publishes.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RegistrationTable {
    /// The expiry date, `2027-03-01`, where the registry publishes none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub expires: Option<Date>,
    /// Somebody has seen that auto-renew is on and the card is valid.
    pub auto_renew: bool,
}

/// The source folder.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceTable {
    /// The folder, relative to the config file.
    pub path: PathBuf,
}

/// JSON schema of the whole file, with the options of every check.
pub fn schema() -> Value {
    let mut schema = schemars::SchemaGenerator::default().into_root_schema_for::<File>().to_value();
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
        }
        properties.insert(plugin.meta.id.to_owned(), options);
    }
    let checks = json!({
        "type": "object",
        "description": "Options of the checks, by id.",
        "properties": properties,
        "additionalProperties": false,
    });
    if let Some(Value::Object(defs)) = schema.get_mut("$defs") {
        defs.extend(definitions);
        defs.insert("Checks".to_owned(), checks);
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
