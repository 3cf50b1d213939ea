//! The SMTP port: greeting, EHLO and STARTTLS with one mail server, then out again (RFC 5321, 3207).
//! No mail is ever handed over.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use launchready_checks::probe::{
    AgentFault, Answer, ProbeError, Smtp, SmtpAnswer, SmtpQuestion, TargetFault, TlsAnswer,
};
use tokio::io::{
    AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _,
    BufReader,
};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::limits::{Hosts, Limits, Sharers};
use super::route::{Dialer, blame};
use super::tls::TlsProbe;

/// How long connecting may take; a mail server that is far away and busy still answers in this time.
const CONNECT: Duration = Duration::from_secs(5);
/// How long the whole conversation may take, the handshake included.
const CONVERSATION: Duration = Duration::from_secs(15);
/// How long taking leave may take.
const LEAVE: Duration = Duration::from_millis(500);
/// The most bytes of one line (RFC 5321 4.5.3.1.5 has 512) and the most lines of one reply.
const LINE: u64 = 4096;
const LINES: usize = 64;
/// The most characters of the greeting that are kept.
const BANNER: usize = 512;
/// Conversations that may go on at once, in all and with one address.
const OPEN: usize = 16;
pub(super) const OPEN_PER_ADDRESS: usize = 2;

/// Talks to mail servers.
#[derive(Debug)]
pub struct SmtpProbe {
    dialer: Arc<Dialer>,
    tls: Arc<TlsProbe>,
    limits: Limits,
    /// Some mail server was reached, so the network lets such connections out.
    reached: AtomicBool,
}

/// A reply: its code and the text of its lines.
#[derive(Debug, PartialEq, Eq)]
struct Reply {
    code: u16,
    lines: Vec<String>,
}

impl Reply {
    fn text(&self) -> String {
        self.lines.join(" ").chars().take(BANNER).collect()
    }
}

impl SmtpProbe {
    /// Connects through `dialer`; `tls` shakes hands after STARTTLS.
    pub fn new(dialer: Arc<Dialer>, tls: Arc<TlsProbe>) -> Self {
        let hosts = Arc::new(Hosts::new(OPEN_PER_ADDRESS, &Sharers::default()));
        let limits = Limits::new(OPEN, &hosts);
        Self { dialer, tls, limits, reached: AtomicBool::new(false) }
    }

    /// The same, with what may be open to one address shared with others.
    #[must_use]
    pub fn sharing(self, hosts: &Arc<Hosts>) -> Self {
        Self { limits: Limits::new(OPEN, hosts), ..self }
    }

    async fn talk(&self, question: &SmtpQuestion) -> Result<SmtpAnswer, ProbeError> {
        let SmtpQuestion { host, address, port } = question;
        let _permit = self.limits.enter(&address.to_string()).await;
        let connected = self.dialer.tcp(host, *address, *port, CONNECT).await;
        let stream = match connected {
            Err(ProbeError::Target(TargetFault::TimedOut(what))) => {
                return Err(self.silence(host, *port, what));
            }
            other => other?,
        };
        self.reached.store(true, Ordering::Relaxed);
        let late = |_elapsed| TargetFault::TimedOut(format!("{host} at {address} port {port}"));
        timeout(CONVERSATION, self.converse(stream, host, *address)).await.map_err(late)?
    }

    /// Many networks drop outgoing connections to port 25: as long as no mail server was ever
    /// reached, silence is that and not the server's fault.
    fn silence(&self, host: &str, port: u16, what: String) -> ProbeError {
        let is_redirected = self.dialer.fixed(host, port).is_some();
        if port == 25 && !is_redirected && !self.reached.load(Ordering::Relaxed) {
            AgentFault::PortBlocked(port).into()
        } else {
            TargetFault::TimedOut(what).into()
        }
    }

    async fn converse(
        &self,
        stream: TcpStream,
        host: &str,
        address: IpAddr,
    ) -> Result<SmtpAnswer, ProbeError> {
        let what = format!("{host} at {address}");
        let name = own_name(stream.local_addr().ok());
        let mut stream = BufReader::new(stream);
        let greeting = reply(&mut stream, &what).await?;
        if greeting.code != 220 {
            leave(stream.get_mut()).await;
            return Err(turned_away(&what, &greeting));
        }
        let hello = ask(&mut stream, &format!("EHLO {name}"), &what).await?;
        let mut answer = said(&greeting, &hello);
        if !answer.extensions.iter().any(|keyword| keyword == "STARTTLS") {
            leave(stream.get_mut()).await;
            return Ok(answer);
        }
        answer.starttls = Some(self.upgrade(stream, host, address, &what).await.into());
        Ok(answer)
    }

