//! What is kept of drills, and what became of one message.

use std::time::Duration;

use launchready::store::{DeliveryState, DrillRecord, Notification, NotificationKind, Plain};

use crate::bench::{Bench, at, later};

fn drill(mark: &str, project: &str, second: i64) -> DrillRecord {
    DrillRecord {
        mark: mark.to_owned(),
        project: project.to_owned(),
        drill: "webhook-replay".to_owned(),
        started_at: later(at("10:00:00"), second),
        finished_at: None,
        passed: None,
        left: true,
        record: serde_json::json!({ "steps": [] }),
    }
}

pub(crate) async fn a_drill_is_kept_by_its_mark_and_its_end_replaces_its_beginning(bench: Bench) {
    let first = drill("launchready_drill_1", "harbor", 0);
    bench.store.record_drill(&first).await.unwrap();
    bench.store.record_drill(&drill("launchready_drill_2", "harbor", 60)).await.unwrap();
    bench.store.record_drill(&drill("launchready_drill_3", "quay", 30)).await.unwrap();
    let ended = DrillRecord {
        finished_at: Some(later(first.started_at, 9)),
        passed: Some(false),
        left: false,
        record: serde_json::json!({ "steps": ["one"] }),
        ..first
    };
    bench.store.record_drill(&ended).await.unwrap();
    let all = bench.store.drills("harbor").await.unwrap();
    let marks: Vec<_> = all.iter().map(|one| one.mark.as_str()).collect();
    assert_eq!(marks, ["launchready_drill_2", "launchready_drill_1"], "newest first");
    assert_eq!(all[1], ended);
    assert!(bench.store.drills("cove").await.unwrap().is_empty());
}

pub(crate) async fn old_drills_go_and_one_that_left_something_stays(bench: Bench) {
    let left = drill("launchready_drill_1", "harbor", 0);
    let done = DrillRecord { left: false, ..drill("launchready_drill_2", "harbor", 0) };
    for one in [&left, &done] {
        bench.store.record_drill(one).await.unwrap();
    }
    let month = Duration::from_hours(30 * 24);
    bench.store.roll_up(later(at("10:00:00"), 399 * 86_400), month).await.unwrap();
    assert_eq!(bench.store.drills("harbor").await.unwrap().len(), 2);
    bench.store.roll_up(later(at("10:00:00"), 401 * 86_400), month).await.unwrap();
    assert_eq!(bench.store.drills("harbor").await.unwrap(), [left]);
}

pub(crate) async fn what_became_of_a_message_is_told_for_each_channel(bench: Bench) {
    let now = at("10:00:00");
    let message = Notification {
        id: "msg_0123456789abcdef0123".to_owned(),
        kind: NotificationKind::Test,
        project: "harbor".to_owned(),
        at: now,
        told: Vec::new(),
        text: Some(Plain { title: "DRILL".to_owned(), lines: Vec::new() }),
    };
    let channels = ["founder".to_owned(), "ops".to_owned()];
    assert!(bench.store.enqueue(&message, &channels, now).await.unwrap());
    let states = async || {
        let all = bench.store.deliveries(&message.id).await.unwrap();
        let all = all.into_iter().map(|one| (one.channel, one.state, one.sent_at));
        all.collect::<Vec<_>>()
    };
    let waits = |channel: &str| (channel.to_owned(), DeliveryState::Pending, None);
    assert_eq!(states().await, [waits("founder"), waits("ops")]);
    let claimed = bench.claim(now).await;
    let founder = claimed.iter().find(|one| one.delivery.channel == "founder").unwrap();
    bench.sent(founder, later(now, 3)).await;
    let sent = ("founder".to_owned(), DeliveryState::Sent, Some(later(now, 3)));
    assert_eq!(states().await, [sent, waits("ops")]);
    assert!(bench.store.deliveries("msg_none").await.unwrap().is_empty());
}
