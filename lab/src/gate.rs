//! A port on loopback that can be closed and opened again at the same address.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::net::{TcpListener, TcpSocket, UdpSocket};
use tokio::task::{JoinHandle, JoinSet};

use crate::error::LabError;
use crate::link::Link;
use crate::listener::free_port;

/// Connections that wait to be accepted, as common servers have it.
const BACKLOG: u32 = 1024;
/// How often a pair of a TCP and a UDP socket on one port is tried for.
const TRIES: usize = 50;

type Handler = Arc<dyn Fn(Link) -> BoxFuture<'static, ()> + Send + Sync>;

/// A port that refuses connections while it is closed and whose connections end when it closes.
pub(crate) struct Gate {
    address: SocketAddr,
    /// Bound and never listening, so that nobody else gets the port while it is closed. Elsewhere
    /// than on Linux two sockets cannot share a port in this way, and the port is only remembered.
    _keeper: Option<TcpSocket>,
    handler: Handler,
    delay: Duration,
    serving: Option<JoinHandle<()>>,
}

impl Gate {
    /// A closed port; each connection is served by a task of its own once it is open.
    pub(crate) fn new<H, F>(delay: Duration, handle: H) -> Result<Self, LabError>
    where
        H: Fn(Link) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let keeper = bound(free_port())?;
        let address = keeper.local_addr().map_err(LabError::Listen)?;
        let handler: Handler = Arc::new(move |link| Box::pin(handle(link)));
        let keeper = cfg!(target_os = "linux").then_some(keeper);
        Ok(Self { address, _keeper: keeper, handler, delay, serving: None })
    }

    /// A closed port, and a UDP socket on the same port, as a name server has them.
    pub(crate) async fn pair<H, F>(
        delay: Duration,
        handle: H,
    ) -> Result<(Self, UdpSocket), LabError>
    where
        H: Fn(Link) -> F + Send + Sync + Clone + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let mut tries = 0;
        loop {
            let gate = Self::new(delay, handle.clone())?;
            match UdpSocket::bind(gate.address).await {
                Ok(socket) => return Ok((gate, socket)),
                Err(error) if tries >= TRIES => return Err(LabError::Listen(error)),
                Err(_) => tries += 1,
            }
        }
    }

    /// The address, which never changes.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts connections from here on.
    pub(crate) fn open(&mut self) -> Result<(), LabError> {
        if self.serving.is_none() {
            let listener = bound(self.address)?.listen(BACKLOG).map_err(LabError::Listen)?;
            let serving = accept(listener, Arc::clone(&self.handler), self.delay);
            self.serving = Some(tokio::spawn(serving));
        }
        Ok(())
    }

    /// Refuses connections from here on, and ends those that are open.
    pub(crate) async fn close(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
            let _aborted = serving.await;
        }
    }

    /// Opens or closes it.
    pub(crate) async fn set_open(&mut self, open: bool) -> Result<(), LabError> {
        if open {
            return self.open();
        }
        self.close().await;
        Ok(())
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        if let Some(serving) = &self.serving {
            serving.abort();
        }
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let open = self.serving.is_some();
        f.debug_struct("Gate")
            .field("address", &self.address)
            .field("open", &open)
            .finish_non_exhaustive()
    }
}

fn bound(address: SocketAddr) -> Result<TcpSocket, LabError> {
    let socket = TcpSocket::new_v4().map_err(LabError::Listen)?;
    #[cfg(unix)]
    socket.set_reuseaddr(true).map_err(LabError::Listen)?;
    socket.bind(address).map_err(LabError::Listen)?;
    Ok(socket)
}

async fn accept(listener: TcpListener, handler: Handler, delay: Duration) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(handler(Link::new(stream, delay)));
                }
                Err(error) => tracing::debug!(%error, "accept failed"),
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn a_port_closes_with_its_connections_and_opens_again() {
        let greet = |mut link: Link| async move {
            let _sent = link.write_all(b"hi").await;
            std::future::pending::<()>().await;
        };
        let mut gate = Gate::new(Duration::ZERO, greet).unwrap();
        assert!(TcpStream::connect(gate.address()).await.is_err());
        for _ in 0..3 {
            gate.open().unwrap();
            let mut stream = TcpStream::connect(gate.address()).await.unwrap();
            let mut word = [0; 2];
            stream.read_exact(&mut word).await.unwrap();
            assert_eq!(&word, b"hi");
            gate.close().await;
            assert_eq!(stream.read(&mut word).await.unwrap_or(0), 0);
            assert!(TcpStream::connect(gate.address()).await.is_err());
        }
    }
}
