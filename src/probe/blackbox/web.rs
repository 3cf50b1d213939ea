//! The module `http_2xx`: one GET, redirects followed one hop at a time, success with a status from 200
//! to 299 over a connection that a browser would trust.

use bytes::Bytes;
use futures_util::future::{Either, select};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_LENGTH, HOST, LAST_MODIFIED, LOCATION, USER_AGENT};
use hyper::{Request, Response, Version, body::Incoming};
use hyper_util::rt::TokioIo;
use jiff::fmt::rfc2822::DateTimeParser;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use url::Url;

use super::targets::{Target, plain};
use super::{Blackbox, LIMIT, Look};
use crate::metrics::ProbeHttp;
use crate::probe::http::{HEAD_BYTES, HEAD_LINES, USER_AGENT as NAME};

/// Redirects that are followed, as `blackbox_exporter` does.
const REDIRECTS: u32 = 10;
/// Bytes of a body after which reading stops; the status has said what is asked for.
const BODY: u64 = 10 * 1024 * 1024;

impl Blackbox {
    pub(super) async fn http_2xx<'a>(
        &'a self,
        look: &mut Look<'a>,
        target: &Target,
    ) -> Result<(), String> {
        look.result.reads = true;
        look.result.http = Some(ProbeHttp::default());
        let mut url = target.url.clone().ok_or("the target is no URL")?;
        let own = look.dialer;
        loop {
            let next = self.hop(look, &url).await?;
            let http = look.result.http.get_or_insert_default();
            let Some(next) = next else {
                let status = http.status;
                let is_good = (200..300).contains(&status);
                return if is_good { Ok(()) } else { Err(format!("the status is {status}")) };
            };
            if http.redirects >= REDIRECTS {
                return Err(format!("it redirects more than {REDIRECTS} times"));
            }
            http.redirects += 1;
            // What the target leads to is no address that the user wrote.
            let is_target = next.host_str().is_some_and(|host| plain(host) == target.host)
                && next.port_or_known_default() == Some(target.port);
            look.dialer = if is_target { own } else { &self.dialer };
            url = next;
        }
    }

    /// One request; where it redirects, the next URL.
    async fn hop(&self, look: &mut Look<'_>, url: &Url) -> Result<Option<Url>, String> {
        let host = url.host_str().ok_or("the URL has no host")?;
        let host = host.trim_matches(['[', ']']);
        let port = url.port_or_known_default().ok_or("the URL has no port")?;
        let (address, resolve) = self.address(look, host, port).await?;
        let began = Instant::now();
        let stream = look.dialer.tcp(host, address, port, LIMIT).await;
        let stream = stream.map_err(|error| error.to_string())?;
        let is_tls = url.scheme() == "https";
        let http = look.result.http.get_or_insert_default();
        http.tls = is_tls;
        http.phases.resolve += resolve;
        http.phases.connect += began.elapsed();
        if !is_tls {
            look.result.tls = None;
            return exchange(http, stream, url).await;
        }
        let began = Instant::now();
        let stream = self.shake(look, host, stream).await;
        let http = look.result.http.get_or_insert_default();
        http.phases.tls += began.elapsed();
        exchange(http, stream?, url).await
    }
}

async fn exchange<S>(http: &mut ProbeHttp, stream: S, url: &Url) -> Result<Option<Url>, String>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD_BYTES).max_headers(HEAD_LINES);
    let (mut sender, connection) =
        builder.handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    let request = request(url)?;
    let work = async {
        let began = Instant::now();
        let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
        http.phases.processing += began.elapsed();
        let next = read_head(http, &response, url);
        let began = Instant::now();
        let read = read_body(http, response.into_body()).await;
        http.phases.transfer += began.elapsed();
        read.map(|()| next)
    };
    // The connection is driven here and not by a task of its own: there is one request on it.
    match select(Box::pin(work), Box::pin(connection)).await {
        Either::Left((done, _connection)) => done,
        // What came before the server closed is still to be read.
        Either::Right((_closed, work)) => work.await,
    }
}

fn request(url: &Url) -> Result<Request<Empty<Bytes>>, String> {
    let host = url.host_str().unwrap_or_default();
    let authority = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    Request::get(path)
        .header(HOST, authority)
        .header(USER_AGENT, NAME)
        .body(Empty::new())
        .map_err(|error| error.to_string())
}

fn read_head(http: &mut ProbeHttp, response: &Response<Incoming>, url: &Url) -> Option<Url> {
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    http.status = response.status().as_u16();
    http.version = if response.version() == Version::HTTP_10 { 1.0 } else { 1.1 };
    http.content_length = header(CONTENT_LENGTH).and_then(|text| text.parse().ok());
    http.body_length = 0;
    http.last_modified = header(LAST_MODIFIED)
        .and_then(|text| DateTimeParser::new().parse_timestamp(text).ok())
        .map(jiff::Timestamp::as_second);
    let is_redirect = matches!(http.status, 301 | 302 | 303 | 307 | 308);
    let next = header(LOCATION).filter(|_| is_redirect).and_then(|to| url.join(to).ok());
    next.filter(|url| matches!(url.scheme(), "http" | "https"))
}

async fn read_body(http: &mut ProbeHttp, mut body: Incoming) -> Result<(), String> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| error.to_string())?;
        http.body_length += frame.data_ref().map_or(0, |data| data.len() as u64);
        if http.body_length > BODY {
            break;
        }
    }
    Ok(())
}
