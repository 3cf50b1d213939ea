//! The lab against the audit: what is planted is found, exactly, and nothing else is.
//!
//! The planted list is written by hand, apart from the code; it is compared with the findings both
//! ways, with every defect planted, with one taken out, and with one put in.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it looked at again"
)]

#[path = "support/planted.rs"]
mod planted;

#[path = "support/small.rs"]
mod small;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use launchready::app::{Baseline, Plan, Session};
use launchready::clock::{Clock as _, SystemClock};
use launchready::config::parse;
use launchready::engine::Silent;
use launchready::report::{Report, Verdict, build};
use launchready_checks::registry;
use launchready_lab::{Lab, LabOptions, World};

use planted::Found;
use small::small;

/// Audits that run at once: each has a lab of its own.
const AT_ONCE: usize = 3;
/// What an audit may take: far more than on the slowest machine, so that no check is left out.
const TIME_LIMIT: Duration = Duration::from_mins(10);

type Findings = BTreeMap<Found, usize>;

fn planted() -> BTreeMap<String, Findings> {
    let counted = |findings: Vec<Found>| count(findings.into_iter());
    let list = planted::planted();
    list.into_iter().map(|entry| (entry.defect, counted(entry.findings))).collect()
}

fn count(findings: impl Iterator<Item = Found>) -> Findings {
    let mut all = Findings::new();
    for finding in findings {
        *all.entry(finding).or_default() += 1;
    }
    all
}

async fn audit(world: World) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let options = LabOptions {
        now: SystemClock.now(),
        delay: Duration::ZERO,
        speed: 1.0,
        dir: folder.path().to_owned(),
    };
    let lab = Lab::start(&world, options).await.unwrap();
    let config = parse(&lab.config_toml(), folder.path()).unwrap();
    let project = config.projects.first().unwrap().clone();
    let session = Session::new(config.network.clone(), Arc::new(SystemClock)).unwrap();
    let plan = Plan {
        ids: registry::ALL.iter().map(|plugin| plugin.meta.id).collect(),
        time_limit: TIME_LIMIT,
        baseline: Baseline::new(),
        recheck: format!("launchready check {{id}} {}", project.target.domain),
        config: None,
        handover: None,
        checkouts: None,
    };
    let record = session.audit(&project, &plan, &Silent).await.unwrap();
    lab.stop().await;
    build(&record)
}

/// What a report found; a subject that is planted by its beginning stands as it is planted.
fn findings(report: &Report) -> Findings {
    let list: Vec<Found> = planted().into_values().flatten().map(|(found, _)| found).collect();
    count(report.findings().into_iter().map(|(check, finding)| {
        let known = list.iter().find(|found| found.is_about(&finding.code, &finding.subject));
        Found {
            check: check.id.clone(),
            code: finding.code.clone(),
            severity: finding.severity.as_str().to_owned(),
            subject: known.map_or_else(|| finding.subject.clone(), |found| found.subject.clone()),
        }
    }))
}

/// What is on one side only, as lines.
fn difference(found: &Findings, wanted: &Findings) -> Vec<String> {
    let mut lines = Vec::new();
    let keys: BTreeSet<_> = found.keys().chain(wanted.keys()).collect();
    for key in keys {
        let of = |side: &Findings| side.get(key).copied().unwrap_or_default();
        if of(found) != of(wanted) {
            lines.push(format!(
                "  {} {} {} on {:?}: found {}, planted {}",
                key.check,
                key.severity,
                key.code,
                key.subject,
                of(found),
                of(wanted)
            ));
        }
    }
    lines
}

fn sum<'a>(all: impl Iterator<Item = &'a Findings>) -> Findings {
    let mut total = Findings::new();
    for findings in all {
        for (finding, times) in findings {
            *total.entry(finding.clone()).or_default() += times;
        }
    }
    total
}

#[test]
fn every_defect_is_in_the_planted_list_and_the_other_way_round() {
    let world = World::load("broken").unwrap();
    let defects: BTreeSet<_> = world.defects().iter().map(|defect| defect.name.clone()).collect();
    let listed: BTreeSet<_> = planted().into_keys().collect();
    assert_eq!(defects, listed);
    let codes: BTreeSet<_> = planted().into_values().flatten().map(|(found, _)| found).collect();
    for found in codes {
        let owner = registry::find_code(&found.code).map(|(plugin, _)| plugin.meta.id);
        assert_eq!(owner, Some(found.check.as_str()), "{}", found.code);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn healthy_is_go_and_broken_is_exactly_what_is_planted() {
    let healthy = audit(World::load("healthy").unwrap()).await;
    assert_eq!(findings(&healthy), Findings::new());
    assert_eq!(healthy.verdict, Verdict::Go, "{:?}", healthy.verdict_reasons);
    let broken = audit(World::load("broken").unwrap()).await;
    assert_eq!(broken.verdict, Verdict::NoGo);
    let wrong = difference(&findings(&broken), &sum(planted().values()));
    assert!(wrong.is_empty(), "broken:\n{}", wrong.join("\n"));
}

/// Audits a world for each defect, and says where the findings are not those that are planted in it.
///
/// A world that differs is looked at once more when the others are done: a machine that has too much to do may let a
/// question go unanswered, which is no fault of the world.
async fn each_defect<'a>(
    all: &'a BTreeMap<String, Findings>,
    case: impl Fn(&str) -> (World, Findings),
) {
    let differs = async |defect: &'a String| {
        let (world, wanted) = case(defect);
        let report = tokio::spawn(audit(world)).await.unwrap();
        let lines = difference(&findings(&report), &wanted);
        (!lines.is_empty()).then(|| (defect, lines.join("\n")))
    };
    let doubtful: Vec<_> =
        stream::iter(all.keys()).map(&differs).buffer_unordered(AT_ONCE).collect().await;
    let mut wrong = Vec::new();
    for (defect, lines) in doubtful.into_iter().flatten() {
        println!("looked at again: {defect}:\n{lines}");
        wrong.extend(differs(defect).await.map(|(_, lines)| format!("{defect}:\n{lines}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_defect_put_into_healthy_adds_exactly_its_findings() {
    let all = planted();
    each_defect(&all, |defect| {
        (small(World::load("healthy").unwrap()).with(defect).unwrap(), all[defect].clone())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_defect_taken_out_of_broken_removes_exactly_its_findings() {
    let all = planted();
    each_defect(&all, |defect| {
        let rest = all.iter().filter(|(name, _)| *name != defect).map(|(_, found)| found);
        (small(World::load("broken").unwrap()).without(defect).unwrap(), sum(rest))
    })
    .await;
}
