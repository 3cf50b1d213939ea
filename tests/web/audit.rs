//! The page before our own checks: what they say of others they must not say of it.

use jiff::Timestamp;
use launchready_checks::contract::{AssessInput, Assessment, History, Status, Target};
use launchready_checks::probe::replay::{HttpEntry, Replay, World};
use launchready_checks::registry;

use crate::site::{NOW, Page, Plan};
use crate::visitor::{Answer, ask, sign_in};

const HOST: &str = "watch.harbor.example";

/// The answer as the written-down world gives it.
fn entry(path: &str, answer: &Answer) -> HttpEntry {
    let headers = answer.headers.iter().map(|(name, value)| format!("{name}: {value}"));
    serde_json::from_value(serde_json::json!({
        "url": format!("https://{HOST}{path}"),
        "status": answer.status.as_u16(),
        "headers": headers.collect::<Vec<_>>(),
        "body": answer.body,
    }))
    .unwrap()
}

/// What a check says of the page as it answers over https behind a proxy.
async fn judged(check: &str, http: Vec<HttpEntry>) -> Assessment {
    let now: Timestamp = NOW.parse().unwrap();
    let target =
        Target { project: "watch".to_owned(), domain: HOST.to_owned(), ..Target::default() };
    let dns = format!("{HOST} 300 A 192.0.2.10\n");
    let world = World { dns, http, ..World::default() };
    let probes = Replay::new(world, now).unwrap().probes();
    let plugin = registry::find(check).unwrap();
    let check = (plugin.build)(&(plugin.defaults)()).unwrap();
    let looked = check.collect(now, None, &target, &probes).await.unwrap();
    let history = History::default();
    let input =
        AssessInput { now, target: &target, previous: None, history: &history, baseline: None };
    check.assess(&looked.evidence, &input).unwrap()
}

#[tokio::test]
async fn the_page_passes_our_own_checks_of_headers_and_cors() {
    let public_url = Some("https://watch.harbor.example");
    let page =
        Page::start(&Plan { password: Some("open sesame"), public_url, ..Plan::default() }).await;
    let cookie = sign_in(&page, "open sesame").await;
    let mut http = Vec::new();
    let strangers = [("host", HOST), ("origin", "https://evil.example")];
    for path in ["/", "/login", "/status"] {
        http.push(entry(path, &ask(&page, "GET", path, &strangers, None).await));
    }
    for check in ["web-headers", "web-cors"] {
        let found = judged(check, http.clone()).await;
        assert_eq!(found.findings, [], "{check}");
        assert_eq!(found.status(), Status::Pass, "{check}: {found:?}");
    }
    // And the inside, as somebody who has signed in sees it.
    let inside = ask(&page, "GET", "/", &[("host", HOST), ("cookie", &cookie)], None).await;
    let found = judged("web-headers", vec![entry("/", &inside)]).await;
    assert_eq!((found.findings.as_slice(), found.status()), (&[][..], Status::Pass));
    page.stop().await;
}
