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

    // The same from the record of the incident itself.
    let accepted = async || {
        let open = store.incidents(&IncidentFilter::default()).await.unwrap();
        let down = open.into_iter().find(|incident| incident.key.check == "web-uptime")?;
        let record = store.incident(&down.id).await.unwrap().unwrap();
        let opened = record.changes.iter().find(|change| change.kind == ChangeKind::Opened)?;
        let told = opened.notification.as_ref();
        let mut mails = record.deliveries.iter().filter(|it| it.channel == "founder");
        let mail = mails.find(|delivery| Some(&delivery.notification) == told)?;
        Some((down.last_good.unwrap(), mail.sent_at?))
    };
    rig.wait_for("the mail is recorded as sent", async |_: &Rig| accepted().await.is_some()).await;
    let (last_good, sent_at) = accepted().await.unwrap();
    let took = between(last_good, sent_at);
    assert!(took <= PROMISE, "{took:?} from the last good look to the accepted mail");
    println!("alert latency: {took:?}");

    // What Prometheus is told is the same: nothing took longer.
    rig.wait_for("the latency is counted", async |rig: &Rig| {
        let metrics = rig.get("/metrics").await.unwrap().1;
        value(&metrics, "launchready_alert_latency_seconds_count") >= 1.0
    })
    .await;
    let metrics = rig.get("/metrics").await.unwrap().1;
    let within = value(&metrics, "launchready_alert_latency_seconds_bucket{le=\"300.0\"}");
    let all = value(&metrics, "launchready_alert_latency_seconds_count");
    assert!(within >= all, "{within} of {all} within five minutes\n{metrics}");
    rig.stop().await;
}

/// The value of a series that is written exactly so.
fn value(metrics: &str, series: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.parse().unwrap())
}
