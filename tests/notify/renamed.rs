//! A channel that is renamed or taken out of the config: what waits for it is told by others.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use launchready::incident::{Book, ChannelRule};
use launchready::notify::Notifier;
use launchready::notify::outbox::{Route, Routes};
use launchready_checks::contract::{Severity, Urgency};

use crate::post::{Kept, Post, later, scripted};
use crate::world::until;

fn rule(name: &str, severity: Severity) -> ChannelRule {
    ChannelRule {
        name: name.to_owned(),
        severities: vec![severity],
        urgencies: vec![Urgency::Now, Urgency::Day],
        projects: Vec::new(),
        quiet: None,
        escalation: false,
        summary: false,
        fallback: None,
        ungrouped: false,
    }
}

/// A config with these channels, as a reload hands it over.
fn reload(post: &Post, channels: Vec<(ChannelRule, Arc<dyn Notifier>)>) {
    let mut routes = Routes::default();
    let mut book = Book::default();
    let mut built = BTreeMap::new();
    for (rule, notifier) in channels {
        let fallback = rule.fallback.clone();
        built.insert(rule.name.clone(), Route { notifier, fallback, pause: Duration::ZERO });
        book.channels.push(rule);
    }
    (routes.channels, routes.book) = (built, Arc::new(book));
    post.routes.send_replace(Arc::new(routes));
}

async fn of(post: &Post, channel: &str) -> Vec<Kept> {
    post.deliveries().await.into_iter().filter(|it| it.channel == channel).collect()
}

#[tokio::test]
async fn what_waits_for_a_channel_that_is_gone_goes_to_its_fallback_after_a_reload_and_a_restart() {
    let (founder, other) = (scripted(Vec::new()), scripted(Vec::new()));
    let post = Post::new(vec![
        ("ops", scripted(vec![later(None), later(None)]), Some("founder")),
        ("founder", founder.clone(), None),
    ])
    .await;
    let running = post.start();
    post.put_in("msg_a", &["ops"]).await;
    until("it is tried", async || post.attempts().await.len() == 1).await;
    let critical = |name: &str| rule(name, Severity::Critical);
    reload(&post, vec![(critical("founder"), founder.clone()), (critical("other"), other.clone())]);
    post.clock.advance(60);
    until("the fallback tells it", async || founder.taken.lock().unwrap().len() == 1).await;
    running.stop().await;
    // Another agent, which has never read the old config.
    let running = post.start();
    post.put_in("msg_b", &["ops"]).await;
    until("the fallback tells that too", async || founder.taken.lock().unwrap().len() == 2).await;
    running.stop().await;
    let told = founder.taken.lock().unwrap().clone();
    assert!(told.iter().all(|envelope| envelope.instead_of.as_deref() == Some("ops")));
    assert!(other.taken.lock().unwrap().is_empty(), "the fallback alone stands in");
    for lost in of(&post, "ops").await {
        assert_eq!(lost.state, "failed");
        let error = lost.last_error.unwrap();
        assert_eq!(error, "the config has no channel \"ops\"; told to founder instead");
    }
}

#[tokio::test]
async fn without_a_fallback_all_tell_it_who_take_such_a_message() {
    let named = |name| (name, scripted(Vec::new()));
    let [one, two, mild] = ["one", "two", "mild"].map(named);
    let post = Post::new(Vec::new()).await;
    let mut boss = rule("boss", Severity::Critical);
    boss.escalation = true;
    let escalated = scripted(Vec::new());
    reload(
        &post,
        vec![
            (rule(one.0, Severity::Critical), one.1.clone()),
            (rule(two.0, Severity::Critical), two.1.clone()),
            (rule(mild.0, Severity::Warning), mild.1.clone()),
            (boss, escalated.clone()),
        ],
    );
    post.put_in("msg_a", &["gone"]).await;
    let running = post.start();
    until("both tell it", async || {
        [&one.1, &two.1].iter().all(|channel| channel.taken.lock().unwrap().len() == 1)
    })
    .await;
    until("it is given up", async || of(&post, "gone").await[0].state == "failed").await;
    running.stop().await;
    assert!(mild.1.taken.lock().unwrap().is_empty(), "it takes no critical ones");
    assert!(escalated.taken.lock().unwrap().is_empty(), "nothing was escalated");
}

#[tokio::test]
async fn what_nobody_takes_stays_until_somebody_does() {
    let mild = scripted(Vec::new());
    let post = Post::new(Vec::new()).await;
    reload(&post, vec![(rule("mild", Severity::Warning), mild.clone())]);
    post.put_in("msg_a", &["gone"]).await;
    let running = post.start();
    until("it says why it waits", async || of(&post, "gone").await[0].last_error.is_some()).await;
    for _ in 0..40 {
        let tries = post.attempts().await.len();
        post.clock.advance(3_600);
        until("it is asked again", async || post.attempts().await.len() > tries).await;
    }
    let waits = of(&post, "gone").await.remove(0);
    assert_eq!(waits.state, "pending", "it is never given up");
    assert!(waits.last_error.unwrap().contains("has no channel \"gone\", and no other takes"));
    reload(&post, vec![(rule("mild", Severity::Critical), mild.clone())]);
    post.clock.advance(3_600);
    until("it is told", async || mild.taken.lock().unwrap().len() == 1).await;
    running.stop().await;
}
