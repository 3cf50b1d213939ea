//! What holds of every life, whatever happens in whatever order.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use launchready_checks::contract::{Severity, Unseen, Urgency};
use proptest::collection::vec;
use proptest::prelude::*;

use super::sample::{at, blind, channel, finding, run};
use super::world::{START, World};
use crate::incident::span::{after, since};
use crate::incident::{
    ChangeKind, Incident, RunSeen, SeenFinding, Sight, Silence, State, Tell, Unheard, route,
};

const CHECKS: [&str; 3] = ["web-uptime", "tls-certificate", "mail-spf"];
const CODES: [[&str; 2]; 3] = [
    ["endpoint-down", "endpoint-slow"],
    ["certificate-expired", "certificate-untrusted"],
    ["spf-missing", "spf-too-many-lookups"],
];
const HOSTS: [&str; 4] =
    ["app.harbor.example", "harbor.example", "https://api.harbor.example/x", "order 1"];

/// Something that happens.
#[derive(Debug, Clone)]
enum Event {
    /// Check, found (code, host, grade), hosts that could not be seen, hosts that expired.
    Look(usize, Vec<(usize, usize, usize)>, Vec<usize>, Vec<usize>),
    Blind(usize, u32, u8),
    Skip(usize),
    Wake,
    Acknowledge(usize, usize),
    Resolve(usize, usize),
    Silence(u64),
}

fn event() -> impl Strategy<Value = Event> {
    let found = vec((0_usize..2, 0_usize..4, 0_usize..4), 0..4);
    let look = (0_usize..3, found, vec(0_usize..4, 0..2), vec(0_usize..4, 0..2));
    prop_oneof![
        12 => look.prop_map(|(check, found, unseen, gone)| Event::Look(check, found, unseen, gone)),
        2 => (0_usize..3, 0_u32..5, 0_u8..3).prop_map(|(check, runs, how)| Event::Blind(check, runs, how)),
        1 => (0_usize..3).prop_map(Event::Skip),
        6 => Just(Event::Wake),
        1 => (0_usize..3, 0_usize..2).prop_map(|(check, code)| Event::Acknowledge(check, code)),
        1 => (0_usize..3, 0_usize..2).prop_map(|(check, code)| Event::Resolve(check, code)),
        1 => (1_u64..20_000).prop_map(Event::Silence),
    ]
}

/// Seconds that pass before an event: mostly few, sometimes many.
fn pause() -> impl Strategy<Value = u64> {
    prop_oneof![6 => 1_u64..120, 2 => 120_u64..4_000, 1 => 4_000_u64..90_000]
}

fn rules() -> impl Strategy<Value = World> {
    let policy = (1_u32..4, 1_u32..3, 0_usize..8, any::<bool>());
    policy.prop_map(|(confirmations, recoveries, flap_turns, escalates)| {
        let mut world = World::new();
        let policy = world.policy();
        (policy.confirmations, policy.recoveries) = (confirmations, recoveries);
        policy.flap_turns = flap_turns;
        policy.escalate_after = escalates.then(|| Duration::from_mins(15));
        world.book.channels = vec![channel("all")];
        world
    })
}

fn seen(check: usize, (code, host, grade): (usize, usize, usize)) -> SeenFinding {
    let mut finding = finding(CODES[check][code], HOSTS[host]);
    (finding.severity, finding.urgency) = [
        (Severity::Info, Urgency::Digest),
        (Severity::Warning, Urgency::Day),
        (Severity::Critical, Urgency::Day),
        (Severity::Critical, Urgency::Now),
    ][grade];
    finding.certain = host == 3;
    finding
}

