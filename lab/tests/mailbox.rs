//! The mailbox takes mail from a real client in every way, and fails in every way that it was told to.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;
use launchready_lab::{CertificateAuthority, MailFault, Mailbox, MailboxOptions, When};
use lettre::message::MultiPart;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Nothing on loopback takes so long.
const LONG: Duration = Duration::from_mins(1);
/// A time-out of a client that is meant to strike.
const SHORT: Duration = Duration::from_millis(300);

#[allow(
    clippy::disallowed_methods,
    reason = "the client holds certificates against the real clock"
)]
fn authority() -> CertificateAuthority {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = Timestamp::from_second(now.as_secs().try_into().unwrap()).unwrap();
    CertificateAuthority::new(now).unwrap()
}

fn start(options: MailboxOptions) -> (CertificateAuthority, Mailbox) {
    let authority = authority();
    let mailbox = Mailbox::start(&authority, options).unwrap();
    (authority, mailbox)
}

fn message(subject: &str) -> Message {
    Message::builder()
        .from("launchready@harbor.example".parse().unwrap())
        .to("founder@harbor.example".parse().unwrap())
        .subject(subject)
        .multipart(MultiPart::alternative_plain_html(
            "Größe\r\n.a line that begins with a dot\r\n..\r\n".to_owned(),
            "<p>Größe</p>".to_owned(),
        ))
        .unwrap()
}

fn transport(
    at: SocketAddr,
    tls: Tls,
    limit: Duration,
    mechanism: Option<Mechanism>,
) -> AsyncSmtpTransport<Tokio1Executor> {
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1")
        .port(at.port())
        .tls(tls)
        .timeout(Some(limit));
    if let Some(mechanism) = mechanism {
        builder = builder
            .credentials(Credentials::new("alerts".to_owned(), "pa ss\"wörd".to_owned()))
            .authentication(vec![mechanism]);
    }
    builder.build()
}

fn parameters(authority: &CertificateAuthority) -> TlsParameters {
    let root = Certificate::from_pem(authority.root_pem().as_bytes()).unwrap();
    TlsParameters::builder("127.0.0.1".to_owned()).add_root_certificate(root).build().unwrap()
}

#[tokio::test]
async fn mail_comes_in_over_all_three_ports_with_both_kinds_of_login() {
    let login = Some(("alerts".to_owned(), "pa ss\"wörd".to_owned()));
    let (authority, mailbox) = start(MailboxOptions { login, ..MailboxOptions::default() });
    for mechanism in [Mechanism::Plain, Mechanism::Login] {
        for (at, tls) in [
            (mailbox.plain(), Tls::None),
            (mailbox.starttls(), Tls::Required(parameters(&authority))),
            (mailbox.tls(), Tls::Wrapper(parameters(&authority))),
        ] {
            let client = transport(at, tls, LONG, Some(mechanism));
            client.send(message("Küste is down, and nobody has noticed it")).await.unwrap();
        }
    }
    let mails = mailbox.wait_for(|mails| mails.len() == 6, LONG).await.unwrap();
    let encrypted: Vec<_> = mails.iter().map(|mail| mail.envelope.encrypted).collect();
    assert_eq!(encrypted, [false, true, true, false, true, true]);
    for mail in &mails {
        assert_eq!(mail.subject, "Küste is down, and nobody has noticed it");
        assert_eq!(mail.from, ["launchready@harbor.example"]);
        assert_eq!(mail.envelope.to, ["founder@harbor.example"]);
        assert_eq!(mail.envelope.user.as_deref(), Some("alerts"));
        let text = mail.text.as_deref().unwrap();
        assert!(text.starts_with("Größe\r\n.a line that begins with a dot\r\n..\r\n"), "{text:?}");
        assert_eq!(mail.html.as_deref().map(str::trim_end), Some("<p>Größe</p>"));
        assert!(mail.acknowledged && mail.received >= authority.now());
    }
    let client = transport(mailbox.plain(), Tls::None, LONG, None);
    let error = client.send(message("x")).await.unwrap_err();
    assert!(error.is_permanent(), "{error}");
    assert_eq!(mailbox.count(), 6);
    assert_eq!(mailbox.mail(6).unwrap().number, 6);
    mailbox.clear();
    assert!(mailbox.mails().is_empty());
}

