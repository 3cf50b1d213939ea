//! Connections on ports 80 and 443.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{DATE, HeaderValue};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

use super::site::{Asked, Site, unknown_host};
use super::{Body, Clock, Place};
use crate::link::{Link, Replay};
use crate::plan::WireFault;
use crate::tls::hello::{self, Hello};
use crate::tls::old::{self, Alert};

/// Serves a connection on port 80.
pub(super) async fn plain(link: Link, place: Place) {
    let clock = place.clock;
    let answer = move |request| answer(place.clone(), request, false);
    serve_plain(link, clock, answer).await;
}

/// Serves HTTP/1.1 without TLS.
pub(crate) async fn serve_plain<F>(
    link: Link,
    clock: Clock,
    answer: impl Fn(Request<Incoming>) -> F,
) where
    F: Future<Output = Response<Body>>,
{
    let service = service_fn(|request| dated(answer(request), clock));
    let served = http1::Builder::new()
        .auto_date_header(false)
        .serve_connection(TokioIo::new(link), service)
        .await;
    if let Err(error) = served {
        tracing::trace!(%error, "HTTP connection ended");
    }
}

/// Serves a connection on port 443.
pub(super) async fn tls(mut link: Link, place: Place) {
    if let Err(error) = try_tls(&mut link, &place).await {
        tracing::trace!(%error, "TLS connection ended");
    }
}

async fn try_tls(link: &mut Link, place: &Place) -> io::Result<()> {
    let (hello, first) = hello::read(link).await?;
    let site = match hello.name.as_deref() {
        Some(name) => place.site(name),
        None => place.nameless(&hello),
    };
    let Some((site, endpoint)) = site.as_ref().and_then(|site| Some((site, site.tls.as_ref()?)))
    else {
        return refuse(link, &old::alert(&hello, Alert::UnrecognizedName)).await;
    };
    match site.fault {
        Some(WireFault::Close) => return Ok(()),
        Some(WireFault::Silence) => return wait_for_end(link).await,
        Some(WireFault::Garbage) => return refuse(link, b"\x00garbage, and no TLS\r\n").await,
        Some(WireFault::EndlessHead) | None => {}
    }
    if hello.is_old() {
        return refuse(link, &old_answer(&hello, site)).await;
    }
    let acceptor = TlsAcceptor::from(Arc::clone(&endpoint.config));
    let mut stream = acceptor.accept(Replay::new(first, link)).await?;
    if site.fault == Some(WireFault::EndlessHead) {
        return endless_head(&mut stream).await;
    }
    let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let clock = place.clock;
    let service = service_fn(|request| dated(answer(place.clone(), request, true), clock));
    let io = TokioIo::new(stream);
    let served = if h2 {
        http2::Builder::new(TokioExecutor::new())
            .auto_date_header(false)
            .serve_connection(io, service)
            .await
    } else {
        http1::Builder::new().auto_date_header(false).serve_connection(io, service).await
    };
    served.map_err(io::Error::other)
}

fn old_answer(hello: &Hello, site: &Site) -> Vec<u8> {
    let chain = site.tls.as_ref().map(|tls| tls.chain.as_slice()).unwrap_or_default();
    old::answer(hello, &site.old, chain)
}

/// Sends some bytes and waits until the client has gone, so that it can read them.
async fn refuse(link: &mut Link, bytes: &[u8]) -> io::Result<()> {
    link.write_all(bytes).await?;
    link.shutdown().await?;
    wait_for_end(link).await
}

async fn wait_for_end(link: &mut Link) -> io::Result<()> {
    let mut buffer = [0; 1024];
    while link.read(&mut buffer).await? > 0 {}
    Ok(())
}

/// A head without an end, sent until the client has had enough.
async fn endless_head(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<()> {
    let mut buffer = [0; 4096];
    let _request = stream.read(&mut buffer).await?;
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n").await?;
    for number in 0_u64.. {
        stream.write_all(format!("x-padding-{number}: {:x<200}\r\n", "").as_bytes()).await?;
    }
    Ok(())
}

async fn answer(place: Place, request: Request<Incoming>, over_tls: bool) -> Response<Body> {
    let named = request.uri().authority().map(hyper::http::uri::Authority::as_str);
    let header = || request.headers().get(hyper::header::HOST)?.to_str().ok();
    let host = named.or_else(header).unwrap_or_default().to_owned();
    match place.site(&host) {
        Some(site) => site.answer(Asked { request: &request, host: &host, over_tls }).await,
        None => unknown_host(&host),
    }
}

async fn dated(
    answer: impl Future<Output = Response<Body>>,
    clock: Clock,
) -> Result<Response<Body>, Infallible> {
    let mut response = answer.await;
    if let Ok(date) = HeaderValue::from_str(&clock.http_date()) {
        response.headers_mut().entry(DATE).or_insert(date);
    }
    Ok(response)
}
