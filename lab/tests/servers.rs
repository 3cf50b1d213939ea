//! Every kind of server answers as its data says, and ends when the lab does.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod client;

use std::net::SocketAddr;
use std::time::Duration;

use hickory_proto::dnssec::rdata::DNSSECRData;
use hickory_proto::dnssec::{TBS, Verifier as _};
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{DNSClass, RData, RecordType};
use launchready_lab::World;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use self::client::{Ask, Client, NOW, Running};

const APEX: &str = "76.76.21.21";
const APP: &str = "104.21.32.10";

#[tokio::test]
async fn a_resolver_answers_over_udp_and_tcp_and_follows_aliases() {
    let lab = Running::healthy().await;
    let resolver = lab.lab.resolvers()[1];
    for tcp in [false, true] {
        let answer =
            Ask { tcp, ..Ask::new("api.harbor.example.", RecordType::A) }.at(resolver).await;
        assert_eq!(answer.metadata.response_code, ResponseCode::NoError);
        assert!(answer.metadata.recursion_available && !answer.metadata.authoritative);
        let kinds: Vec<_> =
            answer.answers.iter().map(hickory_proto::rr::Record::record_type).collect();
        assert_eq!(kinds, [RecordType::CNAME, RecordType::A, RecordType::A]);
    }
    let missing = Ask::new("nowhere.harbor.example.", RecordType::A).at(resolver).await;
    assert_eq!(missing.metadata.response_code, ResponseCode::NXDomain);
    assert!(missing.authorities.iter().any(|record| record.record_type() == RecordType::SOA));
    let empty = Ask::new("_domainkey.harbor.example.", RecordType::TXT).at(resolver).await;
    assert_eq!(empty.metadata.response_code, ResponseCode::NoError);
    assert!(empty.answers.is_empty());
    lab.lab.stop().await;
}

#[tokio::test]
async fn a_long_answer_is_cut_over_udp_and_whole_over_tcp() {
    let long = "x".repeat(250);
    let text = client::world_of_zone(&format!(
        "'@ 300 TXT \"{long}\" \"{long}\" \"{long}\"', '@ 300 TXT \"{long}\" \"{long}\"'"
    ));
    let lab = Running::start(&World::from_toml(&text).unwrap(), Duration::ZERO).await;
    let resolver = lab.lab.resolvers()[0];
    let ask = Ask::new("one.test.", RecordType::TXT);
    assert!(ask.at(resolver).await.metadata.truncation);
    let short = Ask { edns: false, ..Ask::new("one.test.", RecordType::SOA) }.at(resolver).await;
    assert!(!short.metadata.truncation && short.answers.len() == 1);
    let whole = Ask { tcp: true, ..ask }.at(resolver).await;
    assert!(!whole.metadata.truncation && whole.answers.len() == 2);
}

#[tokio::test]
async fn signatures_verify_with_the_key_whose_digest_the_parent_holds() {
    let lab = Running::healthy().await;
    let resolver = lab.lab.resolvers()[0];
    let signed = |name, kind| Ask { signed: true, ..Ask::new(name, kind) };
    let keys = signed("harbor.example.", RecordType::DNSKEY).at(resolver).await;
    assert!(keys.metadata.authentic_data);
    let key = keys
        .answers
        .iter()
        .find_map(|record| match &record.data {
            RData::DNSSEC(DNSSECRData::DNSKEY(key)) => Some(key.clone()),
            _ => None,
        })
        .unwrap();
    for (name, kind) in [
        ("harbor.example.", RecordType::MX),
        ("app.harbor.example.", RecordType::A),
        ("harbor.example.", RecordType::DNSKEY),
        ("harbor.example.", RecordType::SOA),
    ] {
        let answer = signed(name, kind).at(resolver).await;
        let (signature, records): (Vec<_>, Vec<_>) =
            answer.answers.iter().partition(|record| record.record_type() == RecordType::RRSIG);
        let RData::DNSSEC(DNSSECRData::RRSIG(signature)) = &signature[0].data else { panic!() };
        let bytes =
            TBS::from_input(&records[0].name, DNSClass::IN, signature.input(), records.into_iter());
        key.verify(bytes.unwrap().as_ref(), signature.sig())
            .unwrap_or_else(|e| panic!("{name}: {e}"));
    }
    let ds = signed("harbor.example.", RecordType::DS).at(resolver).await;
    let RData::DNSSEC(DNSSECRData::DS(ds)) = &ds.answers[0].data else { panic!() };
    assert!(ds.covers(&keys.answers[0].name, &key).unwrap());
    let missing = signed("nowhere.harbor.example.", RecordType::A).at(resolver).await;
    assert!(missing.authorities.iter().any(|record| record.record_type() == RecordType::NSEC));
}

