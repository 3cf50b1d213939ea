//! Channels are reached as `[network]` says: its resolvers and its `connect_to`, with the name of the host
//! kept for the certificate and the `Host` header.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::A;
use hickory_proto::rr::{RData, Record, RecordType};
use launchready::config::Secret;
use launchready::notify::{ChannelKind, ChannelSettings, SmtpSecurity};
use launchready::probe::{ConnectTo, Network};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

use crate::mail_server::MailServer;
use crate::web_server::WebServer;
use crate::world::{Authority, channel, send, settings};

/// A resolver that knows every name below `harbor.example`, which is this machine, and no other.
struct Resolver {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Resolver {
    async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            let mut bytes = [0; 4096];
            while let Ok((length, peer)) = socket.recv_from(&mut bytes).await {
                let Ok(question) = Message::from_vec(&bytes[..length]) else { continue };
                let query = question.queries[0].clone();
                let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
                answer.add_query(query.clone());
                let is_ours = query.name().to_string().ends_with("harbor.example.");
                if !is_ours {
                    answer.metadata.response_code = ResponseCode::NXDomain;
                } else if query.query_type() == RecordType::A {
                    let here = RData::A(A(Ipv4Addr::LOCALHOST));
                    answer.add_answer(Record::from_rdata(query.name().clone(), 60, here));
                }
                count.fetch_add(1, Ordering::SeqCst);
                _ = socket.send_to(&answer.to_vec().unwrap(), peer).await;
            }
        });
        Self { address, asked, task }
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn with(mut settings: ChannelSettings, network: Network) -> ChannelSettings {
    settings.network = Network { extra_roots: settings.network.extra_roots, ..network };
    settings
}

fn resolvers(resolver: &Resolver) -> Network {
    Network { resolvers: vec![resolver.address], ..Network::default() }
}

fn rule(from: &str, to: SocketAddr) -> Network {
    let rule = ConnectTo::new(from, &to.to_string()).unwrap();
    Network { connect_to: vec![rule], ..Network::default() }
}

fn mail(host: &str, port: u16, security: SmtpSecurity, authority: &Authority) -> ChannelSettings {
    settings(
        ChannelKind::Email {
            host: host.to_owned(),
            port,
            security,
            login: None,
            from: "launchready@harbor.example".to_owned(),
            to: vec!["founder@harbor.example".to_owned()],
        },
        authority.roots(),
    )
}

fn hook(url: &str) -> ChannelSettings {
    settings(ChannelKind::Webhook { url: Secret::new(url), key: None }, Vec::new())
}

#[tokio::test]
async fn the_configured_resolvers_are_asked_for_mail_and_for_http() {
    let (resolver, authority) = (Resolver::start().await, Authority::new());
    let server = MailServer::start(None, false).await;
    let letter =
        mail("smtp.harbor.example", server.address.port(), SmtpSecurity::Plain, &authority);
    send(&channel(&with(letter, resolvers(&resolver)))).await.unwrap();
    assert_eq!(server.letters().len(), 1);
    let asked = resolver.asked.load(Ordering::SeqCst);
    assert!(asked > 0, "the system's resolver does not know the name");

    let web = WebServer::start().await;
    let port = web.address.port();
    let url = format!("http://hooks.harbor.example:{port}/in");
    send(&channel(&with(hook(&url), resolvers(&resolver)))).await.unwrap();
    let requests = web.take();
    assert_eq!(requests[0].header("host"), format!("hooks.harbor.example:{port}"));
    assert!(resolver.asked.load(Ordering::SeqCst) > asked);
    // What those resolvers do not know is asked of the system: a message must not be lost for it.
    let url = format!("http://localhost:{port}/in");
    send(&channel(&with(hook(&url), resolvers(&resolver)))).await.unwrap();
    assert_eq!(web.take().len(), 1);
}

#[tokio::test]
async fn a_rule_leads_elsewhere_and_the_name_stays_for_the_certificate_and_the_header() {
    let authority = Authority::new();
    for security in [SmtpSecurity::StartTls, SmtpSecurity::Tls] {
        let wrapped = security == SmtpSecurity::Tls;
        let server = MailServer::start(Some(authority.server.clone()), wrapped).await;
        let letter = mail("localhost", 1, security, &authority);
        send(&channel(&with(letter, rule("localhost:1", server.address)))).await.unwrap();
        assert!(server.letters()[0].encrypted);
        let other = mail("smtp.harbor.example", 1, security, &authority);
        let error =
            send(&channel(&with(other, rule("smtp.harbor.example:1", server.address)))).await;
        let error = error.unwrap_err();
        assert!(server.letters().len() == 1, "another name has no certificate: {error}");
    }
    let web = WebServer::start().await;
    for (url, from, host) in [
        ("http://hooks.harbor.example:9/in", "hooks.harbor.example:9", "hooks.harbor.example:9"),
        ("http://hooks.harbor.example/in", "hooks.harbor.example:80", "hooks.harbor.example"),
        ("http://localhost:7/in", "127.0.0.1:7", "localhost:7"),
    ] {
        send(&channel(&with(hook(url), rule(from, web.address)))).await.unwrap();
        let requests = web.take();
        assert_eq!(requests.len(), 1, "{url} by {from}");
        assert_eq!((requests[0].header("host"), requests[0].path.as_str()), (host, "/in"));
    }
    // A rule for any host leaves what runs on this machine where it is.
    let nowhere = "127.0.0.1:1".parse().unwrap();
    for host in ["localhost", "127.0.0.1"] {
        let url = format!("http://{host}:{}/in", web.address.port());
        send(&channel(&with(hook(&url), rule("*:*", nowhere)))).await.unwrap();
        assert_eq!(web.take().len(), 1, "{url}");
    }
}
