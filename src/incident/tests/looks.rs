//! What looks make of incidents, from the first one to the end.

use launchready_checks::contract::{Severity, Unseen, Urgency};

use super::sample::{at, blind, finding, run};
use super::world::{DOWN, HOUR, START, UP, World, down, opened};
use crate::incident::{ChangeKind, Incident, RunSeen, SeenFinding, Sight, State, Tell};

fn unseen(findings: &[SeenFinding], part: &str) -> RunSeen {
    let sight = Sight::Looked { unseen_parts: vec![part.to_owned()] };
    RunSeen { sight, findings: findings.to_vec(), ..run(UP, START) }
}

#[test]
fn a_finding_is_believed_when_looks_in_a_row_see_it() {
    let mut world = World::new();
    world.look(UP, &[]);
    let outcome = world.pass(60).look(UP, &down());
    assert_eq!(outcome.look_again_at, Some(at("2026-11-22T10:01:30Z")));
    assert_eq!((world.latest(DOWN).state, world.latest(DOWN).confirmations), (State::Suspected, 1));
    assert_eq!(world.latest(DOWN).last_good, Some(at(START)));
    assert!(world.story().is_empty());
    let outcome = world.pass(30).look(UP, &down());
    assert_eq!(outcome.look_again_at, None);
    assert_eq!(outcome.changes[0].kind, ChangeKind::Opened);
    assert_eq!(outcome.changes[0].tell, Tell::Grouped);
    let incident = world.latest(DOWN);
    assert_eq!((incident.state, incident.confirmations), (State::Open, 2));
    assert_eq!(incident.opened_at, Some(world.now));
    assert_eq!((incident.told_at, incident.last_told_at), (Some(world.now), Some(world.now)));
    assert_eq!(incident.told_as, [(Severity::Critical, Urgency::Now)]);
    assert!(incident.members.values().all(|member| member.told));
}

#[test]
fn what_the_next_look_does_not_see_is_forgotten_without_a_word() {
    let mut world = World::new();
    world.look(UP, &down());
    let outcome = world.pass(30).look(UP, &[]);
    assert_eq!(outcome.forgotten.len(), 1);
    assert_eq!((outcome.look_again_at, world.incidents.len()), (None, 0));
    // A new sighting begins to count anew.
    world.pass(30).look(UP, &down());
    assert_eq!(world.latest(DOWN).confirmations, 1);
    assert!(world.story().is_empty());
}

#[test]
fn what_is_certain_is_believed_at_once() {
    let mut world = World::new();
    let certain = SeenFinding { certain: true, ..finding("orders-orphaned", "cs_1") };
    world.look("orders", &[certain]);
    assert_eq!(world.story(), ["opened"]);
}

#[test]
fn what_was_there_at_the_first_look_is_told_with_the_rest_of_it() {
    let mut world = World::new();
    world.run(RunSeen { first: true, findings: down().to_vec(), ..run(UP, START) });
    let outcome = world.pass(30).look(UP, &down());
    assert_eq!(outcome.changes[0].tell, Tell::FirstLook);
    assert!(world.latest(DOWN).from_start);
    assert_eq!(world.latest(DOWN).last_good, None);
}

#[test]
fn not_seeing_neither_confirms_nor_resolves() {
    let mut world = World::new();
    world.look(UP, &down());
    let outcome = world.pass(30).run(unseen(&[], "https://app.harbor.example/"));
    assert_eq!(outcome.look_again_at, Some(at("2026-11-22T10:01:00Z")));
    world.pass(30).run(blind(UP, START, 1, START));
    assert_eq!((world.latest(DOWN).state, world.latest(DOWN).confirmations), (State::Suspected, 1));
    world.pass(30).look(UP, &down());
    assert_eq!(world.story(), ["opened"]);
    world.pass(60).run(unseen(&[], "redirects of app.harbor.example"));
    world.pass(60).run(blind(UP, START, 1, START));
    assert_eq!(world.latest(DOWN).state, State::Open);
    world.pass(60).look(UP, &[]);
    assert_eq!(world.story(), ["opened", "resolved"]);
    assert_eq!(world.latest(DOWN).resolved_at, Some(world.now));
}

