//! The loop that all systems share: one world for each fault, the real connector, one question.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use launchready::clock::{Clock as _, SystemClock};
use launchready::config::parse;
use launchready::connect::{Reach, accounts};
use launchready_checks::probe::{Accounts, ProbeError};
use launchready_lab::{Lab, LabOptions, World};

/// The parts of a world that no connector asks about.
const GROUND: &str = r#"
[project]
name = "harbor"
domain = "harbor.example"

[zone."."]
records = ['@ 86400 SOA a.root-servers.net. nstld.verisign-grs.com. 1 1800 900 604800 86400']

[name_server]

[resolver.only]
"#;

/// A running fake with the ports that lead to it.
pub(crate) struct Running {
    pub(crate) lab: Lab,
    pub(crate) accounts: Accounts,
    folder: tempfile::TempDir,
}

impl Running {
    /// A world with these tables: those of the project's account, of its secret and of the fake.
    pub(crate) async fn start(tables: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = World::from_toml(&format!("{GROUND}{tables}")).unwrap();
        let options = LabOptions {
            now: SystemClock.now(),
            delay: Duration::ZERO,
            speed: 1.0,
            dir: folder.path().to_owned(),
        };
        let lab = Lab::start(&world, options).await.unwrap();
        let accounts = ports(&lab.config_toml(), folder.path());
        Self { lab, accounts, folder }
    }

    /// A credential, as it lies in the folder of the config.
    pub(crate) fn secret(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap().trim().to_owned()
    }
}

/// The ports that a config leads to.
fn ports(config: &str, folder: &Path) -> Accounts {
    let config = parse(config, folder).unwrap_or_else(|errors| panic!("{errors}"));
    // The first test of a process installs it, and the others find it there.
    let _installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let reach = Reach::new(client, Arc::new(SystemClock));
    accounts(&config.projects[0].accounts, &reach)
}

/// The ports of a running fake that are asked through something else than the network.
pub(crate) fn ports_at(running: &Running, reach: &Reach) -> Accounts {
    let config = parse(&running.lab.config_toml(), running.folder.path());
    accounts(&config.unwrap_or_else(|errors| panic!("{errors}")).projects[0].accounts, reach)
}

/// What a fault must end in.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ends {
    /// The same answer as without it.
    Well,
    /// An error that contains each of these.
    Error(&'static [&'static str]),
}

/// One thing that goes wrong: its name, the lines of `[[api.NAME.fault]]`, and what it must end in.
pub(crate) type Case = (&'static str, &'static str, Ends);

/// A system and the question that its loop asks.
pub(crate) struct System {
    /// The name of its fake.
    pub(crate) name: &'static str,
    /// Its name for people, as errors have it.
    pub(crate) vendor: &'static str,
    /// The tables of its world.
    pub(crate) tables: &'static str,
    /// The faults that only it has, such as a refusal in its own words.
    pub(crate) own: &'static [Case],
}

/// The faults that every system can have.
const EVERY: &[Case] = &[
    (
        "wrong key",
        "status = 401\nbody = '{}'",
        Ends::Error(&["the credential was refused", "answers 401; make a new one at https://"]),
    ),
    (
        "refused without a word",
        "status = 403\nbody = 'no'",
        Ends::Error(&["a permission is missing"]),
    ),
    (
        "too many requests, and a wait that is too long",
        "status = 429\nheaders = ['retry-after: 120']",
        Ends::Error(&["rate-limited", "answers 429, asks to wait 120 s"]),
    ),
    ("too many requests", "status = 429", Ends::Error(&["rate-limited", "answers 429"])),
    (
        "too many requests at first",
        "status = 429\nheaders = ['retry-after: 0']\nto = 1",
        Ends::Well,
    ),
    ("broken", "status = 500\nbody = 'oops'", Ends::Error(&["malformed answer", "answers 500"])),
    ("broken at first", "status = 503\nto = 1", Ends::Well),
    (
        "led elsewhere",
        "status = 302\nheaders = ['location: https://elsewhere.example/']",
        Ends::Error(&["302, a redirect"]),
    ),
    ("cut off", "cut = 60", Ends::Error(&["malformed answer", "JSON of another shape"])),
    ("no JSON", "status = 200\nbody = '<html>'", Ends::Error(&["JSON of another shape"])),
    (
        "a clock that is ahead",
        "clock = 600",
        Ends::Error(&["the clock of this machine is", "behind that of"]),
    ),
    ("a clock that is behind", "clock = -600", Ends::Error(&["ahead of that of"])),
    ("a clock that is a minute off", "clock = 60", Ends::Well),
];

/// Asks a system once well, and once with each fault.
pub(crate) async fn each_fault(
    system: &System,
    ask: impl AsyncFn(&Accounts) -> Result<String, ProbeError>,
) {
    let well = Running::start(system.tables).await;
    let wanted = ask(&well.accounts).await.unwrap();
    well.lab.stop().await;
    let mut wrong = Vec::new();
    for (what, fault, ends) in EVERY.iter().chain(system.own) {
        let tables = format!("{}\n[[api.{}.fault]]\n{fault}\n", system.tables, system.name);
        let running = Running::start(&tables).await;
        let answer = ask(&running.accounts).await;
        running.lab.stop().await;
        match (&answer, ends) {
            (Ok(answer), Ends::Well) if *answer == wanted => {}
            (Err(error), Ends::Error(parts)) => {
                let text = error.to_string();
                let blamed = text.contains(system.vendor);
                if !blamed || !parts.iter().all(|part| text.contains(part)) {
                    wrong.push(format!("{what}: {text}, wanted {parts:?} of {}", system.vendor));
                }
            }
            _ => wrong.push(format!("{what}: {answer:?}, wanted {ends:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", system.name, wrong.join("\n"));
}
