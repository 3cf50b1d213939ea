//! Answers of the right shape that hold far too much, or bytes that are no text.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio_rustls::TlsAcceptor;

use crate::audit::Outcome::{Finding, Told};
use crate::audit::audit;
use crate::servers::{mail, never_ending, saying, saying_over_tls};
use crate::world::{ADDRESS, Running, Storm};

const LIMIT: Duration = Duration::from_secs(20);

/// Bytes that are UTF-8 nowhere: a lone continuation, an overlong blank, a surrogate.
const BAD: &[u8] = b"\x80\xc0\xa0\xed\xa0\x80\xff";

/// `count` names of three letters and digits.
fn short_names(count: usize) -> Vec<String> {
    let letters: Vec<char> = ('a'..='z').chain('0'..='9').collect();
    let name = |n: usize| [n / 36 / 36 % 36, n / 36 % 36, n % 36].map(|n| letters[n]);
    (0..count).map(|n| name(n).iter().collect()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_with_ten_thousand_names_is_survived() {
    let mut fitting = short_names(9_999);
    fitting.push("storm.example".to_owned());
    let long: Vec<String> = (0..10_000).map(|n| format!("shop-{n}.storm.example")).collect();
    for (name, names, outcome) in [
        // As long as a handshake allows: the certificate is as good as any other.
        ("10,000 names in 64 KiB", fitting, None),
        ("10,000 names in more", long, Some(Told("tls-certificate"))),
    ] {
        let running = Storm::of(&format!("certificate = {{ names = {names:?} }}")).start().await;
        let ended = audit(&running.config.write(running.folder.path()), LIMIT).await;
        ended.holds(name, outcome.as_slice()).await;
        if outcome.is_none() {
            let codes = ended.codes("tls-certificate");
            assert!(!codes.contains(&"certificate-handshake-failed"), "{codes:?}");
        }
        running.lab.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_without_measure_are_survived() {
    let strings = |text: &str| format!("\"{text}\" ").repeat(4_000);
    let circle = || {
        vec![
            "shop 300 CNAME round.storm.example.".to_owned(),
            "round 300 CNAME shop.storm.example.".to_owned(),
        ]
    };
    for (name, hosts, records, outcomes) in [
        (
            "4,000 strings of an SPF record",
            vec![],
            vec![format!("@ 300 TXT \"v=spf1 \" {}", strings("include:a.b "))],
            vec![Told("mail-spf")],
        ),
        (
            "4,000 strings of a DMARC record",
            vec![],
            vec![format!("_dmarc 300 TXT \"v=DMARC1; \" {}", strings("p=none; "))],
            vec![Told("mail-dmarc")],
        ),
        (
            "1,500 records beside the SPF record",
            vec![],
            (0..1_500).map(|n| format!("@ 300 TXT \"token-{n}={n}\"")).collect(),
            vec![Finding("mail-spf", "spf-missing")],
        ),
        (
            "aliases in a circle",
            vec!["shop"],
            circle(),
            vec![Finding("dns-resolution", "dns-alias-loop")],
        ),
        (
            "records that are no text",
            vec![],
            vec![
                "@ 300 TXT \"v=spf1 include:\\255\\254\\000.example ~all\"".to_owned(),
                "_dmarc 300 TXT \"v=DMARC1; p=\\200\\000; rua=mailto:\\255\"".to_owned(),
                "_mta-sts 300 TXT \"v=STSv1; id=\\255;\"".to_owned(),
                "default._domainkey 300 TXT \"v=DKIM1; k=\\255; p=\\200\\201\"".to_owned(),
                "google._domainkey 300 TXT \"\\255\\254\\253\"".to_owned(),
            ],
            vec![Told("mail-spf"), Told("mail-dmarc")],
        ),
    ] {
        let running = Storm { hosts, records, ..Storm::default() }.start().await;
        let ended = audit(&running.config.write(running.folder.path()), LIMIT).await;
        ended.holds(name, &outcomes).await;
        running.lab.stop().await;
    }
}

/// A certificate of its own, and where it was written.
fn acceptor(folder: &Path) -> (TlsAcceptor, std::path::PathBuf) {
    let names = ["storm.example", "www.storm.example"].map(str::to_owned);
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
    let path = folder.join("storm.pem");
    std::fs::write(&path, certificate.pem()).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), path)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_that_are_no_text_are_survived_everywhere() {
    let Running { lab, folder, mut config } = Storm {
        records: vec![
            "@ 300 MX 10 mail.storm.example.".to_owned(),
            "mail 300 A 198.51.100.25".to_owned(),
            "_mta-sts 300 TXT \"v=STSv1; id=20260901;\"".to_owned(),
            format!("mta-sts 300 A {ADDRESS}"),
        ],
        ..Storm::default()
    }
    .start()
    .await;
    let head = "HTTP/1.1 200 ?\r\ncontent-type: text/html; charset=?\r\nset-cookie: a?=?; path=/?\r\n\
                server: ?\r\nstrict-transport-security: max-age=?\r\nconnection: close\r\n\
                content-security-policy: default-src ?\r\naccess-control-allow-origin: ?\r\n\
                cache-control: ?\r\netag: \"?\"\r\nlink: <?>; rel=?\r\nlocation: /?\r\n\r\n";
    let page = "<html><head><title>?</title><link rel=canonical href='?'><script src='/?.js'></script>\
                <meta name=? content='?'></head><body>?<a href='/?'>?</a></body></html>";
    let answer: Vec<u8> = format!("{head}{page}")
        .bytes()
        .flat_map(|byte| if byte == b'?' { BAD.to_vec() } else { vec![byte] })
        .collect();
    let (acceptor, certificate) = acceptor(folder.path());
    config.trust(&certificate);
    config.divert(&format!("{ADDRESS}:80"), saying(answer.clone()).await);
    config.divert(&format!("{ADDRESS}:443"), saying_over_tls(acceptor, answer.clone()).await);
    let lines: &[&[u8]] = &[
        b"220 \xff\xfe\x80 ready\r\n",
        b"250-\xff\xed\xa0\x80\r\n250-\x80\x80\r\n250 STARTTLS \xff\r\n",
        b"220 \xff\r\n",
        b"\xff\xfe\xfd\xfc\xfb\r\n",
    ];
    config.divert("198.51.100.25:25", mail(lines).await);
    let registry =
        [b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"objectClassName\":\"", BAD, b"\"}"];
    config.set("rdap", format!("http://{}/", saying(registry.concat()).await));
    let ended = audit(&config.write(folder.path()), LIMIT).await;
    let outcomes = [
        Told("domain-registration"),
        Told("mail-transport"),
        Finding("web-headers", "nosniff-missing"),
    ];
    ended.holds("bytes that are no text", &outcomes).await;
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn registries_and_mail_servers_without_an_end_are_survived() {
    let deep = |before: &str, after: &str| {
        let nest = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{before}{nest}{after}").into_bytes()
    };
    let contact = deep(
        r#"{"objectClassName":"domain","entities":[{"roles":["registrar"],"vcardArray":"#,
        "}]}",
    );
    let alone = deep("", "");
    let unknown = deep(r#"{"objectClassName":"domain","notices":"#, "}");
    let body: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n[";
    let greeting = never_ending(b"220 ", b"mail without a line end ").await;
    let lines = never_ending(b"220-", b"more\r\n220-").await;
    for (name, registry, mail) in [
        ("a contact nested 100,000 deep", saying(contact).await, greeting),
        ("an answer nested 100,000 deep", saying(alone).await, lines),
        ("a notice nested 100,000 deep", saying(unknown).await, greeting),
        ("a registry that never ends", never_ending(body, b"[[[[[[[[[[[[[[[[").await, lines),
        (
            "headers of a registry that never end",
            never_ending(b"HTTP/1.1 200 OK\r\n", b"a: b\r\n").await,
            lines,
        ),
    ] {
        let Running { lab, folder, mut config } = Storm {
            records: vec![
                "@ 300 MX 10 mail.storm.example.".to_owned(),
                "mail 300 A 198.51.100.25".to_owned(),
            ],
            ..Storm::default()
        }
        .start()
        .await;
        config.set("rdap", format!("http://{registry}/"));
        config.divert("198.51.100.25:25", mail);
        let ended = audit(&config.write(folder.path()), LIMIT).await;
        ended.holds(name, &[Told("domain-registration"), Told("mail-transport")]).await;
        lab.stop().await;
    }
}
