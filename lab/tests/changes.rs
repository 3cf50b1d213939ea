//! A defect that is planted in a running world answers as in a world that was started with it, and
//! one that is healed leaves nothing behind.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod client;

use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use hickory_proto::op::{Message, Query};
use hickory_proto::rr::{Name, RecordType};
use launchready_lab::plan::Plan;
use launchready_lab::{LabError, World};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use self::client::{Ask, Client, Running};

/// Nothing on loopback takes so long.
const LONG: Duration = Duration::from_mins(1);

/// What a world answers, by question.
type Answers = BTreeMap<String, String>;

/// Every question that makes sense in any state of the world.
struct Questions {
    /// Names and types for the resolvers.
    names: BTreeSet<(String, RecordType)>,
    name_servers: Vec<SocketAddr>,
    /// Hosts at addresses, with the paths that are asked for.
    sites: BTreeMap<(String, SocketAddr), BTreeSet<String>>,
    mail_servers: Vec<SocketAddr>,
}

impl Questions {
    /// Those of the healthy world and of one with every defect, which lacks some of its records.
    fn of(healthy: &Plan, plan: &Plan) -> Self {
        let mut names = BTreeSet::new();
        let records = |plan: &Plan| plan.zone["harbor.example"].records.clone();
        for line in records(healthy).into_iter().chain(records(plan)) {
            let mut words = line.split_whitespace().filter(|word| word.parse::<u32>().is_err());
            let owner = words.next().unwrap();
            let owner = if owner == "@" { String::new() } else { format!("{owner}.") };
            let kind = words.next().unwrap().parse().unwrap();
            names.insert((format!("{owner}harbor.example."), kind));
        }
        names.extend(('a'..='g').map(|c| (format!("{c}.senders.example."), RecordType::TXT)));
        let mut sites: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
        for (name, site) in &plan.site {
            let host = site.host.as_ref().unwrap_or(name);
            if host == "e7.i.lencr.org" {
                // It publishes a certificate, which is another one in each lab.
                continue;
            }
            for (index, ip) in site.addresses.iter().enumerate() {
                let routes = site.routes.iter().filter(|_| index == 0);
                let mut paths: BTreeSet<_> =
                    routes.map(|route| route.path.replace('*', "x")).collect();
                paths.insert("/".to_owned());
                for port in [80, 443] {
                    let at = SocketAddr::new(*ip, port);
                    sites.entry((host.clone(), at)).or_default().extend(paths.clone());
                }
            }
        }
        let name_servers = plan.name_server.values().flat_map(|server| &server.addresses);
        let mail_servers = plan.mail_server.values().flat_map(|server| &server.addresses);
        Self {
            names,
            name_servers: name_servers.map(|ip| (*ip, 53).into()).collect(),
            sites,
            mail_servers: mail_servers.map(|ip| (*ip, 25).into()).collect(),
        }
    }

    /// Asks everything.
    async fn ask(&self, lab: &Running, client: &Client) -> Answers {
        let mut answers = Answers::new();
        let config: toml::Table = lab.lab.config_toml().parse().unwrap();
        // Each lab has its fakes and its shop at places of its own.
        let place = Regex::new(r"http://127\.0\.0\.1:\d+").unwrap();
        let project = config["project"].to_string();
        answers.insert("config".to_owned(), place.replace_all(&project, "PLACE").into_owned());
        let rdap = client.plain(lab.lab.rdap(), "rdap", "GET /domain/harbor.example", "").await;
        answers.insert("registry".to_owned(), steady(&rdap));
        for (name, kind) in &self.names {
            let answer = Ask::new(name, *kind).at(lab.lab.resolvers()[0]).await;
            answers.insert(format!("resolver {name} {kind}"), said(&answer));
        }
        for at in &self.name_servers {
            let to = lab.lab.route(*at).unwrap();
            for kind in [RecordType::SOA, RecordType::NS, RecordType::MX, RecordType::AXFR] {
                answers.insert(format!("{at} {kind}"), over_tcp(to, kind).await);
            }
        }
        for ((host, at), paths) in &self.sites {
            // The site of the authority has no port for TLS.
            let Some(to) = lab.lab.route(*at) else { continue };
            let answer = pages(client, to, host, paths, at.port() == 443).await;
            answers.insert(format!("{host} at {at}"), answer);
            if at.port() == 443 {
                for version in [0, 1] {
                    let answer = old(to, host, version).await;
                    answers.insert(format!("{host} at {at} version {version}"), answer);
                }
            }
        }
        for at in &self.mail_servers {
            answers.insert(format!("mail {at}"), mail(client, lab.lab.route(*at).unwrap()).await);
        }
        answers
    }
}

