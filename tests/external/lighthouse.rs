//! A real Lighthouse with a real Chromium, where this machine has both.

use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;

use jiff::Timestamp;
use launchready::probe::CommandProbe;
use launchready_checks::contract::{AssessInput, History, Target};
use launchready_checks::probe::replay::{Replay, World};
use launchready_checks::registry;
use serde_json::json;

use crate::servers;
use crate::support::missing::skipped;
use crate::support::program;

#[tokio::test]
async fn a_page_is_measured_by_the_program_of_this_machine() {
    let (Some(lighthouse), Some(chromium)) = (program("lighthouse"), program("chromium")) else {
        // It is a program of npm and of two hundred megabytes; the suite does without.
        skipped("lighthouse", "lighthouse or chromium is not installed");
        return;
    };
    let is_root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    let page = format!("http://{}/", servers::page("200 OK"));
    let options = json!({
        "lighthouse": lighthouse,
        "chromium": chromium,
        "sandbox": !is_root,
        "runs": 1,
        "pages": [page],
    });
    let plugin = registry::find("web-speed").unwrap();
    let check = (plugin.build)(&options).unwrap();
    let now = Timestamp::UNIX_EPOCH;
    let mut probes = Replay::new(World::default(), now).unwrap().probes();
    probes.command = Arc::new(CommandProbe::default());
    let target = Target { domain: "harbor.example".to_owned(), ..Target::default() };
    let looked = check.collect(now, None, &target, &probes).await.unwrap();
    let history = History::default();
    let input =
        AssessInput { now, target: &target, previous: None, history: &history, baseline: None };
    let found = check.assess(&looked.evidence, &input).unwrap();
    let of =
        |name: &str| found.measurements.iter().find(|one| one.name == name).map(|one| one.value);
    assert!(found.not_checked.is_empty(), "{:?}", found.not_checked);
    assert!(of("performance").is_some_and(|score| (0.0..=100.0).contains(&score)), "{found:?}");
    assert!(of("largest-contentful-paint").is_some_and(|seconds| seconds > 0.0), "{found:?}");
    assert!(of("total-blocking-time").is_some() && of("layout-shift").is_some(), "{found:?}");
}
