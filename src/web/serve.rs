//! Serves the router on a socket, with the limits that a stranger on the other side calls for.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use super::guard::Peer;

/// Connections at once; more wait in the queue of the socket.
const CONNECTIONS: usize = 512;
/// How long the head of a request may take to arrive, and how long an idle connection is kept.
const HEAD: Duration = Duration::from_secs(15);
/// The most bytes of the head of a request.
const HEAD_BYTES: usize = 32 * 1024;
/// The most headers of a request.
const HEADERS: usize = 64;
/// How long a connection may go on after the agent was told to stop.
const GOODBYE: Duration = Duration::from_secs(5);
/// How long to wait before the next connection is taken after one could not be.
const PAUSE: Duration = Duration::from_millis(200);

/// Serves until `stop` is ready, then lets answers under way end.
///
/// # Errors
/// Never at present: a connection that fails ends alone.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let (goodbye, stopped) = watch::channel(false);
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        let next = async {
            // The semaphore is never closed.
            let place = Arc::clone(&places).acquire_owned().await.ok();
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            () = &mut stop => break,
            next = next => next,
            Some(_ended) = connections.join_next() => continue,
        };
        match accepted {
            Ok((stream, peer)) => {
                let peer = Peer(peer.ip().to_canonical());
                connections.spawn(connection(stream, peer, router.clone(), stopped.clone(), place));
            }
            Err(error) => {
                // Out of file descriptors, mostly: the next try may find one.
                tracing::warn!(%error, "the page could not take a connection");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    _ = goodbye.send(true);
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(GOODBYE, all).await.is_err() {
        connections.abort_all();
    }
    Ok(())
}

async fn connection(
    stream: TcpStream,
    peer: Peer,
    router: Router,
    mut stopped: watch::Receiver<bool>,
    _place: Option<OwnedSemaphorePermit>,
) {
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let mut router = router.clone();
        async move {
            use tower_service::Service as _;
            let request: Request = request.map(axum::body::Body::new);
            Ok::<_, Infallible>(match router.call(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            })
        }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(serving);
    let ended = tokio::select! {
        ended = &mut serving => ended,
        () = async { _ = stopped.wait_for(|stopped| *stopped).await.is_ok() } => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection to the page ended early");
    }
}
