//! The sender's loop on a real store: nothing lost, nothing twice in normal running, one key for every
//! repeat.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use launchready::clock::Clock as _;
use launchready::config::Secret;
use launchready::notify::outbox::LEASE;
use launchready::notify::{ChannelKind, SmtpSecurity};
use tokio::sync::Notify;

use crate::mail_server::{MailServer, Mood};
use crate::post::{Kept, Post, Scripted, later, never, scripted};
use crate::web_server::{Manner, WebServer};
use crate::world::{channel, settings, until};

#[tokio::test]
async fn a_delivery_is_sent_once_and_its_latency_is_told() {
    let ops = scripted(Vec::new());
    let post = Post::new(vec![("ops", ops.clone(), None)]).await;
    let running = post.start();
    post.put_in("msg_a", &["ops"]).await;
    until("it is sent", async || post.all_are("sent").await).await;
    until("it is told", async || !post.words().is_empty()).await;
    running.stop().await;
    let taken = ops.taken.lock().unwrap().clone();
    assert_eq!(taken.len(), 1);
    assert_eq!((taken[0].id.as_str(), taken[0].attempt), ("msg_a", 1));
    assert_eq!(taken[0].timezone, "Europe/Berlin");
    // From 07:14:00, the last good look, to 07:16:00.
    let latency = post.seen.tried.lock().unwrap()[0].latency;
    assert_eq!(latency, Some(Duration::from_mins(2)));
}

#[tokio::test]
async fn a_sender_that_leaves_its_work_to_others_claims_nothing_until_it_works_again() {
    let ops = scripted(Vec::new());
    let post = Post::new(vec![("ops", ops.clone(), None)]).await;
    post.rests.store(true, Ordering::Relaxed);
    post.put_in("msg_a", &["ops"]).await;
    let running = post.start();
    until("it goes round", async || post.seen.rounds.load(Ordering::Relaxed) > 2).await;
    let waits = post.only().await;
    assert_eq!((waits.state.as_str(), ops.taken.lock().unwrap().len()), ("pending", 0));
    post.rests.store(false, Ordering::Relaxed);
    until("it is sent", async || post.all_are("sent").await).await;
    running.stop().await;
}

#[tokio::test]
async fn a_channel_that_fails_is_tried_again_under_the_same_id_and_the_fallback_hears_of_it_once() {
    let ops = scripted(vec![later(None), later(None), later(None), later(None), later(None)]);
    let founder = scripted(Vec::new());
    let post =
        Post::new(vec![("ops", ops.clone(), Some("founder")), ("founder", founder.clone(), None)])
            .await;
    post.put_in("msg_a", &["ops"]).await;
    let running = post.start();
    for tries in 1..=5 {
        until("it is tried", async || {
            post.attempts().await.iter().filter(|(channel, _, _)| channel == "ops").count() >= tries
        })
        .await;
        let taken = founder.taken.lock().unwrap().len();
        assert!(tries >= 4 || taken == 0, "the fallback hears of it after {tries} tries");
        post.clock.advance(400);
    }
    until("both are sent", async || post.all_are("sent").await).await;
    running.stop().await;
    let all = post.deliveries().await;
    assert_eq!(all.len(), 2, "{all:?}");
    let envelopes = ops.taken.lock().unwrap().clone();
    let numbers: Vec<u32> = envelopes.iter().map(|envelope| envelope.attempt).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
    assert!(envelopes.iter().all(|envelope| envelope.id == "msg_a"));
    let instead = founder.taken.lock().unwrap().clone();
    assert_eq!(instead.len(), 1);
    assert_eq!((instead[0].id.as_str(), instead[0].instead_of.as_deref()), ("msg_a", Some("ops")));
}

