//! One address that stays while what is behind it changes.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A relay of TCP connections to wherever it points.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    to: watch::Sender<SocketAddr>,
    task: tokio::task::JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let to = watch::Sender::new(to);
        let targets = to.subscribe();
        let task = tokio::spawn(async move {
            while let Ok((near, _from)) = listener.accept().await {
                tokio::spawn(relay(near, targets.clone()));
            }
        });
        Self { address, to, task }
    }

    /// Points it elsewhere; whoever is connected is cut off.
    pub(crate) fn point(&self, to: SocketAddr) {
        self.to.send_replace(to);
    }
}

async fn relay(mut near: TcpStream, mut targets: watch::Receiver<SocketAddr>) {
    let target = *targets.borrow_and_update();
    let Ok(mut far) = TcpStream::connect(target).await else { return };
    tokio::select! {
        _ended = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
        _moved = targets.changed() => {}
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}
