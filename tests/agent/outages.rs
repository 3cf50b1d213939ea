//! What the agent tells arrives also when the mail server refuses, stalls or dies, and when the disk is
//! full for a while.

use std::net::TcpListener;
use std::time::Duration;

use launchready::incident::Incident;
use launchready::store::{DeliveryState, IncidentFilter};
use launchready_lab::{MailFault, SinkKind, When, World};

use crate::disk::Disk;
use crate::heard::{Heard, one_project_each};
use crate::kills::sound;
use crate::relay::Relay;
use crate::rig::{PATIENCE, Rig, Setup, table};

async fn rig() -> Rig {
    let world = World::load("healthy").unwrap();
    Rig::new(Setup { world, speed: 60.0, edit: &one_project_each }).await
}

async fn all_sent(rig: &Rig) {
    rig.wait_for("every message is sent", async |rig: &Rig| {
        let outbox = rig.store().await.outbox().await.unwrap();
        !outbox.is_empty() && outbox.iter().all(|count| count.state == DeliveryState::Sent)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_server_that_refuses_stalls_or_dies_delays_and_loses_nothing() {
    let mut rig = rig().await;
    rig.start_ready().await;
    let faults = [
        MailFault::Reset,
        MailFault::Unavailable,
        MailFault::Later,
        MailFault::Stall,
        MailFault::StallAfterData,
        MailFault::DieAfterData,
    ];
    let mut heard = Heard::default();
    for fault in faults {
        rig.mailbox.set_fault(fault, When::Times(2));
        rig.lab.plant("app-down").await.unwrap();
        let subject = "https://app.harbor.example/";
        let mail = rig.mailbox.wait_for(
            |mails| {
                mails.iter().any(|mail| mail.text.as_ref().is_some_and(|t| t.contains(subject)))
            },
            PATIENCE,
        );
        assert!(mail.await.is_some(), "{fault:?}: {}", rig.tail());
        all_sent(&rig).await;
        heard.listen(&rig);
        rig.lab.heal("app-down").await.unwrap();
        rig.wait_for("it is over", async |rig: &Rig| {
            rig.store().await.incidents(&IncidentFilter::default()).await.unwrap().is_empty()
        })
        .await;
        all_sent(&rig).await;
        heard.listen(&rig);
        rig.mailbox.clear_faults();
    }
    rig.stop().await;
    heard.listen(&rig);
    assert!(heard.compare(&*rig.store().await).await >= 2 * faults.len());
    sound(&rig).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_stops_the_agent_from_storing_and_loses_nothing() {
    let Some(disk) = Disk::mount("a_full_disk_stops_the_agent_from_storing_and_loses_nothing", 4)
    else {
        return;
    };
    let world = World::load("healthy").unwrap();
    let store = format!("sqlite:{}", disk.path().join("launchready.db").display());
    let edit = |config: &mut toml::Table| {
        one_project_each(config);
        table(config, &["agent"]).insert("store".to_owned(), store.clone().into());
    };
    let mut rig = Rig::new(Setup { world, speed: 60.0, edit: &edit }).await;
    rig.start_ready().await;
    let open = async |rig: &Rig| {
        let store = launchready::store::open(&store, rig.path()).await.unwrap();
        let open = store.incidents(&IncidentFilter::default()).await.unwrap().len();
        store.close().await;
        open
    };
    disk.fill();
    rig.lab.plant("app-down").await.unwrap();
    rig.wait_for("the agent says that it cannot store", async |rig: &Rig| {
        rig.get("/readyz")
            .await
            .is_some_and(|(status, text)| status == 503 && text.contains("full"))
    })
    .await;
    assert!(rig.log().contains("is full; make room"), "{}", rig.tail());
    // Whoever waits for the dead man's call waits in vain for as long as nothing can be stored.
    let refusals = |rig: &Rig| rig.log().matches("heartbeat_url is not called").count();
    let calls = |rig: &Rig| rig.sinks.received(SinkKind::DeadMan).len();
    rig.wait_for("no call is made", async |rig: &Rig| refusals(rig) >= 1).await;
    let before = calls(&rig);
    let more = refusals(&rig) + 3;
    rig.wait_for("the next calls are left out", async |rig: &Rig| refusals(rig) >= more).await;
    assert_eq!(calls(&rig), before, "{}", rig.tail());

    disk.free();
    let subject = "https://app.harbor.example/";
    let mail = rig.mailbox.wait_for(
        |mails| mails.iter().any(|mail| mail.text.as_ref().is_some_and(|t| t.contains(subject))),
        PATIENCE,
    );
    assert!(mail.await.is_some(), "{}", rig.tail());
    rig.wait_for("the agent is ready again", async |rig: &Rig| {
        matches!(rig.get("/readyz").await, Some((200, _)))
    })
    .await;
    rig.wait_for("the dead man is called again", async |rig: &Rig| calls(rig) > before).await;
    rig.lab.heal("app-down").await.unwrap();
    rig.wait_for("it is over", async |rig: &Rig| open(rig).await == 0).await;
    let sent = rig.mailbox.wait_for(
        |mails| {
            mails.iter().filter(|m| m.text.as_ref().is_some_and(|t| t.contains(subject))).count()
                >= 2
        },
        PATIENCE,
    );
    assert!(sent.await.is_some(), "{}", rig.tail());
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_mans_url_at_which_nobody_listens_is_told_by_its_host_alone() {
    let mut rig = rig().await;
    // Nobody listens there any more.
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    std::fs::write(rig.path().join("dead-man"), format!("http://{gone}/ping-Vt5rW8")).unwrap();
    rig.start_ready().await;
    let said = "heartbeat_url was not reached: connection refused: 127.0.0.1\"";
    rig.wait_for("the log says so", async |rig: &Rig| rig.log().contains(said)).await;
    assert!(!rig.log().contains("ping-Vt5rW8"), "{}", rig.tail());
    rig.stop().await;
}

/// The dead man's URL is called while all is well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_dead_mans_url_is_called_while_all_is_well() {
    let mut rig = rig().await;
    rig.start_ready().await;
    let called =
        rig.sinks.wait_for(SinkKind::DeadMan, |calls| calls.len() >= 3, Duration::from_secs(30));
    assert!(called.await.is_some(), "{}", rig.tail());
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_uplink_is_one_incident_and_not_one_for_each_check() {
    let mut rig = rig().await;
    let resolver = rig.lab.resolvers()[0];
    let relay = Relay::start(resolver, None).await;
    rig.write_config(&|config| {
        one_project_each(config);
        relay.resolve(table(config, &["network"]));
    });
    rig.start_ready().await;
    rig.wait_for("the first looks", async |rig: &Rig| {
        let latest = rig.store().await.latest(None).await.unwrap();
        latest.iter().all(|run| run.at.is_some())
    })
    .await;
    let open = async |rig: &Rig| {
        let store = rig.store().await;
        let open = store.incidents(&IncidentFilter::default()).await.unwrap();
        let page = rig.page.to_string();
        let mut own = open.iter().filter(|it| it.key.code == "agent-network-lost");
        let is_named =
            |it: &Incident| it.members.values().all(|one| one.subject.starts_with(&page));
        assert!(own.all(is_named), "it names the agent: {open:?}");
        open.into_iter().map(|incident| incident.key.code).collect::<Vec<_>>()
    };
    assert_eq!(open(&rig).await, Vec::<String>::new());

    let address = relay.address;
    relay.stop().await;
    let lost = ["agent-network-lost".to_owned()];
    rig.wait_for("the agent notices", async |rig: &Rig| open(rig).await.contains(&lost[0])).await;
    assert_eq!(open(&rig).await, lost, "{}", rig.tail());
    // Several looks of every check pass while the network is gone.
    let until = launchready::clock::later(rig.now(), Duration::from_mins(5));
    rig.wait_for("time passes", async |rig: &Rig| rig.now() >= until).await;
    assert_eq!(open(&rig).await, lost, "{}", rig.tail());

    let back = Relay::start(resolver, Some(address)).await;
    rig.wait_for("it is over", async |rig: &Rig| open(rig).await.is_empty()).await;
    all_sent(&rig).await;
    back.stop().await;
    rig.stop().await;
}
