//! One conversation (RFC 5321), with STARTTLS (3207), AUTH (4954) and SIZE (1870).

use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio_rustls::TlsAcceptor;

use super::message::MailEnvelope;
use super::{Inside, Mail, MailFault, Port};
use crate::link::Link;
use crate::mail::{line, send};

/// The longest command that is read; RFC 4954 section 4.5 asks for 12,288 bytes.
const COMMAND: u64 = 12_288;
/// The longest piece of a mail that is read at once.
const PIECE: u64 = 64 * 1024;
/// The most recipients of one mail, as RFC 5321 section 4.5.3.1.8 asks for at least.
const RECIPIENTS: usize = 100;

/// How a conversation goes on.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Command,
    StartTls,
    End,
    /// Nothing more is said, until the client leaves.
    Silence,
}

/// A conversation and where it has got to.
pub(super) struct Session {
    inside: Arc<Inside>,
    port: Port,
    envelope: MailEnvelope,
    /// `MAIL` was taken.
    begun: bool,
}

/// One line that answers, or several.
type Reply = (Next, String);

fn reply(line: impl Into<String>) -> Reply {
    (Next::Command, line.into())
}

impl Session {
    pub(super) fn new(inside: Arc<Inside>, port: Port) -> Self {
        Self { inside, port, envelope: MailEnvelope::default(), begun: false }
    }

    pub(super) async fn serve(mut self, link: Link) -> io::Result<()> {
        let early = |fault: &MailFault| {
            matches!(fault, MailFault::Reset | MailFault::Unavailable | MailFault::Stall)
        };
        let fault = self.inside.faults.strike(early);
        if fault == Some(MailFault::Reset) {
            return link.reset();
        }
        let tls = TlsAcceptor::from(Arc::clone(&self.inside.tls));
        if self.port == Port::Tls {
            self.envelope.encrypted = true;
            let mut stream = BufReader::new(tls.accept(link).await?);
            self.greet(&mut stream, fault).await?;
            return self.talk(&mut stream).await.map(|_| ());
        }
        let mut stream = BufReader::new(link);
        self.greet(&mut stream, fault).await?;
        if self.talk(&mut stream).await? == Next::StartTls {
            // What came behind the command in clear text is thrown away with the buffer.
            let stream = tls.accept(stream.into_inner()).await?;
            self.envelope = MailEnvelope { encrypted: true, ..MailEnvelope::default() };
            self.begun = false;
            self.talk(&mut BufReader::new(stream)).await?;
        }
        Ok(())
    }

