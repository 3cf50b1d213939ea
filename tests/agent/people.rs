//! What outside systems tell of people is never kept, shown or sent.

use launchready_lab::{PEOPLE, SinkKind, World};

use crate::rig::{PATIENCE, Rig, Setup};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_people_is_in_the_store_the_log_the_metrics_the_pages_or_the_messages() {
    let world = World::load("broken").unwrap().with_people();
    let mut rig = Rig::new(Setup { world, speed: 30.0, edit: &|_| {} }).await;
    rig.start_ready().await;
    let told = rig.sinks.wait_for(SinkKind::Slack, |all| !all.is_empty(), PATIENCE).await;
    assert!(told.is_some(), "{}", rig.tail());
    let mailed = rig.mailbox.wait_for(|mails| !mails.is_empty(), PATIENCE).await;
    assert!(mailed.is_some(), "{}", rig.tail());
    let checks = [
        "stripe-deliveries",
        "orders-orphaned-checkouts",
        "crm-contacts",
        "support-backlog",
        "supabase-functions",
        "automation-runs",
        "web-edge",
        "ops-deployment",
    ];
    // Each check of an account has looked before anything is compared.
    rig.wait_for("looks at every account", async |rig: &Rig| {
        let Some((200, report)) = rig.get("/api/v1/projects/harbor/report").await else {
            return false;
        };
        let asked = rig.lab.asked();
        !asked.is_empty()
            && asked.values().all(|api| api.spoiled > 0)
            && checks.iter().all(|id| report.contains(id))
    })
    .await;
    let mut places: Vec<(String, Vec<u8>)> = Vec::new();
    let fixed = ["/", "/projects/harbor", "/incidents", "/status", "/metrics", "/api/v1/projects"]
        .map(str::to_owned);
    let more = ["/api/v1/projects/harbor/report", "/api/v1/incidents"].map(str::to_owned);
    let pages = checks.map(|id| format!("/projects/harbor/checks/{id}"));
    for path in fixed.into_iter().chain(more).chain(pages) {
        let (status, page) = rig.get(&path).await.unwrap();
        assert_eq!(status, 200, "{path}");
        places.push((path, page.into_bytes()));
    }
    for mail in rig.mailbox.mails() {
        let parts = [mail.text.clone(), mail.html.clone()].into_iter().flatten();
        places.extend(parts.map(|part| ("mail".to_owned(), part.into_bytes())));
    }
    for kind in [SinkKind::Slack, SinkKind::Webhook] {
        let received = rig.sinks.received(kind);
        places.extend(received.iter().map(|hook| ("message".to_owned(), hook.body.to_vec())));
    }
    rig.stop().await;
    places.push(("log".to_owned(), rig.log().into_bytes()));
    for name in ["launchready.db", "launchready.db-wal"] {
        let bytes = std::fs::read(rig.path().join(name)).unwrap_or_default();
        places.push((name.to_owned(), bytes));
    }
    assert!(places.iter().any(|(name, bytes)| name == "launchready.db" && !bytes.is_empty()));
    let words = PEOPLE.iter().map(|(_, told)| *told).chain(["@customers.example"]);
    for word in words {
        for (place, bytes) in &places {
            let seen = bytes.windows(word.len()).any(|window| window == word.as_bytes());
            assert!(!seen, "{place} holds {word}");
        }
    }
}
