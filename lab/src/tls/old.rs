//! The first answer of a server that still speaks SSL 3.0, TLS 1.0 or TLS 1.1.
//!
//! No handshake is ever finished: whoever asks wants to know whether the version is accepted.

use rustls::pki_types::CertificateDer;

use super::hello::Hello;

/// Suites that old servers choose first, most wanted first: RFC 4492, 5246 and 2246.
const WANTED: [u16; 6] = [0xc014, 0xc013, 0x0035, 0x002f, 0x000a, 0x0005];
/// Signalling values that are no suites (RFC 5746 and 7507).
const SIGNALS: [u16; 2] = [0x00ff, 0x5600];
const HANDSHAKE: u8 = 22;
const ALERT: u8 = 21;

/// An alert that ends a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alert {
    /// None of the suites.
    HandshakeFailure = 40,
    /// None of the versions.
    ProtocolVersion = 70,
    /// No such host.
    UnrecognizedName = 112,
}

/// The bytes that answer an old hello: a flight in the best version that both know, or an alert.
pub(crate) fn answer(hello: &Hello, enabled: &[u16], chain: &[CertificateDer<'_>]) -> Vec<u8> {
    let version = enabled.iter().copied().filter(|version| *version <= hello.version).max();
    let Some(version) = version else { return alert(hello, Alert::ProtocolVersion) };
    let offered = |suite: &&u16| hello.suites.contains(suite);
    let any = || hello.suites.iter().find(|suite| !SIGNALS.contains(suite));
    let Some(suite) = WANTED.iter().find(offered).or_else(any) else {
        return alert(hello, Alert::HandshakeFailure);
    };
    let mut server_hello = version.to_be_bytes().to_vec();
    server_hello.extend([0x5a; 32]);
    server_hello.push(0);
    server_hello.extend(suite.to_be_bytes());
    server_hello.push(0);
    let certificates: Vec<u8> =
        chain.iter().flat_map(|certificate| prefixed(certificate)).collect();
    [(2, server_hello), (11, prefixed(&certificates)), (14, Vec::new())]
        .into_iter()
        .flat_map(|(kind, body)| {
            let message = [vec![kind], prefixed(&body)].concat();
            record(HANDSHAKE, version, &message)
        })
        .collect()
}

/// An alert as a record.
pub(crate) fn alert(hello: &Hello, alert: Alert) -> Vec<u8> {
    const FATAL: u8 = 2;
    record(ALERT, hello.version.min(0x0303), &[FATAL, alert as u8])
}

fn record(kind: u8, version: u16, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap_or_default();
    [&[kind], &version.to_be_bytes()[..], &length.to_be_bytes(), body].concat()
}

/// Some bytes with their length in three bytes in front.
fn prefixed(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or_default().to_be_bytes();
    length.into_iter().skip(1).chain(bytes.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(version: u16) -> Hello {
        Hello { version, suites: vec![0x00ff, 0x002f], ..Hello::default() }
    }

    #[test]
    fn the_best_version_of_both_is_chosen() {
        let answer = answer(&hello(0x0302), &[0x0301, 0x0302], &[]);
        assert_eq!(answer.get(..3), Some(&[22, 3, 2][..]));
        assert_eq!(answer.get(9..11), Some(&[3, 2][..]));
        assert_eq!(answer.get(44..46), Some(&[0, 0x2f][..]));
    }

    #[test]
    fn a_version_that_is_off_gets_an_alert() {
        assert_eq!(answer(&hello(0x0300), &[0x0301], &[]), [21, 3, 0, 0, 2, 2, 70]);
    }
}