    async fn greet<S>(&self, stream: &mut BufReader<S>, fault: Option<MailFault>) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        match fault {
            Some(MailFault::Stall) => wait_for_end(stream).await,
            Some(MailFault::Unavailable) => {
                send(stream, "421 4.3.2 mail.lab.example is not available, come back later")
                    .await?;
                stream.get_mut().shutdown().await?;
                wait_for_end(stream).await
            }
            _ => return send(stream, "220 mail.lab.example ESMTP").await,
        }?;
        Err(io::Error::other("a fault ended it"))
    }

    /// Answers commands until the client leaves or wants to change to TLS.
    async fn talk<S>(&mut self, stream: &mut BufReader<S>) -> io::Result<Next>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        loop {
            let Some(line) = line(stream, COMMAND).await? else { return Ok(Next::End) };
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            let (next, text) = match verb.to_ascii_uppercase().as_str() {
                "EHLO" | "HELO" => self.hello(verb, rest),
                "STARTTLS" if self.offers_tls() => (Next::StartTls, "220 2.0.0 ready".to_owned()),
                "AUTH" => self.login(stream, rest).await?,
                "MAIL" => self.begin(rest),
                "RCPT" => self.recipient(rest),
                "DATA" if !self.envelope.to.is_empty() => self.data(stream).await?,
                "DATA" => reply("503 5.5.1 name a recipient first"),
                "RSET" => {
                    self.reset();
                    reply("250 2.0.0 OK")
                }
                "NOOP" => reply("250 2.0.0 OK"),
                "QUIT" => (Next::End, "221 2.0.0 bye".to_owned()),
                _ => reply("502 5.5.1 unknown command"),
            };
            if next == Next::Silence {
                wait_for_end(stream).await?;
                return Ok(Next::End);
            }
            if !text.is_empty() {
                send(stream, &text).await?;
            }
            if next != Next::Command {
                return Ok(next);
            }
        }
    }

    fn offers_tls(&self) -> bool {
        self.port == Port::StartTls && !self.envelope.encrypted
    }

    fn reset(&mut self) {
        self.begun = false;
        self.envelope.from.clear();
        self.envelope.to.clear();
    }

    fn hello(&mut self, verb: &str, name: &str) -> Reply {
        self.reset();
        name.trim().clone_into(&mut self.envelope.client);
        if verb.eq_ignore_ascii_case("HELO") {
            return reply("250 mail.lab.example");
        }
        let security = if self.offers_tls() { "STARTTLS" } else { "AUTH PLAIN LOGIN" };
        let size = self.inside.options.size;
        reply(format!(
            "250-mail.lab.example\r\n250-SIZE {size}\r\n250-8BITMIME\r\n250-{security}\r\n\
             250-ENHANCEDSTATUSCODES\r\n250-PIPELINING\r\n250 SMTPUTF8"
        ))
    }

    async fn login<S>(&mut self, stream: &mut BufReader<S>, rest: &str) -> io::Result<Reply>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if self.offers_tls() {
            return Ok(reply("538 5.7.11 encrypt first"));
        }
        if self.envelope.user.is_some() || self.begun {
            return Ok(reply("503 5.5.1 not here"));
        }
        let (method, first) = rest.split_once(' ').unwrap_or((rest, ""));
        let given = if method.eq_ignore_ascii_case("PLAIN") {
            let answer = respond_or_ask(stream, first, "").await?;
            let mut parts = answer.split('\0').skip(1).map(str::to_owned);
            parts.next().zip(parts.next())
        } else if method.eq_ignore_ascii_case("LOGIN") {
            let user = respond_or_ask(stream, first, "VXNlcm5hbWU6").await?;
            Some((user, respond_or_ask(stream, "", "UGFzc3dvcmQ6").await?))
        } else {
            return Ok(reply("504 5.5.4 PLAIN or LOGIN"));
        };
        let Some((user, password)) = given else {
            return Ok(reply("501 5.5.2 no user and password"));
        };
        let refused = self.inside.faults.strike(|fault| *fault == MailFault::LoginRefused);
        let wanted = self.inside.options.login.as_ref();
        let right = wanted.is_none_or(|(u, p)| *u == user && *p == password);
        if refused.is_some() || !right {
            return Ok(reply("535 5.7.8 user or password is wrong"));
        }
        self.envelope.user = Some(user);
        Ok(reply("235 2.7.0 welcome"))
    }

    fn begin(&mut self, rest: &str) -> Reply {
        if self.offers_tls() {
            return reply("530 5.7.0 STARTTLS first");
        }
        if self.inside.options.login.is_some() && self.envelope.user.is_none() {
            return reply("530 5.7.0 sign in first");
        }
        if self.begun {
            return reply("503 5.5.1 one mail at a time");
        }
        let Some((from, parameters)) = path(rest, "FROM:") else {
            return reply("501 5.5.4 MAIL FROM:<address>");
        };
        let size = parameters.split_whitespace().find_map(|parameter| {
            parameter.to_ascii_uppercase().strip_prefix("SIZE=")?.parse::<usize>().ok()
        });
        if size.is_some_and(|size| size > self.inside.options.size) {
            return reply("552 5.3.4 too large");
        }
        self.begun = true;
        from.clone_into(&mut self.envelope.from);
        reply("250 2.1.0 OK")
    }

    fn recipient(&mut self, rest: &str) -> Reply {
        if !self.begun {
            return reply("503 5.5.1 MAIL first");
        }
        let Some((to, _)) = path(rest, "TO:").filter(|(to, _)| !to.is_empty()) else {
            return reply("501 5.5.4 RCPT TO:<address>");
        };
        if self.envelope.to.len() >= RECIPIENTS {
            return reply("452 4.5.3 too many recipients");
        }
        let here = |fault: &MailFault| matches!(fault, MailFault::Later | MailFault::Never);
        match self.inside.faults.strike(here) {
            Some(MailFault::Later) => reply("450 4.2.1 the mailbox is busy, come back later"),
            Some(_) => reply("550 5.1.1 no such mailbox"),
            None => {
                self.envelope.to.push(to.to_owned());
                reply("250 2.1.5 OK")
            }
        }
    }

    async fn data<S>(&mut self, stream: &mut BufReader<S>) -> io::Result<Reply>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        send(stream, "354 end with a dot on a line of its own").await?;
        let raw = body(stream, self.inside.options.size).await?;
        let Some(raw) = raw else {
            self.reset();
            return Ok(reply("552 5.3.4 too large"));
        };
        let here = |fault: &MailFault| {
            use MailFault::{AcceptUnacknowledged, DieAfterData, StallAfterData};
            matches!(fault, AcceptUnacknowledged | DieAfterData | StallAfterData)
        };
        let fault = self.inside.faults.strike(here);
        match fault {
            Some(MailFault::DieAfterData) => return Ok((Next::End, String::new())),
            Some(MailFault::StallAfterData) => return Ok((Next::Silence, String::new())),
            _ => {}
        }
        let (envelope, now) = (self.envelope.clone(), self.inside.clock.now());
        let acknowledged = fault.is_none();
        let mut queued = 0;
        self.inside.kept.add(|number| {
            queued = number;
            Mail::read(number, now, acknowledged, envelope, raw)
        });
        self.reset();
        if acknowledged {
            Ok(reply(format!("250 2.0.0 queued as {queued}")))
        } else {
            Ok((Next::End, String::new()))
        }
    }
}

