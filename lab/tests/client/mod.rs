//! Small clients that ask the lab's servers what a product would ask.
#![allow(dead_code, reason = "each file of tests uses a part of it")]

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::op::{Edns, Message, Query};
use hickory_proto::rr::{Name, RecordType};
use jiff::Timestamp;
use launchready_lab::{Lab, LabOptions, World};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The time in every world of these tests.
pub(crate) const NOW: Timestamp = Timestamp::constant(1_789_473_600, 0);
/// Nothing on loopback takes so long.
const LONG: Duration = Duration::from_mins(1);

/// A running lab and its folder.
pub(crate) struct Running {
    pub(crate) lab: Lab,
    pub(crate) dir: tempfile::TempDir,
}

impl Running {
    pub(crate) async fn healthy() -> Self {
        Self::start(&World::load("healthy").unwrap(), Duration::ZERO).await
    }

    pub(crate) async fn start(world: &World, delay: Duration) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = LabOptions { now: NOW, delay, speed: 1.0, dir: dir.path().to_owned() };
        Self { lab: Lab::start(world, options).await.unwrap(), dir }
    }

    /// Where an address of the world really is.
    pub(crate) fn at(&self, from: &str) -> SocketAddr {
        self.lab.route(from.parse().unwrap()).unwrap_or_else(|| panic!("nothing at {from}"))
    }
}

/// A world of one zone, `one.test`, that holds these records.
pub(crate) fn world_of_zone(records: &str) -> String {
    format!(
        "[project]\n[name_server]\n[resolver.only]\n[zone.\"one.test\"]\nrecords = [\n\
         '@ 300 SOA ns.one.test. x.one.test. 1 2 3 4 5', {records}]\n"
    )
}

/// A DNS question.
#[derive(Clone, Copy)]
#[allow(clippy::struct_excessive_bools, reason = "the bits of the protocol")]
pub(crate) struct Ask<'a> {
    pub(crate) name: &'a str,
    pub(crate) kind: RecordType,
    pub(crate) tcp: bool,
    pub(crate) edns: bool,
    pub(crate) signed: bool,
    pub(crate) unchecked: bool,
}

impl<'a> Ask<'a> {
    pub(crate) fn new(name: &'a str, kind: RecordType) -> Self {
        Self { name, kind, tcp: false, edns: true, signed: false, unchecked: false }
    }

    pub(crate) async fn at(self, server: SocketAddr) -> Message {
        let mut message = Message::query();
        message.metadata.recursion_desired = true;
        message.metadata.checking_disabled = self.unchecked;
        message.add_query(Query::query(Name::from_ascii(self.name).unwrap(), self.kind));
        if self.edns {
            let mut edns = Edns::new();
            edns.set_max_payload(1232).set_dnssec_ok(self.signed);
            message.set_edns(edns);
        }
        let bytes = message.to_vec().unwrap();
        let answer = async {
            if self.tcp {
                let mut stream = TcpStream::connect(server).await.unwrap();
                stream.write_u16(bytes.len().try_into().unwrap()).await.unwrap();
                stream.write_all(&bytes).await.unwrap();
                let mut answer = vec![0; stream.read_u16().await.unwrap().into()];
                stream.read_exact(&mut answer).await.unwrap();
                answer
            } else {
                let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
                socket.send_to(&bytes, server).await.unwrap();
                let mut answer = vec![0; 4096];
                let length = socket.recv(&mut answer).await.unwrap();
                answer.truncate(length);
                answer
            }
        };
        let answer = Message::from_vec(&timeout(LONG, answer).await.unwrap()).unwrap();
        assert_eq!(answer.metadata.id, message.metadata.id);
        answer
    }
}

/// A client that trusts the lab's root and takes the world's time for its own.
pub(crate) struct Client {
    config: Arc<ClientConfig>,
}

impl Client {
    pub(crate) fn new(lab: &Running) -> Self {
        Self::trusting(lab.dir.path())
    }

