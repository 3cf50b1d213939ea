//! The services that take alerts judge, keep and fail as they were told.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use launchready_lab::{SinkFault, SinkKind, Sinks, When};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Nothing on loopback takes so long.
const LONG: Duration = Duration::from_mins(1);

/// Sends one request; the whole answer.
async fn call(method: &str, url: &str, headers: &str, body: &str) -> io::Result<String> {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).await?;
    let request = format!(
        "{method} /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{headers}\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

async fn post(sinks: &Sinks, kind: SinkKind, body: &str) -> String {
    timeout(LONG, call("POST", &sinks.url(kind), "", body)).await.unwrap().unwrap_or_default()
}

#[tokio::test]
async fn each_service_answers_as_the_real_one_does() {
    let sinks = Sinks::start(Timestamp::UNIX_EPOCH).unwrap();
    let ok = post(&sinks, SinkKind::Slack, r#"{"text":"down"}"#).await;
    assert!(ok.starts_with("HTTP/1.1 200 ") && ok.ends_with("\r\n\r\nok"), "{ok}");
    let bad = post(&sinks, SinkKind::Slack, r#"{"text":"x","blocks":[{"type":"header"}]}"#).await;
    assert!(bad.starts_with("HTTP/1.1 400 ") && bad.ends_with("invalid_payload"), "{bad}");
    let event = r#"{"routing_key":"R","event_action":"resolve","dedup_key":"k"}"#;
    let taken = post(&sinks, SinkKind::PagerDuty, event).await;
    assert!(taken.starts_with("HTTP/1.1 202 ") && taken.contains(r#""dedup_key":"k""#), "{taken}");
    assert!(post(&sinks, SinkKind::PagerDuty, "{}").await.starts_with("HTTP/1.1 400 "));
    for signal in ["", "/start", "/fail", "/0", "/255"] {
        let url = format!("{}{signal}", sinks.url(SinkKind::DeadMan));
        assert!(call("GET", &url, "", "").await.unwrap().starts_with("HTTP/1.1 200 "), "{signal}");
    }
    let url = format!("{}/256", sinks.url(SinkKind::DeadMan));
    assert!(call("GET", &url, "", "").await.unwrap().starts_with("HTTP/1.1 404 "));
    assert_eq!(sinks.received(SinkKind::DeadMan).len(), 5);
    assert_eq!(sinks.received(SinkKind::Slack).len(), 1);
    let refused = &sinks.requests(SinkKind::Slack)[1];
    assert_eq!((refused.status, refused.taken), (Some(400), false));
    assert!(refused.refused.as_deref().unwrap().contains("block 0"));
    assert_eq!(sinks.request(1).unwrap().json()["text"], "down");
    sinks.clear();
    assert!(sinks.requests(SinkKind::Slack).is_empty());
}

#[tokio::test]
async fn webhooks_are_verified_once_there_is_a_key() {
    let sinks = Sinks::start(Timestamp::UNIX_EPOCH).unwrap();
    let url = sinks.url(SinkKind::Webhook);
    let body = r#"{"type":"check.failed"}"#;
    assert!(call("POST", &url, "", body).await.unwrap().starts_with("HTTP/1.1 200 "));
    assert!(sinks.set_webhook_key(Some("whsec_short")).is_err());
    sinks.set_webhook_key(Some("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3")).unwrap();
    assert!(call("POST", &url, "", body).await.unwrap().starts_with("HTTP/1.1 401 "));
    let headers = "webhook-id: msg_demo_1\r\nwebhook-timestamp: 1767225600\r\n\
                   webhook-signature: v1,0zB55v7KPcsMRCqVff85UBGW9smtplHm4hYwcLJs1wo=\r\n";
    assert!(call("POST", &url, headers, body).await.unwrap().starts_with("HTTP/1.1 200 "));
    let taken = sinks.received(SinkKind::Webhook);
    assert_eq!(taken.len(), 2);
    assert_eq!(taken[1].headers["webhook-id"], "msg_demo_1");
}

#[tokio::test]
async fn each_fault_reaches_the_client_and_says_whether_the_alert_was_taken() {
    let sinks = Sinks::start(Timestamp::UNIX_EPOCH).unwrap();
    let body = r#"{"text":"x"}"#;
    let kind = SinkKind::Slack;
    sinks.set_fault(kind, SinkFault::Status(429, Some(30)), When::Times(1));
    let limited = post(&sinks, kind, body).await;
    assert!(limited.starts_with("HTTP/1.1 429 ") && limited.contains("retry-after: 30\r\n"));
    sinks.set_fault(kind, SinkFault::CloseMidBody, When::Times(1));
    let broken = post(&sinks, kind, body).await;
    assert!(
        broken.starts_with("HTTP/1.1 200 ") && broken.contains("content-length: 64"),
        "{broken}"
    );
    assert!(broken.split("\r\n\r\n").nth(1).unwrap().len() < 64);
    assert!(sinks.received(kind).is_empty());
    sinks.set_fault(kind, SinkFault::AnswerLost, When::Times(1));
    assert_eq!(post(&sinks, kind, body).await, "");
    assert_eq!(sinks.received(kind).len(), 1);
    assert_eq!(sinks.received(kind)[0].status, None);
    sinks.set_fault(kind, SinkFault::Reset, When::Times(1));
    assert_eq!(post(&sinks, kind, body).await, "");
    sinks.set_fault(kind, SinkFault::Stall, When::Always);
    let url = sinks.url(kind);
    let stalled = tokio::spawn(async move { call("POST", &url, "", body).await });
    let seen = sinks.wait_for_requests(kind, |all| all.len() == 4, LONG).await.unwrap();
    assert!(!seen[3].taken && !stalled.is_finished());
    sinks.close().await;
    assert!(!stalled.await.unwrap().is_ok_and(|answer| !answer.is_empty()));
    assert!(call("POST", &sinks.url(kind), "", body).await.is_err());
    sinks.open().await.unwrap();
    sinks.clear_faults();
    assert!(post(&sinks, kind, body).await.ends_with("ok"));
}

#[tokio::test]
async fn waiting_ends_when_the_message_comes() {
    let sinks = Arc::new(Sinks::start(Timestamp::UNIX_EPOCH).unwrap());
    let waits = Arc::clone(&sinks);
    let waiting =
        tokio::spawn(
            async move { waits.wait_for(SinkKind::Slack, |all| all.len() == 2, LONG).await },
        );
    post(&sinks, SinkKind::Slack, r#"{"text":"one"}"#).await;
    post(&sinks, SinkKind::Slack, "nonsense").await;
    post(&sinks, SinkKind::Slack, r#"{"text":"two"}"#).await;
    let taken = waiting.await.unwrap().unwrap();
    assert_eq!(taken[1].json()["text"], "two");
    let none = sinks.wait_for(SinkKind::Webhook, |all| !all.is_empty(), Duration::ZERO).await;
    assert!(none.is_none());
}
