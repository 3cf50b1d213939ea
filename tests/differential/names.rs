//! BIND with one generated zone that holds every name there is, root and all.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use crate::port::free_port;
use crate::process::{Ready, Server};
use crate::support::program;

/// The programs that are needed.
pub(crate) const PROGRAMS: [&str; 2] = ["setpriv", "named"];

/// The records of the root zone, names in full.
#[derive(Debug, Default)]
pub(crate) struct Zone(String);

impl Zone {
    pub(crate) fn add(&mut self, name: &str, data: &str) {
        _ = writeln!(self.0, "{name}. {data}");
    }

    pub(crate) fn a(&mut self, name: &str) {
        self.add(name, "A 192.0.2.10");
    }

    pub(crate) fn mx(&mut self, name: &str, host: &str) {
        self.add(name, &format!("MX 10 {host}."));
    }

    /// A text in strings of at most 255 bytes.
    pub(crate) fn txt(&mut self, name: &str, text: &str) {
        let strings: Vec<&[u8]> = text.as_bytes().chunks(255).collect();
        self.strings(name, &strings);
    }

    /// A text in these strings.
    pub(crate) fn strings<T: AsRef<[u8]>>(&mut self, name: &str, strings: &[T]) {
        let quoted: Vec<String> = strings.iter().map(|string| quoted(string.as_ref())).collect();
        self.add(name, &format!("TXT {}", quoted.join(" ")));
    }
}

/// A string as it stands in a zone file.
fn quoted(string: &[u8]) -> String {
    let escaped = string.iter().map(|byte| match byte {
        b'"' | b'\\' => format!("\\{}", char::from(*byte)),
        b' '..=b'~' => char::from(*byte).to_string(),
        other => format!("\\{other:03}"),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

/// A name server that knows the zone.
#[derive(Debug)]
pub(crate) struct NameServer {
    _server: Server,
    _folder: tempfile::TempDir,
    pub(crate) at: SocketAddr,
}

impl NameServer {
    pub(crate) fn start(zone: &Zone) -> Self {
        let folder = tempfile::Builder::new().prefix("launchready-").tempdir().unwrap();
        let records = format!(
            "$TTL 300\n. SOA a.root.test. nobody.test. 1 7200 3600 1209600 300\n. NS a.root.test.\n\
             a.root.test. A 192.0.2.1\n{}",
            zone.0
        );
        std::fs::write(folder.path().join("root.zone"), records).unwrap();
        let at = free_port();
        let config = format!(
            "controls {{ }};\noptions {{ directory \"{}\"; pid-file none; session-keyfile none; \
             lock-file none; notify no; empty-zones-enable no; recursion no; listen-on-v6 {{ none; }};\n\
             listen-on port {} {{ {}; }}; check-names primary ignore; check-integrity no; }};\n\
             zone \".\" {{ type primary; file \"root.zone\"; }};\n",
            folder.path().display(),
            at.port(),
            at.ip()
        );
        let path = folder.path().join("named.conf");
        std::fs::write(&path, config).unwrap();
        let server = serve(folder.path(), &path);
        Self { _server: server, _folder: folder, at }
    }
}

/// Starts BIND with a config, and waits until all zones are loaded.
pub(crate) fn serve(folder: &Path, config: &Path) -> Server {
    // AppArmor confines /usr/sbin/named to the folders of the system; a copy it leaves alone.
    let named = folder.join("named");
    if !named.exists() {
        std::fs::copy(program("named").unwrap(), &named).unwrap();
    }
    let arguments = ["-g", "-n", "1", "-c", config.to_str().unwrap()];
    Server::start(&named, &arguments, Ready::Says("all zones loaded"))
}
