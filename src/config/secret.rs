//! The only way by which a secret enters: a reference in the config, read once at start.

use std::fmt;
use std::ops::BitOr;
use std::path::{Path, PathBuf};

use launchready_checks::contract::json;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::files;

/// Where a secret stands: `{ env = "NAME" }` or `{ file = "path" }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum SecretRef {
    /// In a variable of the environment.
    Env(String),
    /// In a file, relative to the config; blanks around it are taken away.
    File(PathBuf),
}

impl JsonSchema for SecretRef {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SecretRef".into()
    }
    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "a secret: { env = \"NAME\" } or { file = \"path\" }; never the secret itself",
            "properties": {
                "env": {"type": "string", "description": "the variable that holds it"},
                "file": {"type": "string", "description": "the file that holds it"},
            },
            // The reader of the config never quotes what stands at such a place.
            "writeOnly": true,
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 1,
        })
    }
}

/// A secret. It prints as `[secret]` and is compared in constant time.
#[derive(Clone)]
pub struct Secret(String);

/// The most bytes of a file that holds a secret.
const FILE_BYTES: u64 = 64 * 1024;

impl Secret {
    /// A secret made by the agent itself, or by a test.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The secret itself, for an adapter that hands it to the other side and to nobody else.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `other` is the same; takes the same time wherever they differ.
    pub fn is(&self, other: &str) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(self.0.as_bytes(), other.as_bytes())
            .is_ok()
    }

    /// `text` with every occurrence of the secret replaced, for errors of libraries that may quote what
    /// they were given.
    pub fn redact(&self, text: &str) -> String {
        if self.0.len() < 4 { text.to_owned() } else { text.replace(&self.0, "[secret]") }
    }

    /// An answer of JSON without the secret, which the other side may repeat in an error or in a value. What is
    /// shorter than eight characters may stand anywhere by chance, and what is no UTF-8 is no JSON; both stay.
    pub fn redact_answer(&self, body: Vec<u8>) -> Vec<u8> {
        let Ok(text) = std::str::from_utf8(&body) else { return body };
        if self.0.len() < 8 {
            return body;
        }
        // JSON may write each character in several ways; only what is read can be compared then.
        if text.contains('\\')
            && let Ok(mut value) = json::value(&body)
        {
            return if self.redact_value(&mut value) {
                value.to_string().into_bytes()
            } else {
                body
            };
        }
        if text.contains(&self.0) { self.redact(text).into_bytes() } else { body }
    }

    /// Takes the secret out of every text and every name of a value; whether it was there.
    fn redact_value(&self, value: &mut Value) -> bool {
        match value {
            Value::String(text) if text.contains(&self.0) => {
                *text = self.redact(text);
                true
            }
            Value::Array(items) => {
                items.iter_mut().map(|item| self.redact_value(item)).fold(false, BitOr::bitor)
            }
            Value::Object(members) => {
                let named = members.keys().any(|name| name.contains(&self.0));
                if named {
                    let all = std::mem::take(members).into_iter();
                    members.extend(all.map(|(name, value)| (self.redact(&name), value)));
                }
                let found = members.values_mut().map(|member| self.redact_value(member));
                found.fold(named, BitOr::bitor)
            }
            _ => false,
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// A variable of the environment.
#[allow(clippy::disallowed_methods, reason = "this is the one place that asks")]
fn variable(name: &str) -> Result<String, std::env::VarError> {
    std::env::var(name)
}

/// The name under which the person at this terminal signed in, also behind `sudo`; none where nobody did.
pub fn login_name() -> Option<String> {
    let named = ["SUDO_USER", "USER"].into_iter().filter_map(|name| variable(name).ok());
    named.map(|name| name.trim().to_owned()).find(|name| !name.is_empty())
}

impl SecretRef {
    /// Reads it; `folder` is that of the config.
    ///
    /// # Errors
    /// A sentence that names the variable or the file and what to do, never the secret.
    pub fn read(&self, folder: &Path) -> Result<Secret, String> {
        let value = match self {
            Self::Env(name) => variable(name).map_err(|_source| {
                format!("the variable {name} is not set; set it before launchready starts")
            })?,
            Self::File(path) => {
                let path = folder.join(path);
                files::read_text(&path, FILE_BYTES)
                    .map_err(|error| format!("cannot read {}: {error}", path.display()))?
            }
        };
        let value = value.trim();
        if value.is_empty() {
            return Err(match self {
                Self::Env(name) => format!("the variable {name} is empty; set it to the secret"),
                Self::File(path) => {
                    format!("{} is empty; write the secret into it", path.display())
                }
            });
        }
        Ok(Secret::new(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_nothing_of_itself() {
        let secret = Secret::new("hunter2-hunter2");
        assert_eq!(format!("{secret:?}"), "[secret]");
        assert_eq!(secret.redact("login hunter2-hunter2 refused"), "login [secret] refused");
        assert!(secret.is("hunter2-hunter2") && !secret.is("hunter2-hunter3") && !secret.is(""));
    }

    #[test]
    fn an_answer_loses_the_secret_however_it_is_written_and_nothing_else() {
        let secret = Secret::new("a/b/sesame");
        let redacted =
            |text: &str| String::from_utf8(secret.redact_answer(text.as_bytes().to_vec())).unwrap();
        assert_eq!(redacted(r#"["a/b/sesame","a\/b\/sesame!"]"#), r#"["[secret]","[secret]!"]"#);
        let escaped = r#"{"error":{"a\/b\/\u0073esame":[1.5,"token \u0061/b/sesame\n"]}}"#;
        assert_eq!(redacted(escaped), r#"{"error":{"[secret]":[1.5,"token [secret]\n"]}}"#);
        for other in [r#"["a/b/sesam"]"#, r#"[ "a\/b\/sesam", 1e2 ]"#, r#"["a\/b\/sesam"#] {
            assert_eq!(redacted(other), other);
        }
        assert_eq!(redacted(r"a/b/sesame \x"), r"[secret] \x", "it is no JSON");
        let odd = b"\xff a/b/sesame".to_vec();
        assert_eq!(secret.redact_answer(odd.clone()), odd, "it is no JSON");
        assert_eq!(Secret::new("test").redact_answer(b"a test".to_vec()), b"a test");
    }

    #[test]
    fn a_file_is_read_without_the_blanks_around_it_and_an_empty_one_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("key"), " s3cret\n").unwrap();
        std::fs::write(folder.path().join("empty"), "\n").unwrap();
        let read = |name: &str| SecretRef::File(name.into()).read(folder.path());
        assert_eq!(read("key").unwrap().expose(), "s3cret");
        assert!(read("empty").unwrap_err().contains("is empty"));
        assert!(read("none").unwrap_err().contains("cannot read"));
        let unset = SecretRef::Env("LAUNCHREADY_NO_SUCH_VARIABLE".to_owned()).read(folder.path());
        assert!(unset.unwrap_err().contains("LAUNCHREADY_NO_SUCH_VARIABLE is not set"));
    }
}
