//! Reads a body up to a limit, and decodes it on the way.

use std::io::Write as _;

use bytes::{Bytes, BytesMut};
use flate2::write::{GzDecoder, ZlibDecoder};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

/// A body, or its beginning.
pub(super) struct Body {
    pub(super) bytes: Bytes,
    pub(super) cut: bool,
}

/// Why a body could not be read.
pub(super) enum ReadError {
    Http(hyper::Error),
    Encoding(String),
}

/// Decoded bytes, of which only so many are kept.
struct Kept {
    bytes: BytesMut,
    limit: usize,
    cut: bool,
}

impl std::io::Write for Kept {
    fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
        let room = self.limit.saturating_sub(self.bytes.len());
        let kept = data.get(..room.min(data.len())).unwrap_or_default();
        self.bytes.extend_from_slice(kept);
        self.cut |= kept.len() < data.len();
        Ok(data.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

enum Decoder {
    Plain(Kept),
    Gzip(GzDecoder<Kept>),
    Deflate(ZlibDecoder<Kept>),
}

impl Decoder {
    fn new(encoding: Option<&str>, limit: usize) -> Self {
        let kept = Kept { bytes: BytesMut::new(), limit, cut: false };
        match encoding {
            Some("gzip" | "x-gzip") => Self::Gzip(GzDecoder::new(kept)),
            Some("deflate") => Self::Deflate(ZlibDecoder::new(kept)),
            _ => Self::Plain(kept),
        }
    }

    /// Small pieces, so that a bomb is noticed after at most one piece's worth of output.
    fn feed(&mut self, data: &[u8]) -> std::io::Result<()> {
        for piece in data.chunks(1024) {
            match self {
                Self::Plain(kept) => kept.write_all(piece)?,
                Self::Gzip(decoder) => decoder.write_all(piece)?,
                Self::Deflate(decoder) => decoder.write_all(piece)?,
            }
            if self.kept().cut {
                break;
            }
        }
        Ok(())
    }

    fn kept(&self) -> &Kept {
        match self {
            Self::Plain(kept) => kept,
            Self::Gzip(decoder) => decoder.get_ref(),
            Self::Deflate(decoder) => decoder.get_ref(),
        }
    }

    fn finish(self) -> std::io::Result<Kept> {
        match self {
            Self::Plain(kept) => Ok(kept),
            Self::Gzip(decoder) => decoder.finish(),
            Self::Deflate(decoder) => decoder.finish(),
        }
    }
}

/// The first `limit` bytes of a whole body, and whether there are more.
pub(in crate::probe) fn decode(
    bytes: &[u8],
    encoding: Option<&str>,
    limit: usize,
) -> std::io::Result<(Bytes, bool)> {
    let mut decoder = Decoder::new(encoding, limit);
    decoder.feed(bytes)?;
    let cut = decoder.kept().cut;
    let bytes = if cut { decoder.kept().bytes.clone() } else { decoder.finish()?.bytes };
    Ok((bytes.freeze(), cut))
}

/// Reads at most `limit` decoded bytes; a body in an encoding that was not asked for stays as it is.
pub(super) async fn read(
    mut body: Incoming,
    encoding: Option<&str>,
    limit: usize,
) -> Result<Body, ReadError> {
    let mut decoder = Decoder::new(encoding, limit);
    let bad = |error: std::io::Error| ReadError::Encoding(format!("cannot be decoded: {error}"));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(ReadError::Http)?;
        if let Some(data) = frame.data_ref() {
            decoder.feed(data).map_err(bad)?;
        }
        if decoder.kept().cut {
            let bytes = decoder.kept().bytes.clone().freeze();
            return Ok(Body { bytes, cut: true });
        }
    }
    let kept = decoder.finish().map_err(bad)?;
    Ok(Body { bytes: kept.bytes.freeze(), cut: kept.cut })
}