    async fn upgrade(
        &self,
        mut stream: BufReader<TcpStream>,
        host: &str,
        address: IpAddr,
        what: &str,
    ) -> Result<TlsAnswer, ProbeError> {
        let ready = ask(&mut stream, "STARTTLS", what).await?;
        if ready.code != 220 {
            leave(stream.get_mut()).await;
            let text = format!("{what}: STARTTLS is answered with {} {}", ready.code, ready.text());
            return Err(TargetFault::Tls(text).into());
        }
        if !stream.buffer().is_empty() {
            // Plain text that a client would take for protected: a command injection (RFC 3207 5).
            let text = format!("{what}: plain text after the answer to STARTTLS");
            return Err(TargetFault::Malformed(text).into());
        }
        let (shaken, mut stream) = self.tls.over(stream.into_inner(), host, address, None).await?;
        leave(&mut stream).await;
        drop(stream);
        Ok(self.tls.judge(shaken).await)
    }
}

impl Smtp for SmtpProbe {
    fn greet(&self, question: SmtpQuestion) -> Answer<'_, Result<SmtpAnswer, ProbeError>> {
        Box::pin(async move { self.talk(&question).await })
    }
}

/// How this machine calls itself: its address as a literal (RFC 5321 4.1.3), because it has no name
/// that a mail server could look up.
fn own_name(local: Option<SocketAddr>) -> String {
    match local.map(|local| local.ip()) {
        Some(IpAddr::V4(v4)) => format!("[{v4}]"),
        Some(IpAddr::V6(v6)) => format!("[IPv6:{v6}]"),
        None => "[127.0.0.1]".to_owned(),
    }
}

/// A server that does not greet: mail servers turn away addresses of homes and clouds, which says
/// nothing about the server.
fn turned_away(what: &str, greeting: &Reply) -> ProbeError {
    let text = format!("{what} answers {} {}", greeting.code, greeting.text());
    match greeting.code {
        400..=499 => AgentFault::RateLimited(text).into(),
        500..=599 => AgentFault::TurnedAway(text).into(),
        _ => TargetFault::Malformed(text).into(),
    }
}

/// The keywords of an EHLO reply, without its first line, in upper case (RFC 5321 4.1.1.1).
fn keywords(reply: &Reply) -> Vec<String> {
    let lines = reply.lines.iter().skip(1);
    lines.map(|line| line.trim().to_ascii_uppercase()).filter(|line| !line.is_empty()).collect()
}

async fn ask(
    stream: &mut BufReader<TcpStream>,
    command: &str,
    what: &str,
) -> Result<Reply, ProbeError> {
    let line = format!("{command}\r\n");
    let sent = stream.get_mut().write_all(line.as_bytes()).await;
    sent.map_err(|error| blame(&error, what.to_owned()))?;
    reply(stream, what).await
}

/// Reads one reply: lines `250-…` and a last line `250 …` (RFC 5321 4.2.1).
async fn reply<S: AsyncBufRead + Unpin>(stream: &mut S, what: &str) -> Result<Reply, ProbeError> {
    let malformed = |why: &str| ProbeError::from(TargetFault::Malformed(format!("{what}: {why}")));
    let mut lines = Vec::new();
    while lines.len() < LINES {
        let mut bytes = Vec::new();
        let read = (&mut *stream).take(LINE).read_until(b'\n', &mut bytes).await;
        read.map_err(|error| blame(&error, what.to_owned()))?;
        if bytes.is_empty() {
            return Err(malformed("the server hung up in the middle of the conversation"));
        }
        if bytes.last() != Some(&b'\n') {
            return Err(malformed("a line without an end"));
        }
        let line = String::from_utf8_lossy(&bytes);
        let (code, last, text) =
            parse(&line).ok_or_else(|| malformed("a line that is no SMTP reply"))?;
        lines.push(text);
        if last {
            return Ok(Reply { code, lines });
        }
    }
    Err(TargetFault::TooLarge(format!("{what}: a reply of more than {LINES} lines")).into())
}

/// What a greeting and the answer to EHLO say, from the bytes alone.
pub(super) async fn read_conversation(mut bytes: &[u8]) -> Result<SmtpAnswer, ProbeError> {
    let greeting = reply(&mut bytes, "the mail server").await?;
    if greeting.code != 220 {
        return Err(turned_away("the mail server", &greeting));
    }
    let hello = reply(&mut bytes, "the mail server").await?;
    Ok(said(&greeting, &hello))
}

/// The answer to the port, before STARTTLS.
fn said(greeting: &Reply, hello: &Reply) -> SmtpAnswer {
    let extensions = if hello.code == 250 { keywords(hello) } else { Vec::new() };
    SmtpAnswer { banner: greeting.text(), extensions, starttls: None }
}

/// Code, whether it is the last line, and text.
fn parse(line: &str) -> Option<(u16, bool, String)> {
    let line = line.trim_end();
    let (code, rest) = line.split_at_checked(3)?;
    let code = code.parse().ok().filter(|code| (200..600).contains(code))?;
    let last = match rest.chars().next() {
        None | Some(' ') => true,
        Some('-') => false,
        Some(_) => return None,
    };
    let text = rest.get(1..).unwrap_or_default();
    Some((code, last, text.chars().take(BANNER).collect()))
}

/// Says good-bye; nobody minds if that fails.
async fn leave<S: AsyncWrite + Unpin>(stream: &mut S) {
    let goodbye = async {
        stream.write_all(b"QUIT\r\n").await.ok()?;
        stream.shutdown().await.ok()
    };
    drop(timeout(LEAVE, goodbye).await);
}