#[test]
fn a_part_that_is_never_seen_does_not_make_the_check_look_for_ever() {
    let mut world = World::new();
    world.look(UP, &down());
    let early = (0..100).filter(|_| {
        let outcome = world.pass(30).run(unseen(&[], "app.harbor.example"));
        outcome.look_again_at.is_some()
    });
    assert_eq!(early.count(), 19);
    assert_eq!(world.latest(DOWN).state, State::Suspected);
}

#[test]
fn it_is_over_after_as_many_looks_as_the_policy_wants() {
    let mut world = opened();
    world.policy().recoveries = 2;
    world.pass(60).look(UP, &[]);
    assert_eq!((world.latest(DOWN).state, world.latest(DOWN).recoveries), (State::Open, 1));
    world.pass(60).look(UP, &down());
    assert_eq!(world.latest(DOWN).recoveries, 0);
    world.pass(60).look(UP, &[]);
    world.pass(60).look(UP, &[]);
    assert_eq!(world.story(), ["opened", "resolved"]);
}

#[test]
fn members_that_leave_the_window_expire_and_are_not_mended() {
    let mut world = opened();
    let expired = vec!["https://app.harbor.example/".to_owned()];
    world.pass(60).run(RunSeen { expired, ..run(UP, START) });
    assert_eq!(world.story(), ["opened", "expired"]);
    assert_eq!(world.latest(DOWN).member_count(), 1);
}

#[test]
fn a_check_that_is_not_configured_any_more_ends_its_incidents() {
    let mut world = opened();
    world.pass(60).look(UP, &[down()[0].clone(), finding("endpoint-slow", "app.harbor.example")]);
    let outcome = world.pass(60).run(RunSeen { sight: Sight::Skipped, ..run(UP, START) });
    assert_eq!(outcome.forgotten.len(), 1);
    assert_eq!(world.story(), ["opened", "expired"]);
    assert_eq!(outcome.look_again_at, None);
}

#[test]
fn another_domain_ends_what_was_about_the_old_one() {
    let mut world = opened();
    let target = "harbour.example".to_owned();
    world.pass(60).run(RunSeen { target, findings: down().to_vec(), ..run(UP, START) });
    assert_eq!(world.story(), ["opened", "expired"]);
    assert_eq!(world.latest(DOWN).state, State::Suspected);
}

#[test]
fn blindness_is_told_once_and_ends_with_the_first_look() {
    let mut world = opened();
    world.pass(60).run(blind(UP, START, 1, START));
    world.pass(60).run(blind(UP, START, 2, START));
    assert_eq!(world.story(), ["opened"]);
    let outcome = world.pass(60).run(blind(UP, START, 3, START));
    assert_eq!(world.story(), ["opened", "opened"]);
    assert_eq!(outcome.look_again_at, None);
    let incident = world.latest(Incident::BLIND);
    assert_eq!(incident.title, "Uptime and response time cannot look");
    assert_eq!((incident.severity, incident.urgency), (Severity::Warning, Urgency::Day));
    assert_eq!(incident.first_seen, at(START));
    assert_eq!(incident.members["blind"].summary, "The key was refused.");
    assert_eq!(incident.members["blind"].fix, "Make a new key.");
    world.pass(60).run(blind(UP, START, 4, START));
    assert_eq!(world.latest(Incident::BLIND).confirmations, 4);
    world.pass(60).look(UP, &down());
    assert_eq!(world.story(), ["opened", "opened", "resolved"]);
    assert_eq!(world.latest(DOWN).state, State::Open);
}

#[test]
fn blindness_counts_by_time_too_and_not_where_it_is_noted_or_our_own() {
    let mut world = World::new();
    world.pass(HOUR - 1).run(blind(UP, START, 1, START));
    assert!(world.incidents.is_empty());
    world.pass(1);
    for (is_noted, is_own) in [(true, false), (false, true)] {
        let mut run = blind(UP, START, 9, START);
        if let Sight::Blind { unseen, own_network, .. } = &mut run.sight {
            *own_network = is_own;
            if is_noted {
                *unseen = Unseen::Noted;
            }
        }
        world.run(run);
        assert!(world.incidents.is_empty());
    }
    world.run(blind(UP, START, 1, START));
    assert_eq!(world.story(), ["opened"]);
}
