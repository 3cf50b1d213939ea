//! What jobs may say at `/heartbeat/TOKEN`, and that nobody else learns anything there.

use launchready::clock::FixedClock;
use launchready::store::{HeartbeatKey, HeartbeatRecord, JobKey, Signal};
use reqwest::StatusCode;

use crate::site::{JOB, JOB_TOKEN, Page, Plan};
use crate::visitor::{Answer, ask, get};

const PASSWORD: &str = "correct horse battery";

fn guarded() -> Plan {
    Plan {
        password: Some(PASSWORD),
        public_url: Some("https://watch.harbor.example"),
        ..Plan::default()
    }
}

fn key() -> HeartbeatKey {
    HeartbeatKey { project: "harbor".to_owned(), name: JOB.to_owned() }
}

async fn heard(page: &Page) -> Option<HeartbeatRecord> {
    page.store.heartbeats("harbor").await.unwrap().into_iter().find(|it| it.key.name == JOB)
}

async fn call(page: &Page, method: &str, end: &str) -> Answer {
    ask(page, method, &format!("/heartbeat/{JOB_TOKEN}{end}"), &[], None).await
}

#[tokio::test]
async fn a_job_says_how_it_fares_without_signing_in_by_any_method() {
    let page = Page::start(&guarded()).await;
    for (method, end, signal, exit) in [
        ("POST", "/start", Signal::Start, None),
        ("GET", "", Signal::Success, None),
        ("HEAD", "", Signal::Success, None),
        ("GET", "/0", Signal::Success, None),
        ("POST", "/fail", Signal::Failure, None),
        ("GET", "/127", Signal::Failure, Some(127)),
        ("HEAD", "/start", Signal::Start, None),
    ] {
        let answer = call(&page, method, end).await;
        assert_eq!(answer.status, StatusCode::OK, "{method} {end}: {}", answer.body);
        assert_eq!(answer.body, if method == "HEAD" { "" } else { "ok\n" });
        let last = page.store.heartbeat_calls(&key(), 1).await.unwrap()[0];
        assert_eq!((last.signal, last.exit), (signal, exit), "{method} {end}");
    }
    let record = heard(&page).await.unwrap();
    assert_eq!((record.calls, record.failures, record.exit), (7, 2, Some(127)));
    // By the name that others reach the page by, through a proxy, and from a page of another site too.
    let headers = [
        ("host", "watch.harbor.example"),
        ("x-forwarded-for", "192.0.2.7"),
        ("origin", "https://zapier.example"),
        ("sec-fetch-site", "cross-site"),
    ];
    let path = format!("/heartbeat/{JOB_TOKEN}");
    let answer = ask(&page, "POST", &path, &headers, Some("{}")).await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "ok\n"));
    assert_eq!(heard(&page).await.unwrap().calls, 8);
    page.stop().await;
}

#[tokio::test]
async fn a_job_that_has_ended_makes_its_check_due_at_once_and_one_that_begins_does_not() {
    let page = Page::start(&Plan::default()).await;
    let due = async || {
        let latest = page.store.latest(Some("harbor")).await.unwrap();
        let key = JobKey { project: "harbor".to_owned(), check: "ops-heartbeat".to_owned() };
        latest.into_iter().find(|run| run.key == key).unwrap().next_due
    };
    let now = crate::site::NOW.parse::<jiff::Timestamp>().unwrap();
    // A run of the check is under way: what it is asked for meanwhile comes right after it.
    page.store.take_due("test", now, std::time::Duration::from_mins(1), 1_000).await.unwrap();
    let before = due().await;
    assert!(before <= now, "{before} is after {now}");
    page.clock.forward(1);
    call(&page, "GET", "/start").await;
    assert_eq!(due().await, before);
    call(&page, "GET", "/1").await;
    assert_eq!(due().await, now.checked_add(jiff::SignedDuration::from_mins(1)).unwrap());
    page.stop().await;
}

