//! Servers that the lab does not have, because no real one is like them.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hickory_proto::op::{Message, OpCode};
use hickory_proto::rr::rdata::A;
use hickory_proto::rr::{RData, Record, RecordType};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_rustls::TlsAcceptor;

/// A TCP server for one kind of conversation.
pub(crate) async fn serve<F>(handle: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(handle(stream));
        }
    });
    address
}

/// Reads a little, sends these bytes, and hangs up once the client has.
pub(crate) async fn say(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: Arc<[u8]>) {
    let mut heard = [0; 4096];
    let _ = stream.read(&mut heard).await;
    let _ = stream.write_all(&answer).await;
    let _ = stream.shutdown().await;
    // What is left unread would reset the connection before the answer arrives.
    while stream.read(&mut heard).await.is_ok_and(|count| count > 0) {}
}

/// Answers every request with these bytes.
pub(crate) async fn saying(answer: impl Into<Arc<[u8]>>) -> SocketAddr {
    let answer = answer.into();
    serve(move |stream| say(stream, Arc::clone(&answer))).await
}

/// Answers every request over TLS with these bytes.
pub(crate) async fn saying_over_tls(
    acceptor: TlsAcceptor,
    answer: impl Into<Arc<[u8]>>,
) -> SocketAddr {
    let answer = answer.into();
    serve(move |stream| {
        let (acceptor, answer) = (acceptor.clone(), Arc::clone(&answer));
        async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                say(stream, answer).await;
            }
        }
    })
    .await
}

/// Sends `head`, then `piece` as long as anybody reads.
pub(crate) async fn never_ending(head: &'static [u8], piece: &'static [u8]) -> SocketAddr {
    serve(move |mut stream: TcpStream| async move {
        let mut sent = stream.write_all(head).await;
        while sent.is_ok() {
            sent = stream.write_all(piece).await;
        }
    })
    .await
}

/// A mail server that says these lines, one for each that it hears, the greeting first.
pub(crate) async fn mail(lines: &'static [&'static [u8]]) -> SocketAddr {
    serve(move |mut stream: TcpStream| async move {
        let mut heard = [0; 4096];
        for line in lines {
            if stream.write_all(line).await.is_err() {
                return;
            }
            if !stream.read(&mut heard).await.is_ok_and(|count| count > 0) {
                return;
            }
        }
    })
    .await
}

/// A place where nobody may ever connect.
pub(crate) struct Canary {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Canary {
    pub(crate) async fn new() -> Self {
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let address = serve(move |stream| {
            count.fetch_add(1, Ordering::Relaxed);
            say(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nkeys"[..].into())
        })
        .await;
        Self { address, connections }
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// A resolver that answers with the bytes that `answer` makes of a question.
pub(crate) async fn resolver(
    answer: impl Fn(&[u8]) -> Option<Vec<u8>> + Send + 'static,
) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            if let Some(answer) = answer(&buffer[..length]) {
                let _ = socket.send_to(&answer, from).await;
            }
        }
    });
    address
}

/// A resolver that asks `upstream`, except for the IPv4 addresses of `name`: the first answer is
/// the first address, and every later one is the second, both for no time at all.
pub(crate) async fn rebinding(
    upstream: SocketAddr,
    name: &'static str,
    addresses: [Ipv4Addr; 2],
) -> SocketAddr {
    let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut asked = 0;
        let mut buffer = [0; 4096];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            let bytes = buffer[..length].to_vec();
            let question = Message::from_vec(&bytes).unwrap();
            let query = question.queries.first().unwrap().clone();
            let is_ours = query.name().to_ascii().trim_end_matches('.') == name;
            if is_ours && query.query_type() == RecordType::A {
                let address = addresses[asked.min(1)];
                asked += 1;
                let mut answer = Message::response(question.metadata.id, OpCode::Query);
                answer.metadata.recursion_available = true;
                answer.queries.push(query.clone());
                let data = RData::A(A(address));
                answer.add_answer(Record::from_rdata(query.name().clone(), 0, data));
                let _ = socket.send_to(&answer.to_vec().unwrap(), from).await;
                continue;
            }
            let socket = Arc::clone(&socket);
            tokio::spawn(async move {
                let there = UdpSocket::bind("127.0.0.1:0").await.unwrap();
                there.send_to(&bytes, upstream).await.unwrap();
                let mut answer = [0; 4096];
                if let Ok(length) = there.recv(&mut answer).await {
                    let _ = socket.send_to(&answer[..length], from).await;
                }
            });
        }
    });
    address
}
