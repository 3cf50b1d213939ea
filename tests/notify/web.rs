//! The channels over HTTP: what arrives, the verdict of every status, and no secret in any error.

use std::sync::Arc;
use std::time::Duration;

use launchready::config::Secret;
use launchready::notify::{ChannelKind, ChannelSettings, Notifier, NotifyError};
use serde_json::json;

use crate::web_server::{Manner, WebServer};
use crate::world::{channel, send, settings};

/// What must not show: in a path, a query, a key, a header.
const SECRETS: [&str; 5] = [
    "T00SECRET/B00SECRET",
    "hooksecretXYZ",
    "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3",
    "routingsecret00112233445566778899",
    "bearersecretABC",
];

fn kinds(server: &WebServer) -> Vec<(&'static str, ChannelSettings)> {
    let url = |path: &str| Secret::new(server.url(path));
    let kinds = [
        ("slack", ChannelKind::Slack { url: url("/services/T00SECRET/B00SECRET") }),
        (
            "webhook",
            ChannelKind::Webhook {
                url: url("/in?token=hooksecretXYZ"),
                key: Some(Secret::new("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3")),
            },
        ),
        (
            "pagerduty",
            ChannelKind::PagerDuty {
                routing_key: Secret::new("routingsecret00112233445566778899"),
                api: server.url(""),
            },
        ),
        (
            "alertmanager",
            ChannelKind::Alertmanager {
                url: server.url("/am/"),
                token: Some(Secret::new("bearersecretABC")),
            },
        ),
    ];
    kinds.map(|(name, kind)| (name, settings(kind, Vec::new()))).into()
}

fn silent_about_secrets(name: &str, text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{name}: {text}");
    }
    assert!(!text.contains("SECRET") && text.len() < 500, "{name}: {text}");
}

#[tokio::test]
async fn each_channel_sends_what_its_other_side_expects() {
    let server = WebServer::start().await;
    for (name, settings) in kinds(&server) {
        send(&channel(&settings)).await.unwrap();
        let requests = server.take();
        let [request] = requests.as_slice() else { panic!("{name}: {} requests", requests.len()) };
        assert_eq!(request.header("content-type"), "application/json");
        assert!(request.header("user-agent").starts_with("launchready/"));
        let body = request.json();
        match name {
            "slack" => {
                assert_eq!(request.path, "/services/T00SECRET/B00SECRET");
                assert!(body["text"].as_str().unwrap().contains("The site does not answer"));
                assert_eq!(body["blocks"][0]["type"], "header");
            }
            "webhook" => {
                assert_eq!(request.header("webhook-id"), "msg_0123456789abcdef0123");
                assert_eq!(request.header("webhook-timestamp"), "1795331760");
                assert_eq!(request.header("webhook-signature"), signed(&request.body));
                assert_eq!(body["type"], "incident.opened");
                assert_eq!(body["data"]["changes"][0]["change_id"], 1);
            }
            "pagerduty" => {
                assert_eq!(request.path, "/v2/enqueue");
                assert_eq!(body["routing_key"], "routingsecret00112233445566778899");
                assert_eq!(body["event_action"], "trigger");
                assert_eq!(body["dedup_key"], "inc_00000000000000000001");
                assert_eq!(body["payload"]["severity"], "critical");
            }
            _ => {
                assert_eq!(request.path, "/am/api/v2/alerts");
                assert_eq!(request.header("authorization"), "Bearer bearersecretABC");
                assert_eq!(body[0]["labels"]["check"], json!("web-uptime"));
            }
        }
    }
}

/// The signature as a receiver computes it.
fn signed(body: &[u8]) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, b"0123456789abcdef01234567");
    let mut text = b"msg_0123456789abcdef0123.1795331760.".to_vec();
    text.extend_from_slice(body);
    format!("v1,{}", STANDARD.encode(aws_lc_rs::hmac::sign(&key, &text)))
}