fn happen(world: &mut World, event: &Event) {
    match event {
        Event::Look(check, found, unseen, expired) => {
            let names =
                |hosts: &[usize]| hosts.iter().map(|host| HOSTS[*host].to_owned()).collect();
            world.run(RunSeen {
                sight: Sight::Looked { unseen_parts: names(unseen) },
                findings: found.iter().map(|one| seen(*check, *one)).collect(),
                expired: names(expired),
                ..run(CHECKS[*check], START)
            });
        }
        Event::Blind(check, runs, how) => {
            let mut run = blind(CHECKS[*check], START, *runs, START);
            if let Sight::Blind { unseen, own_network, .. } = &mut run.sight {
                *own_network = *how == 1;
                *unseen = if *how == 2 { Unseen::Noted } else { Unseen::Blocks };
            }
            world.run(run);
        }
        Event::Skip(check) => {
            world.run(RunSeen { sight: Sight::Skipped, ..run(CHECKS[*check], START) });
        }
        Event::Wake => {
            world.wake();
        }
        Event::Acknowledge(check, code) => {
            if world.incidents.iter().any(|one| one.key.code == CODES[*check][*code]) {
                world.acknowledge(CODES[*check][*code]).ok();
            }
        }
        Event::Resolve(check, code) => {
            if world.incidents.iter().any(|one| one.key.code == CODES[*check][*code]) {
                world.resolve(CODES[*check][*code]).ok();
            }
        }
        Event::Silence(seconds) => {
            let until = after(world.now, Duration::from_secs(*seconds));
            let silence = Silence { until, ..super::sample::silence(START, START) };
            world.book.silences.push(silence);
        }
    }
    for incident in &world.incidents {
        assert!(incident.members.len() <= Incident::MEMBERS);
        assert!(!incident.members.is_empty(), "an incident is about something");
        let same = world
            .incidents
            .iter()
            .filter(|one| one.key == incident.key && one.state != State::Resolved);
        assert!(same.count() <= 1, "one unresolved incident of a key");
    }
}

fn is_told(tell: &Tell) -> bool {
    !matches!(tell, Tell::No(_))
}

