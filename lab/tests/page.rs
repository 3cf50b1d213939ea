//! The page shows what was sent, and nothing that was sent can do anything on it. The config that
//! leads the agent there is the audit's with channels.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod client;

use std::sync::Arc;
use std::time::Duration;

use launchready_lab::{Mailbox, MailboxOptions, Page, SinkKind, Sinks, When, World};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use self::client::{Client, NOW, Running};

/// Nothing on loopback takes so long.
const LONG: Duration = Duration::from_mins(1);

async fn send(mailbox: &Mailbox, mail: &str) {
    let mut stream = TcpStream::connect(mailbox.plain()).await.unwrap();
    let talk = format!(
        "EHLO me\r\nMAIL FROM:<a@harbor.example>\r\nRCPT TO:<founder@harbor.example>\r\nDATA\r\n\
         {mail}\r\n.\r\nQUIT\r\n"
    );
    stream.write_all(talk.as_bytes()).await.unwrap();
    stream.read_to_end(&mut Vec::new()).await.unwrap();
}

async fn post(sinks: &Sinks, kind: SinkKind, body: &str) {
    let url = sinks.url(kind);
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!(
        "POST /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.read_to_end(&mut Vec::new()).await.unwrap();
}

#[tokio::test]
async fn everything_that_was_sent_can_be_read_and_nothing_of_it_runs() {
    let lab = Running::healthy().await;
    let client = Client::new(&lab);
    let mailbox = Arc::new(Mailbox::start(lab.lab.authority(), MailboxOptions::default()).unwrap());
    let sinks = Arc::new(Sinks::start(NOW).unwrap());
    let page = Page::start(NOW, 1.0, Arc::clone(&mailbox), Arc::clone(&sinks)).unwrap();
    let get =
        async |path: &str| client.plain(page.address(), "lab", &format!("GET {path}"), "").await;
    assert!(get("/").await.contains("Nothing was sent yet"));
    let html = "<h1>down</h1><script>alert(1)</script>\" onload=\"x";
    let mail = format!(
        "Subject: app <b>is</b> down\r\nFrom: a@harbor.example\r\nContent-Type: text/html\r\n\r\n{html}"
    );
    send(&mailbox, &mail).await;
    post(&sinks, SinkKind::Slack, r#"{"text":"slack <i>says</i>"}"#).await;
    post(&sinks, SinkKind::Webhook, r#"{"type":"incident.opened"}"#).await;
    post(&sinks, SinkKind::Slack, r#"{"text":"","blocks":[]}"#).await;
    sinks.set_fault(SinkKind::Webhook, launchready_lab::SinkFault::AnswerLost, When::Times(1));
    post(&sinks, SinkKind::Webhook, r#"{"type":"incident.closed"}"#).await;
    post(&sinks, SinkKind::DeadMan, "").await;
    assert!(mailbox.wait_for(|mails| mails.len() == 1, LONG).await.is_some());

    let list = get("/").await;
    assert!(list.contains("app &lt;b&gt;is&lt;/b&gt; down") && !list.contains("<b>is"), "{list}");
    assert!(list.contains("slack &lt;i&gt;says&lt;/i&gt;"));
    assert!(list.contains("5 messages, newest first; last dead-man ping at 12:00:"), "{list}");
    assert!(list.contains("http-equiv=\"refresh\""));
    assert!(list.contains("content-security-policy: default-src 'none'; "));
    assert!(!list.contains("<script"));
    let opened = list.find("incident.opened").unwrap();
    assert!(list.find("incident.closed").unwrap() < opened, "newest first");

    let mail = get("/mail/1").await;
    assert!(mail.contains("<iframe sandbox=\"\""));
    assert!(mail.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot; onload=&quot;x"), "{mail}");
    assert!(!mail.contains("<script") && !mail.contains("\" onload=\""));
    let message = get("/message/2").await;
    assert!(message.contains("&quot;type&quot;: &quot;incident.opened&quot;"), "{message}");
    assert!(get("/message/4").await.contains("the sender was not told"));
    for missing in ["/mail/2", "/mail/x", "/message/99", "/else"] {
        assert!(get(missing).await.starts_with("HTTP/1.1 404 "), "{missing}");
    }
    let posted = client.plain(page.address(), "lab", "POST /", "").await;
    assert!(posted.starts_with("HTTP/1.1 405 "));
}

#[tokio::test]
async fn the_agents_config_names_channels_whose_secrets_are_in_files() {
    let lab = Running::start(&World::load("healthy").unwrap(), Duration::ZERO).await;
    let login = Some(("watch".to_owned(), "pa55".to_owned()));
    let mailbox =
        Mailbox::start(lab.lab.authority(), MailboxOptions { login, ..MailboxOptions::default() });
    let (mailbox, sinks) = (mailbox.unwrap(), Sinks::start(NOW).unwrap());
    let extra = "[agent]\nlisten = '127.0.0.1:1'\n[defaults]\nreminder = '1h'\n\
                 [['channel+']]\nname = 'more'\nkind = 'slack'\nurl = { file = 'slack.url' }";
    let text = lab.lab.agent_config_toml(&mailbox, &sinks, extra).unwrap();
    let config: toml::Table = toml::from_str(&text).unwrap();
    assert_eq!(config["agent"]["listen"].as_str(), Some("127.0.0.1:1"));
    assert_eq!(config["agent"]["store"].as_str(), Some("sqlite:launchready.db"));
    assert_eq!(config["defaults"]["reminder"].as_str(), Some("1h"));
    assert_eq!(config["project"][0]["domain"].as_str(), Some("harbor.example"));
    let names: Vec<_> =
        config["channel"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["founder", "ops", "hook", "more"]);
    assert!(!text.contains("pa55") && !text.contains("whsec_") && !text.contains("/services/"));
    let secret = |name: &str| std::fs::read_to_string(lab.dir.path().join(name)).unwrap();
    assert_eq!(config["channel"][0]["password"]["file"].as_str(), Some("smtp.password"));
    assert_eq!(secret("smtp.password"), "pa55");
    assert_eq!(secret("slack.url"), sinks.url(SinkKind::Slack));
    assert!(secret("webhook.key").starts_with("whsec_"));
    assert!(lab.lab.agent_config_toml(&mailbox, &sinks, "not toml").is_err());
}
