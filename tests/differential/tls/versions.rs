//! Versions and cipher suites: what launchready's own greetings see, and what openssl and sslyze see.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use launchready_checks::probe::{HelloAnswer, HelloQuestion, Probes, ProtocolVersion, SuiteSet};
use rcgen::{KeyPair, PKCS_RSA_SHA256};
use serde_json::{Value, json};

use super::issue::{authority, server, sign};
use super::{ADDRESS, Host, PROGRAMS, nginx, probes};
use crate::ledger::{Compared, Said, settle};
use crate::look::yes;
use crate::peer;
use crate::port::free_port;
use crate::support::{has, program};

const NAME: &str = "harbor.example";

/// A kind of server: its key, the versions and the suites that nginx is told.
const SERVERS: [(&str, &str, &str, &str); 20] = [
    ("1.0 alone", "rsa", "TLSv1", "ALL"),
    ("1.1 alone", "rsa", "TLSv1.1", "ALL"),
    ("1.2 alone", "rsa", "TLSv1.2", "ALL"),
    ("1.3 alone", "rsa", "TLSv1.3", "ALL"),
    ("1.2 and 1.3", "rsa", "TLSv1.2 TLSv1.3", "ALL"),
    ("all versions", "rsa", "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3", "ALL"),
    ("all versions with a curve", "ecdsa", "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3", "ALL"),
    ("1.0 and 1.2", "rsa", "TLSv1 TLSv1.2", "ALL"),
    ("old versions", "ecdsa", "TLSv1 TLSv1.1", "ALL"),
    ("strong suites", "rsa", "TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256"),
    ("strong suites with a curve", "ecdsa", "TLSv1.2", "ECDHE-ECDSA-CHACHA20-POLY1305"),
    ("counter mode", "ecdsa", "TLSv1.2", "ECDHE-ECDSA-AES128-CCM"),
    ("short tag", "ecdsa", "TLSv1.2", "ECDHE-ECDSA-AES128-CCM8"),
    (
        "block cipher with a secret",
        "rsa",
        "TLSv1.2",
        "ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES256-SHA",
    ),
    ("no secret", "rsa", "TLSv1.2", "AES128-GCM-SHA256:AES256-SHA"),
    ("camellia", "rsa", "TLSv1.2", "CAMELLIA256-SHA:ECDHE-RSA-CAMELLIA128-SHA256"),
    ("aria", "rsa", "TLSv1.2", "ECDHE-ARIA128-GCM-SHA256"),
    ("no encryption", "rsa", "TLSv1.2", "NULL-SHA256"),
    ("no certificate", "rsa", "TLSv1.2", "AECDH-AES128-SHA"),
    ("old suites of 1.0", "rsa", "TLSv1", "AES128-SHA"),
];

/// How openssl calls a version.
const VERSIONS: [(ProtocolVersion, &str, &str); 4] = [
    (ProtocolVersion::Tls10, "-tls1", "1.0"),
    (ProtocolVersion::Tls11, "-tls1_1", "1.1"),
    (ProtocolVersion::Tls12, "-tls1_2", "1.2"),
    (ProtocolVersion::Tls13, "-tls1_3", "1.3"),
];

/// What each set of suites is in the words of openssl.
const SETS: [(&str, SuiteSet, &str); 2] = [
    ("forward secret", SuiteSet::ForwardSecret, "kECDHE:kDHE:!aNULL:!eNULL:@SECLEVEL=0"),
    (
        "strong",
        SuiteSet::Strong,
        "kECDHE+AESGCM:kECDHE+CHACHA20:kECDHE+AESCCM:kECDHE+ARIAGCM:kDHE+AESGCM:kDHE+CHACHA20:\
         kDHE+AESCCM:kDHE+ARIAGCM:!aNULL:!eNULL:@SECLEVEL=0",
    ),
];

async fn accepts(probes: &Probes, version: ProtocolVersion, suites: SuiteSet) -> bool {
    let question = HelloQuestion {
        host: NAME.to_owned(),
        address: Some(ADDRESS.parse().unwrap()),
        port: 443,
        version,
        suites,
    };
    match probes.tls.hello(question).await.unwrap() {
        HelloAnswer::Accepted { version: chosen, .. } => chosen == version,
        HelloAnswer::Rejected { .. } => false,
    }
}