#[tokio::test]
async fn an_address_that_no_job_has_is_the_same_nothing_whatever_is_wrong_with_it() {
    let page = Page::start(&guarded()).await;
    let mut bodies = Vec::new();
    for path in [
        "/heartbeat/",
        "/heartbeat/x",
        "/heartbeat/job-Wn5tQ8zKe2-Ba72",
        "/heartbeat/job-Wn5tQ8zKe2-Ba7",
        "/heartbeat/JOB-WN5TQ8ZKE2-BA71",
        "/heartbeat/%6Aob-Wn5tQ8zKe2-Ba71",
        "/heartbeat/job-Wn5tQ8zKe2-Ba71/256",
        "/heartbeat/job-Wn5tQ8zKe2-Ba71/log",
        "/heartbeat/job-Wn5tQ8zKe2-Ba71/-1",
        "/heartbeat/job-Wn5tQ8zKe2-Ba71/",
        "/heartbeat/job-Wn5tQ8zKe2-Ba71/start/now",
        "/heartbeat/%FF%FE",
        "/heartbeat//start",
    ] {
        for method in ["GET", "POST"] {
            let answer = ask(&page, method, path, &[], None).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {path}: {}", answer.body);
            assert!(answer.header("location").is_empty() && !answer.body.contains("Wn5t"));
            bodies.push(answer.body);
        }
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    for method in ["PUT", "DELETE", "PATCH"] {
        let known = call(&page, method, "").await;
        let unknown = ask(&page, method, "/heartbeat/nobody", &[], None).await;
        assert_eq!(known.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!((known.status, known.body), (unknown.status, unknown.body), "{method}");
    }
    assert_eq!(heard(&page).await, None);
    page.stop().await;
}

#[tokio::test]
async fn what_a_job_sends_along_is_thrown_away_however_long_it_is() {
    let page = Page::start(&Plan::default()).await;
    let path = format!("/heartbeat/{JOB_TOKEN}/3");
    for size in [0, 1_024, 60_000] {
        let body = "founder@harbor.example ".repeat(size / 23 + 1);
        let answer = ask(&page, "POST", &path, &[], Some(&body)).await;
        assert_eq!(answer.status, StatusCode::OK, "{size}: {}", answer.body);
    }
    // The connection may end before all of a longer one is sent; the call counts all the same.
    let url = page.url(&path);
    let body = vec![b'x'; 8 * 1024 * 1024];
    drop(reqwest::Client::new().post(url).body(body).send().await);
    assert_eq!(heard(&page).await.unwrap().calls, 4);
    let cookie = ask(&page, "GET", "/projects/harbor/checks/ops-heartbeat", &[], None).await;
    assert!(!cookie.body.contains("founder@harbor.example"));
    page.stop().await;
}

#[tokio::test]
async fn a_job_that_calls_without_end_is_told_to_wait_and_nothing_else_is() {
    let page = Page::start(&guarded()).await;
    for _ in 0..60 {
        assert_eq!(call(&page, "GET", "").await.status, StatusCode::OK);
    }
    let late = call(&page, "GET", "/fail").await;
    assert_eq!(late.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(late.header("retry-after"), "61");
    assert!(late.body.contains("once for each run"), "{}", late.body);
    assert_eq!(heard(&page).await.unwrap().failures, 0);
    assert_eq!(get(&page, "/status").await.status, StatusCode::OK);
    page.clock.forward(1);
    assert_eq!(call(&page, "GET", "/fail").await.status, StatusCode::OK);
    assert_eq!(heard(&page).await.unwrap().failures, 1);
    page.stop().await;
}

#[tokio::test]
async fn the_page_of_the_check_shows_each_job_with_its_last_calls_and_never_its_token() {
    let page = Page::start(&Plan::default()).await;
    let path = "/projects/harbor/checks/ops-heartbeat";
    page.store
        .sync_heartbeats(&[key()], &FixedClock(crate::site::NOW.parse().unwrap()))
        .await
        .unwrap();
    let before = get(&page, path).await.body;
    assert!(before.contains(JOB) && before.contains("no call yet"), "{before}");
    call(&page, "GET", "/start").await;
    call(&page, "GET", "/2").await;
    page.clock.forward(3);
    call(&page, "GET", "").await;
    let body = get(&page, path).await.body;
    for part in [
        "every 24h, with 1h of grace",
        "3 calls, 1 of them failures",
        "failed with exit code 2",
        "began",
        "ended well",
    ] {
        assert!(body.contains(part), "{part}: {body}");
    }
    assert!(!body.contains(JOB_TOKEN));
    let other = get(&page, "/projects/harbor/checks/mail-spf").await.body;
    assert!(!other.contains("promised to call"));
    page.stop().await;
}
