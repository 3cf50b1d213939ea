//! Where the server is, from the one address that the config names.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

use crate::postgres::{NO_MODE, decoded, is_near};
use crate::store::StoreError;

/// Statements that a connection keeps ready; the store has fewer.
const STATEMENTS: usize = 256;
/// What an address may say after `?`. What poolers and ORMs add is for them.
const SETTINGS: [&str; 8] =
    ["dbname", "host", "port", "sslcert", "sslkey", "sslmode", "sslrootcert", "user"];
/// Settings that name a file.
const FILES: [&str; 3] = ["sslcert", "sslkey", "sslrootcert"];

/// A server, a user and a database on it.
#[derive(Debug, Clone)]
pub(super) struct Server {
    pub(super) options: PgConnectOptions,
    /// The server and the database, for people.
    pub(super) name: String,
    /// What no error may show.
    secrets: Vec<String>,
}

/// The error of an address that is none. The address itself may hold a password, and is never shown.
fn none(why: &str) -> StoreError {
    StoreError::Address(format!("postgres:… ({why})"))
}

/// Reads an address; files in it count from `folder`.
///
/// # Errors
/// It is none.
pub(super) fn read(text: &str, folder: &Path) -> Result<Server, StoreError> {
    const FORM: &str = "it is no postgres://USER:PASSWORD@HOST:PORT/DATABASE; a sign such as # / ? @ in \
                        the password is written as %23 %2F %3F %40";
    let given = Url::parse(text).map_err(|_error| none(FORM))?;
    let is_whole = !given.cannot_be_a_base();
    if !is_whole || !matches!(given.scheme(), "postgres" | "postgresql") {
        return Err(none(FORM));
    }
    let mut address = given.clone();
    address.set_query(None);
    let mut secrets: Vec<String> = given.password().map(ToOwned::to_owned).into_iter().collect();
    let mut mode = None;
    for (key, value) in given.query_pairs() {
        let mut value = value.into_owned();
        match key.as_ref() {
            "password" => {
                secrets.push(value.clone());
                // Only here the password of a user that is named behind the question mark can stand.
                address.query_pairs_mut().append_pair("password", &value);
            }
            "sslmode" => mode = Some(value),
            key if SETTINGS.contains(&key) => {
                if FILES.contains(&key) {
                    value = folder.join(value).display().to_string();
                }
                address.query_pairs_mut().append_pair(key, &value);
            }
            _ => {}
        }
    }
    let options = PgConnectOptions::from_str(address.as_str()).map_err(|_error| none(FORM))?;
    let near = is_near(&options);
    let mode = match mode.as_deref() {
        // To another machine the certificate is checked unless the address says otherwise.
        None if !near => PgSslMode::VerifyFull,
        None => PgSslMode::Prefer,
        Some(mode) => mode.parse().map_err(|_error| none(NO_MODE))?,
    };
    let user = options.get_username().to_owned();
    let database = options.get_database().unwrap_or(&user).to_owned();
    let host = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => options.get_host().to_owned(),
    };
    let name = format!("postgres://{user}@{host}:{}/{database}", options.get_port());
    let options = options
        .database(&database)
        .ssl_mode(mode)
        .application_name("launchready")
        .statement_cache_capacity(STATEMENTS)
        .disable_statement_logging();
    let plain: Vec<String> = secrets.iter().map(|secret| decoded(secret)).collect();
    secrets.extend(plain);
    Ok(Server { options, name, secrets })
}

impl Server {
    /// `text` without a password.
    pub(super) fn clean(&self, text: &str) -> String {
        let secrets = self.secrets.iter().filter(|secret| secret.len() >= 4);
        secrets.fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "[secret]"))
    }
}

/// Where a copy of the store is made with the tool that comes with the server.
pub(super) fn dump(server: &Server, to: &Path) -> String {
    let to: PathBuf = to.to_owned();
    format!(
        "the store is in PostgreSQL, which has a tool of its own for copies: pg_dump --format=custom \
         --schema=launchready --file={} {}",
        to.display(),
        server.name
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(text: &str) -> Server {
        read(text, Path::new("/etc/launchready")).unwrap()
    }

    #[test]
    fn a_server_is_named_without_its_password_and_no_error_shows_it() {
        let server = server(
            "postgresql://agent:hunter%2F2@db.example:6543/watch?pgbouncer=true&sslmode=require",
        );
        assert_eq!(server.name, "postgres://agent@db.example:6543/watch");
        assert!(matches!(server.options.get_ssl_mode(), PgSslMode::Require));
        assert_eq!(server.clean("hunter/2 hunter%2F2 watch"), "[secret] [secret] watch");
        let said = dump(&server, Path::new("copy.dump"));
        assert!(said.contains("pg_dump") && !said.contains("hunter"), "{said}");
        for bad in [
            "postgres://agent:hunter2@db.example:port/watch",
            "postgres://agent:hunter2@db.example/watch?sslmode=perhaps",
            "postgres:hunter2",
            "mysql://agent:hunter2@db.example/watch",
        ] {
            let error = read(bad, Path::new(".")).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn another_machine_has_to_prove_itself_unless_the_address_says_otherwise() {
        let mode = |text: &str| server(text).options.get_ssl_mode();
        assert!(matches!(mode("postgres://a@db.example/w"), PgSslMode::VerifyFull));
        assert!(matches!(mode("postgres://a@127.0.0.1/w"), PgSslMode::Prefer));
        assert!(matches!(mode("postgres://a@[::1]:5433/w"), PgSslMode::Prefer));
        assert!(matches!(mode("postgres:///w?host=/run/postgresql"), PgSslMode::Prefer));
        assert!(matches!(mode("postgres://a@db.example/w?sslmode=disable"), PgSslMode::Disable));
    }
}
