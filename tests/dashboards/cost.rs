//! What a scrape costs, printed and never asserted: a machine is as fast as it is. The rendered text of
//! 20,000 checks is joined in at most 0.3 µs of processor time a sample on the machine of
//! `benches/RESULTS.md`.

use std::time::Instant;

use jiff::Timestamp;
use launchready::metrics::{Board, BySeverity, ProjectFigures};
use launchready::report::Verdict;
use launchready_checks::contract::Status;
use launchready_checks::registry;

use super::sample::{run, tick};

const PROJECTS: usize = 2_000;
const CHECKS: usize = 10;
const SCRAPES: u32 = 5;

#[test]
fn a_scrape_of_twenty_thousand_checks() {
    let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    let board = Board::new("0.1.0", PROJECTS * CHECKS).unwrap();
    let before = resident();
    let began = Instant::now();
    for number in 0..PROJECTS {
        let project = format!("project-{number:04}");
        for (place, plugin) in registry::ALL.iter().take(CHECKS).enumerate() {
            board.set_run(&run(&project, plugin.meta.id, Status::ALL[place % 3], now));
        }
        let figures = ProjectFigures {
            findings: BySeverity::default(),
            verdict: Verdict::Go,
            incidents: BySeverity::default(),
        };
        board.set_project(&project, &figures);
    }
    tick(&board);
    let set = began.elapsed();
    let kept = resident().saturating_sub(before);
    let mut best = f64::INFINITY;
    let mut text = String::new();
    for _ in 0..SCRAPES {
        let began = Instant::now();
        text = board.render(None, true).unwrap();
        best = best.min(began.elapsed().as_secs_f64());
    }
    let samples = text.lines().filter(|line| !line.starts_with('#')).count();
    assert!(samples > PROJECTS * CHECKS * 8, "{samples}");
    println!(
        "{} checks, {samples} samples, {:.1} MiB: {:.1} ms a scrape, {:.3} µs a sample; {:.1} µs to set a run; {:.1} MiB kept",
        board.checks(),
        text.len() as f64 / 1_048_576.0,
        best * 1e3,
        best * 1e6 / samples as f64,
        set.as_secs_f64() * 1e6 / (PROJECTS * CHECKS) as f64,
        kept as f64 / 1_048_576.0,
    );
}

/// Bytes in RAM; 0 where the kernel does not say.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kibibytes.unwrap_or_default() * 1024
}