/// The decoded initial response, or the answer to a challenge; `=` is an empty response.
async fn respond_or_ask<S>(
    stream: &mut BufReader<S>,
    first: &str,
    challenge: &str,
) -> io::Result<String>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let encoded = if first.is_empty() {
        send(stream, &format!("334 {challenge}")).await?;
        line(stream, COMMAND).await?.unwrap_or_default()
    } else {
        first.to_owned()
    };
    let bytes = STANDARD.decode(encoded.trim().trim_start_matches('=')).unwrap_or_default();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The address between angle brackets, and what follows it.
fn path<'a>(rest: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    let (start, path) = rest.split_at_checked(word.len())?;
    let path = path.trim_start().strip_prefix('<').filter(|_| start.eq_ignore_ascii_case(word))?;
    path.split_once('>')
}

/// A mail without the dots that the protocol adds; `None` when it is too large.
async fn body<S: AsyncRead + Unpin>(
    stream: &mut BufReader<S>,
    limit: usize,
) -> io::Result<Option<Vec<u8>>> {
    let mut raw = Vec::new();
    let mut too_large = false;
    let mut fresh = true;
    loop {
        let mut piece = Vec::new();
        if (&mut *stream).take(PIECE).read_until(b'\n', &mut piece).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if fresh && piece == b".\r\n" {
            return Ok((!too_large).then_some(raw));
        }
        let line = piece.strip_prefix(b".").filter(|_| fresh).unwrap_or(&piece);
        // A dot counts at the start of a line only, and only CRLF ends one (RFC 5321 section 2.3.8).
        fresh = piece.ends_with(b"\r\n");
        too_large |= raw.len() + line.len() > limit;
        if !too_large {
            raw.extend_from_slice(line);
        }
    }
}

async fn wait_for_end<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> io::Result<()> {
    let mut buffer = [0; 1024];
    while stream.read(&mut buffer).await? > 0 {}
    Ok(())
}
