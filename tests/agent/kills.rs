//! A crash at any instant loses no message, and says nothing under two names.

use std::collections::BTreeSet;
use std::time::Duration;

use launchready::store::{DeliveryState, IncidentFilter};
use launchready_lab::{MailFault, SinkFault, SinkKind, When, World};

use crate::heard::{Dice, Heard, OUTAGES, one_project_each};
use crate::rig::{Rig, Setup};

/// How often the process is killed.
const KILLS: usize = 200;
/// How many changes have to be told meanwhile. A machine that has much to do comes to less between two kills, so that
/// more are needed there, but never more than so many times as many.
const TOLD: usize = 40;
const TIMES: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_kills_lose_no_message_and_give_none_two_names() {
    let world = World::load("healthy").unwrap();
    let mut rig = Rig::new(Setup { world, speed: 60.0, edit: &one_project_each }).await;
    let half = |seed| When::Chance { share: 0.25, seed };
    rig.sinks.set_fault(SinkKind::Webhook, SinkFault::Status(503, None), half(1));
    rig.sinks.set_fault(SinkKind::Webhook, SinkFault::AnswerLost, half(2));
    rig.mailbox.set_fault(MailFault::Later, half(3));
    rig.mailbox.set_fault(MailFault::AcceptUnacknowledged, half(4));

    let mut dice = Dice(20_261_127);
    let mut heard = Heard::default();
    let mut down = BTreeSet::new();
    let mut kills = 0;
    while kills < KILLS || heard.changes() < TOLD && kills < TIMES * KILLS {
        kills += 1;
        rig.start();
        let (name, _) = OUTAGES[usize::try_from(dice.roll(3)).unwrap()];
        if down.remove(name) {
            rig.lab.heal(name).await.unwrap();
        } else {
            rig.lab.plant(name).await.unwrap();
            down.insert(name);
        }
        // The instant of the kill is what is tried: it falls into start, look, commit, send or rest.
        tokio::time::sleep(Duration::from_millis(100 + dice.roll(900))).await;
        rig.kill();
        heard.listen(&rig);
    }

    for name in down {
        rig.lab.heal(name).await.unwrap();
    }
    rig.sinks.clear_faults();
    rig.mailbox.clear_faults();
    rig.start();
    rig.wait_for("everything is over and told", async |rig: &Rig| {
        let store = rig.store().await;
        let open = store.incidents(&IncidentFilter::default()).await.unwrap();
        let outbox = store.outbox().await.unwrap();
        open.is_empty() && outbox.iter().all(|count| count.state != DeliveryState::Pending)
    })
    .await;
    rig.stop().await;
    heard.listen(&rig);

    let store = rig.store().await;
    let told = heard.compare(&*store).await;
    println!("{kills} kills: {told} changes told, {} webhooks", heard.webhooks());
    assert!(told >= TOLD, "too little happened to show anything: {told}");
    sound(&rig).await;
}

/// The database itself has no fault.
pub(crate) async fn sound(rig: &Rig) {
    use sqlx::Connection as _;
    let path = rig.path().join("launchready.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    let says: String =
        sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut connection).await.unwrap();
    assert_eq!(says, "ok");
}
