//! promtool reads what we ship and what we export, and has nothing to say.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use jiff::Timestamp;
use launchready::metrics::{
    ProbeCertificate, ProbeDns, ProbeHttp, ProbePhases, ProbeResult, probe_text,
};

use super::sample::board;
use super::support::{has, program};
use super::{file, read};

fn promtool(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(program("promtool").unwrap())
        .args(arguments)
        .current_dir(file("."))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    let (out, error) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(error))
}

#[test]
fn promtool_has_nothing_to_say_about_the_metrics() {
    if !has("promtool_has_nothing_to_say_about_the_metrics", &["promtool"]) {
        return;
    }
    let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    let output = promtool(&["check", "metrics"], &board(now).render(None, false).unwrap());
    assert!(output.status.success() && said(&output).is_empty(), "{}", said(&output));
}

#[test]
fn the_answer_to_a_probe_is_read_too() {
    if !has("the_answer_to_a_probe_is_read_too", &["promtool"]) {
        return;
    }
    let result = ProbeResult {
        success: true,
        address: Some([192, 0, 2, 1].into()),
        http: Some(ProbeHttp {
            status: 200,
            version: 1.1,
            tls: true,
            last_modified: Some(1_790_000_000),
            phases: ProbePhases::default(),
            ..ProbeHttp::default()
        }),
        tls: Some(ProbeCertificate {
            version: "TLS 1.3".to_owned(),
            chain_expiry: Some(1_800_000_000),
            subject: "CN=\"harbor\\\nexample\"".to_owned(),
            ..ProbeCertificate::default()
        }),
        dns: Some(ProbeDns::default()),
        reads: true,
        ..ProbeResult::default()
    };
    let text = probe_text(&result);
    let output = promtool(&["check", "metrics"], &text);
    // promtool finds fault with some names of blackbox_exporter, which are kept for its sake: 3 means
    // that it could read all of it.
    assert!(matches!(output.status.code(), Some(0 | 3)), "{}", said(&output));
    assert!(!said(&output).contains("error while linting"), "{}", said(&output));
}

#[test]
fn promtool_takes_the_rules_their_tests_and_the_scrape_example() {
    if !has("promtool_takes_the_rules_their_tests_and_the_scrape_example", &["promtool"]) {
        return;
    }
    for arguments in [
        ["check", "rules", "alerts.yml"],
        ["test", "rules", "alerts_test.yml"],
        ["check", "config", "prometheus.yml"],
    ] {
        let output = promtool(&arguments, "");
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    }
}

#[test]
fn each_alert_is_explained_and_tested_both_ways() {
    let rules = read("alerts.yml");
    let tests = read("alerts_test.yml");
    let blocks: Vec<&str> = rules.split("      - alert: ").skip(1).collect();
    assert!(blocks.len() > 15);
    for block in blocks {
        let name = block.lines().next().unwrap();
        for line in ["summary: ", "description: ", "runbook: ", "severity: "] {
            assert!(block.contains(line), "{name} has no {line}");
        }
        for way in ["fires", "is silent"] {
            assert!(tests.contains(&format!("  - name: {name} {way}\n")), "{name} {way}");
        }
    }
}