#[tokio::test]
async fn what_is_refused_for_good_fails_at_once_and_goes_to_the_fallback() {
    let ops = scripted(vec![never()]);
    let founder = scripted(Vec::new());
    let post =
        Post::new(vec![("ops", ops.clone(), Some("founder")), ("founder", founder.clone(), None)])
            .await;
    let running = post.start();
    post.put_in("msg_a", &["ops"]).await;
    until("the fallback has it", async || founder.taken.lock().unwrap().len() == 1).await;
    until("it is told", async || post.words().len() == 2).await;
    running.stop().await;
    let failed = post.deliveries().await.into_iter().find(|d| d.channel == "ops").unwrap();
    assert_eq!(failed.state, "failed");
    assert_eq!(failed.last_error.as_deref(), Some("it answered 410; make a new one"));
    assert_eq!(ops.taken.lock().unwrap().len(), 1);
    assert!(post.words().contains(&("ops".to_owned(), "failed", "gone")));
}

#[tokio::test]
async fn a_wait_that_the_other_side_asks_for_is_kept() {
    let ops = scripted(vec![later(Some(3_600))]);
    let post = Post::new(vec![("ops", ops, None)]).await;
    let begun = post.clock.now();
    let running = post.start();
    post.put_in("msg_a", &["ops"]).await;
    until("it is tried", async || post.attempts().await.len() == 1).await;
    assert_eq!(post.only().await.due_ms - begun.as_millisecond(), 3_600_000);
    post.clock.advance(3_600);
    until("it is sent", async || post.all_are("sent").await).await;
    running.stop().await;
}

#[tokio::test]
async fn a_kill_between_acceptance_and_record_repeats_the_message_under_the_same_id() {
    let gate = Arc::new(Notify::new());
    let slow = Scripted { gate: Some(Arc::clone(&gate)), ..Scripted::default() };
    let slow = Arc::new(slow);
    let post = Post::new(vec![("ops", slow.clone(), None)]).await;
    post.put_in("msg_a", &["ops"]).await;
    let running = post.start();
    until("it is accepted", async || slow.taken.lock().unwrap().len() == 1).await;
    running.kill().await;
    assert_eq!(post.only().await.state, "pending");
    let running = post.start();
    // The claim of the dead agent ends with its lease.
    post.clock.advance(i64::try_from(LEASE.as_secs()).unwrap() + 1);
    gate.notify_one();
    until("it is sent", async || post.all_are("sent").await).await;
    running.stop().await;
    let ids: Vec<String> = slow.taken.lock().unwrap().iter().map(|e| e.id.clone()).collect();
    assert_eq!(ids, ["msg_a", "msg_a"]);
}

