//! Mail servers, polite and hostile.

use std::sync::{Arc, Mutex};

use launchready::probe::provider;
use launchready_checks::probe::{AgentFault, ProbeError, Seen, TargetFault, Trust};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::authority::{Authority, Leaf};
use crate::world::Looker;

type Heard = Arc<Mutex<Vec<String>>>;

/// A mail server that answers the greeting, EHLO and STARTTLS with these lines, shakes hands when
/// it has a certificate, and remembers the commands that it heard.
async fn serving(replies: [&'static str; 3], leaf: Option<Leaf>) -> (u16, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Heard::default();
    let notes = Arc::clone(&heard);
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        for reply in replies {
            stream.get_mut().write_all(reply.as_bytes()).await.unwrap();
            if reply == replies[2] {
                break;
            }
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return;
            }
            notes.lock().unwrap().push(line.trim_end().to_owned());
        }
        let Some(leaf) = leaf else { return };
        let key = PrivateKeyDer::try_from(leaf.key_der).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![CertificateDer::from(leaf.der)], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        if let Ok(mut stream) = acceptor.accept(stream.into_inner()).await {
            let mut last = String::new();
            let _ = stream.read_to_string(&mut last).await;
            notes.lock().unwrap().push(last.trim_end().to_owned());
        }
    });
    (port, heard)
}

const GREETING: &str = "220-mx.harbor.example ESMTP\r\n220 ready\r\n";
const EHLO: &str = "250-mx.harbor.example\r\n250-SIZE 1000\r\n250-starttls\r\n250 8BITMIME\r\n";
const READY: &str = "220 go ahead\r\n";

#[tokio::test]
async fn starttls_leads_to_a_judged_certificate_and_a_polite_leave() {
    let root = Authority::root("Test Root");
    let leaf = root.issue(&["mx.harbor.example"]);
    let (port, heard) = serving([GREETING, EHLO, READY], Some(leaf)).await;
    let answer = Looker::at(port).trusting(&root.der).greet().await.unwrap();
    assert_eq!(answer.banner, "mx.harbor.example ESMTP ready");
    assert_eq!(answer.extensions, ["SIZE 1000", "STARTTLS", "8BITMIME"]);
    let tls = answer.starttls.unwrap();
    let tls = tls.ok().unwrap();
    assert_eq!((&tls.trust, tls.chain.len()), (&Trust::Trusted, 1));
    let heard = heard.lock().unwrap();
    assert_eq!(heard[..2], ["EHLO [127.0.0.1]", "STARTTLS"]);
}

#[tokio::test]
async fn a_server_without_starttls_is_left_at_once() {
    let plain = "250-mx.harbor.example\r\n250 SIZE 1000\r\n";
    let (port, heard) = serving([GREETING, plain, READY], None).await;
    let answer = Looker::at(port).greet().await.unwrap();
    assert_eq!((answer.extensions.len(), answer.starttls), (1, None));
    // The answer comes before the server has read the good-bye.
    assert_eq!(heard.lock().unwrap().first().unwrap(), "EHLO [127.0.0.1]");
}

#[tokio::test]
async fn being_turned_away_is_not_the_fault_of_the_server() {
    let (port, _) = serving(["554 5.7.1 no thanks\r\n", "", READY], None).await;
    let answer = Looker::at(port).greet().await;
    assert!(matches!(answer, Err(ProbeError::Agent(AgentFault::TurnedAway(_)))), "{answer:?}");
    let (port, _) = serving(["421 try later\r\n", "", READY], None).await;
    let answer = Looker::at(port).greet().await;
    assert!(matches!(answer, Err(ProbeError::Agent(AgentFault::RateLimited(_)))), "{answer:?}");
}

#[tokio::test]
async fn something_else_than_smtp_is_malformed() {
    for banner in ["SSH-2.0-OpenSSH\r\n", "\r\n", "220:\r\n", "999 what\r\n"] {
        let (port, _) = serving([banner, "", READY], None).await;
        let answer = Looker::at(port).greet().await;
        let fault = matches!(answer, Err(ProbeError::Target(TargetFault::Malformed(_))));
        assert!(fault, "{banner:?}: {answer:?}");
    }
}

#[tokio::test]
async fn a_refused_or_injected_starttls_is_a_fault_of_the_upgrade_alone() {
    let (port, _) = serving([GREETING, EHLO, "454 not now\r\n"], None).await;
    let answer = Looker::at(port).greet().await.unwrap();
    assert!(matches!(answer.starttls, Some(Seen::Target(TargetFault::Tls(_)))), "{answer:?}");
    let injected = "220 go ahead\r\n250 and so on\r\n";
    let (port, _) = serving([GREETING, EHLO, injected], None).await;
    let answer = Looker::at(port).greet().await.unwrap();
    assert!(matches!(answer.starttls, Some(Seen::Target(TargetFault::Malformed(_)))), "{answer:?}");
}
