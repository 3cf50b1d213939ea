//! With default settings a host that goes down is in the mailbox within five minutes of its last good
//! look.

use std::time::Duration;

use launchready::clock::between;
use launchready::incident::ChangeKind;
use launchready::store::IncidentFilter;
use launchready_lab::World;

use crate::rig::{PATIENCE, Rig, Setup};

/// The promise of the product.
const PROMISE: Duration = Duration::from_mins(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_goes_down_is_in_the_mailbox_within_five_minutes_of_its_last_good_look() {
    let world = World::load("healthy").unwrap();
    let mut rig = Rig::new(Setup { world, speed: 15.0, edit: &|_| {} }).await;
    rig.start_ready().await;
    // Every check has looked once, and found nothing.
    rig.wait_for("the first looks", async |rig: &Rig| {
        let latest = rig.store().await.latest(Some("harbor")).await.unwrap();
        latest.iter().all(|run| run.at.is_some())
    })
    .await;
    let store = rig.store().await;
    assert_eq!(store.incidents(&IncidentFilter::default()).await.unwrap(), [], "healthy");
    assert_eq!(rig.mailbox.mails().len(), 0);

    rig.lab.plant("app-down").await.unwrap();
    let is_about = |mail: &launchready_lab::Mail| {
        mail.text.as_ref().is_some_and(|text| text.contains("https://app.harbor.example/"))
    };
    let mails = rig.mailbox.wait_for(|mails| mails.iter().any(|mail| is_about(mail)), PATIENCE);
    assert!(mails.await.is_some(), "no mail about the host: {}", rig.tail());

    rig.wait_for("the delivery is recorded", async |rig: &Rig| {
        let metrics = rig.get("/metrics").await.unwrap().1;
        value(&metrics, "launchready_alert_latency_seconds_count") >= 1.0
    })
    .await;
    let metrics = rig.get("/metrics").await.unwrap().1;
    let within = value(&metrics, "launchready_alert_latency_seconds_bucket{le=\"300.0\"}");
    let all = value(&metrics, "launchready_alert_latency_seconds_count");
    assert!(within >= all, "{within} of {all} within five minutes\n{metrics}");

    // The same from the record of the incident itself.
    let open = store.incidents(&IncidentFilter::default()).await.unwrap();
    let down = open.iter().find(|incident| incident.key.check == "web-uptime").unwrap();
    let record = store.incident(&down.id).await.unwrap().unwrap();
    let opened = record.changes.iter().find(|change| change.kind == ChangeKind::Opened).unwrap();
    let mail = record
        .deliveries
        .iter()
        .find(|delivery| {
            Some(&delivery.notification) == opened.notification.as_ref()
                && delivery.channel == "founder"
        })
        .unwrap();
    let took = between(down.last_good.unwrap(), mail.sent_at.unwrap());
    assert!(took <= PROMISE, "{took:?} from the last good look to the accepted mail");
    println!("alert latency: {took:?}");
    rig.stop().await;
}

/// The value of a series that is written exactly so.
fn value(metrics: &str, series: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.parse().unwrap())
}
