//! Jobs that have promised to call: what is kept of their calls, and for how long.

use launchready::clock::FixedClock;
use launchready::store::{
    HeartbeatCall, HeartbeatKey, HeartbeatRecord, Listener, Signal, forget_listener, last_listened,
    listeners, note_ending, note_listening,
};

use crate::bench::{Bench, at, later};

fn key(name: &str) -> HeartbeatKey {
    HeartbeatKey { project: "harbor".to_owned(), name: name.to_owned() }
}

async fn only(bench: &Bench) -> HeartbeatRecord {
    let all = bench.store.heartbeats("harbor").await.unwrap();
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].clone()
}

async fn call(bench: &Bench, name: &str, second: i64, signal: Signal, exit: Option<u8>) {
    let call = HeartbeatCall { at: later(at("10:00:00"), second), signal, exit };
    bench.store.record_call(&key(name), &call).await.unwrap();
}

pub(crate) async fn a_promise_counts_from_its_first_mention_and_keeps_what_was_heard(bench: Bench) {
    let now = at("10:00:00");
    bench.store.sync_heartbeats(&[key("backup")], &FixedClock(now)).await.unwrap();
    bench.store.sync_heartbeats(&[key("backup")], &FixedClock(later(now, 60))).await.unwrap();
    let new = only(&bench).await;
    assert_eq!((new.promised_at, new.first_call, new.calls), (now, None, 0));
    call(&bench, "backup", 100, Signal::Start, None).await;
    call(&bench, "backup", 110, Signal::Failure, Some(3)).await;
    call(&bench, "backup", 200, Signal::Start, None).await;
    call(&bench, "backup", 230, Signal::Success, None).await;
    let heard = only(&bench).await;
    assert_eq!(heard.promised_at, now);
    assert_eq!(heard.first_call, Some(later(now, 100)));
    assert_eq!(heard.last_start, Some(later(now, 200)));
    assert_eq!(heard.last_success, Some(later(now, 230)));
    assert_eq!((heard.last_failure, heard.exit), (Some(later(now, 110)), Some(3)));
    assert_eq!((heard.calls, heard.failures), (4, 1));
    // A failure without a code forgets the code of the one before, and a late record moves nothing back.
    call(&bench, "backup", 300, Signal::Failure, None).await;
    call(&bench, "backup", 150, Signal::Success, None).await;
    let heard = only(&bench).await;
    assert_eq!((heard.last_failure, heard.exit), (Some(later(now, 300)), None));
    assert_eq!(heard.last_success, Some(later(now, 230)));
    assert!(bench.store.heartbeats("quay").await.unwrap().is_empty());
}

pub(crate) async fn the_last_hundred_calls_are_kept_one_by_one_and_the_rest_is_counted(
    bench: Bench,
) {
    let now = at("10:00:00");
    bench.store.sync_heartbeats(&[key("backup"), key("sync")], &FixedClock(now)).await.unwrap();
    for second in 0..130 {
        call(&bench, "backup", second, Signal::Success, None).await;
    }
    call(&bench, "sync", 5, Signal::Failure, Some(255)).await;
    let all = bench.store.heartbeat_calls(&key("backup"), 1_000).await.unwrap();
    assert_eq!(all.len(), 100);
    assert_eq!((all[0].at, all[99].at), (later(now, 129), later(now, 30)), "newest first");
    let two = bench.store.heartbeat_calls(&key("backup"), 2).await.unwrap();
    assert_eq!(two, all[..2]);
    let sync = bench.store.heartbeat_calls(&key("sync"), 10).await.unwrap();
    let wanted = HeartbeatCall { at: later(now, 5), signal: Signal::Failure, exit: Some(255) };
    assert_eq!(sync, [wanted]);
    let records = bench.store.heartbeats("harbor").await.unwrap();
    let counts: Vec<_> = records.iter().map(|it| (it.calls, it.failures)).collect();
    assert_eq!(counts, [(130, 0), (1, 1)]);
}

