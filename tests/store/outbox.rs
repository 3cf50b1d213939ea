//! The outbox: which messages are made, who claims them, and what becomes of a try.

use std::time::Duration;

use launchready::clock::FixedClock;
use launchready::incident::ChannelRule;
use launchready::store::{
    Attempt, AttemptOutcome, Delivery, DeliveryState, Notification, NotificationKind, OutboxCount,
    Plain,
};
use launchready_checks::contract::{Severity, Urgency};

use crate::bench::{Bench, LEASE, at, channel, finding, job, later, run, sleeper, told};

pub(crate) async fn what_is_held_on_a_channel_that_sends_nothing_is_let_go(mut bench: Bench) {
    let now = at("10:00:00");
    bench.book.channels = vec![channel("founder"), channel("ops")];
    two_open(&bench, now).await;
    let claimed = bench.claim(later(now, 21)).await;
    let agent = "one";
    assert_eq!(claimed.len(), 2);
    bench.store.let_go_of_deliveries("somebody else", &[]).await.unwrap();
    assert!(bench.claim(later(now, 22)).await.is_empty());
    bench.store.let_go_of_deliveries(agent, &["founder".to_owned()]).await.unwrap();
    let again = bench.claim(later(now, 22)).await;
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].delivery.channel, "ops");
    let before = claimed.iter().find(|it| it.delivery.channel == "ops").unwrap();
    assert_eq!(again[0].delivery.id, before.delivery.id, "whoever gets it twice can tell");
}

/// Two checks that find something within seconds of each other.
async fn two_open(bench: &Bench, now: jiff::Timestamp) {
    bench.harbor(&["dns", "web"], now).await;
    bench.commit(run("harbor", "web", now, vec![finding("web-down", "www")])).await;
    bench.commit(run("harbor", "dns", later(now, 5), vec![finding("no-record", "www")])).await;
}

fn retry(time: jiff::Timestamp) -> AttemptOutcome {
    AttemptOutcome::Retry { at: time, error: "the server is busy".to_owned() }
}

fn failed() -> AttemptOutcome {
    AttemptOutcome::Failed { error: "no such address".to_owned() }
}

pub(crate) async fn what_happens_together_is_one_message_for_each_channel(mut bench: Bench) {
    let now = at("10:00:00");
    bench.book.channels = vec![channel("founder"), channel("ops")];
    two_open(&bench, now).await;
    assert!(bench.claim(later(now, 19)).await.is_empty(), "it waits for what opens together");
    let waiting = bench.store.waiting().await.unwrap();
    let waiting: Vec<_> = waiting.iter().map(|it| (it.channel.as_str(), it.count)).collect();
    assert_eq!(waiting, [("founder", 1), ("ops", 1)]);
    let claimed = bench.claim(later(now, 21)).await;
    assert_eq!(claimed.len(), 2);
    for claim in &claimed {
        assert_eq!(told(claim), ["opened web-down", "opened no-record"]);
        assert_eq!(claim.notification.kind, NotificationKind::Changes);
        assert_eq!(claim.notification.project, "harbor");
        assert_eq!((claim.delivery.attempts, claim.delivery.state), (1, DeliveryState::Pending));
        assert_eq!(claim.notification.told[0].incident.members.len(), 1);
    }
    assert_eq!(claimed[0].notification.id, claimed[1].notification.id);
    assert_eq!(claimed[0].notification.id.len(), 24);
    assert_ne!(claimed[0].delivery.id, claimed[1].delivery.id);
    for claim in &claimed {
        bench.sent(claim, later(now, 22)).await;
    }
    assert!(bench.claim(later(now, 4000)).await.is_empty());
    assert!(bench.store.waiting().await.unwrap().is_empty());
    let counts = bench.store.outbox().await.unwrap();
    let sent = |channel: &str| OutboxCount {
        channel: channel.to_owned(),
        state: DeliveryState::Sent,
        count: 1,
        oldest: Some("2026-11-25T10:00:00.1Z".parse().unwrap()),
    };
    assert_eq!(counts, [sent("founder"), sent("ops")]);
}

pub(crate) async fn a_claimed_notification_takes_no_more_changes(bench: Bench) {
    let now = at("10:00:00");
    two_open(&bench, now).await;
    let first = bench.claim(later(now, 30)).await;
    bench.commit(run("harbor", "dns", later(now, 31), Vec::new())).await;
    bench.sent(&first[0], later(now, 32)).await;
    let second = bench.claim(later(now, 60)).await;
    assert_eq!(told(&second[0]), ["resolved no-record"]);
    assert_ne!(first[0].notification.id, second[0].notification.id);
}

