//! No secret that the agent knows or finds is ever written down or sent.

use std::panic;
use std::sync::{Arc, Mutex};

use launchready_lab::{SinkKind, World};

use crate::rig::{
    JOB_TOKEN, METRICS_TOKEN, PAGE_PASSWORD, PATIENCE, Rig, SMTP_PASSWORD, Setup, WEBHOOK_KEY,
    promise,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_in_the_store_the_log_the_metrics_the_pages_or_the_messages() {
    // The world serves a private key to every browser: what the agent finds is a secret too.
    let world = World::load("healthy").unwrap().with("stripe-key-in-bundle").unwrap();
    let edit = |config: &mut toml::Table| promise(config, "24h", "1h");
    let mut rig = Rig::new(Setup { world, speed: 30.0, edit: &edit }).await;
    let found = [launchready_lab::stripe_key_of_the_bundle()];
    rig.start_ready().await;
    for end in ["", "/start", "/1", "/no-such-word"] {
        let path = format!("/heartbeat/{JOB_TOKEN}{end}");
        let answer = rig.ask("POST", &path, &[]).await;
        assert_eq!(answer.status() == 200, end != "/no-such-word");
    }
    let failed = rig.mailbox.wait_for(
        |mails| {
            mails.iter().any(|it| it.text.as_ref().is_some_and(|t| t.contains("nightly-backup")))
        },
        PATIENCE,
    );
    assert!(failed.await.is_some(), "{}", rig.tail());
    let told = rig.sinks.wait_for(SinkKind::Slack, |all| !all.is_empty(), PATIENCE).await;
    assert!(told.is_some(), "{}", rig.tail());
    let mailed = rig.mailbox.wait_for(|mails| !mails.is_empty(), PATIENCE).await;
    assert!(mailed.is_some(), "{}", rig.tail());

    let mut pages = String::new();
    for path in [
        "/",
        "/projects/harbor",
        "/projects/harbor/checks/secrets-bundle",
        "/projects/harbor/checks/ops-heartbeat",
        "/incidents",
        "/silences",
        "/waivers",
        "/status",
        "/metrics",
        "/api/v1/projects",
        "/api/v1/projects/harbor/report",
        "/api/v1/incidents",
        "/no-such-page",
    ] {
        pages += &rig.get(path).await.unwrap().1;
    }
    assert!(pages.contains("secrets-bundle"));
    let mails: Vec<_> = rig.mailbox.mails();
    let hooks: Vec<_> = [SinkKind::Slack, SinkKind::Webhook]
        .iter()
        .flat_map(|kind| rig.sinks.received(*kind))
        .collect();
    rig.stop().await;

    let mut places: Vec<(&str, Vec<u8>)> = vec![("pages", pages.into_bytes())];
    places.push(("log", rig.log().into_bytes()));
    for name in ["launchready.db", "launchready.db-wal"] {
        places.push((name, std::fs::read(rig.path().join(name)).unwrap_or_default()));
    }
    for mail in mails {
        places.push(("mail", mail.raw.clone()));
        let parts = [mail.text.clone(), mail.html.clone()];
        places.extend(parts.into_iter().flatten().map(|part| ("mail", part.into_bytes())));
    }
    for hook in hooks {
        places.push(("message", hook.body.to_vec()));
    }
    let own =
        [SMTP_PASSWORD, PAGE_PASSWORD, METRICS_TOKEN, WEBHOOK_KEY, JOB_TOKEN].map(str::to_owned);
    for secret in own.iter().chain(&found) {
        for (place, bytes) in &places {
            let seen = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!seen, "{place} holds a secret that begins with {}", &secret[..6]);
        }
    }
}

#[test]
fn a_panic_with_everything_in_it_shows_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("password"), PAGE_PASSWORD).unwrap();
    std::fs::write(folder.path().join("hook"), format!("https://hooks.example/{METRICS_TOKEN}"))
        .unwrap();
    let text = "[agent.auth]\npassword = { file = \"password\" }\n[[channel]]\nname = \"ops\"\nkind = \"slack\"\nurl = { file = \"hook\" }\n";
    let config = launchready::config::parse(text, folder.path()).unwrap();
    let agent = config.agent().unwrap();
    let said = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&said);
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| *kept.lock().unwrap() += &info.to_string()));
    let fell = panic::catch_unwind(|| panic!("{config:?} {agent:?}"));
    panic::set_hook(before);
    assert!(fell.is_err());
    let said = said.lock().unwrap();
    assert!(said.contains("[secret]"), "{said}");
    assert!(!said.contains(PAGE_PASSWORD) && !said.contains(METRICS_TOKEN), "{said}");
}
