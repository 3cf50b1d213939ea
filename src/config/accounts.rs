//! The accounts of a project with their credentials named; each is read when a look begins.

use std::path::{Path, PathBuf};

use launchready_checks::probe::Missing;

use super::file::AccountTables;
use super::secret::{Secret, SecretRef};

/// The tables of a project's accounts, and the folder that paths in them are relative to.
#[derive(Debug, Clone, Default)]
pub struct AccountSettings {
    /// The tables.
    pub tables: AccountTables,
    /// The folder of the config.
    pub folder: PathBuf,
}

impl AccountSettings {
    /// Reads a credential.
    ///
    /// # Errors
    /// It is missing: a sentence that names the variable or the file, and the step that mends it.
    pub fn read(&self, secret: &SecretRef) -> Result<Secret, Missing> {
        secret.read(&self.folder).map_err(|reason| {
            let usual = match secret {
                SecretRef::Env(_) => "set it before launchready starts",
                SecretRef::File(_) => "write the secret into that file, or name another one",
            };
            let (reason, unlock) = reason.split_once("; ").unwrap_or((&reason, usual));
            // The step is also told where the reason is not.
            let unlock = match (secret, unlock.strip_prefix("set it ")) {
                (SecretRef::Env(name), Some(rest)) => format!("set {name} {rest}"),
                _ => unlock.to_owned(),
            };
            Missing { reason: reason.to_owned(), unlock }
        })
    }

    /// A path of the config, in full.
    pub fn path(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }

    /// Every credential that the tables name, with the key that names it.
    pub(super) fn credentials(&self) -> Vec<(&'static str, &SecretRef)> {
        let tables = &self.tables;
        let supabase = tables.supabase.as_ref();
        let named = [
            ("stripe.key", tables.stripe.as_ref().map(|table| &table.key)),
            ("supabase.token", supabase.and_then(|table| table.token.as_ref())),
            ("supabase.public_key", supabase.and_then(|table| table.public_key.as_ref())),
            ("database.url", tables.database.as_ref().map(|table| &table.url)),
            ("crm.token", tables.crm.as_ref().map(|table| &table.token)),
            ("support.token", tables.support.as_ref().map(|table| &table.token)),
            ("automation.token", tables.automation.as_ref().map(|table| &table.token)),
            ("edge.token", tables.edge.as_ref().map(|table| &table.token)),
            ("hosting.token", tables.hosting.as_ref().map(|table| &table.token)),
            ("pagespeed.key", tables.pagespeed.as_ref().map(|table| &table.key)),
        ];
        named.into_iter().filter_map(|(key, secret)| Some((key, secret?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_step_that_mends_a_missing_credential_names_its_variable_or_file() {
        let folder = tempfile::tempdir().unwrap();
        let settings =
            AccountSettings { folder: folder.path().to_owned(), ..AccountSettings::default() };
        let missing = settings.read(&SecretRef::Env("LAUNCHREADY_NO_SUCH_VARIABLE".to_owned()));
        assert_eq!(
            missing.unwrap_err(),
            Missing {
                reason: "the variable LAUNCHREADY_NO_SUCH_VARIABLE is not set".to_owned(),
                unlock: "set LAUNCHREADY_NO_SUCH_VARIABLE before launchready starts".to_owned(),
            }
        );
        let missing = settings.read(&SecretRef::File("gone".into())).unwrap_err();
        assert!(missing.reason.contains("gone"), "{missing:?}");
        assert_eq!(missing.unlock, "write the secret into that file, or name another one");
    }
}