pub(crate) async fn a_channel_is_told_only_what_it_takes(mut bench: Bench) {
    let now = at("10:00:00");
    let critical = ChannelRule { severities: vec![Severity::Critical], ..channel("pager") };
    let elsewhere = ChannelRule { projects: vec!["other".to_owned()], ..channel("elsewhere") };
    bench.book.channels = vec![channel("founder"), critical, elsewhere];
    bench.harbor(&["web"], now).await;
    let mut mild = finding("web-slow", "www");
    mild.severity = Severity::Warning;
    bench.commit(run("harbor", "web", now, vec![finding("web-down", "www"), mild])).await;
    let claimed = bench.claim(later(now, 30)).await;
    let said: Vec<_> =
        claimed.iter().map(|claim| (claim.delivery.channel.as_str(), told(claim).len())).collect();
    assert_eq!(said, [("founder", 2), ("pager", 1)]);
    assert_eq!(claimed[0].notification.id, claimed[1].notification.id);
}

pub(crate) async fn channels_that_group_for_themselves_are_told_each_change_at_once(
    mut bench: Bench,
) {
    let now = at("10:00:00");
    bench.book.channels =
        vec![channel("founder"), ChannelRule { ungrouped: true, ..channel("pager") }];
    bench.harbor(&["web"], now).await;
    let findings = vec![finding("web-down", "www"), finding("web-slow", "www")];
    bench.commit(run("harbor", "web", now, findings)).await;
    let first = bench.claim(later(now, 1)).await;
    assert_eq!(first.len(), 1);
    assert_eq!(told(&first[0]).len(), 1);
    bench.sent(&first[0], later(now, 1)).await;
    let second = bench.claim(later(now, 1)).await;
    assert_eq!(told(&second[0]).len(), 1);
    assert_ne!(first[0].notification.id, second[0].notification.id);
    assert_ne!(told(&first[0]), told(&second[0]));
    bench.sent(&second[0], later(now, 1)).await;
    assert_eq!(bench.claim(later(now, 1)).await.len(), 0);
    let both = bench.claim(later(now, 21)).await;
    assert_eq!((both[0].delivery.channel.as_str(), told(&both[0]).len()), ("founder", 2));
}

pub(crate) async fn quiet_hours_hold_one_message_until_the_morning(mut bench: Bench) {
    let now = at("03:00:00");
    bench.book.channels = vec![channel("ops"), sleeper("founder"), sleeper("partner")];
    two_open(&bench, now).await;
    let night = bench.claim(later(now, 30)).await;
    assert_eq!(night.len(), 1);
    assert_eq!(night[0].delivery.channel, "ops");
    bench.sent(&night[0], later(now, 31)).await;
    bench.commit(run("harbor", "dns", later(now, 3600), Vec::new())).await;
    // What is urgent is told at once.
    let mut urgent = finding("no-checkout", "app");
    urgent.urgency = Urgency::Now;
    let seen = vec![finding("web-down", "www"), urgent];
    bench.commit(run("harbor", "web", later(now, 3700), seen)).await;
    let urgent = bench.claim(later(now, 3730)).await;
    let channels: Vec<_> = urgent.iter().map(|claim| claim.delivery.channel.as_str()).collect();
    assert_eq!(channels, ["founder", "ops", "partner"]);
    assert_eq!(told(&urgent[0]), ["opened no-checkout"]);
    for claim in &urgent {
        bench.sent(claim, later(now, 3731)).await;
    }
    assert_eq!(told(&urgent[1]), ["resolved no-record", "opened no-checkout"]);
    assert!(bench.claim(at("06:59:59")).await.is_empty());
    let morning = bench.claim(at("07:00:00")).await;
    assert_eq!(morning.len(), 2);
    for claim in &morning {
        let wanted = ["opened web-down", "opened no-record", "resolved no-record"];
        assert_eq!(told(claim), wanted);
        assert_eq!(claim.notification.id, morning[0].notification.id);
        assert_ne!(claim.notification.id, night[0].notification.id);
    }
}

