//! What is told of incidents, and what keeps it from being told.

use std::time::Duration;

use launchready_checks::contract::{Severity, Urgency};

use super::sample::{at, finding, silence};
use super::world::{DOWN, HOUR, START, UP, World, down, opened};
use crate::incident::{SeenFinding, State, Tell, Unheard};

#[test]
fn what_is_for_the_digest_is_never_told_until_it_is_worse() {
    let mut remark = finding("endpoint-slow", "app.harbor.example");
    (remark.severity, remark.urgency) = (Severity::Info, Urgency::Digest);
    let mut world = World::new();
    for _ in 0..20 {
        world.look(UP, std::slice::from_ref(&remark));
        world.pass(HOUR).wake();
        world.look(UP, &[]);
        world.pass(60);
    }
    world.look(UP, std::slice::from_ref(&remark));
    world.pass(60).look(UP, std::slice::from_ref(&remark));
    assert!(world.story().iter().all(|word| word.starts_with('(')));
    assert_eq!(world.latest("endpoint-slow").unheard, Some(Unheard::Digest));
    (remark.severity, remark.urgency) = (Severity::Warning, Urgency::Day);
    world.pass(60).look(UP, std::slice::from_ref(&remark));
    assert_eq!(world.story().last().unwrap(), "unmuted");
    (remark.severity, remark.urgency) = (Severity::Info, Urgency::Digest);
    world.pass(60).look(UP, &[remark]);
    world.pass(60).look(UP, &[]);
    assert_eq!(world.story().last().unwrap(), "resolved", "whoever heard it hears the end");
}

#[test]
fn a_silence_loses_nothing() {
    let mut world = World::new();
    world.book.silences.push(silence(START, "2026-11-22T12:00:00Z"));
    world.look(UP, &down());
    world.pass(30).look(UP, &down());
    assert_eq!(world.story(), ["(opened)"]);
    let why = Unheard::Silenced { silence: "sil_1".to_owned() };
    assert_eq!(world.latest(DOWN).unheard, Some(why));
    assert_eq!(world.latest(DOWN).told_at, None);
    world.pass(HOUR).wake();
    assert_eq!(world.story(), ["(opened)"]);
    world.now = at("2026-11-22T12:00:00Z");
    world.wake();
    world.wake();
    assert_eq!(world.story(), ["(opened)", "unmuted"]);
    assert_eq!(world.latest(DOWN).told_at, Some(world.now));
    assert_eq!(world.latest(DOWN).unheard, None);
    world.pass(60).look(UP, &[]);
    assert_eq!(world.story(), ["(opened)", "unmuted", "resolved"]);
}

#[test]
fn what_was_told_before_a_silence_is_told_as_over_in_it_and_nothing_else_is() {
    let mut world = opened();
    world.book.silences.push(silence(START, "2026-11-22T12:00:00Z"));
    world.pass(60).look(UP, &[]);
    world.pass(60).look(UP, &down());
    world.pass(30).look(UP, &down());
    world.pass(30).look(UP, &[]);
    assert_eq!(world.story(), ["opened", "resolved", "(opened)", "(resolved)"]);
}

#[test]
fn what_hangs_on_a_host_that_is_down_waits_for_a_look_after_it_is_back() {
    let tls = finding("certificate-handshake-failed", "app.harbor.example");
    let mut world = World::new();
    world.look(UP, &down());
    world.look("tls-certificate", std::slice::from_ref(&tls));
    world.pass(30).look("tls-certificate", std::slice::from_ref(&tls));
    assert_eq!(world.story(), ["(opened)"], "a suspected cause is enough");
    world.look(UP, &down());
    assert_eq!(world.story(), ["(opened)", "opened"]);
    let cause = world.latest(DOWN).id.clone();
    let why = Unheard::DependsOn { incident: cause };
    assert_eq!(world.latest("certificate-handshake-failed").unheard, Some(why));
    let outcome = world.pass(600).look(UP, &[]);
    assert_eq!(outcome.look_too, ["tls-certificate"]);
    world.pass(1).wake();
    assert_eq!(world.story(), ["(opened)", "opened", "resolved"], "only a look can say");
    world.pass(1).look("tls-certificate", &[tls]);
    assert_eq!(world.story().last().unwrap(), "unmuted");
    // What was told recovers aloud, also while the host is down again.
    world.look(UP, &down());
    world.pass(30).look(UP, &down());
    world.look("tls-certificate", &[]);
    assert_eq!(world.story()[4..], ["opened", "resolved"]);
}

#[test]
fn reminders_come_while_nobody_is_on_it() {
    let mut world = opened();
    for _ in 0..24 {
        world.pass(HOUR).wake();
        world.look(UP, &down());
    }
    assert_eq!(world.story().len(), 1 + 6);
    assert!(world.story()[1..].iter().all(|word| word == "reminded"));
    world.acknowledge(DOWN).unwrap();
    world.pass(24 * HOUR).wake();
    assert_eq!(world.story().last().unwrap(), "acknowledged");
}

