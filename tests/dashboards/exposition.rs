//! The exposition: what is set is what is read, whatever the text of a label.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use launchready::metrics::{
    Board, BySeverity, LABEL_CHARS, ProjectFigures, ScrapeError, bounded, families,
};
use launchready::report::Verdict;
use launchready_checks::contract::{Severity, Status};
use launchready_checks::registry;
use proptest::prelude::*;

use super::sample::{Sample, board, key, run, sample, samples};

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn of<'a>(all: &'a [Sample], name: &str, labels: &[(&str, &str)]) -> Vec<&'a Sample> {
    let is = |sample: &&Sample| {
        sample.0 == name
            && labels.iter().all(|(name, value)| sample.1.get(*name).is_some_and(|v| v == value))
    };
    all.iter().filter(is).collect()
}

fn value(all: &[Sample], name: &str, labels: &[(&str, &str)]) -> String {
    let found = of(all, name, labels);
    assert_eq!(found.len(), 1, "{name} {labels:?}: {found:?}");
    found[0].2.clone()
}

#[test]
fn a_run_becomes_series() {
    let all = samples(&board(now()).render(None, false).unwrap());
    let job = [("project", "harbor"), ("check", "tls-certificate"), ("target", "harbor.example")];
    let [project, check, target] = job;
    assert_eq!(value(&all, "launchready_check_duration_seconds", &job), "0.25");
    let at = now().as_second();
    let last = value(&all, "launchready_check_last_run_timestamp_seconds", &job);
    assert_eq!(last, at.to_string());
    let due = value(&all, "launchready_check_next_due_timestamp_seconds", &job);
    assert_eq!(due, (at + 300).to_string());
    let states = of(&all, "launchready_check_status", &job);
    assert_eq!(states.len(), 5);
    assert_eq!(states.iter().filter(|state| state.2 == "1").count(), 1, "{states:?}");
    let place = registry::ALL.iter().position(|plugin| plugin.meta.id == check.1).unwrap();
    let status = Status::ALL[place % 5].as_str();
    let present = [project, check, target, ("status", status)];
    assert_eq!(value(&all, "launchready_check_status", &present), "1");
    let not_after = "launchready_tls_certificate_not_after_timestamp_seconds";
    let host = ("host", "www.harbor.example");
    assert_eq!(value(&all, not_after, &[project, host]), (at + 864_000).to_string());
    let bound = [check, ("measurement", "not-after"), ("level", "critical")];
    assert_eq!(value(&all, "launchready_threshold", &bound), "4.5");
}

#[test]
fn a_project_and_the_agent_become_series() {
    let all = samples(&board(now()).render(None, false).unwrap());
    let critical = [("project", "harbor"), ("severity", "critical")];
    assert_eq!(value(&all, "launchready_findings", &critical), "3");
    assert_eq!(value(&all, "launchready_incidents_open", &critical), "2");
    for (verdict, is) in [("no_go", "1"), ("go_with_conditions", "0"), ("go", "0")] {
        let labels = [("project", "harbor"), ("verdict", verdict)];
        assert_eq!(value(&all, "launchready_verdict", &labels), is);
    }
    for outcome in ["sent", "retry", "failed"] {
        for (channel, count) in [("founder", "1"), ("ops", "0")] {
            let labels = [("channel", channel), ("outcome", outcome)];
            assert_eq!(value(&all, "launchready_notifications_total", &labels), count);
        }
    }
    assert_eq!(value(&all, "launchready_outbox_pending", &[("channel", "ops")]), "2");
    let latency = |le| value(&all, "launchready_alert_latency_seconds_bucket", &[("le", le)]);
    assert_eq!((latency("30.0"), latency("60.0")), ("0".to_owned(), "1".to_owned()));
    assert_eq!((latency("300.0"), latency("+Inf")), ("1".to_owned(), "1".to_owned()));
    assert_eq!(value(&all, "launchready_alert_latency_seconds_sum", &[]), "42");
    assert_eq!(value(&all, "launchready_build_info", &[("version", "0.1.0")]), "1");
    let resident: f64 = value(&all, "process_resident_memory_bytes", &[]).parse().unwrap();
    assert!(resident > 1e6, "{resident}");
}

