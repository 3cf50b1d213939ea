//! The unit for systemd: it starts what exists, may do little, and is read by systemd's own programs.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use clap::Parser as _;
use launchready::cli::{Cli, Command as Typed};

use crate::program;
use crate::support::missing::lacks;

const UNIT: &str = include_str!("../../packaging/launchready.service");

/// The value of a setting that stands once.
fn setting(name: &str) -> &'static str {
    let mut values = UNIT.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    let value = values.next().unwrap_or_else(|| panic!("the unit has no {name}"));
    assert_eq!(values.next(), None, "{name} stands twice");
    value
}

#[test]
fn the_unit_starts_a_command_that_exists() {
    let words: Vec<&str> = setting("ExecStart").split(' ').collect();
    let program = Path::new(words[0]);
    assert!(program.is_absolute() && program.ends_with("launchready"), "{words:?}");
    let cli = Cli::try_parse_from(&words).unwrap();
    let Typed::Agent(args) = cli.command else { panic!("{words:?}") };
    let folder = Path::new("/etc").join(setting("ConfigurationDirectory"));
    assert_eq!(args.config.parent(), Some(folder.as_path()));
    assert_eq!(setting("ExecReload"), "/bin/kill -HUP $MAINPID");
    // It says that it is ready, and that it lives.
    assert_eq!((setting("Type"), setting("Restart")), ("notify", "always"));
    assert_eq!(setting("WatchdogSec"), "3min");
    // Longer than a step to new tables may take, which would begin again and again.
    assert_eq!(setting("TimeoutStartSec"), "30min");
}

#[test]
fn the_handbook_names_the_same_places_as_the_unit() {
    let page = include_str!("../../docs/agent.md");
    let state = format!("sqlite:/var/lib/{}/launchready.db", setting("StateDirectory"));
    let program = setting("ExecStart").split(' ').next().unwrap();
    for part in [
        state.as_str(),
        program,
        "packaging/launchready.service",
        "/run/credentials/launchready.service/",
        "[Service]\nEnvironmentFile=/etc/launchready/launchready.env\n",
        "[Service]\nLoadCredential=page-password:",
        &format!("--shell /usr/sbin/nologin {}", setting("User")),
    ] {
        assert!(page.contains(part), "{part} is missing in docs/agent.md");
    }
    let refused = ["Password=", "Token=", "EnvironmentFile="];
    assert!(!refused.iter().any(|word| UNIT.contains(word)), "a secret comes as a credential");
    // The only one, and no secret; benches/scale and benches/soak measure an agent with the same.
    assert_eq!(setting("Environment"), "MALLOC_ARENA_MAX=1");
    assert_eq!(UNIT.matches("Environment").count(), 1);
}

#[test]
fn the_program_brings_its_heap() {
    let folder = tempfile::tempdir().unwrap();
    let mut version = Command::new(program(folder.path()));
    let version =
        version.arg("--version").env("_RJEM_MALLOC_CONF", "launchready:1").output().unwrap();
    let said = String::from_utf8(version.stderr).unwrap();
    assert!(said.contains("<jemalloc>: Invalid conf pair: launchready:1"), "{said}");
}

#[test]
fn the_unit_leaves_the_agent_one_folder_to_write_to() {
    for (name, value) in [
        ("User", "launchready"),
        ("StateDirectory", "launchready"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("PrivateTmp", "yes"),
        ("PrivateDevices", "yes"),
        ("ProtectKernelTunables", "yes"),
        ("ProtectControlGroups", "yes"),
        ("CapabilityBoundingSet", ""),
        ("AmbientCapabilities", ""),
    ] {
        assert_eq!(setting(name), value, "{name}");
    }
    for more in ["ReadWrite", "BindPaths", "RuntimeDirectory", "CacheDirectory", "LogsDirectory"] {
        assert!(!UNIT.lines().any(|line| line.starts_with(more)), "{more} opens another folder");
    }
}

/// The output of `systemd-analyze` for the unit with our program in it; nothing where it is missing.
fn analyze(arguments: &[&str]) -> Option<(bool, String)> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("launchready.service");
    let program = setting("ExecStart").split(' ').next().unwrap();
    // systemd looks whether the program exists on this machine.
    std::fs::write(&path, UNIT.replace(program, env!("CARGO_BIN_EXE_launchready"))).unwrap();
    let output = Command::new("systemd-analyze").args(arguments).arg(&path).output();
    let Ok(output) = output else {
        lacks("systemd-analyze", "it is not installed");
        return None;
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = text(&output.stdout) + &text(&output.stderr);
    Some((output.status.success(), said))
}

#[test]
fn systemd_reads_the_unit_without_a_word_and_finds_little_exposed() {
    let Some((good, said)) = analyze(&["verify", "--man=no"]) else { return };
    let about_us: Vec<&str> =
        said.lines().filter(|line| line.contains("launchready.service")).collect();
    assert!(good && about_us.is_empty(), "{said}");
    let Some((_, said)) = analyze(&["security", "--offline=true", "--no-pager"]) else { return };
    let line = said.lines().find(|line| line.contains("Overall exposure level"));
    let line = line.unwrap_or_else(|| panic!("{said}"));
    let level: f64 = line
        .rsplit_once(": ")
        .and_then(|(_, rest)| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or_else(|| panic!("{line}"));
    // 0 is nothing at all and 10 everything; a service with the network open cannot be below 1.
    assert!(level < 2.0, "{line}");
}

/// What systemd hears until it has heard `wanted`.
fn hear(socket: &UnixDatagram, wanted: &str, agent: &mut Child, log: &Path) -> String {
    let mut heard = String::new();
    let mut bytes = [0; 1024];
    while !heard.contains(wanted) {
        let length = socket.recv(&mut bytes).unwrap_or_else(|error| {
            let ended = agent.try_wait();
            let log = std::fs::read_to_string(log).unwrap_or_default();
            panic!("not {wanted} but {heard:?}: {error}; the agent: {ended:?}; its log:\n{log}")
        });
        heard.push_str(std::str::from_utf8(&bytes[..length]).unwrap());
        heard.push('\n');
    }
    heard
}

#[test]
fn systemd_hears_that_it_is_ready_that_it_lives_and_that_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let listen = crate::port::free_port();
    let config = format!(
        "[agent]\nlisten = \"{listen}\"\n[network]\nresolvers = [\"127.0.0.1:9\"]\n\
         [[project]]\nname = \"harbor\"\ndomain = \"harbor.example\"\n"
    );
    std::fs::write(folder.path().join("launchready.toml"), config).unwrap();
    let log = folder.path().join("log");
    let mut agent = Command::new(env!("CARGO_BIN_EXE_launchready"))
        .arg("agent")
        .current_dir(folder.path())
        .env("NOTIFY_SOCKET", &path)
        // As WatchdogSec=200ms would say it.
        .env("WATCHDOG_USEC", "200000")
        .stdin(Stdio::null())
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let heard = hear(&socket, "READY=1", &mut agent, &log);
    assert!(!heard.contains("WATCHDOG=1"), "ready comes first");
    hear(&socket, "WATCHDOG=1", &mut agent, &log);
    hear(&socket, "WATCHDOG=1", &mut agent, &log);
    let id = agent.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    hear(&socket, "STOPPING=1", &mut agent, &log);
    assert!(agent.wait().unwrap().success());
}
