//! `launchready-lab`: a small internet on loopback, for trying launchready out.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use launchready_lab::{Crowd, CrowdOptions, Lab, LabError, LabOptions, World};

const USAGE: &str = "\
usage: launchready-lab serve [--scenario healthy|broken|hostile] [--with DEFECT]… [--without DEFECT]…
                             [--dir DIR] [--delay 20ms]
       launchready-lab crowd [--projects 2000] [--checks ID,…] [--every 300s]
                             [--dir DIR] [--delay 20ms]
       launchready-lab defects

serve    starts the world, writes DIR/config.toml and DIR/ca.pem, prints `ready DIR/config.toml`,
         and runs until it is interrupted
crowd    does the same with many small projects, for load tests
defects  lists the defects that can be planted";

/// What went wrong, for a person at a terminal.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}\n\n{USAGE}")]
    Usage(String),
    #[error(transparent)]
    Lab(#[from] LabError),
    #[error("cannot {0}: {1}")]
    System(&'static str, #[source] std::io::Error),
}

#[derive(Debug)]
struct Serve {
    world: World,
    dir: PathBuf,
    delay: Duration,
}

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _closed = writeln!(std::io::stderr(), "launchready-lab: {failure}");
            ExitCode::from(if matches!(failure, Failure::Usage(_)) { 2 } else { 1 })
        }
    }
}

fn run(arguments: Vec<String>) -> Result<(), Failure> {
    let mut arguments = arguments.into_iter();
    match arguments.next().as_deref() {
        Some("serve") => serve(&parse(arguments)?),
        Some("crowd") => crowd(arguments),
        Some("defects") => {
            let world = World::load("healthy")?;
            for defect in world.defects().iter().chain(world.outages()) {
                say(&format!("{}  {}", defect.name, defect.about))?;
            }
            Ok(())
        }
        Some("--help" | "-h") => say(USAGE),
        Some(other) => Err(Failure::Usage(format!("unknown command {other}"))),
        None => Err(Failure::Usage("no command".to_owned())),
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Serve, Failure> {
    let mut scenario = "broken".to_owned();
    let (mut with, mut without) = (Vec::new(), Vec::new());
    let mut dir = PathBuf::from("lab-output");
    let mut delay = Duration::ZERO;
    while let Some(option) = arguments.next() {
        let value =
            arguments.next().ok_or_else(|| Failure::Usage(format!("{option} needs a value")))?;
        match option.as_str() {
            "--scenario" => scenario = value,
            "--with" => with.push(value),
            "--without" => without.push(value),
            "--dir" => dir = value.into(),
            "--delay" => delay = milliseconds(&value)?,
            _ => return Err(Failure::Usage(format!("unknown option {option}"))),
        }
    }
    let mut world = World::load(&scenario)?;
    for defect in with {
        world = world.with(&defect)?;
    }
    for defect in without {
        world = world.without(&defect)?;
    }
    Ok(Serve { world, dir, delay })
}

fn milliseconds(text: &str) -> Result<Duration, Failure> {
    let number = text.strip_suffix("ms").and_then(|number| number.parse().ok());
    let wrong = || Failure::Usage(format!("--delay {text}: write milliseconds, such as 20ms"));
    number.map(Duration::from_millis).ok_or_else(wrong)
}

fn serve(serve: &Serve) -> Result<(), Failure> {
    runtime()?.block_on(async {
        let options =
            LabOptions { now: now(), delay: serve.delay, speed: 1.0, dir: full_path(&serve.dir)? };
        let end = Interrupted::listen().map_err(|e| Failure::System("wait for a signal", e))?;
        let lab = Lab::start(&serve.world, options).await?;
        announce(&serve.dir, &lab.config_toml())?;
        end.come().await.map_err(|e| Failure::System("wait for a signal", e))?;
        lab.stop().await;
        Ok(())
    })
}

fn crowd(mut arguments: impl Iterator<Item = String>) -> Result<(), Failure> {
    let mut projects = 2_000;
    let mut options = CrowdOptions::new(now(), "lab-output");
    while let Some(option) = arguments.next() {
        let value =
            arguments.next().ok_or_else(|| Failure::Usage(format!("{option} needs a value")))?;
        match option.as_str() {
            "--projects" => {
                projects =
                    value.parse().ok().filter(|n| (1..=100_000).contains(n)).ok_or_else(|| {
                        Failure::Usage(format!("--projects {value}: write 1 to 100000"))
                    })?;
            }
            "--checks" => options.checks = value.split(',').map(str::to_owned).collect(),
            "--every" => {
                let seconds = value.strip_suffix('s').and_then(|number| number.parse().ok());
                let wrong =
                    || Failure::Usage(format!("--every {value}: write seconds, such as 300s"));
                options.every =
                    seconds.filter(|n| *n > 0).map(Duration::from_secs).ok_or_else(wrong)?;
            }
            "--dir" => options.dir = value.into(),
            "--delay" => options.delay = milliseconds(&value)?,
            _ => return Err(Failure::Usage(format!("unknown option {option}"))),
        }
    }
    let dir = options.dir.clone();
    options.dir = full_path(&dir)?;
    runtime()?.block_on(async {
        let end = Interrupted::listen().map_err(|e| Failure::System("wait for a signal", e))?;
        let crowd = Crowd::start(projects, options).await?;
        announce(&dir, &crowd.config_toml())?;
        end.come().await.map_err(|e| Failure::System("wait for a signal", e))?;
        crowd.stop().await;
        Ok(())
    })
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| Failure::System("start", e))
}

/// Makes the folder. The config is read from anywhere, so the paths in it have to be full ones.
fn full_path(dir: &Path) -> Result<PathBuf, Failure> {
    std::fs::create_dir_all(dir).map_err(|e| Failure::System("make the folder", e))?;
    dir.canonicalize().map_err(|e| Failure::System("find the folder", e))
}

fn announce(dir: &Path, config: &str) -> Result<(), Failure> {
    let path = dir.join("config.toml");
    std::fs::write(&path, config).map_err(|e| Failure::System("write the config", e))?;
    say(&format!("ready {}", path.display()))
}

#[expect(clippy::disallowed_methods, reason = "a program of its own, which reads the clock once")]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs())
        .ok()
        .and_then(|second| Timestamp::from_second(second).ok())
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The signals that end the program. They are listened for before `ready` is said, so that one
/// which comes right after it ends the program in order.
struct Interrupted {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Interrupted {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let terminate = signal(SignalKind::terminate())?;
        Ok(Self { terminate, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn come(mut self) -> std::io::Result<()> {
        tokio::select! {
            _ = self.interrupt.recv() => Ok(()),
            _ = self.terminate.recv() => Ok(()),
        }
    }
}

#[cfg(not(unix))]
impl Interrupted {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {})
    }

    async fn come(self) -> std::io::Result<()> {
        tokio::signal::ctrl_c().await
    }
}

/// Whoever has read enough and closes the pipe is no failure.
fn say(line: &str) -> Result<(), Failure> {
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|e| Failure::System("print", e)),
    }
}
