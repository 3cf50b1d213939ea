//! Reads a server's first answer to a ClientHello.

use launchready_checks::probe::{HelloAnswer, ProtocolVersion};

use super::{hello, suites};

/// The most bytes of an answer that are read; a ServerHello is the first message and far shorter.
pub(super) const LIMIT: usize = 32 * 1024;
/// The most bytes of one record (RFC 5246 6.2.3).
const RECORD: usize = (1 << 14) + 2048;
/// What is said of a record of another kind.
const NO_HANDSHAKE: &str = "a record that does not begin a handshake";

/// What the bytes so far say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reading {
    /// Nothing yet.
    NeedsMore,
    /// The answer.
    Answer(HelloAnswer),
    /// It is no TLS; why.
    Garbage(&'static str),
}

/// Reads the beginning of what a server sent.
pub(super) fn read(bytes: &[u8]) -> Reading {
    let mut rest = bytes;
    let mut handshake = Vec::new();
    while let Some((kind, content, after)) = record(rest) {
        match kind {
            // An alert of the level "warning", such as an unknown server name, ends nothing.
            21 => match content {
                [2, code, ..] | [1, code @ 0, ..] => {
                    return Reading::Answer(HelloAnswer::Rejected { alert: alert(*code) });
                }
                [1, _, ..] => {}
                _ => return Reading::Garbage("an alert of the wrong length"),
            },
            22 => {
                handshake.extend_from_slice(content);
                match server_hello(&handshake) {
                    Reading::NeedsMore => {}
                    decided => return decided,
                }
            }
            _ => return Reading::Garbage(NO_HANDSHAKE),
        }
        rest = after;
    }
    match rest {
        [b'H', ..] if b"HTTP/".starts_with(rest.get(..5).unwrap_or(rest)) => {
            if rest.len() >= 5 {
                Reading::Garbage("HTTP without TLS")
            } else {
                Reading::NeedsMore
            }
        }
        [21 | 22, 3, _, high, low, ..]
            if usize::from(u16::from_be_bytes([*high, *low])) <= RECORD =>
        {
            Reading::NeedsMore
        }
        // The same word as for the whole record, however its bytes come.
        [20 | 23, 3, _, high, low, ..]
            if usize::from(u16::from_be_bytes([*high, *low])) <= RECORD =>
        {
            Reading::Garbage(NO_HANDSHAKE)
        }
        [] | [20..=23] | [20..=23, 3] | [20..=23, 3, _] | [20..=23, 3, _, _] => Reading::NeedsMore,
        _ => Reading::Garbage("bytes that are no TLS record"),
    }
}

/// The first whole record: type, content, and what comes after.
fn record(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [kind @ 20..=23, 3, _, high, low, rest @ ..] = bytes else { return None };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    if length > RECORD {
        return None;
    }
    let (content, after) = rest.split_at_checked(length)?;
    Some((*kind, content, after))
}

/// Reads a ServerHello (RFC 8446 4.1.3); a `HelloRetryRequest` has the same form and accepts the
/// version too.
fn server_hello(message: &[u8]) -> Reading {
    let [kind, a, b, c, rest @ ..] = message else { return Reading::NeedsMore };
    if *kind != 2 {
        return Reading::Garbage("a handshake that does not begin with a ServerHello");
    }
    let length = u32::from_be_bytes([0, *a, *b, *c]);
    let Some(length) = usize::try_from(length).ok().filter(|length| *length <= LIMIT) else {
        return Reading::Garbage("a ServerHello over the limit");
    };
    let Some(body) = rest.get(..length) else { return Reading::NeedsMore };
    match fields(body) {
        Some((version, suite)) => match known(version) {
            Some(version) => {
                Reading::Answer(HelloAnswer::Accepted { version, suite: suites::name(suite) })
            }
            None => Reading::Garbage("a ServerHello of an unknown version"),
        },
        None => Reading::Garbage("a ServerHello that is cut short"),
    }
}