/// An answer without what is random in each lab: keys and signatures.
fn said(message: &Message) -> String {
    let mut records: Vec<String> = message
        .answers
        .iter()
        .chain(&message.authorities)
        .filter(|record| !record.record_type().is_dnssec())
        .map(ToString::to_string)
        .collect();
    records.sort();
    let flags = &message.metadata;
    let bits = (flags.response_code, flags.authoritative, flags.authentic_data);
    format!("{bits:?} {records:?}")
}

async fn over_tcp(to: SocketAddr, kind: RecordType) -> String {
    let Ok(mut stream) = TcpStream::connect(to).await else { return "refused".to_owned() };
    let mut message = Message::query();
    message.add_query(Query::query(Name::from_ascii("harbor.example.").unwrap(), kind));
    let bytes = message.to_vec().unwrap();
    stream.write_u16(bytes.len().try_into().unwrap()).await.unwrap();
    stream.write_all(&bytes).await.unwrap();
    let mut answer = vec![0; stream.read_u16().await.unwrap().into()];
    stream.read_exact(&mut answer).await.unwrap();
    said(&Message::from_vec(&answer).unwrap())
}

/// All pages of a host in one connection, with the certificate in front.
async fn pages(
    client: &Client,
    to: SocketAddr,
    host: &str,
    paths: &BTreeSet<String>,
    tls: bool,
) -> String {
    let Ok(mut stream) = TcpStream::connect(to).await else { return "refused".to_owned() };
    let last = paths.len() - 1;
    let request = |(index, path): (usize, &String)| {
        let end = if index == last { "close" } else { "keep-alive" };
        let origin = "origin: https://evil.example";
        format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n{origin}\r\nconnection: {end}\r\n\r\n")
    };
    let requests: String = paths.iter().enumerate().map(request).collect();
    let mut answer = Vec::new();
    if tls {
        let mut stream = match client.wrap(stream, host).await {
            Ok(stream) => stream,
            Err(error) => return format!("no TLS: {error}"),
        };
        answer.extend(certificate(&stream).into_bytes());
        stream.write_all(requests.as_bytes()).await.unwrap();
        timeout(LONG, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    } else {
        stream.write_all(requests.as_bytes()).await.unwrap();
        timeout(LONG, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    }
    steady(&String::from_utf8_lossy(&answer))
}

/// The version and the certificates; serial numbers differ where anything else does.
fn certificate(stream: &TlsStream<TcpStream>) -> String {
    let session = stream.get_ref().1;
    let serials = session.peer_certificates().unwrap().iter().map(|certificate| {
        let (_, certificate) = x509_parser::parse_x509_certificate(certificate).unwrap();
        certificate.raw_serial_as_string()
    });
    format!("{:?} {:?}\r\n", session.protocol_version(), serials.collect::<Vec<_>>())
}

/// An answer without what differs from answer to answer.
fn steady(answer: &str) -> String {
    let is_random = |word: &str| word.len() >= 32 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let cookie = |line: &str| {
        let parts =
            line.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !is_random(word));
        parts.collect::<Vec<_>>().join(" ")
    };
    let lines = answer.lines().map(|line| match line.split(':').next() {
        Some("date") => String::new(),
        Some("set-cookie") => cookie(line),
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// How a host answers an old client.
async fn old(to: SocketAddr, host: &str, version: u8) -> String {
    if TcpStream::connect(to).await.is_err() {
        return "refused".to_owned();
    }
    let answer = client::old_hello(to, host, version).await;
    hex::encode(answer.get(..11).unwrap_or(&answer))
}

/// What a mail server offers, and its certificate.
async fn mail(client: &Client, to: SocketAddr) -> String {
    let Ok(stream) = TcpStream::connect(to).await else { return "refused".to_owned() };
    let mut stream = BufReader::new(stream);
    let mut said = String::new();
    stream.read_line(&mut said).await.unwrap();
    let host = said.split(' ').nth(1).unwrap().to_owned();
    stream.write_all(b"EHLO client.test\r\n").await.unwrap();
    let mut last = String::new();
    while !last.starts_with("250 ") {
        last.clear();
        stream.read_line(&mut last).await.unwrap();
        said += &last;
    }
    if said.contains("STARTTLS") {
        stream.write_all(b"STARTTLS\r\n").await.unwrap();
        stream.read_line(&mut said).await.unwrap();
        said += &match client.wrap(stream.into_inner(), &host).await {
            Ok(stream) => certificate(&stream),
            Err(error) => error.to_string(),
        };
    }
    said
}

fn different(a: &Answers, b: &Answers) -> Vec<String> {
    let differs = |(key, value): &(&String, &String)| b.get(*key) != Some(*value);
    let line = |(key, value): (&String, &String)| {
        format!("{key}: {value:.400}\n  {:.400}", b.get(key).cloned().unwrap_or_default())
    };
    a.iter().filter(differs).map(line).collect()
}

/// Every fourth defect, so that the four parts of the test can run beside each other.
async fn each_defect_of(part: usize) {
    let healthy = World::load("healthy").unwrap();
    let all: Vec<String> =
        healthy.defects().iter().chain(healthy.outages()).map(|d| d.name.clone()).collect();
    let every = all.iter().fold(healthy.clone(), |world, name| world.with(name).unwrap());
    let questions = Questions::of(&healthy.plan().unwrap(), &every.plan().unwrap());
    let lab = Running::healthy().await;
    let client = Client::new(&lab);
    let sound = questions.ask(&lab, &client).await;
    for name in all.iter().skip(part).step_by(4) {
        let started = Running::start(&healthy.clone().with(name).unwrap(), Duration::ZERO).await;
        let wanted = questions.ask(&started, &Client::new(&started)).await;
        lab.lab.plant(name).await.unwrap();
        assert_eq!(lab.lab.planted().await, std::slice::from_ref(name));
        let planted = questions.ask(&lab, &client).await;
        assert!(
            different(&planted, &wanted).is_empty(),
            "{name}: {:#?}",
            different(&planted, &wanted)
        );
        // What changes in accounts, in the shop and in what people sign needs a config to be seen; the audits of the
        // lab see it.
        let elsewhere = ["api", "secret", "shop", "attestation"];
        let defect = healthy.defects().iter().chain(healthy.outages()).find(|it| it.name == *name);
        let is_seen = defect.unwrap().world.keys().any(|key| !elsewhere.contains(&key.as_str()));
        assert!(!is_seen || !different(&planted, &sound).is_empty(), "{name} changes nothing");
        lab.lab.heal(name).await.unwrap();
        let healed = questions.ask(&lab, &client).await;
        assert!(different(&healed, &sound).is_empty(), "{name}: {:#?}", different(&healed, &sound));
    }
}

#[tokio::test]
async fn each_defect_comes_and_goes_first_part() {
    each_defect_of(0).await;
}

#[tokio::test]
async fn each_defect_comes_and_goes_second_part() {
    each_defect_of(1).await;
}

#[tokio::test]
async fn each_defect_comes_and_goes_third_part() {
    each_defect_of(2).await;
}

#[tokio::test]
async fn each_defect_comes_and_goes_fourth_part() {
    each_defect_of(3).await;
}

#[tokio::test]
async fn a_whole_world_replaces_another_and_keeps_its_keys_and_addresses() {
    let lab = Running::healthy().await;
    let resolver = lab.lab.resolvers()[0];
    let keys = async || Ask::new("harbor.example.", RecordType::DNSKEY).at(resolver).await.answers;
    let (routes, before) = (lab.lab.routes().to_vec(), keys().await);
    lab.lab.replace(&World::load("broken").unwrap()).await.unwrap();
    assert_eq!(lab.lab.planted().await.len(), World::load("broken").unwrap().defects().len());
    assert_eq!((lab.lab.routes(), keys().await), (routes.as_slice(), before));
    lab.lab.replace(&World::load("healthy").unwrap()).await.unwrap();
    assert!(lab.lab.planted().await.is_empty());
    let other = lab.lab.replace(&World::load("hostile").unwrap()).await.unwrap_err();
    assert!(matches!(other, LabError::NoListener(_)), "{other}");
    assert!(lab.lab.plant("no-such-defect").await.is_err());
    let answer = Ask::new("harbor.example.", RecordType::A).at(resolver).await;
    assert_eq!(answer.answers.len(), 1, "a change that fails changes nothing");
}

#[tokio::test]
async fn a_host_that_goes_down_ends_its_connections() {
    let lab = Running::healthy().await;
    let app = lab.at("104.21.32.10:80");
    let mut open = TcpStream::connect(app).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nhost: app.harbor.example\r\n\r\n";
    open.write_all(request).await.unwrap();
    assert!(open.read(&mut [0; 64]).await.unwrap() > 0);
    lab.lab.plant("app-down").await.unwrap();
    assert!(TcpStream::connect(app).await.is_err());
    let mut rest = Vec::new();
    let _reset_or_end = timeout(LONG, open.read_to_end(&mut rest)).await.unwrap();
    lab.lab.heal("app-down").await.unwrap();
    assert!(TcpStream::connect(app).await.is_ok());
}
