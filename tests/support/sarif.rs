//! The published schema of SARIF 2.1.0, as `tests/tools/sarif-schema.sh` puts it into its place.

#[path = "missing.rs"]
mod missing;

use std::path::Path;

use serde_json::Value;

/// What judges a SARIF file, where the schema is there.
///
/// # Panics
/// When it is missing and `LAUNCHREADY_TEST_REQUIRE` is `all`.
pub(crate) fn validator() -> Option<jsonschema::Validator> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-tools/sarif-schema-2.1.0.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        let file = path.display();
        missing::lacks("schema of SARIF", &format!("{file}: run tests/tools/sarif-schema.sh"));
        return None;
    };
    // One pattern of the published schema has a stray bracket, which ECMAScript alone forgives.
    let text = text.replace("{2}]?$", r"{2}\\]?$");
    let schema: Value = serde_json::from_str(&text).unwrap();
    Some(jsonschema::options().should_validate_formats(true).build(&schema).unwrap())
}

/// What the schema says against a SARIF file.
pub(crate) fn faults(validator: &jsonschema::Validator, log: &Value) -> Vec<String> {
    let errors = validator.iter_errors(log);
    errors.map(|error| format!("{}: {error}", error.instance_path())).collect()
}