fn openssl(at: SocketAddr, version: &str, suites: &str) -> bool {
    let output = Command::new(program("openssl").unwrap())
        .args(["s_client", "-connect", &at.to_string(), "-servername", NAME, version])
        .args(["-cipher", suites])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().any(|line| line.starts_with("New, ") && !line.contains("(NONE)"))
}

async fn ours(probes: &Probes) -> Said {
    let mut said = Said::new();
    for (version, _, name) in VERSIONS {
        said.insert(name, yes(accepts(probes, version, SuiteSet::All).await));
    }
    for (aspect, set, _) in SETS {
        said.insert(aspect, yes(accepts(probes, ProtocolVersion::Tls12, set).await));
    }
    said
}

fn by_openssl(at: SocketAddr) -> Said {
    let every = "ALL:COMPLEMENTOFALL:@SECLEVEL=0";
    let mut said: Said =
        VERSIONS.iter().map(|(_, option, name)| (*name, yes(openssl(at, option, every)))).collect();
    for (aspect, _, suites) in SETS {
        said.insert(aspect, yes(openssl(at, "-tls1_2", suites)));
    }
    said
}

fn by_sslyze(answer: &Value) -> Said {
    let suites = |version: &str| answer[version].as_array().unwrap();
    let mut said: Said =
        VERSIONS.iter().map(|(_, _, name)| (*name, yes(!suites(name).is_empty()))).collect();
    let any = |fits: fn(&str) -> bool| yes(suites("1.2").iter().any(|s| fits(s.as_str().unwrap())));
    let is_secret = |name: &str| name.starts_with("TLS_ECDHE_") || name.starts_with("TLS_DHE_");
    said.insert("forward secret", any(is_secret));
    let is_strong = |name: &str| {
        let sealed = ["GCM", "CHACHA20", "CCM"].iter().any(|mode| name.contains(mode));
        sealed && (name.starts_with("TLS_ECDHE_") || name.starts_with("TLS_DHE_"))
    };
    said.insert("strong", any(is_strong));
    said
}

fn keys(folder: &Path) -> Vec<u8> {
    let root = authority("The Root", None, |_| {});
    for (stem, key) in [
        ("rsa", KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap()),
        ("ecdsa", KeyPair::generate().unwrap()),
    ] {
        let leaf = sign(&server(&[NAME]), &key, Some(&root));
        std::fs::write(folder.join(format!("{stem}.pem")), leaf).unwrap();
        std::fs::write(folder.join(format!("{stem}.key")), key.serialize_pem()).unwrap();
    }
    root.der
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_and_suites_are_seen_as_openssl_and_sslyze_see_them() {
    let test = "versions";
    if !has(test, &PROGRAMS) || !peer::has(test, "sslyze") {
        return;
    }
    let folder = tempfile::Builder::new().prefix("launchready-").tempdir().unwrap();
    let root = keys(folder.path());
    let hosts: Vec<Host> = SERVERS
        .iter()
        .map(|(_, key, versions, suites)| Host {
            at: free_port(),
            name: NAME.to_owned(),
            stem: (*key).to_owned(),
            more: format!("ssl_protocols {versions}; ssl_ciphers {suites}:@SECLEVEL=0;"),
        })
        .collect();
    let _server = nginx(folder.path(), &hosts);
    let ports: Vec<u16> = hosts.iter().map(|host| host.at.port()).collect();
    let question = json!({ "ports": ports, "host": NAME, "what": "versions" });
    let answers = peer::ask("sslyze", "tls.py", &question);
    let (mut openssl, mut sslyze) = (Vec::new(), Vec::new());
    for (nth, ((family, ..), host)) in SERVERS.iter().zip(&hosts).enumerate() {
        let ours = ours(&probes(host.at, &root, String::new())).await;
        let (client, answer) = (by_openssl(host.at), &answers[nth]);
        let input = format!("{ours:?}\n{client:?}\n{answer}");
        let compared = |peer| Compared {
            family: (*family).to_owned(),
            input: input.clone(),
            ours: ours.clone(),
            peer,
        };
        openssl.push(compared(client));
        // sslyze offers no suite without a certificate or encryption in its first greeting.
        if answer["error"].is_null() {
            sslyze.push(compared(by_sslyze(answer)));
        }
    }
    settle("tls-protocol", "openssl", &openssl);
    settle("tls-protocol", "sslyze", &sslyze);
}