#[tokio::test]
async fn each_fault_reaches_the_client_as_often_as_it_was_told() {
    let (_authority, mailbox) = start(MailboxOptions::default());
    let faults = [
        (MailFault::Reset, "", 0),
        (MailFault::Unavailable, "421", 0),
        (MailFault::Later, "450", 0),
        (MailFault::Never, "550", 0),
        (MailFault::LoginRefused, "535", 0),
        (MailFault::DieAfterData, "", 0),
        (MailFault::AcceptUnacknowledged, "", 1),
    ];
    for (fault, code, kept) in faults {
        mailbox.clear();
        mailbox.set_fault(fault, When::Times(1));
        // A pool would try a broken connection again by itself.
        let client = || transport(mailbox.plain(), Tls::None, LONG, Some(Mechanism::Plain));
        let error = client().send(message("x")).await.expect_err(&format!("{fault:?}"));
        let status = error.status().map(|status| status.to_string()).unwrap_or_default();
        assert_eq!(status, code, "{fault:?}: {error}");
        assert_eq!(mailbox.mails().len(), kept, "{fault:?}");
        client().send(message("y")).await.unwrap();
        assert_eq!(mailbox.mails().len(), kept + 1, "{fault:?}");
        assert_eq!(mailbox.mails()[0].acknowledged, kept == 0);
    }
    for fault in [MailFault::Stall, MailFault::StallAfterData] {
        mailbox.set_fault(fault, When::Always);
        // The client's own limit holds for connecting alone.
        let client = transport(mailbox.plain(), Tls::None, SHORT, None);
        let sent = timeout(SHORT, client.send(message("x"))).await;
        assert!(sent.is_err(), "{fault:?}: {sent:?}");
        mailbox.clear_faults();
    }
}

#[tokio::test]
async fn a_closed_mailbox_refuses_connections_and_opens_at_the_same_address() {
    let (_authority, mailbox) = start(MailboxOptions::default());
    let client = || transport(mailbox.plain(), Tls::None, LONG, None);
    mailbox.close().await;
    assert!(client().send(message("x")).await.is_err());
    assert!(TcpStream::connect(mailbox.tls()).await.is_err());
    mailbox.open().await.unwrap();
    client().send(message("x")).await.unwrap();
    assert_eq!(mailbox.count(), 1);
}

/// What the server says to some bytes that come in one piece.
async fn pipeline(at: SocketAddr, bytes: &str) -> Vec<String> {
    let mut stream = TcpStream::connect(at).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    let mut lines = BufReader::new(stream).lines();
    let mut answers = Vec::new();
    while let Some(line) = timeout(LONG, lines.next_line()).await.unwrap().unwrap() {
        answers.push(line);
    }
    answers
}

#[tokio::test]
async fn commands_in_one_piece_are_answered_in_their_order_and_out_of_order_ones_refused() {
    let (_authority, mailbox) = start(MailboxOptions { size: 2_000, ..MailboxOptions::default() });
    let answers = pipeline(
        mailbox.plain(),
        "RCPT TO:<a@b>\r\nDATA\r\nMAIL FROM:<a@b> SIZE=2001\r\nMAIL FROM:<a@b> SIZE=10\r\n\
         RCPT TO:<>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nDATA\r\n..x\r\n.y\r\na\n.\nb\r\n.\r\n\
         NOOP\r\nFOO\r\nSTARTTLS\r\nQUIT\r\n",
    )
    .await;
    let codes: Vec<&str> = answers.iter().map(|line| &line[..3]).collect();
    let wanted = [
        "220", "503", "503", "552", "250", "501", "250", "250", "354", "250", "250", "502", "502",
        "221",
    ];
    assert_eq!(codes, wanted, "{answers:?}");
    let mail = mailbox.mail(1).unwrap();
    assert_eq!(mail.raw, b".x\r\ny\r\na\n.\nb\r\n", "a bare line feed ends nothing");
    assert_eq!(mail.envelope.to, ["c@d", "e@f"]);
    let long = "x".repeat(2_001);
    let mail = format!("MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n{long}\r\n.\r\nRSET\r\nQUIT\r\n");
    let answers = pipeline(mailbox.plain(), &mail).await;
    let codes: Vec<&str> = answers.iter().map(|line| &line[..3]).collect();
    assert_eq!(codes, ["220", "250", "250", "354", "552", "250", "221"]);
    assert_eq!(mailbox.count(), 1);
}

#[tokio::test]
async fn without_encryption_the_starttls_port_takes_neither_login_nor_mail() {
    let (_authority, mailbox) = start(MailboxOptions::default());
    let talk = "EHLO me\r\nAUTH PLAIN AGEAYg==\r\nMAIL FROM:<a@b>\r\nQUIT\r\n";
    let answers = pipeline(mailbox.starttls(), talk).await;
    assert!(answers.iter().any(|line| line == "250-STARTTLS"));
    assert!(answers.iter().any(|line| line == "250-PIPELINING"));
    assert!(answers.iter().any(|line| line == "250-8BITMIME"));
    assert!(!answers.iter().any(|line| line.contains("AUTH")));
    let codes: Vec<&str> = answers.iter().rev().take(3).map(|line| &line[..3]).collect();
    assert_eq!(codes, ["221", "530", "538"]);
    let answers = pipeline(mailbox.plain(), "EHLO me\r\nQUIT\r\n").await;
    assert!(answers.iter().any(|line| line == "250-AUTH PLAIN LOGIN"));
    let mut stream = BufReader::new(TcpStream::connect(mailbox.plain()).await.unwrap());
    let mut greeting = String::new();
    stream.read_line(&mut greeting).await.unwrap();
    assert!(greeting.starts_with("220 "));
    mailbox.close().await;
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap_or(0), 0, "open connections end too");
}
