//! Where a database is, from the one address that the config names.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use launchready_checks::probe::{AgentFault, ProbeError};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

use crate::config::Secret;
use crate::files;
use crate::postgres::{NO_MODE, decoded, is_near};

/// The port of PostgreSQL.
const PORT: u16 = 5432;
/// The most bytes of a PEM file.
const PEM_BYTES: u64 = 1024 * 1024;

/// Where a database is.
pub(super) enum Address {
    /// A server.
    Postgres(Box<Server>),
    /// A file of SQLite.
    Sqlite(PathBuf),
}

/// A PostgreSQL server and the user that looks.
pub(super) struct Server {
    /// How to connect, in the order in which it is tried, and whether nobody can listen.
    pub(super) ways: Vec<(PgConnectOptions, bool)>,
    /// The host, for people.
    pub(super) host: String,
    /// The port.
    pub(super) port: u16,
    /// The user.
    pub(super) user: String,
    /// The database.
    pub(super) database: String,
    /// What no error may show.
    secrets: Vec<Secret>,
}

impl Server {
    /// `text` without the password, in one line, and not longer than people read.
    pub(super) fn clean(&self, text: &str) -> String {
        let clean = self.secrets.iter().fold(text.to_owned(), |text, secret| secret.redact(&text));
        clean.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect()
    }

    /// The server, for people.
    pub(super) fn name(&self) -> String {
        format!("PostgreSQL at {}:{}", self.host, self.port)
    }
}

fn wrong(what: impl Into<String>) -> ProbeError {
    AgentFault::Misconfigured(format!("project.database.url: {}", what.into())).into()
}

/// Reads an address; a relative path counts from `folder`.
pub(super) fn read(url: &Secret, folder: &Path, roots: &[PathBuf]) -> Result<Address, ProbeError> {
    let text = url.expose();
    if let Some(path) = text.strip_prefix("sqlite:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        let path = path.split_once('?').map_or(path, |(path, _)| path);
        if path.is_empty() || path == ":memory:" {
            return Err(wrong("this names no file; write sqlite:FILE"));
        }
        return Ok(Address::Sqlite(folder.join(path)));
    }
    // The address itself is a secret: an error names its form and quotes nothing of it.
    let form = "this is no postgres://USER:PASSWORD@HOST:PORT/DATABASE and no sqlite:FILE; a sign such as \
                # / ? @ in the password is written as %23 %2F %3F %40";
    let mut address = Url::parse(text).map_err(|_error| wrong(form))?;
    if !matches!(address.scheme(), "postgres" | "postgresql") || !address.has_host() {
        return Err(wrong(form));
    }
    let settings: Vec<(String, String)> =
        address.query_pairs().map(|(key, value)| (key.into_owned(), value.into_owned())).collect();
    let setting = |name: &str| {
        settings.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    };
    // What poolers and ORMs add to an address is for them.
    address.set_query(None);
    let mut options = PgConnectOptions::from_str(address.as_str())
        .map_err(|_error| wrong(form))?
        .port(address.port().unwrap_or(PORT))
        .application_name("launchready")
        .extra_float_digits(None)
        .statement_cache_capacity(0);
    if let Some(folder) = setting("host").filter(|host| host.starts_with('/')) {
        options = options.socket(folder);
    } else if let Some(host) = setting("host") {
        options = options.host(host);
    }
    if let Some(port) = setting("port") {
        options = options.port(port.parse().map_err(|_error| wrong("its port is no number"))?);
    }
    if let Some(user) = setting("user") {
        options = options.username(user);
    }
    let mut secrets = vec![url.clone()];
    let password = address.password().map(ToOwned::to_owned);
    for password in password.into_iter().chain(setting("password").map(ToOwned::to_owned)) {
        secrets.push(Secret::new(decoded(&password)));
        secrets.push(Secret::new(password));
    }
    if let Some(password) = setting("password") {
        options = options.password(password);
    }
    let user = options.get_username().to_owned();
    let database = options.get_database().unwrap_or(&user).to_owned();
    options = options.database(&database);
    let pem = read_roots(roots)?;
    if !pem.is_empty() {
        options = options.ssl_root_cert_from_pem(pem);
    }
    let near = is_near(&options);
    let ways = ways(&options, near, setting("sslmode"), !roots.is_empty())?;
    Ok(Address::Postgres(Box::new(Server {
        host: options
            .get_socket()
            .map_or_else(|| options.get_host().to_owned(), |socket| socket.display().to_string()),
        port: options.get_port(),
        user,
        database,
        ways,
        secrets,
    })))
}

