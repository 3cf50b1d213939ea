//! Against `openssl s_server`.

use std::process::Stdio;

use launchready_checks::probe::{
    HelloAnswer, KeyKind, ProbeError, ProtocolVersion, SuiteSet, TargetFault, Trust,
};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::authority::{Authority, Folder, Leaf, access};
use crate::port::free_port;
use crate::support;
use crate::world::Looker;

fn has_openssl(test: &str) -> bool {
    support::has(test, &["openssl"])
}

/// A running server, stopped when dropped.
struct Server {
    _child: Child,
    port: u16,
}

impl Server {
    async fn start(folder: &Folder, leaf: &Leaf, above: &[&Authority], more: &[&str]) -> Self {
        let certificate = folder.write("leaf.pem", &leaf.pem);
        let key = folder.write("leaf.key", &leaf.key);
        let chain: String = above.iter().map(|authority| authority.pem.as_str()).collect();
        let chain = folder.write("chain.pem", chain);
        let mut arguments = vec!["-cert", &certificate, "-key", &key];
        if !above.is_empty() {
            arguments.extend(["-cert_chain", &chain]);
        }
        arguments.extend(more);
        Self::run(&arguments).await
    }

    async fn run(arguments: &[&str]) -> Self {
        let port = free_port().port();
        let mut child = Command::new("openssl")
            .args(["s_server", "-accept", &format!("127.0.0.1:{port}"), "-www"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        // It says ACCEPT when it listens.
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        loop {
            let line = lines.next_line().await.unwrap();
            if line.expect("openssl s_server started").starts_with("ACCEPT") {
                break;
            }
        }
        // Whatever else it says must be read, or it stops at a full pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { _child: child, port }
    }

    fn look(&self) -> Looker {
        Looker::at(self.port)
    }
}

async fn accepts(server: &Server, version: ProtocolVersion, suites: SuiteSet) -> bool {
    match server.look().hello(version, suites).await.unwrap() {
        HelloAnswer::Accepted { version: chosen, suite } => {
            // A greeting names the newest version of the client: an older one may be the answer.
            assert!(suite.starts_with("TLS_"), "{suite}");
            chosen == version
        }
        HelloAnswer::Rejected { .. } => false,
    }
}

#[tokio::test]
async fn a_greeting_sees_the_version_that_a_server_speaks_and_no_other() {
    if !has_openssl("versions") {
        return;
    }
    let root = Authority::root("Test Root");
    let leaf = root.issue_with(&["harbor.example"], true, |_| {});
    let cases: [(ProtocolVersion, &[&str]); 4] = [
        (ProtocolVersion::Tls10, &["-tls1", "-cipher", "ALL:@SECLEVEL=0"]),
        (ProtocolVersion::Tls11, &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]),
        (ProtocolVersion::Tls12, &["-tls1_2"]),
        (ProtocolVersion::Tls13, &["-tls1_3"]),
    ];
    for (spoken, arguments) in cases {
        let folder = Folder::new();
        let server = Server::start(&folder, &leaf, &[], arguments).await;
        for version in ProtocolVersion::ALL {
            let accepted = accepts(&server, version, SuiteSet::All).await;
            assert_eq!(accepted, version == spoken, "{spoken:?} asked for {version:?}");
        }
        let answer = server.look().trusting(&root.der).handshake("harbor.example").await;
        if spoken >= ProtocolVersion::Tls12 {
            let answer = answer.unwrap();
            assert_eq!((answer.version, answer.trust), (spoken, Trust::Trusted));
            assert_eq!(answer.chain[0].names, ["harbor.example"]);
            assert!(answer.suite.starts_with("TLS_"), "{}", answer.suite);
        } else {
            assert!(matches!(answer, Err(ProbeError::Target(TargetFault::Tls(_)))), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn a_greeting_with_fewer_suites_sees_weak_servers() {
    if !has_openssl("suites") {
        return;
    }
    let leaf = Authority::root("Test Root").issue_with(&["harbor.example"], true, |_| {});
    for (cipher, secret, strong) in [
        ("AES128-SHA", false, false),
        ("ECDHE-RSA-AES128-SHA", true, false),
        ("ECDHE-RSA-AES128-GCM-SHA256", true, true),
    ] {
        let folder = Folder::new();
        let server = Server::start(&folder, &leaf, &[], &["-tls1_2", "-cipher", cipher]).await;
        let version = ProtocolVersion::Tls12;
        assert!(accepts(&server, version, SuiteSet::All).await, "{cipher}");
        assert_eq!(accepts(&server, version, SuiteSet::ForwardSecret).await, secret, "{cipher}");
        assert_eq!(accepts(&server, version, SuiteSet::Strong).await, strong, "{cipher}");
    }
}

#[tokio::test]
async fn each_defect_of_a_certificate_has_its_verdict() {
    if !has_openssl("verdicts") {
        return;
    }
    let (root, folder) = (Authority::root("Test Root"), Folder::new());
    let leaf = root.issue(&["harbor.example"]);
    let server = Server::start(&folder, &leaf, &[], &[]).await;
    let look = || server.look().trusting(&root.der);
    let verdict = async |looker: Looker, host| looker.handshake(host).await.unwrap().trust;
    assert_eq!(verdict(look(), "harbor.example").await, Trust::Trusted);
    assert_eq!(verdict(look(), "www.harbor.example").await, Trust::NameMismatch);
    assert_eq!(verdict(server.look(), "harbor.example").await, Trust::UnknownIssuer);
    let late = Looker { now: Some("2039-06-01T00:00:00Z"), ..look() };
    assert_eq!(verdict(late, "harbor.example").await, Trust::Expired);
    let early = Looker { now: Some("2024-06-01T00:00:00Z"), ..look() };
    assert_eq!(verdict(early, "harbor.example").await, Trust::NotYetValid);
}

#[tokio::test]
async fn a_missing_intermediate_is_found_where_its_issuer_publishes_it() {
    if !has_openssl("missing intermediate") {
        return;
    }
    let root = Authority::root("Test Root");
    let middle = root.intermediate("Test Issuing");
    let url = "http://issuer.test/issuing.der";
    let leaf = middle.issue_with(&["harbor.example"], false, |params| {
        params.custom_extensions.push(access(2, url));
    });
    let folder = Folder::new();
    let alone = Server::start(&folder, &leaf, &[], &[]).await;
    let look = || alone.look().trusting(&root.der);
    let answer = look().publishing(url, &middle.der).handshake("harbor.example").await.unwrap();
    assert_eq!((answer.trust, answer.chain.len()), (Trust::Incomplete, 1));
    // Published nowhere, or something else published.
    for looker in [look(), look().publishing(url, &root.der), look().publishing(url, b"404")] {
        let answer = looker.handshake("harbor.example").await.unwrap();
        assert_eq!(answer.trust, Trust::UnknownIssuer);
    }
    let folder = Folder::new();
    let whole = Server::start(&folder, &leaf, &[&middle], &[]).await;
    let answer = whole.look().trusting(&root.der).handshake("harbor.example").await.unwrap();
    assert_eq!((answer.trust, answer.chain.len()), (Trust::Trusted, 2));
}

/// An OCSP answer of `signer` about the certificate in `leaf.pem`, made by openssl.
fn ocsp_answer(
    folder: &Folder,
    revoked: bool,
    authority: &Authority,
    signer: &Authority,
) -> Vec<u8> {
    let state = if revoked { "R\t390101000000Z\t250601000000Z" } else { "V\t390101000000Z\t" };
    let index = folder.write("index.txt", format!("{state}\t4A11\tunknown\t/CN=harbor.example\n"));
    let issuer = folder.write("issuer.pem", &authority.pem);
    let signer_pem = folder.write("signer.pem", &signer.pem);
    let key = folder.write("signer.key", signer.key.serialize_pem());
    let out = folder.path("answer.der");
    let certificate = folder.path("leaf.pem");
    let status = std::process::Command::new("openssl")
        .args(["ocsp", "-index", &index, "-CA", &issuer, "-rsigner", &signer_pem, "-rkey", &key])
        .args(["-issuer", &issuer, "-cert", &certificate, "-ndays", "7", "-noverify"])
        .args(["-respout", &out])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "openssl ocsp");
    folder.read("answer.der")
}

#[tokio::test]
async fn a_revocation_is_believed_only_when_the_issuer_signed_it() {
    if !has_openssl("revocation") {
        return;
    }
    let (root, stranger) = (Authority::root("Test Root"), Authority::root("Test Stranger"));
    let url = "http://ocsp.test";
    let leaf = root.issue_with(&["harbor.example"], false, |params| {
        params.custom_extensions.push(access(1, url));
    });
    for (revoked, signer, expected) in [
        (true, &root, (Trust::Revoked, Some(true))),
        (false, &root, (Trust::Trusted, Some(false))),
        (true, &stranger, (Trust::Trusted, None)),
    ] {
        let folder = Folder::new();
        folder.write("leaf.pem", &leaf.pem);
        let answer = ocsp_answer(&folder, revoked, &root, signer);
        let staple = folder.path("answer.der");
        let stapling = Server::start(&folder, &leaf, &[&root], &["-status_file", &staple]).await;
        let seen = stapling.look().trusting(&root.der).handshake("harbor.example").await.unwrap();
        assert_eq!((seen.trust, seen.revoked), expected, "stapled");

        let folder = Folder::new();
        let plain = Server::start(&folder, &leaf, &[&root], &[]).await;
        let looker = plain.look().trusting(&root.der).publishing(url, &answer);
        let seen = looker.handshake("harbor.example").await.unwrap();
        assert_eq!((seen.trust, seen.revoked), expected, "fetched");
    }
}

#[tokio::test]
async fn both_certificates_of_a_pair_are_seen() {
    if !has_openssl("pair") {
        return;
    }
    let (root, folder) = (Authority::root("Test Root"), Folder::new());
    let (ec, rsa) =
        (root.issue(&["harbor.example"]), root.issue_with(&["harbor.example"], true, |_| {}));
    let certificate = folder.write("rsa.pem", &rsa.pem);
    let key = folder.write("rsa.key", &rsa.key);
    let server = Server::start(&folder, &ec, &[], &["-dcert", &certificate, "-dkey", &key]).await;
    for (ecdsa, kind) in [(Some(true), KeyKind::Ecdsa), (Some(false), KeyKind::Rsa)] {
        let looker = server.look().trusting(&root.der);
        let answer = looker.handshake_for("harbor.example", ecdsa).await.unwrap();
        assert_eq!((answer.chain[0].key, answer.trust), (kind, Trust::Trusted));
    }
    let folder = Folder::new();
    let alone = Server::start(&folder, &ec, &[], &[]).await;
    let answer = alone.look().handshake_for("harbor.example", Some(false)).await;
    assert!(matches!(answer, Err(ProbeError::Target(TargetFault::Tls(_)))), "{answer:?}");
}

#[tokio::test]
async fn a_short_key_and_a_self_made_authority_do_not_end_the_look() {
    if !has_openssl("short key") {
        return;
    }
    let folder = Folder::new();
    let (certificate, key) = (folder.path("short.pem"), folder.path("short.key"));
    let made = std::process::Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:1024", "-nodes", "-days", "30"])
        .args(["-subj", "/CN=harbor.example", "-addext", "subjectAltName=DNS:harbor.example"])
        .args(["-out", &certificate, "-keyout", &key])
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(made.success());
    for version in ["-tls1_2", "-tls1_3"] {
        let arguments =
            ["-cert", &certificate, "-key", &key, version, "-cipher", "ALL:@SECLEVEL=0"];
        let server = Server::run(&arguments).await;
        let looker = server.look().trusting(&Authority::root("Test Root").der);
        let answer = looker.handshake("harbor.example").await.unwrap();
        assert_eq!((answer.chain[0].key, answer.chain[0].key_bits), (KeyKind::Rsa, 1024));
        assert_eq!(answer.trust, Trust::SelfSigned);
    }
}

#[tokio::test]
async fn a_certificate_with_thousands_of_names_is_counted_or_refused() {
    if !has_openssl("many names") {
        return;
    }
    let root = Authority::root("Test Root");
    let names: Vec<String> = (0..10_000).map(|n| format!("shop-{n}.harbor.example")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let folder = Folder::new();
    let large = Server::start(&folder, &root.issue(&names[..2_000]), &[], &[]).await;
    let looker = large.look().trusting(&root.der);
    let answer = looker.handshake("shop-1999.harbor.example").await.unwrap();
    assert_eq!(answer.trust, Trust::Trusted);
    assert_eq!(answer.chain[0].names.len() + answer.chain[0].names_cut, 2_000);
    let folder = Folder::new();
    let huge = Server::start(&folder, &root.issue(&names), &[], &[]).await;
    let answer = huge.look().handshake("harbor.example").await;
    assert!(matches!(answer, Err(ProbeError::Target(TargetFault::TooLarge(_)))), "{answer:?}");
}
