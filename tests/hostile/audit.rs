//! Runs the program as a child, watches its memory, and holds what it says against the limits.

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;
use tokio::sync::OnceCell;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::missing::lacks;
use crate::world::{Running, healthy};

/// What an audit may take beyond its time limit: starting, judging and printing on a busy machine.
const GRACE: Duration = Duration::from_secs(30);
/// What a hostile server may cost beyond an audit of a healthy one.
const EXTRA_KIB: u64 = 64 * 1024;
/// How often the memory is looked at.
const TICK: Duration = Duration::from_millis(4);

/// An audit that has ended by itself.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) report: Value,
    /// The most memory that it held, in KiB; `None` where the system does not tell.
    peak: Option<u64>,
    pub(crate) took: Duration,
}

/// What has to become of a hostile answer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outcome {
    /// This finding of this check.
    Finding(&'static str, &'static str),
    /// A finding of this check, or a part of it that is said not to have been seen.
    Told(&'static str),
}

/// Audits with a config.
pub(crate) async fn audit(config: &Path, limit: Duration) -> Ended {
    let began = Instant::now();
    let child = Command::new(env!("CARGO_BIN_EXE_launchready"))
        .args(["audit", "--format", "json", "--quiet", "--config"])
        .arg(config)
        .arg("--time-limit")
        .arg(format!("{}ms", limit.as_millis()))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id().unwrap());
    let mut peak = None;
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let watched = async {
        let mut end = std::pin::pin!(child.wait_with_output());
        loop {
            tokio::select! {
                output = &mut end => return output.unwrap(),
                _ = ticks.tick() => peak = peak.max(high_water(&status)),
            }
        }
    };
    let ended = timeout(limit + GRACE, watched).await;
    let output = ended.unwrap_or_else(|_| panic!("still running {GRACE:?} after its limit"));
    Ended { code: output.status.code(), report: report(&output), peak, took: began.elapsed() }
}

fn report(output: &Output) -> Value {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(!said.contains("panicked"), "{said}");
    assert!(said.is_empty(), "a quiet audit says nothing: {said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The high-water mark of resident memory in KiB, as Linux tells it.
fn high_water(status: &str) -> Option<u64> {
    let text = std::fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// What an audit of the healthy world takes.
async fn baseline() -> Option<u64> {
    static PEAK: OnceCell<Option<u64>> = OnceCell::const_new();
    let measure = async || {
        let Running { lab, folder, config } = healthy().await;
        let path = config.write(folder.path());
        let ended = audit(&path, Duration::from_secs(45)).await;
        lab.stop().await;
        if ended.peak.is_none() {
            let reason = "this system does not tell the memory of a process";
            lacks("memory of hostile audits", reason);
        }
        ended.peak
    };
    *PEAK.get_or_init(measure).await
}

impl Ended {
    /// Everything that holds for every audit, and the outcomes that this one has to have.
    pub(crate) async fn holds(&self, name: &str, outcomes: &[Outcome]) {
        let report = &self.report;
        let no_go = report["verdict"] == "no_go";
        // Where this machine kept every check from looking, nothing is known.
        let first = report["verdict_reasons"][0].as_str().unwrap_or_default();
        let is_blind = first.starts_with("Nothing could be looked at from this machine: ");
        let wanted = if is_blind { 3 } else { i32::from(no_go) };
        assert_eq!(self.code, Some(wanted), "{name}: {report:#}");
        for check in report["checks"].as_array().unwrap() {
            let reason = check["reason"].as_str().unwrap_or_default();
            assert!(!reason.contains("internal error"), "{name}: {check:#}");
        }
        for outcome in outcomes {
            match *outcome {
                Outcome::Finding(check, code) => {
                    assert!(self.codes(check).contains(&code), "{name}: {:#}", self.check(check));
                }
                Outcome::Told(check) => {
                    let found = !self.codes(check).is_empty();
                    let check = self.check(check);
                    let unseen = check["not_checked"].as_array().is_some_and(|all| !all.is_empty());
                    let told = found || unseen || check["status"] == "unknown";
                    assert!(told, "{name}: {check:#}");
                }
            }
        }
        if let (Some(peak), Some(baseline)) = (self.peak, baseline().await) {
            let limit = baseline + EXTRA_KIB;
            assert!(peak <= limit, "{name}: {peak} KiB, and {baseline} KiB for a healthy world");
        }
    }

    /// One check of the report.
    pub(crate) fn check(&self, id: &str) -> &Value {
        let checks = self.report["checks"].as_array().unwrap();
        checks.iter().find(|check| check["id"] == id).unwrap()
    }

    /// The codes that a check found.
    pub(crate) fn codes(&self, id: &str) -> Vec<&str> {
        let findings = self.check(id)["findings"].as_array().unwrap();
        findings.iter().filter_map(|finding| finding["code"].as_str()).collect()
    }
}
