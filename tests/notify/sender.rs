//! The sender's loop: nothing lost, nothing twice in normal running, one key for every repeat.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use launchready::clock::Clock as _;
use launchready::config::Secret;
use launchready::notify::outbox::{Observer, Route, Routes, Sender, Tried};
use launchready::notify::{ChannelKind, Envelope, Notifier, NotifyError, SmtpSecurity};
use launchready::store::{AttemptOutcome, Delivery, DeliveryState, Notification};
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinHandle;

use crate::mail_server::{MailServer, Mood};
use crate::memory::Memory;
use crate::web_server::{Manner, WebServer};
use crate::world::{DEADLINE, TestClock, channel, notification, settings, until};

#[derive(Debug, Default)]
struct Seen(Mutex<Vec<Tried>>);

impl Observer for Seen {
    fn tried(&self, tried: &Tried) {
        self.0.lock().unwrap().push(tried.clone());
    }
}

/// An agent's sender with its surroundings.
#[derive(Debug)]
pub(crate) struct Post {
    pub(crate) store: Arc<Memory>,
    pub(crate) clock: TestClock,
    seen: Arc<Seen>,
    pub(crate) routes: watch::Sender<Arc<Routes>>,
    bell: Arc<Notify>,
}

impl Post {
    pub(crate) fn new(channels: Vec<(&str, Arc<dyn Notifier>, Option<&str>)>) -> Self {
        let route = |(name, notifier, fallback): (&str, _, Option<&str>)| {
            let fallback = fallback.map(str::to_owned);
            (name.to_owned(), Route { notifier, fallback, pause: Duration::ZERO })
        };
        let channels = channels.into_iter().map(route).collect();
        let timezones = BTreeMap::from([("harbor".to_owned(), "Europe/Berlin".to_owned())]);
        let routes = Routes { channels, public_url: None, timezones, book: Arc::default() };
        Self {
            store: Arc::default(),
            clock: TestClock::new(),
            seen: Arc::default(),
            routes: watch::Sender::new(Arc::new(routes)),
            bell: Arc::default(),
        }
    }

    pub(crate) fn put_in(&self, id: &str, channel: &str) {
        self.store.put_in(&notification(id), channel, self.clock.now());
        self.bell.notify_one();
    }

    pub(crate) fn start(&self) -> Running {
        let mut sender = Sender::new(
            "agent".to_owned(),
            self.store.clone(),
            Arc::new(self.clock.clone()),
            self.routes.subscribe(),
            Arc::clone(&self.bell),
            self.seen.clone(),
        );
        sender.poll = Duration::from_millis(5);
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(sender.run(async move {
            // Dropped or rung, both mean the end.
            _ = stopped.await;
        }));
        Running { task, stop }
    }

    fn only(&self) -> Delivery {
        let all = self.store.deliveries();
        assert_eq!(all.len(), 1, "{all:?}");
        all[0].clone()
    }

    fn words(&self) -> Vec<(String, &'static str, &'static str)> {
        let seen = self.seen.0.lock().unwrap();
        seen.iter().map(|tried| (tried.channel.clone(), tried.outcome, tried.reason)).collect()
    }
}

pub(crate) struct Running {
    task: JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

impl Running {
    pub(crate) async fn stop(self) {
        drop(self.stop);
        tokio::time::timeout(DEADLINE, self.task).await.expect("it stops").unwrap();
    }