#[tokio::test]
async fn every_status_has_its_verdict_on_every_channel_and_no_error_tells_a_secret() {
    let server = WebServer::start().await;
    for (name, settings) in kinds(&server) {
        let channel: Arc<dyn Notifier> = channel(&settings);
        silent_about_secrets(name, &format!("{channel:?}"));
        for status in 200..=599 {
            server.set(Manner::Echo(status));
            let result = send(&channel).await;
            match (status, &result) {
                (200..=299, Ok(())) => continue,
                (408 | 425 | 429 | 500..=599, Err(NotifyError::Transient { .. })) => {}
                (300..=599, Err(NotifyError::Permanent { remedy, .. })) => {
                    assert!(!matches!(status, 408 | 425 | 429 | 500..), "{name}: {status}");
                    assert!(remedy.len() > 20, "{name}: {status}: {remedy}");
                }
                (status, other) => panic!("{name}: {status}: {other:?}"),
            }
            let error = result.unwrap_err();
            silent_about_secrets(name, &error.to_string());
            silent_about_secrets(name, &format!("{error:?}"));
        }
    }
}

#[tokio::test]
async fn a_server_that_asks_to_wait_is_heard_and_one_that_leads_elsewhere_is_not_followed() {
    let server = WebServer::start().await;
    for (name, settings) in kinds(&server) {
        let channel = channel(&settings);
        for (text, seconds) in [("17", 17), ("Sun, 22 Nov 2026 07:17:00 GMT", 60), ("90000", 3_600)]
        {
            server.set(Manner::Wait(429, text.to_owned()));
            let error = send(&channel).await.unwrap_err();
            let NotifyError::Transient { reason, retry_after, .. } = &error else {
                panic!("{name}: {error:?}")
            };
            assert_eq!(*reason, "rate_limited");
            assert_eq!(*retry_after, Some(Duration::from_secs(seconds)), "{name}: {text}");
        }
        server.take();
        server.set(Manner::Moves);
        let error = send(&channel).await.unwrap_err();
        assert!(matches!(error, NotifyError::Permanent { reason: "moved", .. }), "{error:?}");
        assert_eq!(server.take().len(), 1, "{name} follows a redirect");
    }
}

#[tokio::test]
async fn a_word_that_slack_is_known_to_say_is_shown_and_a_body_without_end_is_not_read() {
    let server = WebServer::start().await;
    for (name, mut settings) in kinds(&server) {
        server.set(Manner::Says(404, "no_service"));
        let error = send(&channel(&settings)).await.unwrap_err().to_string();
        assert_eq!(error.contains("no_service"), name == "slack", "{error}");
        server.set(Manner::Rambles);
        send(&channel(&settings)).await.unwrap();
        server.set(Manner::Stalls);
        settings.timeout = Duration::from_millis(300);
        let error = send(&channel(&settings)).await.unwrap_err();
        assert!(matches!(error, NotifyError::Transient { reason: "timeout", .. }), "{error:?}");
        silent_about_secrets(name, &format!("{error} {error:?}"));
    }
}

#[tokio::test]
async fn a_server_that_hangs_up_or_is_not_there_is_tried_again() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let hang_up = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(stream);
        }
    });
    let kind = || ChannelKind::Slack { url: Secret::new(format!("http://{address}/T00SECRET")) };
    let error = send(&channel(&settings(kind(), Vec::new()))).await.unwrap_err();
    assert!(matches!(error, NotifyError::Transient { reason: "closed", .. }), "{error:?}");
    hang_up.abort();
    assert!(hang_up.await.unwrap_err().is_cancelled());
    let error = send(&channel(&settings(kind(), Vec::new()))).await.unwrap_err();
    assert!(matches!(error, NotifyError::Transient { reason: "refused", .. }), "{error:?}");
    silent_about_secrets("slack", &format!("{error} {error:?}"));
}

#[test]
fn what_is_no_address_key_or_token_is_an_error_without_it() {
    let clock = || Arc::new(crate::world::TestClock::new());
    let wrong = [
        ChannelKind::Slack { url: Secret::new("ftp://T00SECRET") },
        ChannelKind::Webhook {
            url: Secret::new("https://x.example"),
            key: Some(Secret::new("whsec_SECRET")),
        },
        ChannelKind::Alertmanager {
            url: "https://x.example".to_owned(),
            token: Some(Secret::new("SECRET\n")),
        },
    ];
    for kind in wrong {
        let error = launchready::notify::build(&settings(kind, Vec::new()), clock()).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("channel \"ops\":") && !text.contains("SECRET"), "{text}");
    }
}
