//! Hand-made ClientHello messages (RFC 6101, 5246, 8446): a library that cannot speak an old version
//! cannot see it.

use std::net::IpAddr;

use launchready_checks::probe::{HelloQuestion, ProtocolVersion};

use super::suites;

/// Groups offered (RFC 8446 4.2.7): X25519, P-256, P-384, P-521, ffdhe2048.
const GROUPS: [u16; 5] = [0x001d, 0x0017, 0x0018, 0x0019, 0x0100];
/// Signature schemes offered (RFC 8446 4.2.3), old ones last: ECDSA and RSA-PSS with SHA-2, Ed25519,
/// RSA PKCS #1 with SHA-2, then SHA-1 and DSA for servers that have nothing else.
const SIGNATURES: [u16; 14] = [
    0x0403, 0x0503, 0x0603, 0x0807, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201,
    0x0402, 0x0202,
];
/// "I know safe renegotiation" (RFC 5746 3.3), for versions without extensions too.
const RENEGOTIATION_SCSV: u16 = 0x00ff;
/// The base point of X25519 (RFC 7748 6.1) is a valid public key. No handshake is ever finished, so
/// nobody needs the secret that belongs to it.
const X25519_BASE_POINT: u8 = 9;

/// The number of a version on the wire.
pub(super) const fn number(version: ProtocolVersion) -> u16 {
    match version {
        ProtocolVersion::Ssl3 => 0x0300,
        ProtocolVersion::Tls10 => 0x0301,
        ProtocolVersion::Tls11 => 0x0302,
        ProtocolVersion::Tls12 => 0x0303,
        ProtocolVersion::Tls13 => 0x0304,
    }
}

/// The bytes of a ClientHello in one record; `random` is the client's random and session id.
pub(super) fn client_hello(question: &HelloQuestion, random: &[u8; 64]) -> Vec<u8> {
    let version = question.version;
    let is_13 = version == ProtocolVersion::Tls13;
    let (client_random, session) = random.split_at(32);
    let mut body = Vec::with_capacity(512);
    // TLS 1.3 calls itself 1.2 here (RFC 8446 4.1.2) and says the truth in an extension.
    push_u16(&mut body, number(version).min(0x0303));
    body.extend_from_slice(client_random);
    // A session id keeps middleboxes calm (RFC 8446 D.4); older versions resume nothing.
    push_u8_list(&mut body, if is_13 { session } else { &[] });
    let mut list = Vec::new();
    for suite in suites::offered(version, question.suites) {
        push_u16(&mut list, suite);
    }
    if !is_13 {
        push_u16(&mut list, RENEGOTIATION_SCSV);
    }
    push_u16_list(&mut body, &list);
    push_u8_list(&mut body, &[0]);
    if version != ProtocolVersion::Ssl3 {
        push_u16_list(&mut body, &extensions(question));
    }

    let mut record = Vec::with_capacity(body.len() + 9);
    record.push(22);
    push_u16(&mut record, number(version).min(0x0301));
    let mut message = vec![1, 0];
    push_u16_list(&mut message, &body);
    push_u16_list(&mut record, &message);
    record
}

fn extensions(question: &HelloQuestion) -> Vec<u8> {
    let version = question.version;
    let mut all = Vec::new();
    let mut add = |number: u16, content: &[u8]| {
        push_u16(&mut all, number);
        push_u16_list(&mut all, content);
    };
    // An address has no server name (RFC 6066 3).
    if question.host.parse::<IpAddr>().is_err() {
        let mut name = vec![0];
        push_u16_list(&mut name, question.host.as_bytes());
        add(0, &listed(&name));
    }
    add(10, &listed(&numbers(&GROUPS)));
    if version < ProtocolVersion::Tls13 {
        // Points are uncompressed.
        add(11, &[1, 0]);
    }
    if version >= ProtocolVersion::Tls12 {
        add(13, &listed(&numbers(&SIGNATURES)));
    }
    if version == ProtocolVersion::Tls13 {
        add(43, &[2, 3, 4]);
        // Key exchange with each resumption.
        add(45, &[1, 1]);
        let mut key = [0; 32];
        key[0] = X25519_BASE_POINT;
        let mut share = numbers(&[0x001d]);
        push_u16_list(&mut share, &key);
        add(51, &listed(&share));
    }
    all
}

fn numbers(list: &[u16]) -> Vec<u8> {
    list.iter().flat_map(|number| number.to_be_bytes()).collect()
}

fn listed(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + 2);
    push_u16_list(&mut out, content);
    out
}

fn push_u16(out: &mut Vec<u8>, number: u16) {
    out.extend_from_slice(&number.to_be_bytes());
}

/// A list with its length in two bytes. Everything here is our own and far shorter than 64 KiB; a
/// name that is not is cut, and no server takes it.
fn push_u16_list(out: &mut Vec<u8>, content: &[u8]) {
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
    push_u16(out, length);
    out.extend(content.iter().take(usize::from(length)));
}

/// A list with its length in one byte.
fn push_u8_list(out: &mut Vec<u8>, content: &[u8]) {
    let length = u8::try_from(content.len()).unwrap_or(u8::MAX);
    out.push(length);
    out.extend(content.iter().take(usize::from(length)));
}

#[cfg(test)]
mod tests {
    use launchready_checks::probe::SuiteSet;

    use super::*;

    fn hello(version: ProtocolVersion) -> Vec<u8> {
        let question = HelloQuestion {
            host: "harbor.example".to_owned(),
            address: None,
            port: 443,
            version,
            suites: SuiteSet::All,
        };
        client_hello(&question, &[7; 64])
    }

    fn has(bytes: &[u8], part: &[u8]) -> bool {
        bytes.windows(part.len()).any(|window| window == part)
    }

    #[test]
    fn lengths_and_versions_are_right() {
        for version in ProtocolVersion::ALL {
            let bytes = hello(version);
            assert_eq!(bytes[0], 22);
            assert_eq!(usize::from(u16::from_be_bytes([bytes[3], bytes[4]])), bytes.len() - 5);
            assert_eq!(bytes[5], 1);
            assert_eq!(usize::from(u16::from_be_bytes([bytes[7], bytes[8]])), bytes.len() - 9);
            let inside = u16::from_be_bytes([bytes[9], bytes[10]]);
            assert_eq!(inside, number(version).min(0x0303), "{version:?}");
        }
    }

    #[test]
    fn ssl_3_has_no_name_and_tls_1_3_says_so_in_an_extension() {
        assert!(!has(&hello(ProtocolVersion::Ssl3), b"harbor.example"));
        assert!(has(&hello(ProtocolVersion::Tls10), b"harbor.example"));
        assert!(has(&hello(ProtocolVersion::Tls13), &[0, 43, 0, 3, 2, 3, 4]));
        assert!(!has(&hello(ProtocolVersion::Tls12), &[0, 43, 0, 3]));
    }

    #[test]
    fn an_address_is_no_server_name() {
        let question = HelloQuestion {
            host: "203.0.113.7".to_owned(),
            address: None,
            port: 443,
            version: ProtocolVersion::Tls12,
            suites: SuiteSet::Strong,
        };
        assert!(!has(&client_hello(&question, &[7; 64]), b"203.0.113.7"));
    }
}
