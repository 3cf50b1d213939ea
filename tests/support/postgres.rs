//! A throw-away cluster of PostgreSQL on a free port, made, started, stopped and killed by a test.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};
use tempfile::TempDir;

use crate::process::{Ready, Server, endpoint, is_root};
use crate::support::{has, program, skipped};

/// The user that owns everything, and needs no password from here.
pub(crate) const OWNER: &str = "owner";
/// Who the server runs as: no server of PostgreSQL runs as root.
const NOBODY: u32 = 65_534;

/// A cluster, its folder and, while it runs, its server.
#[derive(Debug)]
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
pub(crate) fn as_nobody(path: &Path) -> Vec<String> {
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
    /// Makes a cluster and starts its server; `None`, with the reason, where PostgreSQL is not installed. Only
    /// the owner needs no password.
    pub(crate) fn start(test: &str, settings: &[&str]) -> Option<Self> {
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
        // A log of small parts is less to write.
        words.extend(
            ["--no-sync", "-E", "UTF8", "--locale=C", "--wal-segsize=1"].map(str::to_owned),
        );
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
        Some(cluster)
    }

    /// Starts the server, again where it was stopped.
    pub(crate) fn up(&mut self) {
        let mut words = as_nobody(&self.programs.join("postgres"));
        words.extend(["-D".to_owned(), self.data().display().to_string()]);
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

    /// Stops the server; whoever is connected is sent away.
    pub(crate) fn down(&mut self) {
        if let Some(server) = self.server.take() {
            server.signal("INT");
        }
    }

    /// Ends the server in the middle of whatever it does.
    pub(crate) fn kill(&mut self) {
        if let Some(server) = self.server.take() {
            server.signal("QUIT");
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
    pub(crate) async fn sql_in(&self, database: &str, sql: &str) {
        let mut owner = self.owner(database).await;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut owner).await.unwrap();
    }

    /// The first value of an answer, as the owner.
    pub(crate) async fn value_in(&self, database: &str, sql: &str) -> String {
        let mut owner = self.owner(database).await;
        let row = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch_one(&mut owner).await.unwrap();
        row.try_get_unchecked::<String, _>(0).unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill();
    }
}
