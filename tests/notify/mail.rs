//! Letters reach a mail server in each way of encryption, and each of its failures has its verdict.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use launchready::config::Secret;
use launchready::notify::{ChannelKind, ChannelSettings, NotifyError, SmtpSecurity};

use crate::mail_server::{MailServer, Mood};
use crate::world::{Authority, channel, send, settings};

const PASSWORD: &str = "correct-horse-battery";

fn email(server: &MailServer, security: SmtpSecurity, authority: &Authority) -> ChannelSettings {
    let login = Some(("alerts".to_owned(), Secret::new(PASSWORD)));
    settings(
        ChannelKind::Email {
            host: "localhost".to_owned(),
            port: server.address.port(),
            security,
            login: login.filter(|_| security != SmtpSecurity::Plain),
            from: "launchready <launchready@harbor.example>".to_owned(),
            to: vec!["founder@harbor.example".to_owned(), "Ops <ops@harbor.example>".to_owned()],
        },
        authority.roots(),
    )
}

#[tokio::test]
async fn a_letter_arrives_over_each_kind_of_connection() {
    let authority = Authority::new();
    for security in [SmtpSecurity::Plain, SmtpSecurity::StartTls, SmtpSecurity::Tls] {
        let wrapped = security == SmtpSecurity::Tls;
        let server = MailServer::start(Some(authority.server.clone()), wrapped).await;
        send(&channel(&email(&server, security, &authority))).await.unwrap();
        let letters = server.letters();
        let [letter] = letters.as_slice() else { panic!("{security:?}: {letters:?}") };
        assert_eq!(letter.from, "<launchready@harbor.example>".to_owned() + body(&letter.from));
        assert_eq!(letter.to, ["<founder@harbor.example>", "<ops@harbor.example>"]);
        assert_eq!(letter.encrypted, security != SmtpSecurity::Plain);
        let login = STANDARD.encode(format!("\0alerts\0{PASSWORD}"));
        assert_eq!(letter.login, Some(login).filter(|_| letter.encrypted));
        for part in [
            "Subject: [harbor] Critical: The site does not answer (app.harbor.example)\r\n",
            "Message-ID: <msg_0123456789abcdef0123@harbor.example>\r\n",
            "In-Reply-To: <inc_00000000000000000001@harbor.example>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "List-Id: launchready harbor <harbor.launchready.harbor.example>\r\n",
            "Content-Type: text/plain; charset=utf-8\r\n",
            "Content-Type: text/html; charset=utf-8\r\n",
            "launchready check web-uptime --project harbor",
        ] {
            assert!(letter.text.contains(part), "{security:?} lacks {part}:\n{}", letter.text);
        }
        assert!(!letter.text.contains(PASSWORD));
    }
}

/// Parameters after the address, such as BODY=8BITMIME.
fn body(from: &str) -> &str {
    from.split_once('>').map_or("", |(_, rest)| rest)
}

#[tokio::test]
async fn each_failure_of_a_mail_server_has_its_verdict_and_tells_no_secret() {
    let authority = Authority::new();
    let server = MailServer::start(Some(authority.server.clone()), false).await;
    let mut channel_settings = email(&server, SmtpSecurity::StartTls, &authority);
    let cases: [(Mood, bool, &str); 16] = [
        (Mood::Greets(421), true, "server_error"),
        (Mood::Greets(554), false, "invalid"),
        (Mood::Bare, false, "no_starttls"),
        (Mood::Deaf, false, "unauthorized"),
        (Mood::Login(454), true, "server_error"),
        (Mood::Login(535), false, "unauthorized"),
        (Mood::Login(534), false, "unauthorized"),
        (Mood::Recipient(450), true, "server_error"),
        (Mood::Recipient(550), false, "recipient"),
        (Mood::Letter(451), true, "server_error"),
        (Mood::Letter(552), false, "too_large"),
        (Mood::Letter(554), false, "invalid"),
        (Mood::Dies, true, "closed"),
        (Mood::Forgets, true, "closed"),
        (Mood::Rambles, true, "closed"),
        (Mood::Stalls, true, "timeout"),
    ];
    for (mood, passes, expected) in cases {
        server.set(mood);
        if mood == Mood::Stalls {
            channel_settings.timeout = Duration::from_millis(600);
        }
        let error = send(&channel(&channel_settings)).await.unwrap_err();
        let (transient, reason) = match &error {
            NotifyError::Transient { reason, .. } => (true, *reason),
            NotifyError::Permanent { reason, .. } => (false, *reason),
        };
        assert_eq!((transient, reason), (passes, expected), "{mood:?}: {error}");
        let token = STANDARD.encode(format!("\0alerts\0{PASSWORD}"));
        for text in [error.to_string(), format!("{error:?}")] {
            assert!(!text.contains(PASSWORD) && !text.contains(&token), "{mood:?}: {text}");
            assert!(text.contains("localhost:") && text.len() < 400, "{mood:?}: {text}");
        }
    }
    server.set(Mood::Sound);
    channel_settings.timeout = Duration::from_secs(10);
    send(&channel(&channel_settings)).await.unwrap();
}

#[tokio::test]
async fn a_password_is_told_to_nobody_whose_certificate_is_not_trusted() {
    let authority = Authority::new();
    let stranger = Authority::new();
    for security in [SmtpSecurity::StartTls, SmtpSecurity::Tls] {
        let wrapped = security == SmtpSecurity::Tls;
        let server = MailServer::start(Some(stranger.server.clone()), wrapped).await;
        let error = send(&channel(&email(&server, security, &authority))).await.unwrap_err();
        assert!(matches!(error, NotifyError::Transient { reason: "tls", .. }), "{error:?}");
        assert!(!server.said().contains("AUTH"), "{}", server.said());
    }
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_tried_again() {
    let authority = Authority::new();
    let server = MailServer::start(None, false).await;
    let settings = email(&server, SmtpSecurity::Plain, &authority);
    drop(server);
    crate::world::until("the port is closed", async || {
        let ChannelKind::Email { port, .. } = &settings.kind else { return false };
        std::net::TcpStream::connect(("127.0.0.1", *port)).is_err()
    })
    .await;
    let error = send(&channel(&settings)).await.unwrap_err();
    assert!(matches!(error, NotifyError::Transient { reason: "refused", .. }), "{error:?}");
}
