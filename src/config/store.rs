//! Where the agent remembers: a file or a database, whose address may be a secret.

use std::fmt;
use std::path::Path;

use super::secret::{Secret, SecretRef};

/// The address of the store. It prints without anything that may be a secret.
#[derive(Debug, Clone)]
pub struct StoreAddress {
    /// For people.
    shown: String,
    /// The address, or why it cannot be read.
    address: Result<Secret, String>,
}

impl StoreAddress {
    /// One that the config says in full.
    pub(super) fn plain(text: &str) -> Self {
        Self { shown: text.to_owned(), address: Ok(Secret::new(text)) }
    }

    /// One that the config names, with what was read.
    pub(super) fn named(reference: &SecretRef, address: Result<Secret, String>) -> Self {
        let shown = match reference {
            SecretRef::Env(name) => format!("at the address in the variable {name}"),
            SecretRef::File(path) => format!("at the address in the file {}", path.display()),
        };
        Self { shown, address }
    }

    /// One that was typed: an address, or where it stands, as `env:NAME` or `file:PATH`. A relative path counts from
    /// `folder`.
    ///
    /// # Errors
    /// What is wrong with it, without a word of a password.
    pub fn typed(text: &str, folder: &Path) -> Result<Self, String> {
        let reference = match text.split_once(':') {
            Some(("env", name)) => SecretRef::Env(name.to_owned()),
            Some(("file", path)) => SecretRef::File(path.into()),
            _ => {
                return match fault(text, false) {
                    None => Ok(Self::plain(text)),
                    Some(_) if fault(text, true).is_none() => Err(
                        "a password on a command line is seen by others on this machine; put the \
                         whole address into a variable and write env:NAME, or into a file and write \
                         file:PATH"
                            .to_owned(),
                    ),
                    Some(why) => Err(format!("{why}; or env:NAME or file:PATH")),
                };
            }
        };
        let address = reference.read(folder)?;
        match fault(address.expose(), true) {
            None => Ok(Self::named(&reference, Ok(address))),
            Some(why) => Err(format!("what {text} holds is no store: {why}")),
        }
    }

    /// The same with a path that counts from no folder, where it is that of a file which counts from this one.
    #[must_use]
    pub fn in_full(self, folder: &Path) -> Self {
        match self.address.as_ref().ok().and_then(|text| text.expose().strip_prefix("sqlite:")) {
            Some(path) if self.is_plain() && Path::new(path).is_relative() => {
                let path = folder.join(path);
                let path = std::path::absolute(&path).unwrap_or(path);
                Self::plain(&format!("sqlite:{}", path.display()))
            }
            _ => self,
        }
    }

    /// Whether what is shown is the address itself.
    fn is_plain(&self) -> bool {
        self.address.as_ref().is_ok_and(|address| address.is(&self.shown))
    }

    /// The address itself, for the store and for nobody else.
    ///
    /// # Errors
    /// The variable or the file that holds it cannot be read.
    pub fn address(&self) -> Result<&str, String> {
        match &self.address {
            Ok(address) => Ok(address.expose()),
            Err(why) => Err(format!("agent.store: {why}")),
        }
    }
}

impl PartialEq for StoreAddress {
    fn eq(&self, other: &Self) -> bool {
        match (&self.address, &other.address) {
            (Ok(one), Ok(other)) => one.is(other.expose()),
            (Err(_), Err(_)) => self.shown == other.shown,
            _ => false,
        }
    }
}

impl fmt::Display for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// What is wrong with the address of a store, without a word of it. One in the config itself holds no password.
pub(super) fn fault(text: &str, is_secret: bool) -> Option<&'static str> {
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        return server_fault(text, is_secret);
    }
    let Some(path) = text.strip_prefix("sqlite:") else {
        return Some(
            "write \"sqlite:\" and the path of a file, such as \"sqlite:launchready.db\", or \
             \"postgres://USER@HOST/DATABASE\"",
        );
    };
    if path.trim().is_empty() || path.starts_with("//") || path.ends_with('/') {
        return Some(
            "write the path of a file after \"sqlite:\", such as \"sqlite:launchready.db\"",
        );
    }
    if path.contains(":memory:") || path.contains(['?', '\0']) {
        return Some(
            "what the agent knows has to outlive it; name a plain file, such as \
             \"sqlite:launchready.db\"",
        );
    }
    None
}

fn server_fault(text: &str, is_secret: bool) -> Option<&'static str> {
    let Ok(url) = url::Url::parse(text) else {
        return Some(
            "this is no address of PostgreSQL; write postgres://USER:PASSWORD@HOST:PORT/DATABASE, and a \
             sign such as # / ? @ in the password as %23 %2F %3F %40",
        );
    };
    let has_password =
        url.password().is_some() || url.query_pairs().any(|(key, _)| key == "password");
    (has_password && !is_secret).then_some(
        "a password never stands in this file; put the whole address into a variable and write \
         store = { env = \"LAUNCHREADY_STORE\" }",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_a_secret_prints_its_place_alone() {
        let named = SecretRef::Env("HARBOR_STORE".to_owned());
        let secret = Secret::new("postgres://agent:hunter2@db.example/watch");
        let address = StoreAddress::named(&named, Ok(secret.clone()));
        assert_eq!(address.to_string(), "at the address in the variable HARBOR_STORE");
        assert_eq!(address.address().unwrap(), secret.expose());
        assert!(!format!("{address:?}").contains("hunter2"));
        let away = StoreAddress::named(&named, Err("the variable is not set".to_owned()));
        assert_eq!(away.address().unwrap_err(), "agent.store: the variable is not set");
        assert_ne!(address, away);
    }

    #[test]
    fn a_password_may_stand_in_a_secret_alone() {
        for text in ["postgres://a:hunter2@db/w", "postgresql://db/w?user=a&password=hunter2"] {
            let said = fault(text, false).unwrap();
            assert!(said.contains("{ env = \"LAUNCHREADY_STORE\" }"), "{said}");
            assert_eq!(fault(text, true), None);
        }
        for text in ["postgres://a@db.example:6432/w?sslmode=require", "sqlite:a.db"] {
            assert_eq!(fault(text, false), None);
        }
        assert!(fault("postgres://a:b@db:port/w", true).unwrap().contains("%40"));
        assert!(fault("mysql://a:b@db/w", true).unwrap().contains("postgres://"));
    }
}
