//! Servers and tools as processes: started, waited for by what they say, and stopped by their id.

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::support::program;

/// How long a server may take to start; a busy machine with two cores needs a second or two.
const START: Duration = Duration::from_mins(2);
/// How long a server may take to stop before it is killed.
const STOP: Duration = Duration::from_secs(20);
/// How long to wait between two tries to connect, unless the server says something.
const TRY_AGAIN: Duration = Duration::from_millis(20);
/// How a server shows that it is ready.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ready<'a> {
    /// It writes a line with these words.
    Says(&'a str),
    /// It accepts connections here.
    Accepts(SocketAddr),
}

/// A running server, stopped with all its processes when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    lines: Receiver<String>,
}

impl Server {
    /// Starts a server that stays in the foreground and waits until it is ready.
    pub(crate) fn start(path: &Path, arguments: &[&str], ready: Ready<'_>) -> Self {
        match Self::begin(path, arguments, ready) {
            Ok(server) => server,
            Err(said) => panic!("{} did not start:\n{said}", path.display()),
        }
    }

    /// The same; none where it ends instead.
    pub(crate) fn try_start(path: &Path, arguments: &[&str], ready: Ready<'_>) -> Option<Self> {
        Self::begin(path, arguments, ready).inspect_err(|said| println!("{said}")).ok()
    }

    fn begin(path: &Path, arguments: &[&str], ready: Ready<'_>) -> Result<Self, String> {
        // A group of its own is what is stopped later; the signal ends the server also when the
        // test is killed and cannot stop it.
        let mut child = Command::new(program("setpriv").unwrap())
            .args(["--pdeathsig", "TERM", "--"])
            .arg(path)
            .args(arguments)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = channel();
        // Whatever it says must be read, or it stops at a full pipe.
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                drop(sender.send(line));
            }
        });
        let server = Self { child, lines };
        server.wait(ready)?;
        Ok(server)
    }

    fn wait(&self, ready: Ready<'_>) -> Result<(), String> {
        let deadline = Instant::now() + START;
        let mut said = Vec::new();
        while let Some(left) = deadline.checked_duration_since(Instant::now()) {
            let pause = match ready {
                Ready::Accepts(address) if TcpStream::connect(address).is_ok() => return Ok(()),
                Ready::Accepts(_) => left.min(TRY_AGAIN),
                Ready::Says(_) => left,
            };
            match self.lines.recv_timeout(pause) {
                Ok(line) if matches!(ready, Ready::Says(words) if line.contains(words)) => {
                    return Ok(());
                }
                Ok(line) => said.push(line),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        Err(said.join("\n"))
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Sends it a signal, such as `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let group = format!("-{}", self.child.id());
        let mut kill = Command::new("sh");
        kill.args(["-c", "kill \"$@\"", "kill", "-s", name, "--", &group]).stderr(Stdio::null());
        drop(kill.status());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.signal("TERM");
        let deadline = Instant::now() + STOP;
        // The end of its output is the end of its processes.
        while let Some(left) = deadline.checked_duration_since(Instant::now())
            && self.lines.recv_timeout(left) != Err(RecvTimeoutError::Disconnected)
        {}
        self.signal("KILL");
        drop(self.child.wait());
    }
}

/// Runs a tool to its end and gives back what it printed.
pub(crate) fn run(name: &str, arguments: &[&str], folder: &Path) -> Vec<u8> {
    let path = program(name).unwrap_or_else(|| panic!("{name} is not installed"));
    let output = Command::new(path).args(arguments).current_dir(folder).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} {}: {errors}", arguments.join(" "));
    output.stdout
}

/// Whether this user may start servers that change their user.
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}