/// The rules that every log keeps.
fn judge(world: &World) {
    let mut open: BTreeMap<&str, bool> = BTreeMap::new();
    let mut heard: BTreeMap<&str, Timestamp> = BTreeMap::new();
    let reminder = world.book.policies["harbor"].reminder;
    for (when, change) in &world.log {
        let id = change.incident.id.as_str();
        let is_open = open.get(id).copied();
        match change.kind {
            ChangeKind::Opened => {
                assert_eq!(is_open, None, "an incident opens once");
                let key = &change.incident.key;
                let others = world.log.iter().take_while(|(_, other)| !std::ptr::eq(other, change));
                let others = others.filter(|(_, other)| other.incident.key == *key);
                let unended = others.fold(0_i32, |sum, (_, other)| match other.kind {
                    ChangeKind::Opened => sum + 1,
                    kind if kind.is_end() => sum - 1,
                    _ => sum,
                });
                assert_eq!(unended, 0, "no two openings without an end between");
                open.insert(id, true);
            }
            kind if kind.is_end() => {
                assert_eq!(is_open, Some(true), "only what is open ends");
                open.insert(id, false);
                assert!(
                    !is_told(&change.tell) || heard.contains_key(id),
                    "an end that nobody waits for"
                );
            }
            ChangeKind::Flapping | ChangeKind::Calm => assert!(is_open.is_some()),
            _ => assert_eq!(is_open, Some(true), "{:?} of what is not open", change.kind),
        }
        if is_told(&change.tell) {
            let incident = &change.incident;
            let is_lasting = matches!(change.kind, ChangeKind::Reminded | ChangeKind::Joined);
            if let Some(last) = heard.get(id).filter(|_| is_lasting) {
                assert!(since(*last, *when) >= reminder, "{:?} too soon", change.kind);
            }
            heard.insert(id, *when);
            assert_eq!(incident.last_told_at, Some(*when));
            let begins = matches!(change.kind, ChangeKind::Opened | ChangeKind::Unmuted);
            assert!(!begins || incident.severity != Severity::Info, "a remark is told");
            assert!(!route(change, &world.book, *when).is_empty(), "told to somebody: {change:?}");
        } else {
            assert!(route(change, &world.book, *when).is_empty());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_life_keeps_the_rules(mut world in rules(), events in vec((pause(), event()), 1..80)) {
        for (pause, event) in &events {
            world.pass(*pause);
            happen(&mut world, event);
        }
        judge(&world);
    }

    #[test]
    fn no_order_of_times_breaks_it(
        mut world in rules(),
        events in vec((any::<i64>(), event()), 1..60),
    ) {
        let (least, most) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
        for (second, event) in &events {
            let second = if second % 3 == 0 { *second } else { second.rem_euclid(4_000_000_000) };
            world.now = Timestamp::from_second(second.clamp(least, most)).unwrap();
            happen(&mut world, event);
        }
    }

    #[test]
    fn what_was_not_seen_neither_confirms_nor_resolves(
        mut world in rules(),
        events in vec((pause(), event()), 1..40),
        blinds in vec((pause(), 0_usize..3, 0_u32..9, 0_u8..3), 1..12),
    ) {
        for (pause, event) in &events {
            world.pass(*pause);
            happen(&mut world, event);
        }
        let states = |world: &World| -> Vec<(String, State, u32, u32)> {
            let findings = world.incidents.iter().filter(|one| one.key.code != Incident::BLIND);
            findings
                .map(|one| (one.id.clone(), one.state, one.confirmations, one.recoveries))
                .collect()
        };
        let before = states(&world);
        for (pause, check, runs, how) in blinds {
            world.pass(pause);
            happen(&mut world, &Event::Blind(check, runs, how));
            world.wake();
        }
        prop_assert_eq!(before, states(&world));
    }

    #[test]
    fn a_silence_never_loses_what_is_still_wrong_at_its_end(
        mut world in rules(),
        events in vec((pause(), event()), 1..60),
        more in vec((1_usize..4, pause()), 0..6),
    ) {
        for (pause, event) in &events {
            world.pass(*pause);
            happen(&mut world, event);
        }
        let ends = world.book.silences.iter().map(|silence| silence.until).max();
        world.now = world.now.max(ends.unwrap_or(world.now));
        for (_, pause) in more {
            world.pass(pause).wake();
        }
        world.pass(3_600).wake();
        for incident in &world.incidents {
            let is_believed = matches!(incident.state, State::Open | State::Acknowledged);
            let may_wait = matches!(
                incident.unheard,
                Some(Unheard::Digest | Unheard::DependsOn { .. })
            );
            prop_assert!(!is_believed || may_wait || incident.told_at.is_some(), "{incident:?}");
        }
    }

    #[test]
    fn flapping_is_damped(turns in 1_u64..100, pause in 1_u64..120) {
        let mut world = World::new();
        world.book.channels = vec![channel("all")];
        let there = [SeenFinding { certain: true, ..finding("endpoint-down", "app.harbor.example") }];
        for _ in 0..turns {
            world.pass(pause).look("web-uptime", &there);
            world.wake();
            world.pass(pause).look("web-uptime", &[]);
        }
        let told = world.log.iter().filter(|(_, change)| is_told(&change.tell)).count();
        // Five turns are told one by one, and then that it flaps.
        prop_assert!(told <= 6, "{told}");
        judge(&world);
        world.pass(1_800).look("web-uptime", &[]);
        prop_assert!(world.incidents.last().is_some_and(|last| !last.flapping));
    }

    #[test]
    fn an_open_incident_speaks_no_more_often_than_documented(
        mut world in rules(),
        looks in vec((pause(), vec((0_usize..1, 0_usize..4, 1_usize..4), 1..4)), 1..120),
    ) {
        // The finding never goes away, so nothing ends and nothing flaps.
        world.policy().flap_turns = 6;
        for (pause, found) in &looks {
            world.pass(*pause);
            happen(&mut world, &Event::Look(0, found.clone(), Vec::new(), Vec::new()));
            world.wake();
        }
        let policy = world.book.policies["harbor"].clone();
        let span = since(at(START), world.now);
        let reminders = span.as_secs() / policy.reminder.as_secs();
        let told = world.log.iter().filter(|(_, change)| is_told(&change.tell)).count();
        // One opening, one escalation, and per reminder one word that it lasts and one that it is worse.
        let most = 2 + 1 + 2 * usize::try_from(reminders).unwrap();
        prop_assert!(told <= most, "{told} of {most}: {:?}", world.story());
    }
}
