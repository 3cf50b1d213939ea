//! A ClientHello, read before anybody decides how to answer it.

use std::io;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The most bytes of a ClientHello, those of a handshake message that may span four records.
const LIMIT: usize = 4 * (16 * 1024 + 5);
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
/// RFC 6066 section 3.
const SERVER_NAME: u16 = 0;
/// RFC 8446 section 4.2.1.
const SUPPORTED_VERSIONS: u16 = 43;

/// What a client offers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Hello {
    /// The version of the hello itself, which for modern clients is always that of TLS 1.2.
    pub(crate) version: u16,
    /// The versions in the extension, if there is one.
    pub(crate) supported: Vec<u16>,
    /// The cipher suites in the client's order.
    pub(crate) suites: Vec<u16>,
    /// The server name, lower case.
    pub(crate) name: Option<String>,
}

impl Hello {
    /// Whether nothing newer than TLS 1.1 is offered.
    pub(crate) fn is_old(&self) -> bool {
        self.supported.iter().copied().max().unwrap_or(self.version) <= 0x0302
    }

    /// Reads the body of a ClientHello; `None` when it is none.
    fn parse(body: &[u8]) -> Option<Self> {
        let mut body = Reader(body);
        let version = body.u16()?;
        body.take(32)?;
        let session = body.u8()?;
        body.take(session.into())?;
        let length = body.u16()?;
        let mut suites = Reader(body.take(length.into())?);
        let compressions = body.u8()?;
        body.take(compressions.into())?;
        let mut hello = Self { version, suites: suites.all_u16(), ..Self::default() };
        // Before TLS 1.2 a hello may end here.
        let Some(length) = body.u16() else { return Some(hello) };
        let mut extensions = Reader(body.take(length.into())?);
        while let (Some(kind), Some(length)) = (extensions.u16(), extensions.u16()) {
            let mut data = Reader(extensions.take(length.into())?);
            match kind {
                SERVER_NAME => {
                    let (_list, _kind) = (data.u16()?, data.u8()?);
                    let length = data.u16()?;
                    let name = std::str::from_utf8(data.take(length.into())?).ok()?;
                    hello.name = Some(name.to_ascii_lowercase());
                }
                SUPPORTED_VERSIONS => {
                    let length = data.u8()?;
                    hello.supported = Reader(data.take(length.into())?).all_u16();
                }
                _ => {}
            }
        }
        Some(hello)
    }
}

/// Reads a ClientHello and every byte that it came in.
pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<(Hello, Bytes)> {
    let not_tls = || io::Error::new(io::ErrorKind::InvalidData, "no ClientHello");
    let mut raw = Vec::new();
    let mut message = Vec::new();
    loop {
        let mut head = [0; 5];
        stream.read_exact(&mut head).await?;
        let [kind, _, _, high, low] = head;
        if kind != HANDSHAKE {
            return Err(not_tls());
        }
        let mut record = vec![0; u16::from_be_bytes([high, low]).into()];
        stream.read_exact(&mut record).await?;
        raw.extend(head);
        raw.extend(&record);
        message.extend(record);
        if raw.len() > LIMIT {
            return Err(not_tls());
        }
        let mut reader = Reader(&message);
        let (Some(kind), Some(length)) = (reader.u8(), reader.u24()) else { continue };
        if kind != CLIENT_HELLO {
            return Err(not_tls());
        }
        if let Some(body) = reader.take(length) {
            return Ok((Hello::parse(body).ok_or_else(not_tls)?, raw.into()));
        }
    }
}

/// Numbers from the front of some bytes.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(front)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    fn u24(&mut self) -> Option<usize> {
        Some((usize::from(self.u8()?) << 16) | usize::from(self.u16()?))
    }

    fn all_u16(&mut self) -> Vec<u16> {
        std::iter::from_fn(|| self.u16()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hello of TLS 1.0 with a server name, split over two records.
    fn hello() -> Vec<u8> {
        let mut body = vec![3, 1];
        body.extend([7; 32]);
        body.push(0);
        body.extend([0, 4, 0xc0, 0x13, 0, 0x2f, 1, 0]);
        body.extend([0, 14, 0, 0, 0, 10, 0, 8, 0, 0, 5]);
        body.extend(b"A.com");
        let mut message = vec![1, 0, 0, u8::try_from(body.len()).unwrap()];
        message.extend(body);
        let mut raw = Vec::new();
        for part in message.chunks(20) {
            raw.extend([22, 3, 1, 0, u8::try_from(part.len()).unwrap()]);
            raw.extend(part);
        }
        raw
    }

    #[tokio::test]
    async fn a_hello_in_several_records_is_read_whole() {
        let raw = hello();
        let (hello, kept) = read(&mut raw.as_slice()).await.unwrap();
        assert_eq!(kept, raw);
        assert_eq!(hello.name.as_deref(), Some("a.com"));
        assert_eq!(hello.suites, [0xc013, 0x2f]);
        assert!(hello.is_old());
        assert!(!Hello { supported: vec![0x0302, 0x0304], ..hello }.is_old());
    }

    #[tokio::test]
    async fn anything_else_is_an_error() {
        for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[22, 3, 1, 0, 4, 2, 0, 0, 0], &[22, 3]] {
            assert!(read(&mut &*bytes).await.is_err());
        }
        let mut cut = hello();
        cut.truncate(60);
        assert!(read(&mut cut.as_slice()).await.is_err());
    }
}
