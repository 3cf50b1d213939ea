//! The servers of one test, and the config that leads an audit to them.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::authority::Authority;
use crate::port::free_port;
use crate::process::Server;

/// Servers, where they listen, and the folder with their files.
#[derive(Debug)]
pub(crate) struct World {
    // Dropped before the folder, which they write to.
    servers: Vec<Server>,
    rules: Vec<(String, SocketAddr)>,
    pub(crate) resolvers: Vec<SocketAddr>,
    pub(crate) rdap: Option<SocketAddr>,
    pub(crate) authority: Authority,
    folder: tempfile::TempDir,
}

impl World {
    /// A world without servers.
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("launchready-").tempdir().unwrap();
        // Mail servers work as a user of their own and must come in.
        let everybody = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path(), everybody).unwrap();
        Self {
            servers: Vec::new(),
            rules: Vec::new(),
            resolvers: Vec::new(),
            rdap: None,
            authority: Authority::new(folder.path()),
            folder,
        }
    }

    /// The folder for everything.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A new folder in it.
    pub(crate) fn new_folder(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir(&path).unwrap();
        path
    }

    /// Keeps a server until the end of the test.
    pub(crate) fn keep(&mut self, server: Server) {
        self.servers.push(server);
    }

    /// Leads every connection to a public address and port to a server of the test.
    pub(crate) fn lead(&mut self, from: impl Into<String>, to: SocketAddr) {
        self.rules.push((from.into(), to));
    }

    /// Writes the config for `project` (TOML below `[[project]]`) and says where it is.
    pub(crate) fn config(&self, project: &str) -> PathBuf {
        let resolvers: Vec<String> = self.resolvers.iter().map(ToString::to_string).collect();
        let mut text = format!(
            "[network]\nresolvers = {resolvers:?}\nextra_roots = [\"{}\"]\n",
            self.authority.root().display()
        );
        if let Some(rdap) = self.rdap {
            _ = writeln!(text, "rdap = \"http://{rdap}/\"");
        }
        // Nothing leaves this machine: whatever has no rule of its own leads to a closed port.
        let nowhere = ("*:*".to_owned(), free_port());
        for (from, to) in self.rules.iter().chain([&nowhere]) {
            _ = write!(text, "[[network.connect_to]]\nfrom = {from:?}\nto = \"{to}\"\n");
        }
        _ = write!(text, "[[project]]\nname = \"harbor\"\ndomain = \"harbor.example\"\n{project}");
        let path = self.folder.path().join("launchready.toml");
        std::fs::write(&path, text).unwrap();
        path
    }
}