/// How to connect, by `sslmode` of the address and where the host is.
///
/// To another machine the certificate is checked unless the address says otherwise. `allow` and `prefer`
/// to another machine try to encrypt first, and the plain way is known as such.
fn ways(
    options: &PgConnectOptions,
    near: bool,
    mode: Option<&str>,
    own_roots: bool,
) -> Result<Vec<(PgConnectOptions, bool)>, ProbeError> {
    let way = |mode: PgSslMode, safe: bool| (options.clone().ssl_mode(mode), safe);
    Ok(match mode {
        None | Some("prefer" | "allow") if near => vec![way(PgSslMode::Prefer, true)],
        None | Some("verify-full") => vec![way(PgSslMode::VerifyFull, true)],
        Some("verify-ca") => vec![way(PgSslMode::VerifyCa, true)],
        Some("require") if own_roots && !near => vec![way(PgSslMode::VerifyFull, true)],
        Some("require") => vec![way(PgSslMode::Require, true)],
        Some("prefer" | "allow") => {
            vec![way(PgSslMode::Require, true), way(PgSslMode::Disable, false)]
        }
        Some("disable") => vec![way(PgSslMode::Disable, near)],
        Some(_unknown) => return Err(wrong(NO_MODE)),
    })
}

/// The PEM files as one.
fn read_roots(roots: &[PathBuf]) -> Result<Vec<u8>, ProbeError> {
    let mut pem = Vec::new();
    for path in roots {
        let cannot = |why: String| {
            let what = format!("project.database.root: cannot read {}: {why}", path.display());
            ProbeError::from(AgentFault::Misconfigured(what))
        };
        pem.extend(files::read(path, PEM_BYTES).map_err(|error| cannot(error.to_string()))?);
        pem.push(b'\n');
    }
    Ok(pem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str) -> Server {
        match read(&Secret::new(url), Path::new("/srv"), &[]).unwrap() {
            Address::Postgres(server) => *server,
            Address::Sqlite(path) => panic!("{}", path.display()),
        }
    }

    #[test]
    fn another_machine_is_verified_unless_the_address_says_otherwise() {
        let modes = |url: &str| {
            let server = server(url);
            let ways: Vec<_> = server
                .ways
                .iter()
                .map(|(options, safe)| (format!("{:?}", options.get_ssl_mode()), *safe))
                .collect();
            ways
        };
        let one = |mode: &str, safe| vec![(mode.to_owned(), safe)];
        let host = "postgres://look:pw@db.harbor.example/shop";
        assert_eq!(modes(host), one("VerifyFull", true));
        assert_eq!(modes(&format!("{host}?sslmode=require")), one("Require", true));
        assert_eq!(modes(&format!("{host}?sslmode=disable")), one("Disable", false));
        assert_eq!(modes(&format!("{host}?sslmode=prefer")).len(), 2);
        assert_eq!(modes("postgres://look@127.0.0.1/shop"), one("Prefer", true));
        assert_eq!(modes("postgres://look@[::1]/shop?sslmode=disable"), one("Disable", true));
    }

    #[test]
    fn an_error_quotes_nothing_of_the_address() {
        for url in [
            "postgres://look:hunter2/x@db.harbor.example:5432/shop",
            "mysql://look:hunter2@db.harbor.example/shop",
            "hunter2",
            "sqlite:",
            "postgres://look:hunter2@db.harbor.example/shop?sslmode=/look:hunter2@db",
        ] {
            let error = read(&Secret::new(url), Path::new("."), &[]).err().unwrap().to_string();
            assert!(error.contains("project.database.url"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_password_is_taken_out_in_either_spelling() {
        let server = server("postgres://look:p%40ss%2Bword@127.0.0.1:6543/shop?pgbouncer=true");
        assert_eq!(server.clean("p@ss+word and p%40ss%2Bword\n x"), "[secret] and [secret] x");
        assert_eq!(
            (server.port, server.database.as_str(), server.user.as_str()),
            (6543, "shop", "look")
        );
    }

    #[test]
    fn a_file_counts_from_the_config() {
        for url in ["sqlite:shop.db", "sqlite://shop.db?mode=ro"] {
            let Address::Sqlite(path) = read(&Secret::new(url), Path::new("/srv"), &[]).unwrap()
            else {
                panic!("{url}")
            };
            assert_eq!(path, Path::new("/srv/shop.db"));
        }
    }
}
