//! Bodies of answers, the hostile ones included.

use std::convert::Infallible;
use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;
use flate2::write::GzEncoder;
use flate2::{Compress, Compression, FlushCompress};
use futures_util::{StreamExt as _, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;

use crate::plan::BodyFault;

/// The body of an answer.
pub(crate) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// The size of one piece of a hostile body.
const PIECE: usize = 16 * 1024;
/// What one piece of the bomb unpacks to.
const BOMB_PIECE: usize = 1 << 20;
/// Pieces of the bomb: a gigabyte.
const BOMB_PIECES: usize = 1 << 10;
/// The beginning of a gzip file without name and time (RFC 1952 section 2.3).
const GZIP_HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// A body that is sent as it is.
pub(crate) fn text(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).boxed_unsync()
}

/// A body that no client should read to its end.
pub(super) fn hostile(fault: BodyFault) -> Body {
    match fault {
        BodyFault::Endless => {
            let piece = Bytes::from(vec![b'x'; PIECE]);
            stream(stream::repeat(piece))
        }
        BodyFault::GzipBomb => {
            let head = stream::once(async { Bytes::from_static(&GZIP_HEAD) });
            stream(head.chain(stream::repeat(bomb_piece()).take(BOMB_PIECES)))
        }
        BodyFault::SlowDrip => stream(stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            Some((Bytes::from_static(b"."), ()))
        })),
    }
}

/// The gzip form of some bytes.
pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to a vector does not fail.
    let _written = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

/// A megabyte of zeros, packed so that it can be repeated: a full flush forgets what came before.
fn bomb_piece() -> Bytes {
    let mut packed = Vec::with_capacity(PIECE);
    let mut compress = Compress::new(Compression::best(), false);
    let zeros = vec![0; BOMB_PIECE];
    let _status = compress.compress_vec(&zeros, &mut packed, FlushCompress::Full);
    packed.into()
}

fn stream(pieces: impl stream::Stream<Item = Bytes> + Send + 'static) -> Body {
    StreamBody::new(pieces.map(|piece| Ok(Frame::data(piece)))).boxed_unsync()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn the_bomb_is_small_and_unpacks_to_very_much() {
        let piece = bomb_piece();
        assert!(piece.len() < PIECE);
        let packed = [&GZIP_HEAD[..], &piece, &piece, &piece].concat();
        let mut unpacked = Vec::new();
        let mut decoder = flate2::read::GzDecoder::new(packed.as_slice());
        assert!(decoder.read_to_end(&mut unpacked).is_err(), "it never ends properly");
        assert_eq!(unpacked.len(), 3 * BOMB_PIECE);
    }
}
