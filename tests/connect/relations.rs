//! One look of one check at a world of its own, in which help desk or CRM fail in a chosen way.

use std::sync::Arc;
use std::time::Duration;

use launchready::app::{Baseline, Plan, Session};
use launchready::clock::{Clock as _, SystemClock};
use launchready::config::parse;
use launchready::engine::Silent;
use launchready::report::{CheckReport, build};
use launchready_checks::contract::Status;
use launchready_lab::{Lab, LabOptions, World};

/// A world with names that lead nowhere; accounts are put behind it.
const NAMES: &str = r#"
[zone."."]
records = ['@ 86400 SOA a.root-servers.net. nstld.verisign-grs.com. 2026090100 1800 900 604800 86400']
[zone."example"]
records = [
    '@ 3600 SOA a.nic.example. hostmaster.nic.example. 2026090100 1800 900 604800 3600',
    '@ 86400 NS a.nic.example.',
    'a.nic 86400 A 194.0.1.10',
]
[name_server."a.nic.example"]
addresses = ["194.0.1.10"]
zones = ["example"]
[resolver.first]
"#;

/// What one look came to.
pub(crate) struct Look {
    pub(crate) check: CheckReport,
}

impl Look {
    pub(crate) fn codes(&self) -> Vec<&str> {
        self.check.findings.iter().map(|finding| finding.code.as_str()).collect()
    }

    /// The reason of the run and of every part that was not seen, with the steps that unlock them.
    pub(crate) fn told(&self) -> String {
        let parts = self
            .check
            .not_checked
            .iter()
            .map(|part| format!("{}: {} ({})", part.part, part.reason, part.unlock));
        parts.chain(self.check.reason.clone()).collect::<Vec<_>>().join("\n")
    }

    pub(crate) fn measured(&self, name: &str) -> Option<f64> {
        self.check.measurements.iter().find(|one| one.name == name).map(|one| one.value)
    }
}

/// Looks with one check at a project that has these tables, against these fakes.
pub(crate) async fn look(id: &'static str, project: &str, apis: &str) -> Look {
    let text = format!(
        "[project]\nname = \"harbor\"\ndomain = \"harbor.example\"\n{project}\n{NAMES}\n{apis}"
    );
    let world = World::from_toml(&text).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
    let folder = tempfile::tempdir().unwrap();
    let options = LabOptions {
        now: SystemClock.now(),
        delay: Duration::ZERO,
        speed: 1.0,
        dir: folder.path().to_owned(),
    };
    let lab = Lab::start(&world, options).await.unwrap();
    let config = parse(&lab.config_toml(), folder.path()).unwrap();
    let session = Session::new(config.network.clone(), Arc::new(SystemClock)).unwrap();
    let plan = Plan {
        ids: vec![id],
        time_limit: Duration::from_mins(2),
        baseline: Baseline::new(),
        recheck: String::new(),
        config: None,
        handover: None,
        checkouts: None,
    };
    let record = session.audit(&config.projects[0], &plan, &Silent).await.unwrap();
    lab.stop().await;
    let report = build(&record);
    Look { check: report.checks.into_iter().find(|check| check.id == id).unwrap() }
}

/// One thing that goes wrong, and what the message has to say.
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    /// Keys of `[[api.NAME.fault]]`.
    pub(crate) toml: &'static str,
    /// A part of what is told.
    pub(crate) says: &'static str,
}

/// What goes wrong at every vendor alike. The first request is answered so again and again.
pub(crate) const FAULTS: &[Fault] = &[
    Fault { name: "wrong key", toml: "status = 401", says: "the credential was refused" },
    Fault { name: "missing scope", toml: "status = 403", says: "a permission is missing" },
    Fault {
        name: "429 with a wait that is too long",
        toml: "status = 429\nheaders = [\"retry-after: 900\"]",
        says: "asks to wait 900 s",
    },
    Fault { name: "429 without a wait", toml: "status = 429", says: "answers 429" },
    Fault { name: "500s", toml: "status = 500\nbody = \"<h1>oops</h1>\"", says: "answers 500" },
    Fault { name: "truncated JSON", toml: "cut = 17", says: "JSON of another shape" },
    Fault {
        name: "no JSON",
        toml: "status = 200\nbody = \"<html>\"",
        says: "JSON of another shape",
    },
    Fault {
        name: "a redirect",
        toml: "status = 302\nheaders = [\"location: /elsewhere\"]",
        says: "a redirect",
    },
    Fault {
        name: "a clock that is off",
        toml: "clock = 600",
        says: "the clock of this machine is",
    },
];

/// Runs a check against each fault: unknown, with the cause, and without a finding.
pub(crate) async fn each_fault(id: &'static str, project: &str, name: &str, apis: &str) {
    let mut wrong = Vec::new();
    for fault in FAULTS {
        let apis = format!("{apis}\n[[api.{name}.fault]]\n{}\n", fault.toml);
        let seen = look(id, project, &apis).await;
        let told = seen.told();
        if seen.check.status != Status::Unknown || !told.contains(fault.says) {
            wrong.push(format!(
                "{name}, {}: {} {:?}, told {told:?}",
                fault.name,
                seen.check.status.as_str(),
                seen.codes()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
