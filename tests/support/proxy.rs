//! One address that stays while what is behind it changes, and a line that goes dead without a word.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A relay of TCP connections to wherever it points.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    /// How often something came in to be passed on.
    pub(crate) asked: Arc<AtomicU64>,
    line: watch::Sender<Line>,
    task: tokio::task::JoinHandle<()>,
}

/// Where new connections lead, and what becomes of the old ones when that changes.
#[derive(Debug, Clone, Copy)]
struct Line {
    to: SocketAddr,
    /// They stay open, and nothing passes any more.
    is_dead: bool,
}

impl Proxy {
    pub(crate) async fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let line = watch::Sender::new(Line { to, is_dead: false });
        let lines = line.subscribe();
        let asked = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            while let Ok((near, _from)) = listener.accept().await {
                let near = Counted { line: near, asked: Arc::clone(&counter) };
                tokio::spawn(relay(near, lines.clone()));
            }
        });
        Self { address, asked, line, task }
    }

    /// Points it elsewhere; whoever is connected is cut off.
    pub(crate) fn point(&self, to: SocketAddr) {
        self.line.send_replace(Line { to, is_dead: false });
    }

    /// Lets everything that is connected go dead without a word; new connections are made.
    pub(crate) fn fall_silent(&self) {
        self.line.send_modify(|line| line.is_dead = true);
    }
}

/// A connection of which is counted how often something comes in.
struct Counted {
    line: TcpStream,
    asked: Arc<AtomicU64>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.line).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.asked.fetch_add(1, Ordering::Relaxed);
        }
        read
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.line).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_shutdown(context)
    }
}

async fn relay(mut near: Counted, mut lines: watch::Receiver<Line>) {
    let target = lines.borrow_and_update().to;
    let Ok(mut far) = TcpStream::connect(target).await else { return };
    tokio::select! {
        _ended = tokio::io::copy_bidirectional(&mut near, &mut far) => return,
        _moved = lines.changed() => {}
    }
    if lines.borrow().is_dead {
        std::future::pending::<()>().await;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}
