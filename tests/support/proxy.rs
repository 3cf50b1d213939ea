//! One address that stays while what is behind it changes, and a line that goes dead without a word.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A relay of TCP connections to wherever it points.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
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
        let task = tokio::spawn(async move {
            while let Ok((near, _from)) = listener.accept().await {
                tokio::spawn(relay(near, lines.clone()));
            }
        });
        Self { address, line, task }
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

async fn relay(mut near: TcpStream, mut lines: watch::Receiver<Line>) {
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
