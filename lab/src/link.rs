//! A connection with the time that a real one takes.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, Sleep, sleep_until};

/// The most pieces that are under way at once; more wait in the kernel.
const UNDER_WAY: usize = 64;
/// The size of a piece, that of a usual TLS record.
const PIECE: usize = 16 * 1024;

/// An accepted connection whose incoming bytes arrive one round trip late.
///
/// All of the round trip is put on the way in: an answer then leaves one round trip after its
/// question, and the first byte comes after a second one, which stands for the TCP handshake.
#[derive(Debug)]
pub(crate) enum Link {
    /// Without delay.
    Direct(TcpStream),
    /// With delay.
    Delayed(DelayedLink),
}

/// The reading side is a queue that a task of its own fills.
#[derive(Debug)]
pub(crate) struct DelayedLink {
    incoming: mpsc::Receiver<(Instant, io::Result<Bytes>)>,
    arrived: VecDeque<(Instant, io::Result<Bytes>)>,
    timer: Pin<Box<Sleep>>,
    writer: OwnedWriteHalf,
    pump: JoinHandle<()>,
}

impl Link {
    /// Wraps an accepted connection.
    pub(crate) fn new(stream: TcpStream, round_trip: Duration) -> Self {
        // Small answers: waiting to fill a segment would add a delay that is not asked for.
        let _best_effort = stream.set_nodelay(true);
        if round_trip.is_zero() {
            return Self::Direct(stream);
        }
        let accepted = Instant::now();
        let (reader, writer) = stream.into_split();
        let (sender, incoming) = mpsc::channel(UNDER_WAY);
        let pump = tokio::spawn(pump(reader, sender, accepted, round_trip));
        Self::Delayed(DelayedLink {
            incoming,
            arrived: VecDeque::new(),
            timer: Box::pin(sleep_until(accepted)),
            writer,
            pump,
        })
    }
}

impl Link {
    /// Ends the connection with a reset instead of a proper end.
    pub(crate) fn reset(self) -> io::Result<()> {
        match &self {
            Self::Direct(stream) => stream.set_zero_linger(),
            Self::Delayed(link) => link.writer.as_ref().set_zero_linger(),
        }
    }
}

async fn pump(
    mut reader: OwnedReadHalf,
    sender: mpsc::Sender<(Instant, io::Result<Bytes>)>,
    accepted: Instant,
    round_trip: Duration,
) {
    let earliest = accepted + round_trip * 2;
    let mut buffer = vec![0; PIECE];
    loop {
        let read = reader.read(&mut buffer).await;
        let due = (Instant::now() + round_trip).max(earliest);
        let piece = read.map(|n| buffer.get(..n).map(Bytes::copy_from_slice).unwrap_or_default());
        let last = !matches!(&piece, Ok(piece) if !piece.is_empty());
        if sender.send((due, piece)).await.is_err() || last {
            return;
        }
    }
}

impl DelayedLink {
    fn poll_read(&mut self, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.arrived.is_empty() {
            match ready!(self.incoming.poll_recv(cx)) {
                Some(piece) => self.arrived.push_back(piece),
                None => return Poll::Ready(Ok(())),
            }
        }
        if let Some((due, _)) = self.arrived.front() {
            if self.timer.deadline() != *due {
                let due = *due;
                self.timer.as_mut().reset(due);
            }
            ready!(self.timer.as_mut().poll(cx));
        }
        match self.arrived.pop_front() {
            Some((due, Ok(mut piece))) => {
                let taken = piece.len().min(out.remaining());
                out.put_slice(&piece.split_to(taken));
                if piece.has_remaining() {
                    self.arrived.push_front((due, Ok(piece)));
                }
                Poll::Ready(Ok(()))
            }
            Some((_, Err(error))) => Poll::Ready(Err(error)),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl Drop for DelayedLink {
    fn drop(&mut self) {
        self.pump.abort();
    }
}

impl AsyncRead for Link {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Direct(stream) => Pin::new(stream).poll_read(cx, out),
            Self::Delayed(link) => link.poll_read(cx, out),
        }
    }
}

impl AsyncWrite for Link {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Direct(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Delayed(link) => Pin::new(&mut link.writer).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Direct(stream) => Pin::new(stream).poll_flush(cx),
            Self::Delayed(link) => Pin::new(&mut link.writer).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Direct(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Delayed(link) => Pin::new(&mut link.writer).poll_shutdown(cx),
        }
    }
}

/// A connection whose first bytes were already read.
#[derive(Debug)]
pub(crate) struct Replay<S> {
    first: Bytes,
    inner: S,
}

impl<S> Replay<S> {
    /// Puts `first` back in front of what `inner` still brings.
    pub(crate) fn new(first: Bytes, inner: S) -> Self {
        Self { first, inner }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Replay<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.first.has_remaining() {
            let taken = self.first.len().min(out.remaining());
            let piece = self.first.split_to(taken);
            out.put_slice(&piece);
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.inner).poll_read(cx, out)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Replay<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