#[test]
fn nobody_on_it_for_too_long_is_told_to_others_once() {
    let mut world = opened();
    world.policy().escalate_after = Some(Duration::from_mins(15));
    world.pass(899).wake();
    assert_eq!(world.story(), ["opened"]);
    world.pass(1).wake();
    world.pass(60).wake();
    assert_eq!(world.story(), ["opened", "escalated"]);
    assert_eq!(world.log.last().unwrap().1.tell, Tell::Escalation);
    assert!(world.latest(DOWN).escalated_at.is_some());
}

#[test]
fn flapping_is_said_once_and_so_is_calm() {
    let mut world = World::new();
    for _ in 0..10 {
        world.pass(60).look(UP, &down());
        world.pass(30).look(UP, &down());
        world.pass(60).look(UP, &[]);
    }
    let told: Vec<String> =
        world.story().into_iter().filter(|word| !word.starts_with('(')).collect();
    assert_eq!(told, ["opened", "resolved", "opened", "resolved", "opened", "flapping"]);
    assert!(world.latest(DOWN).flapping);
    world.pass(29 * 60).look(UP, &[]);
    assert!(world.latest(DOWN).flapping);
    world.pass(60).look(UP, &[]);
    world.pass(60).look(UP, &[]);
    assert_eq!(world.story().iter().filter(|word| *word == "calm").count(), 1);
    assert_eq!(world.story().last().unwrap(), "calm");
    assert!(!world.latest(DOWN).flapping);
    assert_eq!(world.latest(DOWN).state, State::Resolved);
}

#[test]
fn what_flapped_and_stays_is_told_when_it_is_calm() {
    let mut world = World::new();
    for _ in 0..4 {
        world.pass(60).look(UP, &down());
        world.pass(30).look(UP, &down());
        world.pass(60).look(UP, &[]);
    }
    world.pass(60).look(UP, &down());
    world.pass(30).look(UP, &down());
    assert_eq!(world.latest(DOWN).told_at, None);
    assert_eq!(world.latest(DOWN).unheard, Some(Unheard::Flapping));
    for _ in 0..40 {
        world.pass(60).look(UP, &down());
        world.wake();
    }
    assert_eq!(world.story().last().unwrap(), "calm");
    assert!(world.latest(DOWN).told_at.is_some());
    world.pass(HOUR).look(UP, &[]);
    assert_eq!(world.story().last().unwrap(), "resolved");
}

#[test]
fn a_clock_that_jumps_back_changes_nothing_for_the_worse() {
    let mut world = opened();
    world.now = at("2020-01-01T00:00:00Z");
    world.look(UP, &down());
    world.wake();
    assert_eq!(world.story(), ["opened"]);
    assert_eq!(world.latest(DOWN).last_seen, at("2026-11-22T10:01:30Z"));
    world.look(UP, &[]);
    assert_eq!(world.story(), ["opened", "resolved"]);
}

#[test]
fn new_members_speak_once_per_reminder_also_when_somebody_is_on_it() {
    let mut world = opened();
    let told_at = world.now;
    let also = |n: usize| -> Vec<SeenFinding> {
        let more = (0..n).map(|i| finding(DOWN, &format!("https://h{i}.example/")));
        down().into_iter().chain(more).collect()
    };
    world.pass(60).look(UP, &also(1));
    world.pass(60).look(UP, &also(2));
    world.acknowledge(DOWN).unwrap();
    assert_eq!(world.story(), ["opened", "acknowledged"]);
    world.pass(2 * HOUR).look(UP, &also(3));
    assert_eq!(world.story(), ["opened", "acknowledged"]);
    world.pass(2 * HOUR).wake();
    assert_eq!(world.story(), ["opened", "acknowledged", "joined"]);
    let (joined_at, joined) = world.log.last().unwrap().clone();
    assert_eq!(joined.members.len(), 3);
    assert!(world.latest(DOWN).members.values().all(|member| member.told));
    assert!(joined_at.duration_since(told_at) >= jiff::SignedDuration::from_hours(4));
    // Nothing is new, and somebody is on it: silence.
    world.pass(20 * HOUR).wake();
    world.pass(60).look(UP, &also(3));
    assert_eq!(world.story().len(), 3);
    world.pass(60).look(UP, &also(4));
    assert_eq!(world.story().last().unwrap(), "joined");
    assert_eq!(world.log.last().unwrap().1.members, ["https://h3.example/"]);
}

#[test]
fn becoming_critical_is_told_at_once_and_swinging_is_not() {
    let mut mild = finding(DOWN, "https://app.harbor.example/");
    (mild.severity, mild.urgency) = (Severity::Warning, Urgency::Day);
    let mut world = World::new();
    world.look(UP, &[mild.clone()]);
    world.pass(30).look(UP, &[mild.clone()]);
    world.acknowledge(DOWN).unwrap();
    world.pass(30).look(UP, &down());
    assert_eq!(world.story(), ["opened", "acknowledged", "worsened"]);
    for _ in 0..5 {
        world.pass(60).look(UP, &[mild.clone()]);
        world.pass(60).look(UP, &down());
    }
    assert_eq!(world.story().iter().filter(|word| *word == "worsened").count(), 1);
    world.pass(60).look(UP, &[mild]);
    world.pass(4 * HOUR).look(UP, &down());
    assert_eq!(world.story().iter().filter(|word| *word == "worsened").count(), 2);
    assert_eq!(world.latest(DOWN).told_as.len(), 2);
}
