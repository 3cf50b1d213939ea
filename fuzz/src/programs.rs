//! What programs and endpoints of the user say, and the small languages in which people write thresholds and
//! times.

use std::time::Duration;

use jiff::Timestamp;
use launchready::schedule::{Cron, Schedule, read_zone};
use launchready_checks::contract::{Age, Ratio};
use launchready_checks::probe::replay::{CommandEntry, World};
use launchready_checks::probe::{CommandEnd, lighthouse_report};
use serde_json::{Value, json};

use super::holds::{assess, check, target, text};
use super::world::{NEXT, Names, now, parts, probes};

/// What a monitoring plugin writes: the first byte is its exit code; a part of its own is what it complains.
pub(super) fn perfdata(data: &[u8]) {
    let (code, rest) = data.split_first().unwrap_or((&0, &[]));
    let parts = parts(rest, NEXT, 2);
    let said = |place: usize| {
        String::from_utf8_lossy(parts.get(place).copied().unwrap_or_default()).into_owned()
    };
    let end = match code {
        b'k' => CommandEnd::Signalled(9),
        b't' => CommandEnd::TimedOut,
        code => CommandEnd::Exited(i32::from(*code % 8)),
    };
    let entry = CommandEntry {
        end: Some(end),
        stdout: said(0),
        stderr: said(1),
        duration_ms: 12.5,
        ..CommandEntry::default()
    };
    let world = World { command: vec![entry], ..World::default() };
    let options =
        json!({"command": [{"name": "disk", "command": ["/usr/lib/nagios/plugins/check_disk"]}]});
    check("external-command", &options, &target(), &probes(world.clone(), Names::Plain, &[]));
    let options = json!({"lighthouse": "/usr/local/bin/lighthouse"});
    check("web-speed", &options, &target(), &probes(world, Names::Plain, &[]));
}

/// An answer in JSON to a question of the user: a path to a value, a range, then the answer.
pub(super) fn json_answer(data: &[u8]) {
    let parts = parts(data, NEXT, 4);
    let word = |place: usize| {
        String::from_utf8_lossy(parts.get(place).copied().unwrap_or_default()).into_owned()
    };
    let report = parts.get(2).and_then(|body| serde_json::from_slice::<Value>(body).ok());
    if let Some(speed) = report.and_then(|report| lighthouse_report(&report).ok()) {
        assert!((0.0..=100.0).contains(&speed.performance), "{speed:?}");
        text(&speed);
    }
    let question = json!({
        "name": "search",
        "url": "https://search.harbor.example/health?key=hidden",
        "json": [{"path": word(0)}],
        "value": word(0),
        "critical": word(1),
    });
    let options = json!({"request": [question]});
    let Some(plugin) = launchready_checks::registry::find("external-http") else { return };
    // A path and a range that are none are refused with the options.
    if (plugin.build)(&options).is_err() {
        return;
    }
    let page = [b"200\n\n".as_slice(), parts.get(2).copied().unwrap_or_default()].concat();
    check("external-http", &options, &target(), &probes(World::default(), Names::Plain, &[&page]));
    assess("external-http", &options, &target(), &Value::Null);
}

/// Times and amounts as people write them: a cron expression, a zone and quantities, one a line.
pub(super) fn schedule(data: &[u8]) {
    let all = String::from_utf8_lossy(data);
    let mut lines = all.lines();
    let mut line = || lines.next().unwrap_or_default();
    let (expression, zone, age, ratio, at) = (line(), line(), line(), line(), line());
    if let Ok(age) = age.parse::<Age>() {
        assert_eq!(age.to_string().parse::<Age>().ok(), Some(age), "{age} is read as another age");
        let every = Schedule::Every(age.0);
        assert!(every.after(now(), 0.25) > now(), "{age} comes in the past");
        age.before(now());
    }
    if let Ok(ratio) = ratio.parse::<Ratio>() {
        assert!((0.0..=1.0).contains(&ratio.0));
        assert!(ratio.to_string().parse::<Ratio>().is_ok(), "{ratio} is no ratio");
    }
    let zone = read_zone(zone).or_else(|_| read_zone("Europe/Berlin"));
    let Ok(cron) = zone.and_then(|zone| Cron::new(expression, zone)) else { return };
    assert_eq!(cron.text(), expression);
    let mut last = at.trim().parse::<Timestamp>().unwrap_or_else(|_| now());
    for _ in 0..4 {
        let Some(next) = cron.after(last) else { break };
        assert!(next > last, "{expression:?} comes at {next}, which is not after {last}");
        last = next;
    }
    if let Some(found) = cron.last_within(now(), Duration::from_hours(2)) {
        assert!(found <= now());
    }
}
