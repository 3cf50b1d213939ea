//! A port that leads on to another one, or keeps whoever connects waiting.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

/// Connections that wait to be accepted: few, so that it is soon full.
const BACKLOG: u32 = 16;
/// Whoever is not connected within this time waits.
const QUICK: Duration = Duration::from_millis(300);

/// The port.
pub(crate) struct Dam {
    pub(crate) address: SocketAddr,
    listener: Arc<TcpListener>,
    to: SocketAddr,
    leading: Option<JoinHandle<()>>,
    /// What fills the port while it is closed.
    waiting: Vec<TcpStream>,
}

impl Dam {
    /// A port of loopback that leads on.
    pub(crate) fn open(to: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let listener = Arc::new(socket.listen(BACKLOG).unwrap());
        let address = listener.local_addr().unwrap();
        let mut dam = Self { address, listener, to, leading: None, waiting: Vec::new() };
        dam.lead();
        dam
    }

    /// Leads on from here on.
    pub(crate) fn lead(&mut self) {
        self.waiting.clear();
        let (listener, to) = (Arc::clone(&self.listener), self.to);
        self.leading = Some(tokio::spawn(async move {
            let mut all = JoinSet::new();
            loop {
                let Ok((mut near, _)) = listener.accept().await else { continue };
                all.spawn(async move {
                    if let Ok(mut far) = TcpStream::connect(to).await {
                        drop(copy_bidirectional(&mut near, &mut far).await);
                    }
                });
                while all.try_join_next().is_some() {}
            }
        }));
    }

    /// Nothing gets through from here on, and nobody says so.
    pub(crate) async fn close(&mut self) {
        if let Some(leading) = self.leading.take() {
            leading.abort();
            drop(leading.await);
        }
        while let Ok(connected) = timeout(QUICK, TcpStream::connect(self.address)).await {
            self.waiting.push(connected.unwrap());
        }
    }
}
