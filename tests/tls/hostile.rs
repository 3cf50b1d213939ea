//! Servers that answer with something else.

use launchready_checks::probe::{HelloAnswer, ProbeError, ProtocolVersion, SuiteSet, TargetFault};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::world::Looker;

/// A server that reads a little, says `answer` to everybody, and hangs up.
async fn saying(answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut heard = [0; 4096];
                let _ = stream.read(&mut heard).await;
                let _ = stream.write_all(answer).await;
                let _ = stream.shutdown().await;
                // What is left unread would reset the connection before the answer arrives.
                while stream.read(&mut heard).await.is_ok_and(|count| count > 0) {}
            });
        }
    });
    port
}

#[tokio::test]
async fn something_else_than_tls_is_malformed() {
    for answer in [
        &b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"[..],
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    ] {
        let port = saying(answer).await;
        let seen = Looker::at(port).handshake("harbor.example").await;
        assert!(matches!(seen, Err(ProbeError::Target(TargetFault::Malformed(_)))), "{seen:?}");
        let seen = Looker::at(port).hello(ProtocolVersion::Tls12, SuiteSet::All).await;
        assert!(matches!(seen, Err(ProbeError::Target(TargetFault::Malformed(_)))), "{seen:?}");
    }
}

#[tokio::test]
async fn hanging_up_is_a_refusal_and_not_a_version() {
    let port = saying(b"").await;
    let seen = Looker::at(port).hello(ProtocolVersion::Tls10, SuiteSet::All).await.unwrap();
    assert_eq!(seen, HelloAnswer::Rejected { alert: "closed".to_owned() });
    let seen = Looker::at(port).handshake("harbor.example").await;
    assert!(matches!(seen, Err(ProbeError::Target(TargetFault::Tls(_)))), "{seen:?}");
}

#[tokio::test]
async fn an_alert_is_named() {
    let port = saying(&[21, 3, 1, 0, 2, 2, 112]).await;
    let seen = Looker::at(port).hello(ProtocolVersion::Tls13, SuiteSet::All).await.unwrap();
    assert_eq!(seen, HelloAnswer::Rejected { alert: "unrecognized_name".to_owned() });
    let seen = Looker::at(port).handshake("harbor.example").await;
    assert!(matches!(seen, Err(ProbeError::Target(TargetFault::Tls(_)))), "{seen:?}");
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    // Warnings are no answer, however many come.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let warnings = [21, 3, 3, 0, 2, 1, 112].repeat(1000);
        while stream.write_all(&warnings).await.is_ok() {}
    });
    let seen = Looker::at(port).hello(ProtocolVersion::Tls12, SuiteSet::All).await;
    assert!(matches!(seen, Err(ProbeError::Target(TargetFault::TooLarge(_)))), "{seen:?}");
}

#[tokio::test]
async fn a_closed_port_is_refused() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let seen = Looker::at(port).handshake("harbor.example").await;
    assert!(matches!(seen, Err(ProbeError::Target(TargetFault::Refused(_)))), "{seen:?}");
    let seen = Looker::at(port).hello(ProtocolVersion::Tls12, SuiteSet::All).await;
    assert!(matches!(seen, Err(ProbeError::Target(TargetFault::Refused(_)))), "{seen:?}");
    let seen = Looker::at(port).greet().await;
    assert!(matches!(seen, Err(ProbeError::Target(TargetFault::Refused(_)))), "{seen:?}");
}
