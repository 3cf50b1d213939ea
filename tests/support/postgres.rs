//! A throw-away cluster of PostgreSQL on a free port, made, started, stopped and killed by a test.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};
use tempfile::TempDir;

use crate::port::free_port;
use crate::process::{Ready, Server, is_root};
use crate::support::missing::lacks;
use crate::support::{has, program};

/// The user that owns everything, and needs no password from here.
pub(crate) const OWNER: &str = "owner";
/// Who the server runs as: no server of PostgreSQL runs as root.
const NOBODY: u32 = 65_534;

/// A cluster, its folder and, while it runs, its server.
#[derive(Debug)]
pub(crate) struct Cluster {
    folder: PathBuf,
    programs: PathBuf,
    pub(crate) address: SocketAddr,
    network: Option<String>,
    settings: Vec<String>,
    server: Option<Server>,
    _folder: Option<TempDir>,
}

/// Where a cluster is, where that is not a folder of its own and this machine's network.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Place<'p> {
    /// A folder on a disk of the test.
    pub(crate) folder: Option<&'p Path>,
    /// A network namespace, and the address in it by which the server is reached.
    pub(crate) network: Option<(&'p str, IpAddr)>,
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

/// Runs a command that has to succeed.
fn succeeds(command: &mut Command) {
    let made =
        command.current_dir("/").stdout(Stdio::null()).stderr(Stdio::piped()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// Copies a folder with its owners and modes.
fn copied(from: &Path, to: &Path) {
    succeeds(Command::new("cp").args(["-a", "--reflink=auto", "--"]).args([from, to]));
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
        Self::start_at(test, settings, Place::default())
    }

    /// The same at a place.
    pub(crate) fn start_at(test: &str, settings: &[&str], place: Place<'_>) -> Option<Self> {
        if !has(test, &["setpriv"]) {
            return None;
        }
        let Some(programs) = programs() else {
            lacks(test, "PostgreSQL is not installed");
            return None;
        };
        let mut cluster = Self::empty(programs, settings, place);
        let data = cluster.data();
        cluster.fill(&data);
        let rules = format!(
            "host all {OWNER} 127.0.0.1/32 trust\nhost replication {OWNER} 127.0.0.1/32 trust\n\
             host all all 127.0.0.1/32 scram-sha-256\nhost all {OWNER} 10.0.0.0/8 trust\n"
        );
        std::fs::write(data.join("pg_hba.conf"), rules).unwrap();
        cluster.up();
        Some(cluster)
    }

    /// Makes the data of a new cluster: a copy of one that an earlier test made, since to make one takes a second
    /// of processor time.
    fn fill(&self, data: &Path) {
        let version = self.programs.parent().unwrap().file_name().unwrap();
        let user = if is_root() { "nobody" } else { "self" };
        let name = format!("postgresql-{}-{user}", version.display());
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        if kept.is_dir() {
            copied(&kept, data);
            return;
        }
        let mut words = as_nobody(&self.programs.join("initdb"));
        words.extend(["-D", data.to_str().unwrap(), "-U", OWNER, "-A", "trust"].map(str::to_owned));
        // A log of small parts is less to write.
        words.extend(
            ["--no-sync", "-E", "UTF8", "--locale=C", "--wal-segsize=1"].map(str::to_owned),
        );
        succeeds(Command::new(program("setpriv").unwrap()).args(&words));
        // Of tests that begin at once, one is the first.
        let mine = kept.with_extension(std::process::id().to_string());
        copied(data, &mine);
        if std::fs::rename(&mine, &kept).is_err() {
            std::fs::remove_dir_all(&mine).unwrap();
        }
    }

    fn empty(programs: PathBuf, settings: &[&str], place: Place<'_>) -> Self {
        let own = place.folder.is_none().then(|| tempfile::tempdir().unwrap());
        let folder = own.as_ref().map(TempDir::path).or(place.folder).unwrap().to_owned();
        hand_over(&folder);
        let mut address = free_port();
        let settings = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let network = place.network.map(|(network, at)| {
            address.set_ip(at);
            network.to_owned()
        });
        Self { folder, programs, address, network, settings, server: None, _folder: own }
    }

    /// A replica that follows this cluster, from a copy that its own tool makes of it.
    pub(crate) fn replica(&self) -> Self {
        let settings: Vec<_> = self.settings.iter().map(String::as_str).collect();
        let mut replica = Self::empty(self.programs.clone(), &settings, Place::default());
        let port = self.address.port().to_string();
        let data = replica.data();
        let mut words = as_nobody(&self.programs.join("pg_basebackup"));
        words.extend(["-h", "127.0.0.1", "-p", &port, "-U", OWNER].map(str::to_owned));
        words.extend(["-D", data.to_str().unwrap(), "-R", "-X", "stream"].map(str::to_owned));
        words.extend(["--checkpoint=fast", "--no-sync"].map(str::to_owned));
        succeeds(Command::new(program("setpriv").unwrap()).args(&words));
        replica.up();
        replica
    }

    /// Starts the server, again where it was stopped.
    pub(crate) fn up(&mut self) {
        assert!(self.try_up(), "the server does not start");
    }

    /// The same; whether it could.
    pub(crate) fn try_up(&mut self) -> bool {
        let mut words = Vec::new();
        let mut first = program("setpriv").unwrap();
        if let Some(network) = &self.network {
            let setpriv = first.display().to_string();
            words.extend(["netns", "exec", network, &setpriv].map(str::to_owned));
            first = program("ip").unwrap();
        }
        words.extend(as_nobody(&self.programs.join("postgres")));
        words.extend(["-D".to_owned(), self.data().display().to_string()]);
        words.extend(["-p".to_owned(), self.address.port().to_string()]);
        let listen = match self.network {
            Some(_) => "listen_addresses=*",
            None => "listen_addresses=127.0.0.1",
        };
        let own = [
            listen,
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
        // A replica says "ready to accept read-only connections".
        self.server = Server::try_start(&first, &words, Ready::Says("ready to accept"));
        self.server.is_some()
    }

    /// Whether the server has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.server.as_mut().is_none_or(Server::has_ended)
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
        self.folder.join("data")
    }

    /// Writes a file that the server reads.
    pub(crate) fn write(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.folder.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        hand_over(&path);
        path
    }

    /// A connection of the owner.
    pub(crate) async fn owner(&self, database: &str) -> PgConnection {
        let options = PgConnectOptions::new()
            .host(&self.address.ip().to_string())
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