    /// As a kill does: at once, wherever it is.
    async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

/// A channel that does what its list says, and then takes everything.
#[derive(Debug, Default)]
pub(crate) struct Scripted {
    script: Mutex<Vec<Result<(), NotifyError>>>,
    pub(crate) taken: Mutex<Vec<Envelope>>,
    /// The send waits for this after the other side has accepted.
    gate: Option<Arc<Notify>>,
    panics: bool,
}

#[async_trait]
impl Notifier for Scripted {
    async fn send(&self, _told: &Notification, envelope: &Envelope) -> Result<(), NotifyError> {
        self.taken.lock().unwrap().push(envelope.clone());
        assert!(!self.panics, "a bug of the channel");
        if let Some(gate) = &self.gate {
            gate.notified().await;
        }
        let mut script = self.script.lock().unwrap();
        if script.is_empty() { Ok(()) } else { script.remove(0) }
    }
}

pub(crate) fn later(retry_after: Option<u64>) -> Result<(), NotifyError> {
    Err(NotifyError::Transient {
        reason: "server_error",
        why: "it answered 503".to_owned(),
        retry_after: retry_after.map(Duration::from_secs),
    })
}

fn never() -> Result<(), NotifyError> {
    Err(NotifyError::Permanent {
        reason: "gone",
        why: "it answered 410".to_owned(),
        remedy: "make a new one".to_owned(),
    })
}

pub(crate) fn scripted(script: Vec<Result<(), NotifyError>>) -> Arc<Scripted> {
    Arc::new(Scripted { script: Mutex::new(script), ..Scripted::default() })
}

#[tokio::test]
async fn a_delivery_is_sent_once_and_its_latency_is_told() {
    let ops = scripted(Vec::new());
    let post = Post::new(vec![("ops", ops.clone(), None)]);
    let running = post.start();
    post.put_in("msg_a", "ops");
    until("it is sent", || post.store.all_are(DeliveryState::Sent)).await;
    until("it is told", || !post.words().is_empty()).await;
    running.stop().await;
    let taken = ops.taken.lock().unwrap().clone();
    assert_eq!(taken.len(), 1);
    assert_eq!((taken[0].id.as_str(), taken[0].attempt), ("msg_a", 1));
    assert_eq!(taken[0].timezone, "Europe/Berlin");
    // From 07:14:00, the last good look, to 07:16:00.
    let latency = post.seen.0.lock().unwrap()[0].latency;
    assert_eq!(latency, Some(Duration::from_mins(2)));
}

#[tokio::test]
async fn a_channel_that_fails_is_tried_again_under_the_same_id_and_the_fallback_hears_of_it_once() {
    let ops = scripted(vec![later(None), later(None), later(None), later(None), later(None)]);
    let founder = scripted(Vec::new());
    let post =
        Post::new(vec![("ops", ops.clone(), Some("founder")), ("founder", founder.clone(), None)]);
    post.put_in("msg_a", "ops");
    let running = post.start();
    for tries in 1..=5 {
        until("it is tried", || {
            post.store
                .attempts
                .lock()
                .unwrap()
                .iter()
                .filter(|(id, _)| id.ends_with("_ops"))
                .count()
                >= tries
        })
        .await;
        let taken = founder.taken.lock().unwrap().len();
        assert!(tries >= 4 || taken == 0, "the fallback hears of it after {tries} tries");
        post.clock.advance(400);
    }
    until("both are sent", || post.store.all_are(DeliveryState::Sent)).await;
    running.stop().await;
    let all = post.store.deliveries();
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
        Post::new(vec![("ops", ops.clone(), Some("founder")), ("founder", founder.clone(), None)]);
    let running = post.start();
    post.put_in("msg_a", "ops");
    until("the fallback has it", || founder.taken.lock().unwrap().len() == 1).await;
    until("it is told", || post.words().len() == 2).await;
    running.stop().await;
    let failed = post.store.deliveries().into_iter().find(|d| d.channel == "ops").unwrap();
    assert_eq!(failed.state, DeliveryState::Failed);
    assert_eq!(failed.last_error.as_deref(), Some("it answered 410; make a new one"));
    assert_eq!(ops.taken.lock().unwrap().len(), 1);
    assert!(post.words().contains(&("ops".to_owned(), "failed", "gone")));
}

#[tokio::test]
async fn a_wait_that_the_other_side_asks_for_is_kept() {
    let ops = scripted(vec![later(Some(3_600))]);
    let post = Post::new(vec![("ops", ops, None)]);
    let begun = post.clock.now();
    let running = post.start();
    post.put_in("msg_a", "ops");
    until("it is tried", || post.store.attempts.lock().unwrap().len() == 1).await;
    assert_eq!(post.only().due_at.duration_since(begun).as_secs(), 3_600);
    post.clock.advance(3_600);
    until("it is sent", || post.store.all_are(DeliveryState::Sent)).await;
    running.stop().await;
}

#[tokio::test]
async fn a_kill_between_acceptance_and_record_repeats_the_message_under_the_same_id() {
    let gate = Arc::new(Notify::new());
    let slow = Scripted { gate: Some(Arc::clone(&gate)), ..Scripted::default() };
    let slow = Arc::new(slow);
    let post = Post::new(vec![("ops", slow.clone(), None)]);
    post.put_in("msg_a", "ops");
    let running = post.start();
    until("it is accepted", || slow.taken.lock().unwrap().len() == 1).await;
    running.kill().await;
    assert_eq!(post.only().state, DeliveryState::Pending);
    let running = post.start();
    // The claim of the dead agent ends with its lease.
    post.clock.advance(301);
    gate.notify_one();
    until("it is sent", || post.store.all_are(DeliveryState::Sent)).await;
    running.stop().await;
    let ids: Vec<String> = slow.taken.lock().unwrap().iter().map(|e| e.id.clone()).collect();
    assert_eq!(ids, ["msg_a", "msg_a"]);
}

#[tokio::test]
async fn a_full_disk_does_not_send_twice() {
    let ops = scripted(Vec::new());
    let post = Post::new(vec![("ops", ops.clone(), None)]);
    *post.store.full.lock().unwrap() = 2;
    let running = post.start();
    post.put_in("msg_a", "ops");
    until("it is recorded", || post.store.all_are(DeliveryState::Sent)).await;
    running.stop().await;
    assert_eq!(ops.taken.lock().unwrap().len(), 1);
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
    ]);
    for number in 0..5 {
        // The slow one has two alone: a third would be under way when the stop comes, or not.
        let slow = (number < 2).then_some("slow");
        for channel in slow.into_iter().chain(["broken", "ops", "gone"]) {
            post.put_in(&format!("msg_{number}"), channel);
        }
    }
    let running = post.start();
    until("the sound channel has all", || ops.taken.lock().unwrap().len() == 5).await;
    until("the broken one is tried", || broken.taken.lock().unwrap().len() == 5).await;
    let waiting = || {
        let all = post.store.deliveries();
        let said = |d: &&Delivery| d.last_error.as_ref().is_some_and(|e| e.contains("\"gone\""));
        all.iter().filter(|d| d.state == DeliveryState::Pending).filter(said).count()
    };
    until("what no channel takes stays and says why", || waiting() == 5).await;
    assert_eq!(slow.taken.lock().unwrap().len(), 1);
    assert!(post.words().contains(&("broken".to_owned(), "retry", "bug")));
    gate.notify_one();
    let sent = || {
        post.store
            .deliveries()
            .iter()
            .filter(|d| d.channel == "slow" && d.state == DeliveryState::Sent)
            .count()
    };
    until("the first slow one is sent", || sent() == 1).await;
    until("the second is under way", || slow.taken.lock().unwrap().len() == 2).await;
    let stopping = tokio::spawn(running.stop());
    gate.notify_one();
    stopping.await.unwrap();
    assert_eq!((sent(), slow.taken.lock().unwrap().len()), (2, 2));
}

#[tokio::test]
async fn a_day_of_failures_is_the_end() {
    let ops = scripted((0..200).map(|_| later(None)).collect());
    let post = Post::new(vec![("ops", ops, None)]);
    post.put_in("msg_a", "ops");
    let running = post.start();
    let begun = post.clock.now();
    until("it is given up", || {
        post.clock.advance(60);
        post.store.all_are(DeliveryState::Failed)
    })
    .await;
    running.stop().await;
    assert!(post.clock.now().duration_since(begun).as_hours() >= 23);
    let attempts = post.store.attempts.lock().unwrap();
    let last = attempts.last().unwrap();
    let AttemptOutcome::Failed { error } = &last.1.outcome else { panic!("{last:?}") };
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
    ]);
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
        let tried = post.store.attempts.lock().unwrap().len();
        post.put_in(id, "founder");
        post.put_in(id, "ops");
        until("both are tried", || post.store.attempts.lock().unwrap().len() >= tried + 2).await;
    }
    until("all are sent", || {
        post.clock.advance(5);
        post.store.all_are(DeliveryState::Sent)
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
