//! Loopback listeners that end, with all their connections, when the lab does.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;

use crate::error::LabError;
use crate::link::Link;

/// Every running server. Dropping it ends them.
#[derive(Debug)]
pub(crate) struct Servers {
    tasks: JoinSet<()>,
    /// The time between a question and its answer that is added to each exchange.
    pub(crate) delay: Duration,
}

impl Servers {
    pub(crate) fn new(delay: Duration) -> Self {
        Self { tasks: JoinSet::new(), delay }
    }

    /// Accepts connections on a free port, each served by a task of its own.
    pub(crate) async fn tcp<H, F>(&mut self, handle: H) -> Result<SocketAddr, LabError>
    where
        H: Fn(Link) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = bind_tcp().await?;
        let address = listener.local_addr().map_err(LabError::Listen)?;
        self.accept(listener, handle);
        Ok(address)
    }

    /// Runs a task until the lab ends.
    pub(crate) fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Ends every server and waits until its sockets are closed.
    pub(crate) async fn stop(&mut self) {
        self.tasks.shutdown().await;
    }

    fn accept<H, F>(&mut self, listener: TcpListener, handle: H)
    where
        H: Fn(Link) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let delay = self.delay;
        self.tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => match accepted {
                        Ok((stream, _)) => {
                            connections.spawn(handle(Link::new(stream, delay)));
                        }
                        Err(error) => tracing::debug!(%error, "accept failed"),
                    },
                    Some(_) = connections.join_next() => {}
                }
            }
        });
    }
}

/// A port on which nothing listens, for as long as the value lives.
#[derive(Debug)]
pub(crate) struct ClosedPort {
    /// Bound and never listening: connections are refused, and nobody else gets the port.
    _socket: TcpSocket,
    address: SocketAddr,
}

impl ClosedPort {
    pub(crate) fn new() -> Result<Self, LabError> {
        let socket = TcpSocket::new_v4().map_err(LabError::Listen)?;
        socket.bind(free_port()).map_err(LabError::Listen)?;
        let address = socket.local_addr().map_err(LabError::Listen)?;
        Ok(Self { _socket: socket, address })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn bind_tcp() -> Result<TcpListener, LabError> {
    TcpListener::bind(free_port()).await.map_err(LabError::Listen)
}

/// Any free port of loopback.
pub(crate) fn free_port() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}