#[tokio::test]
async fn a_broken_chain_fails_for_whoever_wants_it_checked() {
    for signing in ["expired", "wrong-ds", "no-key"] {
        let mut text: toml::Table =
            toml::from_str(include_str!("../scenarios/healthy.toml")).unwrap();
        text["zone"]["harbor.example"]["signing"] = signing.into();
        let world = World::from_toml(&text.to_string()).unwrap();
        let lab = Running::start(&world, Duration::ZERO).await;
        let resolver = lab.lab.resolvers()[0];
        let ask = Ask::new("harbor.example.", RecordType::A);
        let checked = ask.at(resolver).await;
        assert_eq!(checked.metadata.response_code, ResponseCode::ServFail, "{signing}");
        let unchecked = Ask { unchecked: true, ..ask }.at(resolver).await;
        assert_eq!(unchecked.metadata.response_code, ResponseCode::NoError, "{signing}");
        assert!(!unchecked.metadata.authentic_data);
    }
}

#[tokio::test]
async fn name_servers_answer_for_their_zones_refer_refuse_and_keep_zones_to_themselves() {
    let lab = Running::healthy().await;
    let own = Ask::new("harbor.example.", RecordType::NS).at(lab.at("162.159.24.4:53")).await;
    assert!(own.metadata.authoritative && !own.metadata.recursion_available);
    assert_eq!(own.answers.len(), 4);
    let above = Ask::new("harbor.example.", RecordType::NS).at(lab.at("194.0.1.10:53")).await;
    assert!(!above.metadata.authoritative && above.answers.is_empty());
    assert_eq!(above.authorities.len(), 4);
    let other = Ask::new("vercel-dns.com.", RecordType::A).at(lab.at("162.159.24.4:53")).await;
    assert_eq!(other.metadata.response_code, ResponseCode::Refused);
    let transfer = Ask { tcp: true, ..Ask::new("harbor.example.", RecordType::AXFR) };
    let refused = transfer.at(lab.at("162.159.24.4:53")).await;
    assert_eq!(refused.metadata.response_code, ResponseCode::Refused);
    let storm = Running::start(&World::load("hostile").unwrap(), Duration::ZERO).await;
    let transfer = Ask { tcp: true, ..Ask::new("storm.example.", RecordType::AXFR) };
    let open = transfer.at(storm.at("198.51.100.53:53")).await;
    assert!(open.answers.len() > 8);
    assert_eq!(open.answers[0].record_type(), RecordType::SOA);
    let faulty =
        Ask::new("garbage.storm.example.", RecordType::A).at(storm.lab.resolvers()[1]).await;
    assert_eq!(faulty.metadata.response_code, ResponseCode::NXDomain);
}

#[tokio::test]
async fn virtual_hosts_answer_on_ports_80_and_443_in_both_versions_of_http() {
    let lab = Running::healthy().await;
    let client = Client::new(&lab);
    let plain =
        client.plain(lab.at(&format!("{APEX}:80")), "harbor.example", "GET /a?b=c", "").await;
    assert!(plain.starts_with("HTTP/1.1 308 "), "{plain}");
    assert!(plain.contains("location: https://harbor.example/a?b=c\r\n"), "{plain}");
    let https = lab.at(&format!("{APEX}:443"));
    let home = client.secure(https, "harbor.example", "GET /", "").await.unwrap();
    assert!(home.starts_with("HTTP/1.1 200 ") && home.contains("<h1>A berth for tonight</h1>"));
    assert!(home.contains("date: Tue, 15 Sep 2026 "), "{home}");
    assert!(home.contains("strict-transport-security: max-age=63072000\r\n"));
    let packed =
        client.secure(https, "harbor.example", "GET /", "accept-encoding: gzip\r\n").await.unwrap();
    assert!(packed.contains("content-encoding: gzip\r\n") && !packed.contains("<h1>"));
    let head = client.secure(https, "harbor.example", "HEAD /", "").await.unwrap();
    assert!(head.contains("content-length: ") && head.ends_with("\r\n\r\n"));
    let tag = home.split("etag: ").nth(1).unwrap().split("\r\n").next().unwrap();
    let asked = format!("if-none-match: {tag}\r\n");
    let same = client.secure(https, "harbor.example", "GET /", &asked).await.unwrap();
    assert!(same.starts_with("HTTP/1.1 304 "), "{same}");
    let missing = client.secure(https, "harbor.example", "GET /nope", "").await.unwrap();
    assert!(missing.starts_with("HTTP/1.1 404 "));
    let www = client.secure(lab.at("66.33.60.35:443"), "www.harbor.example", "GET /x?y", "").await;
    assert!(www.unwrap().contains("location: https://harbor.example/x?y\r\n"));
    assert_eq!(client.protocol(https, "harbor.example").await, "h2");
    let unknown = client.plain(lab.at(&format!("{APEX}:80")), "else.example", "GET /", "").await;
    assert!(unknown.starts_with("HTTP/1.1 404 "), "{unknown}");
}