#[tokio::test]
async fn a_store_that_does_not_take_the_record_does_not_send_twice() {
    let gate = Arc::new(Notify::new());
    let ops = Arc::new(Scripted { gate: Some(Arc::clone(&gate)), ..Scripted::default() });
    let post = Post::new(vec![("ops", ops.clone(), None)]).await;
    let running = post.start();
    post.put_in("msg_a", &["ops"]).await;
    until("it is accepted", async || ops.taken.lock().unwrap().len() == 1).await;
    let mut other = post.other().await;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    gate.notify_one();
    let unrecorded = || post.seen.unrecorded.lock().unwrap().clone();
    until("the record fails", async || !unrecorded().is_empty()).await;
    assert!(unrecorded()[0].contains("another process"), "{:?}", unrecorded());
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    until("it is recorded", async || post.all_are("sent").await).await;
    running.stop().await;
    assert_eq!(ops.taken.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn an_outbox_that_cannot_be_claimed_from_is_told_until_it_can() {
    let ops = scripted(Vec::new());
    let post = Post::new(vec![("ops", ops.clone(), None)]).await;
    post.harm("CREATE TRIGGER harm BEFORE UPDATE ON delivery BEGIN SELECT RAISE(ABORT, 'no'); END")
        .await;
    let running = post.start();
    post.put_in("msg_a", &["ops"]).await;
    let unread = || post.seen.unread.lock().unwrap().clone();
    until("it is told", async || unread().is_some()).await;
    assert_eq!(unread().as_deref(), Some("the store could not claim deliveries"));
    post.harm("DROP TRIGGER harm").await;
    until("it is sent", async || post.all_are("sent").await).await;
    until("its end is told", async || unread().is_none()).await;
    running.stop().await;
}

#[tokio::test]
async fn a_message_that_cannot_be_read_fails_for_good_and_the_others_go_on() {
    let ops = scripted(Vec::new());
    let founder = scripted(Vec::new());
    let post =
        Post::new(vec![("ops", ops.clone(), Some("founder")), ("founder", founder, None)]).await;
    post.put_in("msg_a", &["ops"]).await;
    post.put_in("msg_b", &["ops"]).await;
    post.harm("UPDATE notification SET body = '[' WHERE id = 'msg_a'").await;
    let running = post.start();
    until("both are tried", async || post.words().len() == 2).await;
    running.stop().await;
    let ids: Vec<String> = ops.taken.lock().unwrap().iter().map(|e| e.id.clone()).collect();
    assert_eq!(ids, ["msg_b"]);
    assert!(post.words().contains(&("ops".to_owned(), "failed", "unreadable")));
    let attempts = post.attempts().await;
    let (_, _, error) = attempts.iter().find(|(_, outcome, _)| outcome == "failed").unwrap();
    assert!(error.as_deref().unwrap().contains("cannot be read from the store"), "{error:?}");
    assert_eq!(post.deliveries().await.len(), 2, "nobody stands in for what cannot be read");
}

#[tokio::test]
async fn a_record_that_the_store_refuses_for_ever_keeps_no_channel_waiting() {
    let ops = scripted(vec![never()]);
    let founder = scripted(Vec::new());
    let post =
        Post::new(vec![("ops", ops.clone(), Some("founder")), ("founder", founder, None)]).await;
    post.harm(
        "CREATE TRIGGER harm BEFORE INSERT ON delivery WHEN NEW.instead_of IS NOT NULL \
         BEGIN SELECT RAISE(ABORT, 'no'); END",
    )
    .await;
    let running = post.start();
    post.put_in("msg_a", &["ops"]).await;
    until("it fails", async || post.count("ops", "failed").await == 1).await;
    post.harm("CREATE TRIGGER more BEFORE INSERT ON attempt BEGIN SELECT RAISE(ABORT, 'no'); END")
        .await;
    post.put_in("msg_b", &["ops"]).await;
    post.put_in("msg_c", &["ops"]).await;
    until("both are sent", async || ops.taken.lock().unwrap().len() == 3).await;
    running.stop().await;
    assert_eq!(post.count("ops", "pending").await, 2, "their leases run out first");
}

#[tokio::test]
async fn a_channel_that_is_slow_or_broken_holds_up_no_other_and_a_stop_finishes_what_is_under_way()
{
    let gate = Arc::new(Notify::new());
    let slow = Arc::new(Scripted { gate: Some(Arc::clone(&gate)), ..Scripted::default() });
    let broken = Arc::new(Scripted { panics: true, ..Scripted::default() });
    let ops = scripted(Vec::new());
    let post = Post::new(vec![
        ("slow", slow.clone(), None),
        ("broken", broken.clone(), None),
        ("ops", ops.clone(), None),
    ])
    .await;
    for number in 0..5 {
        // The slow one has two alone: a third would be under way when the stop comes, or not.
        let slow = (number < 2).then_some("slow");
        let channels: Vec<&str> = slow.into_iter().chain(["broken", "ops", "gone"]).collect();
        post.put_in(&format!("msg_{number}"), &channels).await;
    }
    let running = post.start();
    until("the sound channel has all", async || ops.taken.lock().unwrap().len() == 5).await;
    until("the broken one is tried", async || broken.taken.lock().unwrap().len() == 5).await;
    let says_why =
        |kept: &Kept| kept.last_error.as_ref().is_some_and(|why| why.contains("\"gone\""));
    until("what no channel takes stays and says why", async || {
        let all = post.deliveries().await;
        all.iter().filter(|kept| kept.state == "pending" && says_why(kept)).count() == 5
    })
    .await;
    assert_eq!(slow.taken.lock().unwrap().len(), 1);
    assert!(post.words().contains(&("broken".to_owned(), "retry", "bug")));
    gate.notify_one();
    until("the first slow one is sent", async || post.count("slow", "sent").await == 1).await;
    until("the second is under way", async || slow.taken.lock().unwrap().len() == 2).await;
    let stopping = tokio::spawn(running.stop());
    gate.notify_one();
    stopping.await.unwrap();
    assert_eq!((post.count("slow", "sent").await, slow.taken.lock().unwrap().len()), (2, 2));
}

#[tokio::test]
async fn a_day_of_failures_is_the_end() {
    let ops = scripted((0..200).map(|_| later(None)).collect());
    let post = Post::new(vec![("ops", ops, None)]).await;
    post.put_in("msg_a", &["ops"]).await;
    let running = post.start();
    let begun = post.clock.now();
    until("it is given up", async || {
        post.clock.advance(60);
        post.all_are("failed").await
    })
    .await;
    running.stop().await;
    assert!(post.clock.now().duration_since(begun).as_hours() >= 23);
    let attempts = post.attempts().await;
    let (_, outcome, error) = attempts.last().unwrap();
    assert_eq!(outcome, "failed");
    let error = error.as_deref().unwrap();
    assert!(error.starts_with("it answered 503; tried "), "{error}");
    assert!(attempts.len() >= 24, "{}", attempts.len());
}

#[tokio::test]
async fn real_channels_that_fail_in_every_way_get_each_message_in_the_end() {
    let mail = MailServer::start(None, false).await;
    let web = WebServer::start().await;
    let founder = settings(
        ChannelKind::Email {
            host: "127.0.0.1".to_owned(),
            port: mail.address.port(),
            security: SmtpSecurity::Plain,
            login: None,
            from: "launchready@harbor.example".to_owned(),
            to: vec!["founder@harbor.example".to_owned()],
        },
        Vec::new(),
    );
    let slack = ChannelKind::Slack { url: Secret::new(web.url("/services/x")) };
    let post = Post::new(vec![
        ("founder", channel(&founder), None),
        ("ops", channel(&settings(slack, Vec::new())), None),
    ])
    .await;
    let ids: Vec<String> = (0..4).map(|number| format!("msg_{number}")).collect();
    let running = post.start();
    let moods = [Mood::Dies, Mood::Forgets, Mood::Greets(421), Mood::Sound];
    let manners = [
        Manner::Echo(500),
        Manner::Wait(429, "1".to_owned()),
        Manner::Echo(503),
        Manner::Says(200, "ok"),
    ];
    for ((id, mood), manner) in ids.iter().zip(moods).zip(manners) {
        mail.set(mood);
        web.set(manner);
        let tried = post.attempts().await.len();
        post.put_in(id, &["founder", "ops"]).await;
        until("both are tried", async || post.attempts().await.len() >= tried + 2).await;
    }
    until("all are sent", async || {
        post.clock.advance(5);
        post.all_are("sent").await
    })
    .await;
    running.stop().await;
    let letters = mail.letters();
    for id in &ids {
        let key = format!("Message-ID: <{id}@harbor.example>");
        let copies = letters.iter().filter(|letter| letter.text.contains(&key)).count();
        // The one that was taken and not confirmed came again, under the same id.
        assert_eq!(copies, if id == "msg_1" { 2 } else { 1 }, "{id}");
    }
    let accepted = web
        .take()
        .iter()
        .filter(|request| {
            let notes = request.json()["blocks"].to_string();
            ids.iter().any(|id| notes.contains(id.as_str()))
        })
        .count();
    assert!(accepted >= ids.len());
}