pub(crate) async fn a_lease_that_ran_out_is_claimed_again_under_the_same_id(bench: Bench) {
    let now = at("10:00:00");
    two_open(&bench, now).await;
    let first = bench.claim(later(now, 30)).await;
    assert!(bench.claim(later(now, 89)).await.is_empty());
    let second = bench.second().await;
    let again = second.claim("two", &[], later(now, 91), LEASE).await.unwrap();
    assert_eq!(again[0].notification, first[0].notification);
    assert_eq!(again[0].delivery.id, first[0].delivery.id);
    assert_eq!(again[0].delivery.attempts, 2);
    // The first one comes back late: accepted is accepted, whoever says so last.
    bench.sent(&again[0], later(now, 92)).await;
    bench.record(&first[0], later(now, 93), retry(later(now, 100)), None).await;
    bench.record(&first[0], later(now, 94), failed(), Some("other")).await;
    assert!(bench.claim(later(now, 4000)).await.is_empty());
    let counts = bench.store.outbox().await.unwrap();
    assert_eq!(counts.len(), 1);
    assert_eq!(counts[0].state, DeliveryState::Sent);
}

pub(crate) async fn a_busy_channel_waits_and_others_do_not(mut bench: Bench) {
    let now = at("10:00:00");
    bench.book.channels = vec![channel("founder"), channel("ops")];
    two_open(&bench, now).await;
    let busy = ["founder".to_owned()];
    let claimed = bench.store.claim("one", &busy, later(now, 30), LEASE).await.unwrap();
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].delivery.channel, "ops");
}

pub(crate) async fn a_retry_comes_back_at_its_time_and_the_end_never_overtakes_the_beginning(
    bench: Bench,
) {
    let now = at("10:00:00");
    two_open(&bench, now).await;
    let first = bench.claim(later(now, 30)).await;
    bench.record(&first[0], later(now, 31), retry(later(now, 300)), None).await;
    bench.commit(run("harbor", "web", later(now, 60), Vec::new())).await;
    assert!(bench.claim(later(now, 120)).await.is_empty(), "the end would come first");
    let again = bench.claim(later(now, 300)).await;
    assert_eq!(again[0].delivery.id, first[0].delivery.id);
    assert_eq!(again[0].delivery.attempts, 2);
    assert_eq!(again[0].delivery.last_error.as_deref(), Some("the server is busy"));
    bench.sent(&again[0], later(now, 301)).await;
    let over = bench.claim(later(now, 302)).await;
    assert_eq!(told(&over[0]), ["resolved web-down"]);
    let id = &over[0].notification.told[0].incident.id;
    let record = bench.store.incident(id).await.unwrap().unwrap();
    let attempts: Vec<_> = record.deliveries.iter().map(|delivery| delivery.attempts).collect();
    assert_eq!(attempts, [2, 1]);
}

pub(crate) async fn what_comes_late_of_a_try_is_nothing_to_a_message_that_another_agent_has(
    bench: Bench,
) {
    let now = at("10:00:00");
    two_open(&bench, now).await;
    let first = bench.claim(later(now, 30)).await;
    let claim = async |second| bench.store.claim("two", &[], later(now, second), LEASE).await;
    let second = claim(100).await.unwrap();
    assert_eq!(second[0].delivery.id, first[0].delivery.id, "its lease is over");
    bench.record(&first[0], later(now, 101), retry(later(now, 102)), None).await;
    assert!(bench.claim(later(now, 103)).await.is_empty(), "two is at it");
    bench.record(&first[0], later(now, 104), failed(), Some("partner")).await;
    assert!(bench.claim(later(now, 105)).await.is_empty(), "nor does another channel tell it yet");
    let attempt = Attempt {
        at: later(now, 106),
        duration: Duration::from_millis(40),
        outcome: retry(later(now, 400)),
    };
    let id = &first[0].delivery.id;
    bench.store.record_attempt("two", id, &attempt, None).await.unwrap();
    assert!(bench.claim(later(now, 399)).await.is_empty(), "two says when");
    assert_eq!(claim(400).await.unwrap()[0].delivery.id, *id);
    bench.sent(&first[0], later(now, 401)).await;
    assert!(claim(500).await.unwrap().is_empty(), "what was accepted late was accepted");
}