#[tokio::test]
async fn placeholders_become_keys_that_differ_from_answer_to_answer_only_where_they_should() {
    let lab = Running::healthy().await;
    let client = Client::new(&lab);
    let bundle = "GET /_next/static/chunks/main-app-8c2e5b1f7a90d364.js";
    let https = lab.at(&format!("{APEX}:443"));
    let script = client.secure(https, "harbor.example", bundle, "").await.unwrap();
    assert!(script.contains("\"pk_live_51") && script.contains("\"eyJ") && !script.contains("{{"));
    let cookies = async || {
        let app = lab.at(&format!("{APP}:443"));
        let page = client.secure(app, "app.harbor.example", "GET /signin", "").await.unwrap();
        page.lines().find(|l| l.starts_with("set-cookie: harbor_session")).unwrap().to_owned()
    };
    assert_ne!(cookies().await, cookies().await);
    let api = lab.at("104.18.38.10:443");
    let origin = "origin: https://app.harbor.example\r\n";
    let path = "OPTIONS /functions/v1/checkout";
    let own = client.secure(api, "api.harbor.example", path, origin).await.unwrap();
    assert!(own.contains("access-control-allow-origin: https://app.harbor.example\r\n"));
    let foreign = "origin: https://app.harbor.example.evil.example\r\n";
    let other = client.secure(api, "api.harbor.example", path, foreign).await.unwrap();
    assert!(!other.contains("access-control-allow-origin"));
}

#[tokio::test]
async fn each_kind_of_certificate_is_judged_as_it_should_be() {
    let kinds = [
        ("good", None),
        ("expired", Some("Expired")),
        ("not-yet-valid", Some("NotValidYet")),
        ("wrong-name", Some("NotValidForName")),
        ("self-signed", Some("UnknownIssuer")),
        ("untrusted", Some("UnknownIssuer")),
        ("incomplete", Some("UnknownIssuer")),
        ("long-life", None),
        ("intermediate-first", None),
    ];
    for (kind, wanted) in kinds {
        let mut text: toml::Table =
            toml::from_str(include_str!("../scenarios/healthy.toml")).unwrap();
        text["site"]["app.harbor.example"].as_table_mut().unwrap().insert(
            "certificate".into(),
            toml::Value::Table([("kind".into(), kind.into())].into_iter().collect()),
        );
        let world = World::from_toml(&text.to_string()).unwrap();
        let lab = Running::start(&world, Duration::ZERO).await;
        let client = Client::new(&lab);
        let answer = client
            .secure(lab.at(&format!("{APP}:443")), "app.harbor.example", "GET /signin", "")
            .await;
        match wanted {
            None => assert!(answer.unwrap().contains("Sign in to Harbor"), "{kind}"),
            Some(word) => {
                let error = answer.unwrap_err().to_string();
                assert!(client::says(&error, word), "{kind}: {error}");
            }
        }
    }
}

#[tokio::test]
async fn the_issuer_is_published_where_certificates_say() {
    let lab = Running::healthy().await;
    let client = Client::new(&lab);
    let at = lab.at("104.18.20.213:80");
    let answer = client.plain_bytes(at, "e7.i.lencr.org", "GET /", "").await;
    let body = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
    let (_, issuer) = x509_parser::parse_x509_certificate(&answer[body..]).unwrap();
    assert!(issuer.is_ca());
    assert_eq!(issuer.subject().iter_common_name().next().unwrap().as_str().unwrap(), "E7");
}

#[tokio::test]
async fn old_versions_get_a_hello_where_they_are_on_and_an_alert_where_they_are_off() {
    let storm = Running::start(&World::load("hostile").unwrap(), Duration::ZERO).await;
    let at = storm.at("198.51.100.10:443");
    for version in [0_u8, 1, 2] {
        let accepted = client::old_hello(at, "storm.example", version).await;
        assert_eq!(accepted[..3], [22, 3, version]);
        assert_eq!(accepted[9..11], [3, version]);
    }
    for version in [1, 2] {
        let refused = client::old_hello(at, "endless.storm.example", version).await;
        assert_eq!(refused, [21, 3, version, 0, 2, 2, 70]);
    }
    let lab = Running::healthy().await;
    let nameless = client::old_hello(lab.at("104.26.0.10:443"), "", 0).await;
    assert_eq!(nameless, [21, 3, 0, 0, 2, 2, 70], "the only site of an address answers");
    assert_eq!(client::old_hello(at, "unknown.example", 1).await, [21, 3, 1, 0, 2, 2, 112]);
}