/// Version and suite of a ServerHello.
fn fields(body: &[u8]) -> Option<(u16, u16)> {
    let (version, rest) = number(body)?;
    let (_random, rest) = rest.split_at_checked(32)?;
    let (session, rest) = rest.split_first()?;
    let rest = rest.get(usize::from(*session)..)?;
    let (suite, rest) = number(rest)?;
    let (_compression, rest) = rest.split_first()?;
    // Old versions may leave the extensions out.
    let mut extensions = match number(rest) {
        Some((length, rest)) => rest.get(..usize::from(length))?,
        None if rest.is_empty() => &[],
        None => return None,
    };
    let mut chosen = version;
    while !extensions.is_empty() {
        let (kind, rest) = number(extensions)?;
        let (length, rest) = number(rest)?;
        let (content, after) = rest.split_at_checked(usize::from(length))?;
        if kind == 43 {
            chosen = number(content)?.0;
        }
        extensions = after;
    }
    Some((chosen, suite))
}

fn number(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<2>()?;
    Some((u16::from_be_bytes(*number), rest))
}

fn known(version: u16) -> Option<ProtocolVersion> {
    ProtocolVersion::ALL.into_iter().find(|known| hello::number(*known) == version)
}

/// The name of an alert (RFC 8446 6, and older ones from RFC 6101 and 5246).
fn alert(code: u8) -> String {
    let name = match code {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        21 => "decryption_failed",
        22 => "record_overflow",
        30 => "decompression_failure",
        40 => "handshake_failure",
        41 => "no_certificate",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        60 => "export_restriction",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        100 => "no_renegotiation",
        109 => "missing_extension",
        110 => "unsupported_extension",
        112 => "unrecognized_name",
        113 => "bad_certificate_status_response",
        115 => "unknown_psk_identity",
        116 => "certificate_required",
        120 => "no_application_protocol",
        other => return format!("alert {other}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A ServerHello in one record.
    fn record_of(version: u16, suite: u16, extensions: &[u8]) -> Vec<u8> {
        let mut body = version.to_be_bytes().to_vec();
        body.extend([5; 32]);
        body.push(0);
        body.extend(suite.to_be_bytes());
        body.push(0);
        if !extensions.is_empty() {
            body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
            body.extend(extensions);
        }
        let mut message = vec![2, 0];
        message.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
        message.extend(body);
        let mut record = vec![22, 3, 3];
        record.extend(u16::try_from(message.len()).unwrap().to_be_bytes());
        record.extend(message);
        record
    }

    fn accepted(version: ProtocolVersion, suite: &str) -> Reading {
        Reading::Answer(HelloAnswer::Accepted { version, suite: suite.to_owned() })
    }

    fn rejected(alert: &str) -> Reading {
        Reading::Answer(HelloAnswer::Rejected { alert: alert.to_owned() })
    }

    #[test]
    fn version_and_suite_are_read_and_the_extension_wins() {
        assert_eq!(
            read(&record_of(0x0301, 0xc013, &[])),
            accepted(ProtocolVersion::Tls10, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA")
        );
        assert_eq!(
            read(&record_of(0x0303, 0x1301, &[0, 51, 0, 2, 0, 29, 0, 43, 0, 2, 3, 4])),
            accepted(ProtocolVersion::Tls13, "TLS_AES_128_GCM_SHA256")
        );
        assert_eq!(
            read(&record_of(0x0300, 0xaaaa, &[])),
            accepted(ProtocolVersion::Ssl3, "0xaaaa")
        );
        assert!(matches!(read(&record_of(0x7f12, 0x1301, &[])), Reading::Garbage(_)));
    }

    #[test]
    fn a_fatal_alert_rejects_and_a_warning_does_not() {
        assert_eq!(read(&[21, 3, 1, 0, 2, 2, 70]), rejected("protocol_version"));
        assert_eq!(read(&[21, 3, 0, 0, 2, 2, 40]), rejected("handshake_failure"));
        assert_eq!(read(&[21, 3, 3, 0, 2, 1, 0]), rejected("close_notify"));
        let mut warned = vec![21, 3, 3, 0, 2, 1, 112];
        assert_eq!(read(&warned), Reading::NeedsMore);
        warned.extend(record_of(0x0303, 0xc02f, &[]));
        assert_eq!(
            read(&warned),
            accepted(ProtocolVersion::Tls12, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
        );
    }

    #[test]
    fn other_protocols_are_garbage() {
        assert_eq!(read(b"HTTP/1.1 400 Bad Request\r\n"), Reading::Garbage("HTTP without TLS"));
        assert_eq!(read(b"HTT"), Reading::NeedsMore);
        assert!(matches!(read(b"SSH-2.0-OpenSSH\r\n"), Reading::Garbage(_)));
        assert!(matches!(read(b"220 mail.harbor.example ESMTP\r\n"), Reading::Garbage(_)));
        assert!(matches!(read(&[22, 3, 3, 0xff, 0xff]), Reading::Garbage(_)));
        assert!(matches!(read(&[23, 3, 3, 0, 1, 0]), Reading::Garbage(_)));
    }

    #[test]
    fn every_beginning_of_an_answer_asks_for_more() {
        let whole = record_of(0x0303, 0x1302, &[0, 43, 0, 2, 3, 4]);
        for end in 0..whole.len() {
            assert_eq!(read(&whole[..end]), Reading::NeedsMore, "{end} bytes");
        }
        // The same message in records of one byte each.
        let split: Vec<u8> = whole[5..].iter().flat_map(|byte| [22, 3, 3, 0, 1, *byte]).collect();
        assert_eq!(read(&split), accepted(ProtocolVersion::Tls13, "TLS_AES_256_GCM_SHA384"));
    }

    #[test]
    fn what_is_said_of_a_stranger_does_not_depend_on_how_its_bytes_come() {
        for whole in
            [&[23, 3, 3, 0, 2, 7, 7][..], &[20, 3, 1, 0, 1, 1], b"HTTP/1.1 400", b"SSH-2.0"]
        {
            let decided = (0..=whole.len()).map(|end| read(&whole[..end]));
            let first = decided.into_iter().find(|reading| *reading != Reading::NeedsMore);
            assert_eq!(first, Some(read(whole)), "{whole:?}");
        }
    }

    #[test]
    fn a_damaged_answer_is_an_error_or_read_as_what_it_then_says() {
        let whole = record_of(0x0303, 0x1301, &[0, 43, 0, 2, 3, 4]);
        let said = read(&whole);
        for (at, was) in whole.iter().enumerate() {
            for byte in (0..=u8::MAX).filter(|byte| byte != was) {
                let mut bytes = whole.clone();
                bytes[at] = byte;
                let reading = read(&bytes);
                let is_accepted = matches!(reading, Reading::Answer(HelloAnswer::Accepted { .. }));
                match (at, byte) {
                    // What is not read: two old versions, the random bytes, the compression.
                    (2 | 9..=42 | 46, _) => assert_eq!(reading, said, "{byte} at {at}"),
                    // An alert.
                    (0, 21) => assert_eq!(reading, rejected("close_notify")),
                    // Another suite, another version, or none of the extensions: an answer that is whole as well.
                    (44 | 45 | 49 | 50, _) | (54, 0..=3) | (8, 38) | (43, 8) | (48, 0) => {
                        assert!(is_accepted && reading != said, "{byte} at {at}: {reading:?}");
                    }
                    // Nothing else that is damaged holds together.
                    _ => assert!(
                        !matches!(reading, Reading::Answer(_)),
                        "{byte} at {at}: {reading:?}"
                    ),
                }
            }
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = read(&bytes);
        }
    }
}
