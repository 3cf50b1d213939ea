//! A throw-away cluster of PostgreSQL on a free port, and a pooler in front of it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};
use tempfile::TempDir;

use crate::process::{Ready, Server, endpoint, is_root};
use crate::support::{has, program, skipped};

/// The user that owns everything, and needs no password from here.
const OWNER: &str = "owner";
/// The user that looks, and its password. A slash and a plus have to be escaped in an address.
pub(crate) const LOOKER: &str = "looker";
pub(crate) const PASSWORD: &str = "l00k/only+please";
/// The database.
pub(crate) const DATABASE: &str = "shop";
/// Who the server runs as: no server of PostgreSQL runs as root.
const NOBODY: u32 = 65_534;

/// A cluster, its folder and, while it runs, its server.
pub(crate) struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    pub(crate) address: SocketAddr,
    settings: Vec<String>,
    server: Option<Server>,
}

/// Where Debian puts the programs of the newest version.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut found: Vec<_> = versions
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let version: u32 = path.file_name()?.to_str()?.parse().ok()?;
            let programs = path.join("bin");
            programs.join("initdb").is_file().then_some((version, programs))
        })
        .collect();
    found.sort();
    Some(found.pop()?.1)
}

/// The same command, run by somebody who is not root.
fn as_nobody(path: &Path) -> Vec<String> {
    let mut words = Vec::new();
    if is_root() {
        let user = format!("--reuid={NOBODY}");
        let group = format!("--regid={NOBODY}");
        words.extend([user, group, "--clear-groups".to_owned(), "--".to_owned()]);
        words.push(program("setpriv").unwrap().display().to_string());
    }
    // After the change of user: it takes the signal away.
    words.extend(["--pdeathsig", "TERM", "--"].map(str::to_owned));
    words.push(path.display().to_string());
    words
}

/// Gives a path to whoever the server runs as.
fn hand_over(path: &Path) {
    if is_root() {
        std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
}

impl Cluster {
    /// Starts a cluster; `None`, with the reason, where PostgreSQL is not installed.
    pub(crate) async fn start(test: &str, settings: &[&str]) -> Option<Self> {
        if !has(test, &["setpriv"]) {
            return None;
        }
        let Some(programs) = programs() else {
            #[allow(
                clippy::disallowed_methods,
                reason = "the runner says what must not be skipped"
            )]
            let required = std::env::var("LAUNCHREADY_TEST_REQUIRE").is_ok_and(|all| all == "all");
            assert!(!required, "{test}: PostgreSQL is not installed");
            skipped(test, "PostgreSQL is not installed");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        hand_over(folder.path());
        let data = folder.path().join("data");
        let mut words = as_nobody(&programs.join("initdb"));
        words.extend(["-D", data.to_str().unwrap(), "-U", OWNER, "-A", "trust"].map(str::to_owned));
        words.extend(["--no-sync", "-E", "UTF8", "--locale=C"].map(str::to_owned));
        let made = Command::new(program("setpriv").unwrap())
            .args(&words)
            .current_dir("/")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let rules = format!(
            "host all {OWNER} 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        );
        std::fs::write(data.join("pg_hba.conf"), rules).unwrap();
        let settings = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let address = endpoint();
        let mut cluster = Self { folder, programs, address, settings, server: None };
        cluster.up();
        cluster.sql_in("postgres", &format!("create database {DATABASE}")).await;
        let looker = format!("create role {LOOKER} login bypassrls password '{PASSWORD}'");
        cluster.sql(&looker).await;
        Some(cluster)
    }

    /// Starts the server, again where it was stopped.
    pub(crate) fn up(&mut self) {
        let mut words = as_nobody(&self.programs.join("postgres"));
        let data = self.folder.path().join("data");
        words.extend(["-D".to_owned(), data.display().to_string()]);
        words.extend(["-p".to_owned(), self.address.port().to_string()]);
        let own = [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=off",
            "shared_buffers=16MB",
            "max_connections=30",
            "max_wal_senders=0",
            "wal_level=minimal",
        ];
        for setting in own.into_iter().chain(self.settings.iter().map(String::as_str)) {
            words.extend(["-c".to_owned(), setting.to_owned()]);
        }
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let ready = Ready::Says("ready to accept connections");
        self.server = Some(Server::start(&program("setpriv").unwrap(), &words, ready));
    }

    /// Stops the server, whoever is still connected.
    pub(crate) fn down(&mut self) {
        if let Some(server) = self.server.take() {
            server.signal("INT");
        }
    }

    /// The folder of the server's data.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Writes a file that the server reads.
    pub(crate) fn write(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        hand_over(&path);
        path
    }

    /// A connection of the owner.
    pub(crate) async fn owner(&self, database: &str) -> PgConnection {
        let options = PgConnectOptions::new()
            .host("127.0.0.1")
            .port(self.address.port())
            .username(OWNER)
            .database(database);
        options.connect().await.unwrap()
    }

    /// Runs statements as the owner.
    pub(crate) async fn sql(&self, sql: &str) {
        self.sql_in(DATABASE, sql).await;
    }

    pub(crate) async fn sql_in(&self, database: &str, sql: &str) {
        let mut owner = self.owner(database).await;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut owner).await.unwrap();
    }

    /// The first value of an answer, as the owner.
    pub(crate) async fn value(&self, sql: &str) -> String {
        let mut owner = self.owner(DATABASE).await;
        let row = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch_one(&mut owner).await.unwrap();
        row.try_get_unchecked::<String, _>(0).unwrap()
    }

    /// The address for the user that looks.
    pub(crate) fn url(&self) -> String {
        url_at(self.address, DATABASE)
    }

    /// A pooler in front of the server, which hands each connection to whoever has a transaction.
    pub(crate) fn pooler(&self, test: &str) -> Option<(Server, SocketAddr)> {
        if !has(test, &["pgbouncer"]) {
            return None;
        }
        let address = endpoint();
        let users = self.write("users.txt", &format!("\"{LOOKER}\" \"{PASSWORD}\"\n"), 0o600);
        let text = format!(
            "[databases]\n{DATABASE} = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {}\nunix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {}\n\
             pool_mode = transaction\ndefault_pool_size = 1\nserver_login_retry = 1\nquery_wait_timeout = 2\n",
            self.address.port(),
            address.port(),
            users.display()
        );
        let config = self.write("pgbouncer.ini", &text, 0o600);
        let mut words = as_nobody(&program("pgbouncer").unwrap());
        words.push(config.display().to_string());
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let server = Server::start(&program("setpriv").unwrap(), &words, Ready::Accepts(address));
        Some((server, address))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.down();
    }
}

/// The address of a database for the user that looks.
pub(crate) fn url_at(address: SocketAddr, database: &str) -> String {
    let password = PASSWORD.replace('/', "%2F").replace('+', "%2B");
    format!("postgres://{LOOKER}:{password}@{address}/{database}")
}
