//! Mail servers that take any mail and keep none.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::version::{TLS12, TLS13};
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio_rustls::TlsAcceptor;

use crate::error::LabError;
use crate::link::Link;
use crate::live::Live;
use crate::plan::Plan;
use crate::tls::{Endpoint, Pki};

/// The longest line that is read; RFC 5321 section 4.5.3.1 allows 1000 bytes.
const LINE: u64 = 4096;

#[derive(Debug)]
pub(crate) struct MailServer {
    host: String,
    banner: String,
    tls: Option<Endpoint>,
}

/// How a conversation went on.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    StartTls,
    End,
}

/// The mail servers by address.
pub(crate) fn build(plan: &Plan, pki: &Pki) -> Result<BTreeMap<IpAddr, Arc<MailServer>>, LabError> {
    let mut all = BTreeMap::new();
    for (host, mail) in &plan.mail_server {
        let versions = [&TLS12, &TLS13];
        let tls = mail.starttls.then(|| pki.endpoint(host, &mail.certificate, &versions, &[]));
        let server = Arc::new(MailServer {
            host: host.clone(),
            banner: mail.banner.clone(),
            tls: tls.transpose()?,
        });
        all.extend(mail.addresses.iter().map(|address| (*address, Arc::clone(&server))));
    }
    Ok(all)
}

/// Serves a connection with whatever mail server the world has at an address.
pub(crate) async fn serve(link: Link, live: Arc<Live>, address: IpAddr, delay: Duration) {
    let Some(server) = live.state().mail.get(&address).cloned() else { return };
    // The greeting is not an answer, so the link has not delayed it.
    tokio::time::sleep(delay * 2).await;
    if let Err(error) = server.serve(link).await {
        tracing::trace!(%error, "SMTP connection ended");
    }
}

impl MailServer {
    async fn serve(&self, link: Link) -> io::Result<()> {
        let mut link = BufReader::new(link);
        let greeting = format!("220 {} {}\r\n", self.host, self.banner);
        link.get_mut().write_all(greeting.as_bytes()).await?;
        let offered = self.tls.is_some();
        if self.talk(&mut link, offered).await? == Next::StartTls
            && let Some(tls) = &self.tls
        {
            let acceptor = TlsAcceptor::from(Arc::clone(&tls.config));
            let stream = acceptor.accept(link.into_inner()).await?;
            self.talk(&mut BufReader::new(stream), false).await?;
        }
        Ok(())
    }

    /// Answers commands until the client leaves or wants to change to TLS.
    async fn talk<S>(&self, stream: &mut BufReader<S>, starttls: bool) -> io::Result<Next>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        loop {
            let line = line(stream, LINE).await?;
            let Some(line) = line else { return Ok(Next::End) };
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            let reply = match verb.as_str() {
                "EHLO" => {
                    let starttls = if starttls { "250-STARTTLS\r\n" } else { "" };
                    format!(
                        "250-{} at your service\r\n250-SIZE 35882577\r\n250-8BITMIME\r\n{starttls}\
                         250-PIPELINING\r\n250 SMTPUTF8",
                        self.host
                    )
                }
                "HELO" => format!("250 {} at your service", self.host),
                "STARTTLS" if starttls => "220 Ready to start TLS".to_owned(),
                "MAIL" | "RCPT" | "RSET" | "NOOP" => "250 OK".to_owned(),
                "DATA" => {
                    send(stream, "354 Go ahead").await?;
                    while self::line(stream, LINE).await?.is_some_and(|line| line != ".") {}
                    "250 OK".to_owned()
                }
                "QUIT" => "221 closing connection".to_owned(),
                _ => "502 Unrecognized command".to_owned(),
            };
            send(stream, &reply).await?;
            match verb.as_str() {
                "STARTTLS" if starttls => return Ok(Next::StartTls),
                "QUIT" => return Ok(Next::End),
                _ => {}
            }
        }
    }
}

/// Sends one reply.
pub(crate) async fn send<S>(stream: &mut BufReader<S>, reply: &str) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let stream = stream.get_mut();
    stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
    stream.flush().await
}

/// One line of at most `limit` bytes without its end; `None` when the client has gone.
pub(crate) async fn line<S: AsyncRead + Unpin>(
    stream: &mut BufReader<S>,
    limit: u64,
) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    if stream.take(limit).read_until(b'\n', &mut bytes).await? == 0 {
        return Ok(None);
    }
    Ok(Some(String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned()))
}