#[tokio::test]
async fn a_mail_server_offers_starttls_and_speaks_it() {
    let lab = Running::healthy().await;
    let client = Client::new(&lab);
    let (extensions, after) =
        client.starttls(lab.at("142.250.27.26:25"), "aspmx.l.google.com").await;
    assert!(extensions.contains("STARTTLS") && !after.contains("STARTTLS"));
    assert!(after.contains("250-PIPELINING"));
}

#[tokio::test]
async fn the_registry_knows_the_domain_and_no_other() {
    let lab = Running::healthy().await;
    let client = Client::new(&lab);
    let known = client.plain(lab.lab.rdap(), "rdap", "GET /domain/harbor.example", "").await;
    assert!(known.contains("application/rdap+json"));
    let body = known.split("\r\n\r\n").nth(1).unwrap();
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["events"][1]["eventAction"], "expiration");
    assert_eq!(body["events"][1]["eventDate"], "2027-10-15T12:00:00Z");
    let unknown = client.plain(lab.lab.rdap(), "rdap", "GET /domain/other.example", "").await;
    assert!(unknown.starts_with("HTTP/1.1 404 "));
}

#[tokio::test]
async fn hostile_bodies_go_on_for_as_long_as_somebody_reads() {
    let storm = Running::start(&World::load("hostile").unwrap(), Duration::ZERO).await;
    let client = Client::new(&storm);
    let at = storm.at("198.51.100.10:443");
    for (host, enough) in [("endless", 1_000_000), ("head", 300_000), ("bomb", 20_000)] {
        let read = client.read_at_least(at, &format!("{host}.storm.example"), enough).await;
        assert!(read >= enough, "{host}: {read}");
    }
    let mut closes = TcpStream::connect(at).await.unwrap();
    closes.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert_eq!(closes.read(&mut [0; 10]).await.unwrap_or(0), 0, "no TLS, no answer");
}

#[tokio::test]
async fn a_delay_is_one_round_trip_for_each_exchange() {
    let delay = Duration::from_millis(40);
    let lab = Running::start(&World::load("healthy").unwrap(), delay).await;
    let started = tokio::time::Instant::now();
    Ask::new("harbor.example.", RecordType::A).at(lab.lab.resolvers()[0]).await;
    assert!(started.elapsed() >= delay);
    let started = tokio::time::Instant::now();
    let client = Client::new(&lab);
    client.secure(lab.at(&format!("{APEX}:443")), "harbor.example", "GET /", "").await.unwrap();
    let took = started.elapsed();
    assert!(took >= delay * 3, "connecting, the handshake and the answer: {took:?}");
    assert!(took < delay * 8, "{took:?}");
}

#[tokio::test]
async fn a_stopped_lab_listens_no_more() {
    let lab = Running::healthy().await;
    let ports: Vec<SocketAddr> = lab.lab.routes().iter().map(|route| route.to).collect();
    TcpStream::connect(ports[0]).await.unwrap();
    let pem = std::fs::read_to_string(lab.dir.path().join("ca.pem")).unwrap();
    assert!(pem.contains("BEGIN CERTIFICATE"));
    lab.lab.stop().await;
    for port in ports {
        assert!(TcpStream::connect(port).await.is_err());
    }
}

#[tokio::test]
async fn the_config_leads_every_address_to_loopback() {
    let lab = Running::healthy().await;
    let config: toml::Table = toml::from_str(&lab.lab.config_toml()).unwrap();
    let network = config["network"].as_table().unwrap();
    assert_eq!(network["resolvers"].as_array().unwrap().len(), 2);
    assert_eq!(config["project"][0]["domain"].as_str(), Some("harbor.example"));
    let rules = network["connect_to"].as_array().unwrap();
    assert!(rules.iter().all(|rule| rule["to"].as_str().unwrap().starts_with("127.0.0.1:")));
    let last = rules.last().unwrap();
    assert_eq!(last["from"].as_str(), Some("*:*"));
    let closed: SocketAddr = last["to"].as_str().unwrap().parse().unwrap();
    assert!(TcpStream::connect(closed).await.is_err());
    assert!(
        rules.iter().any(|rule| rule["from"].as_str() == Some("[2606:4700:3031::6815:200a]:443"))
    );
    assert_eq!(NOW.to_string(), "2026-09-15T12:00:00Z");
}