#[tokio::test]
async fn families_stand_together_by_name_and_the_same_state_gives_the_same_bytes() {
    let text = board(now()).render(None, true).unwrap();
    let heads: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    assert!(heads.is_sorted(), "{heads:?}");
    assert_eq!(heads.iter().collect::<BTreeSet<_>>().len(), heads.len());
    assert_eq!(heads.len(), families().len(), "every family has a sample");
    assert!(text.ends_with("\n# EOF\n"));
    let stable = |board: &Board| {
        let text = board.render(None, false).unwrap();
        let lines = text.lines().filter(|line| !line.contains("process_"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(stable(&board(now())), stable(&board(now())));
}

#[test]
fn dates_stay_while_nobody_can_look_and_the_moment_goes() {
    let board = Board::new("0.1.0", 100).unwrap();
    let blind = |check: &str, status| {
        let mut blind = run("harbor", check, status, now() + Duration::from_mins(5));
        blind.assessment.measurements.clear();
        blind
    };
    let count = |name: &str| of(&samples(&board.render(None, false).unwrap()), name, &[]).len();
    let (date, moment) =
        ("launchready_tls_certificate_not_after_timestamp_seconds", "launchready_web_up");
    for check in ["tls-certificate", "web-uptime"] {
        board.set_run(&run("harbor", check, Status::Pass, now()));
    }
    assert_eq!((count(date), count(moment)), (2, 2));
    for check in ["tls-certificate", "web-uptime"] {
        board.set_run(&blind(check, Status::Unknown));
    }
    assert_eq!((count(date), count(moment)), (2, 0));
    board.set_run(&blind("tls-certificate", Status::Skipped));
    assert_eq!((count(date), count("launchready_threshold")), (0, 6));
    board.keep(&BTreeSet::new());
    assert_eq!((board.checks(), count("launchready_threshold")), (0, 0));
}

#[test]
fn a_project_of_which_other_looks_are_stored_is_behind() {
    let board = Board::new("0.1.0", 100).unwrap();
    for (project, check) in [("harbor", "mail-spf"), ("harbor", "web-uptime"), ("quay", "mail-spf")]
    {
        board.set_run(&run(project, check, Status::Pass, now() + Duration::from_millis(7)));
    }
    let at = (now() + Duration::from_millis(7)).as_millisecond();
    let looked = |harbor| vec![("harbor".to_owned(), harbor), ("quay".to_owned(), at)];
    assert!(board.behind(looked(2 * at)).is_empty(), "it shows what it has stored itself");
    assert_eq!(board.behind(looked(2 * at + 1)), ["harbor"]);
    assert_eq!(board.behind(vec![("pier".to_owned(), at)]), ["pier"], "it has none of it yet");
}

#[test]
fn an_agent_that_is_cut_off_says_when_it_looked_and_not_how_things_are() {
    let board = board(now());
    let names = |board: &Board| -> BTreeSet<String> {
        samples(&board.render(None, false).unwrap()).into_iter().map(|sample| sample.0).collect()
    };
    let all = names(&board);
    board.set_cut_off(true);
    let left = names(&board);
    for moment in ["launchready_check_status", "launchready_web_up", "launchready_verdict"] {
        assert!(all.contains(moment) && !left.contains(moment), "{moment}");
    }
    for stays in [
        "launchready_build_info",
        "launchready_check_last_run_timestamp_seconds",
        "launchready_check_next_due_timestamp_seconds",
    ] {
        assert!(left.contains(stays), "{stays}");
    }
    board.set_cut_off(false);
    assert_eq!(names(&board), all);
}

#[test]
fn what_left_the_config_leaves_the_metrics() {
    let board = board(now());
    board.set_channels(&["ops".to_owned()]);
    board.keep(&[key("quay", "mail-spf")].into_iter().collect());
    let all = samples(&board.render(None, false).unwrap());
    assert!(of(&all, "launchready_notifications_total", &[("channel", "founder")]).is_empty());
    assert!(all.iter().all(|sample| sample.1.get("project").is_none_or(|name| name == "quay")));
    assert_eq!(of(&all, "launchready_check_duration_seconds", &[]).len(), 1);

    // A look that was under way, and a verdict that was being reckoned, end after the config was taken over.
    board.set_run(&run("harbor", "mail-spf", Status::Pass, now()));
    board.set_run(&run("quay", "web-uptime", Status::Pass, now()));
    let none = BySeverity::default();
    let figures = ProjectFigures { findings: none, verdict: Verdict::Go, incidents: none };
    board.set_project("harbor", &figures);
    let of_projects = |mut all: Vec<Sample>| {
        all.retain(|sample| sample.1.contains_key("project"));
        all
    };
    let later = samples(&board.render(None, false).unwrap());
    assert_eq!(of_projects(later), of_projects(all));
    assert!(board.behind(vec![("harbor".to_owned(), 1)]).is_empty(), "nobody asks for it");

    board.keep(&BTreeSet::new());
    assert_eq!(board.checks(), 0);
}

#[test]
fn parts_hold_every_project_once() {
    let board = Board::new("0.1.0", 25).unwrap();
    for number in 0..100 {
        let project = format!("shop-{number}");
        for check in ["mail-spf", "web-uptime"] {
            board.set_run(&run(&project, check, Status::Pass, now()));
        }
        let figures = ProjectFigures {
            findings: BySeverity::count([Severity::Critical, Severity::Info]),
            verdict: Verdict::NoGo,
            incidents: BySeverity::default(),
        };
        board.set_project(&project, &figures);
    }
    let error = board.render(None, false).unwrap_err();
    let shards = board.shards();
    assert_eq!(error, ScrapeError::TooMany { checks: 200, most: 25, shards });
    assert!(error.to_string().contains("/metrics?shard=1/"), "{error}");
    let mut seen = BTreeMap::<String, BTreeSet<u32>>::new();
    let mut agent = 0;
    for index in 1..=shards {
        let all = samples(&board.render(Some((index, shards)), false).unwrap());
        agent += of(&all, "launchready_build_info", &[]).len();
        for project in all.iter().filter_map(|sample| sample.1.get("project")) {
            seen.entry(project.clone()).or_default().insert(index);
        }
    }
    assert_eq!((seen.len(), agent), (100, 1));
    assert!(seen.values().all(|parts| parts.len() == 1), "a project is cut: {seen:?}");
    for bad in [(0, 2), (3, 2), (1, 1000)] {
        let refused = board.render(Some(bad), false).unwrap_err();
        assert!(matches!(refused, ScrapeError::NoShard { .. }), "{refused}");
    }
    let found = board.service_discovery("127.0.0.1:9797");
    let found = found.as_array().unwrap();
    assert_eq!(found.len(), shards as usize);
    assert_eq!(found[0]["targets"][0], "127.0.0.1:9797");
    assert_eq!(found[0]["labels"]["__param_shard"], format!("1/{shards}"));
    board.set_max_checks(200);
    assert!(board.render(None, false).is_ok());
    assert_eq!(
        board.service_discovery("a:1").to_string(),
        r#"[{"targets":["a:1"],"labels":{"__metrics_path__":"/metrics"}}]"#,
        "one part needs no parameter"
    );
}

#[test]
fn no_number_that_is_none_and_no_series_twice() {
    let board = Board::new("0.1.0", 100).unwrap();
    let mut bad = run("harbor", "web-uptime", Status::Pass, now());
    for (measurement, value) in
        bad.assessment.measurements.iter_mut().zip([f64::NAN, f64::INFINITY, 1.0, 1.0])
    {
        measurement.value = value;
        measurement.warning = Some(f64::NAN);
        measurement.critical = None;
    }
    let again = bad.assessment.measurements.clone();
    bad.assessment.measurements.extend(again);
    board.set_run(&bad);
    let text = board.render(None, false).unwrap();
    // The reader takes finite numbers alone.
    let all = samples(&text);
    assert_eq!(of(&all, "launchready_web_up", &[]).len(), 0);
    let series: BTreeSet<_> = all.iter().map(|(name, labels, _)| (name, labels)).collect();
    assert_eq!(series.len(), all.len());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_label_text_round_trips(
        project in any::<String>(),
        target in "\\PC{0,300}",
        subject in any::<String>(),
        openmetrics in any::<bool>(),
    ) {
        let board = Board::new("0.1.0", 100).unwrap();
        let mut seen = run(&project, "web-uptime", Status::Warn, now());
        seen.target = target.clone();
        seen.assessment.measurements.truncate(1);
        seen.assessment.measurements[0].subject = Some(subject.clone());
        board.set_run(&seen);
        let text = board.render(None, openmetrics).unwrap();
        prop_assert!(!text.contains('\0'));
        // Only line feeds end a line of the format.
        let lines = text.split('\n').filter(|line| !line.is_empty() && !line.starts_with('#'));
        let all: Vec<Sample> = lines.map(sample).collect();
        let (project, target) = (bounded(&project), bounded(&target));
        let job = [("project", &*project), ("check", "web-uptime"), ("target", &*target)];
        prop_assert_eq!(of(&all, "launchready_check_status", &job).len(), 5);
        let endpoint = bounded(&subject);
        let up = of(&all, "launchready_web_up", &[("project", &*project), ("endpoint", &*endpoint)]);
        prop_assert_eq!(up.len(), 1);
        prop_assert!([project, target, endpoint].iter().all(|v| v.chars().count() <= LABEL_CHARS));
    }
}