pub(crate) async fn a_promise_that_is_gone_comes_back_with_its_past_and_goes_after_a_month(
    bench: Bench,
) {
    let now = at("10:00:00");
    let (day, kept) = (24 * 3600, std::time::Duration::from_hours(90 * 24));
    bench.store.sync_heartbeats(&[key("backup")], &FixedClock(now)).await.unwrap();
    call(&bench, "backup", 10, Signal::Success, None).await;
    bench.store.sync_heartbeats(&[], &FixedClock(later(now, 60))).await.unwrap();
    assert!(bench.store.heartbeats("harbor").await.unwrap().is_empty());
    bench.store.roll_up(later(now, 20 * day), kept).await.unwrap();
    bench.store.sync_heartbeats(&[key("backup")], &FixedClock(later(now, 20 * day))).await.unwrap();
    let back = only(&bench).await;
    assert_eq!((back.promised_at, back.calls), (later(now, 20 * day), 1));
    bench.store.sync_heartbeats(&[], &FixedClock(later(now, 21 * day))).await.unwrap();
    bench.store.roll_up(later(now, 52 * day), kept).await.unwrap();
    bench.store.sync_heartbeats(&[key("backup")], &FixedClock(later(now, 52 * day))).await.unwrap();
    assert_eq!(only(&bench).await.calls, 0);
    assert!(bench.store.heartbeat_calls(&key("backup"), 10).await.unwrap().is_empty());
}

pub(crate) async fn a_call_of_a_promise_that_is_not_known_yet_is_kept(bench: Bench) {
    call(&bench, "backup", 10, Signal::Start, None).await;
    let heard = only(&bench).await;
    assert_eq!(heard.promised_at, later(at("10:00:00"), 10));
    bench
        .store
        .sync_heartbeats(&[key("backup")], &FixedClock(later(at("10:00:00"), 20)))
        .await
        .unwrap();
    assert_eq!(only(&bench).await, heard);
}

pub(crate) async fn each_agent_that_listens_is_known_until_it_ends_in_order(bench: Bench) {
    let (store, now) = (&*bench.store, at("10:00:00"));
    assert!(listeners(store).await.unwrap().is_empty());
    assert_eq!(last_listened(store).await.unwrap(), None);
    store.put("heartbeat.listenings", "of something else").await.unwrap();
    let (one, two) = ("[::1]:9797 quay_1", "127.0.0.1:9797 quay-1");
    note_listening(store, one, now).await.unwrap();
    note_listening(store, one, later(now, 15)).await.unwrap();
    note_listening(store, two, later(now, 20)).await.unwrap();
    let by = |agent: Option<&str>, second| Listener {
        agent: agent.map(str::to_owned),
        at: later(now, second),
    };
    assert_eq!(listeners(store).await.unwrap(), [by(Some(two), 20), by(Some(one), 15)]);
    assert_eq!(last_listened(store).await.unwrap(), Some(later(now, 20)));
    note_ending(store, two, later(now, 30)).await.unwrap();
    assert_eq!(listeners(store).await.unwrap(), [by(None, 30), by(Some(one), 15)]);
    forget_listener(store, one).await.unwrap();
    forget_listener(store, one).await.unwrap();
    assert_eq!(listeners(store).await.unwrap(), [by(None, 30)]);
}

pub(crate) async fn values_are_listed_by_how_their_names_begin(bench: Bench) {
    for (name, value) in [("a_b", "1"), ("a_a", "2"), ("axc", "3"), ("A_a", "4"), ("a%", "5")] {
        bench.store.put(name, value).await.unwrap();
    }
    let listed = async |beginning: &str| {
        let listed = bench.store.listed(beginning).await.unwrap();
        listed.into_iter().map(|(name, value)| name + "=" + &value).collect::<Vec<_>>()
    };
    assert_eq!(listed("a_").await, ["a_a=2", "a_b=1"], "nothing in it stands for something else");
    assert_eq!(listed("a%").await, ["a%=5"]);
    assert!(listed("b").await.is_empty());
    bench.store.forget("a_a").await.unwrap();
    bench.store.forget("nothing").await.unwrap();
    assert_eq!(listed("a_").await, ["a_b=1"]);
}
