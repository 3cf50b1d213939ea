//! A resolver that can be taken away.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;

/// A resolver between the agent and that of the lab, which can be taken away.
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl Relay {
    pub(crate) async fn start(to: SocketAddr, at: Option<SocketAddr>) -> Self {
        let at = at.unwrap_or_else(|| "127.0.0.1:0".parse().unwrap());
        let socket = Arc::new(UdpSocket::bind(at).await.unwrap());
        let address = socket.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let mut question = vec![0; 2048];
            while let Ok((size, from)) = socket.recv_from(&mut question).await {
                let (socket, question) = (Arc::clone(&socket), question[..size].to_vec());
                tokio::spawn(async move {
                    let out = UdpSocket::bind("127.0.0.1:0").await.unwrap();
                    out.send_to(&question, to).await.unwrap();
                    let mut answer = vec![0; 65_535];
                    let limit = Duration::from_secs(5);
                    if let Ok(Ok(size)) = tokio::time::timeout(limit, out.recv(&mut answer)).await {
                        drop(socket.send_to(&answer[..size], from).await);
                    }
                });
            }
        });
        Self { address, task }
    }

    /// Makes it the one resolver of these settings of the network.
    pub(crate) fn resolve(&self, network: &mut toml::Table) {
        let own = self.address.to_string();
        network.insert("resolvers".to_owned(), vec![own.clone()].into());
        let mut rule = toml::Table::new();
        rule.insert("from".to_owned(), own.clone().into());
        rule.insert("to".to_owned(), own.into());
        network["connect_to"].as_array_mut().unwrap().insert(0, rule.into());
    }

    /// Takes it away.
    pub(crate) async fn stop(self) {
        self.task.abort();
        drop(self.task.await);
    }
}