pub(crate) async fn a_channel_that_fails_for_good_falls_back_once(bench: Bench) {
    let now = at("10:00:00");
    two_open(&bench, now).await;
    let first = bench.claim(later(now, 30)).await;
    bench.record(&first[0], later(now, 31), failed(), Some("partner")).await;
    let second = bench.claim(later(now, 32)).await;
    assert_eq!(second.len(), 1);
    assert_eq!(second[0].delivery.channel, "partner");
    assert_eq!(second[0].delivery.instead_of.as_deref(), Some("founder"));
    assert_eq!(first[0].delivery.instead_of, None);
    assert_eq!(second[0].notification, first[0].notification);
    // A fallback that falls back to the first ends there.
    bench.record(&second[0], later(now, 33), failed(), Some("founder")).await;
    assert!(bench.claim(later(now, 4000)).await.is_empty());
    let id = &first[0].notification.told[0].incident.id;
    let record = bench.store.incident(id).await.unwrap().unwrap();
    let states: Vec<_> = record.deliveries.iter().map(|delivery| delivery.state).collect();
    assert_eq!(states, [DeliveryState::Failed, DeliveryState::Failed]);
    let attempt = Attempt { at: now, duration: Duration::ZERO, outcome: AttemptOutcome::Sent };
    let error = bench.store.record_attempt("one", "dlv_none", &attempt, None).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no delivery \"dlv_none\"");
}

pub(crate) async fn a_fallback_never_tells_a_change_twice(mut bench: Bench) {
    let now = at("10:00:00");
    let critical = ChannelRule { severities: vec![Severity::Critical], ..channel("pager") };
    bench.book.channels = vec![channel("founder"), critical];
    bench.harbor(&["web"], now).await;
    let mut mild = finding("web-slow", "www");
    mild.severity = Severity::Warning;
    bench.commit(run("harbor", "web", now, vec![finding("web-down", "www"), mild])).await;
    let claimed = bench.claim(later(now, 30)).await;
    assert_eq!(told(&claimed[1]), ["opened web-down"]);
    bench.sent(&claimed[1], later(now, 31)).await;
    bench.record(&claimed[0], later(now, 32), failed(), Some("pager")).await;
    let rest = bench.claim(later(now, 33)).await;
    assert_eq!(rest[0].delivery.channel, "pager");
    assert_eq!(told(&rest[0]), ["opened web-slow"], "the other one was told there already");
    assert_ne!(rest[0].notification.id, claimed[0].notification.id, "that id is used up there");
}

pub(crate) async fn a_notification_of_its_own_is_put_in_once(bench: Bench) {
    let now = at("10:00:00");
    let summary = Notification {
        id: "msg_00000000000000000001".to_owned(),
        kind: NotificationKind::Summary,
        project: String::new(),
        at: now,
        told: Vec::new(),
        text: Some(Plain { title: "The week".to_owned(), lines: vec!["All is well.".to_owned()] }),
    };
    let channels = ["founder".to_owned(), "ops".to_owned(), "founder".to_owned()];
    let put = async || bench.store.enqueue(&summary, &channels, later(now, 60)).await.unwrap();
    assert!(put().await);
    assert!(!put().await);
    assert!(bench.claim(later(now, 59)).await.is_empty());
    let claimed = bench.claim(later(now, 60)).await;
    assert_eq!(claimed.len(), 2);
    assert_eq!(claimed[0].notification, summary);
    bench.record(&claimed[0], later(now, 61), failed(), Some("ops")).await;
    bench.record(&claimed[1], later(now, 61), failed(), Some("partner")).await;
    let instead: Vec<Delivery> =
        bench.claim(later(now, 62)).await.into_iter().map(|claim| claim.delivery).collect();
    assert_eq!(instead.len(), 1);
    assert_eq!(instead[0].channel, "partner");
}

pub(crate) async fn what_was_wrong_at_the_start_is_one_message(bench: Bench) {
    let now = at("10:00:00");
    bench
        .store
        .sync_jobs(&[job("harbor", "dns"), job("harbor", "web")], &FixedClock(now))
        .await
        .unwrap();
    bench.commit(run("harbor", "web", now, vec![finding("web-down", "www")])).await;
    bench.commit(run("harbor", "dns", later(now, 90), vec![finding("no-record", "www")])).await;
    assert!(bench.claim(later(now, 119)).await.is_empty());
    let claimed = bench.claim(later(now, 121)).await;
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].notification.kind, NotificationKind::FirstLook);
    assert_eq!(told(&claimed[0]), ["opened web-down", "opened no-record"]);
}