    /// Trusts the root in `ca.pem` of a folder.
    pub(crate) fn trusting(dir: &std::path::Path) -> Self {
        let pem = std::fs::read(dir.join("ca.pem")).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&pem).unwrap()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AtWorldTime(verifier.build().unwrap())))
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        Self { config: Arc::new(config) }
    }

    async fn connect(
        &self,
        at: SocketAddr,
        host: &str,
        h2: bool,
    ) -> io::Result<TlsStream<TcpStream>> {
        let mut config = ClientConfig::clone(&self.config);
        if h2 {
            config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        }
        let name = ServerName::try_from(host.to_owned()).unwrap();
        let stream = TcpStream::connect(at).await?;
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }

    /// Speaks TLS on a connection that is already open.
    pub(crate) async fn wrap(
        &self,
        stream: TcpStream,
        host: &str,
    ) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(host.to_owned()).unwrap();
        TlsConnector::from(Arc::clone(&self.config)).connect(name, stream).await
    }

    /// The protocol that is chosen when both versions of HTTP are offered.
    pub(crate) async fn protocol(&self, at: SocketAddr, host: &str) -> String {
        let stream = self.connect(at, host, true).await.unwrap();
        String::from_utf8_lossy(stream.get_ref().1.alpn_protocol().unwrap()).into_owned()
    }

    /// One request over TLS; the whole answer.
    pub(crate) async fn secure(
        &self,
        at: SocketAddr,
        host: &str,
        line: &str,
        headers: &str,
    ) -> io::Result<String> {
        let mut stream = self.connect(at, host, false).await?;
        stream.write_all(request(host, line, headers).as_bytes()).await?;
        let mut answer = Vec::new();
        timeout(LONG, stream.read_to_end(&mut answer)).await.unwrap()?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    /// One request without TLS; the whole answer.
    pub(crate) async fn plain_bytes(
        &self,
        at: SocketAddr,
        host: &str,
        line: &str,
        headers: &str,
    ) -> Vec<u8> {
        let mut stream = TcpStream::connect(at).await.unwrap();
        stream.write_all(request(host, line, headers).as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        timeout(LONG, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
        answer
    }

    pub(crate) async fn plain(
        &self,
        at: SocketAddr,
        host: &str,
        line: &str,
        headers: &str,
    ) -> String {
        String::from_utf8_lossy(&self.plain_bytes(at, host, line, headers).await).into_owned()
    }

    /// Reads an answer that has no end until so many bytes have come.
    pub(crate) async fn read_at_least(&self, at: SocketAddr, host: &str, enough: usize) -> usize {
        let mut stream = self.connect(at, host, false).await.unwrap();
        stream.write_all(request(host, "GET /", "").as_bytes()).await.unwrap();
        let mut buffer = vec![0; 64 * 1024];
        let mut read = 0;
        while read < enough {
            match timeout(LONG, stream.read(&mut buffer)).await.unwrap().unwrap() {
                0 => break,
                n => read += n,
            }
        }
        read
    }

    /// The answers to EHLO before and after STARTTLS.
    pub(crate) async fn starttls(&self, at: SocketAddr, host: &str) -> (String, String) {
        let mut plain = BufReader::new(TcpStream::connect(at).await.unwrap());
        assert!(reply(&mut plain).await.starts_with(&format!("220 {host} ESMTP")));
        plain.write_all(b"EHLO client.test\r\n").await.unwrap();
        let before = reply(&mut plain).await;
        plain.write_all(b"STARTTLS\r\n").await.unwrap();
        assert!(reply(&mut plain).await.starts_with("220 "));
        let name = ServerName::try_from(host.to_owned()).unwrap();
        let secure = TlsConnector::from(Arc::clone(&self.config));
        let stream = secure.connect(name, plain.into_inner()).await.unwrap();
        let mut secure = BufReader::new(stream);
        secure.write_all(b"EHLO client.test\r\n").await.unwrap();
        let after = reply(&mut secure).await;
        secure.write_all(b"QUIT\r\n").await.unwrap();
        assert!(reply(&mut secure).await.starts_with("221 "));
        (before, after)
    }
}

/// Whether an error of the TLS library names this defect.
pub(crate) fn says(error: &str, word: &str) -> bool {
    let text = error.to_ascii_lowercase();
    match word {
        "Expired" => text.contains("expired"),
        "NotValidYet" => text.contains("not valid yet"),
        "NotValidForName" => text.contains("not valid for name"),
        "UnknownIssuer" => text.contains("unknownissuer") || text.contains("unknown issuer"),
        _ => false,
    }
}

/// Sends a hello of SSL 3.0, TLS 1.0 or TLS 1.1 and reads the answer to its end. SSL 3.0 has no
/// extensions, so it names no host.
pub(crate) async fn old_hello(at: SocketAddr, host: &str, minor: u8) -> Vec<u8> {
    let name = host.as_bytes();
    let length = |n: usize| u16::try_from(n).unwrap().to_be_bytes();
    let mut body = vec![3, minor];
    body.extend([9; 32]);
    body.extend([0, 0, 6, 0xc0, 0x13, 0, 0x2f, 0, 0x0a, 1, 0]);
    if minor > 0 {
        body.extend(length(name.len() + 9));
        body.extend([0, 0]);
        body.extend(length(name.len() + 5));
        body.extend(length(name.len() + 3));
        body.push(0);
        body.extend(length(name.len()));
        body.extend(name);
    }
    let mut record = vec![22, 3, 0];
    record.extend(length(body.len() + 4));
    record.extend([1, 0]);
    record.extend(length(body.len()));
    record.extend(body);
    let mut stream = TcpStream::connect(at).await.unwrap();
    stream.write_all(&record).await.unwrap();
    let mut answer = Vec::new();
    timeout(LONG, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    answer
}

fn request(host: &str, line: &str, headers: &str) -> String {
    format!("{line} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{headers}\r\n")
}

/// The lines of one SMTP reply.
async fn reply<S: tokio::io::AsyncRead + Unpin>(stream: &mut BufReader<S>) -> String {
    let mut reply = String::new();
    loop {
        let mut line = String::new();
        timeout(LONG, stream.read_line(&mut line)).await.unwrap().unwrap();
        reply.push_str(&line);
        if line.get(3..4) != Some("-") {
            return reply;
        }
    }
}

/// Verifies as browsers do, at the time of the world.
#[derive(Debug)]
struct AtWorldTime(Arc<WebPkiServerVerifier>);

impl rustls::client::danger::ServerCertVerifier for AtWorldTime {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        let now = Duration::from_secs(u64::try_from(NOW.as_second()).unwrap());
        let now = UnixTime::since_unix_epoch(now);
        self.0.verify_server_cert(leaf, intermediates, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
