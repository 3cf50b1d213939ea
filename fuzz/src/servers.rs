//! What servers answer that speak no HTTP, and the encodings of those that do.

use launchready::probe::bytes;
use launchready_checks::probe::replay::World;
use launchready_checks::probe::{DnsAnswer, HelloAnswer, ProbeError, RegistrationAnswer, Seen};
use serde_json::Value;

use super::holds::{check, is_stable, ready, target};
use super::world::{Names, probes};

/// Records of one section that the adapter keeps.
const RECORDS: usize = 5000;
/// The most characters of what a server says that an error repeats.
const ERROR: usize = 2000;

/// What an error shows to people is short and one line.
pub(super) fn is_short(error: &ProbeError) {
    let text = error.to_string();
    assert!(text.chars().count() <= ERROR, "an error of {} bytes", text.len());
}

/// Messages with their length in front, as over TCP: each is the answer to one question of the checks of DNS.
pub(super) fn dns_message(data: &[u8]) {
    let mut rest = data;
    let mut messages: Vec<DnsAnswer> = Vec::new();
    while let Some((length, behind)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length)).min(behind.len());
        let (message, behind) = behind.split_at(length);
        rest = behind;
        match bytes::dns_message(message) {
            Err(error) => is_short(&error),
            Ok(answer) => {
                assert!(answer.answers.len() <= RECORDS && answer.authority.len() <= RECORDS);
                for record in answer.answers.iter().chain(&answer.authority) {
                    assert!(!record.name.chars().any(|c| c.is_ascii_uppercase()), "{record:?}");
                    assert!(record.name.is_ascii(), "{record:?}");
                }
                is_stable(&answer);
                messages.push(answer);
            }
        }
        if messages.len() >= 32 {
            break;
        }
    }
    let (first, _) = data.split_first().unwrap_or((&0, &[]));
    let ids = ["dns-resolution", "dns-subdomains", "dns-drift", "mail-spf", "mail-transport"];
    let id = ids.get(usize::from(*first) % ids.len()).unwrap_or(&"dns-resolution");
    check(id, &Value::Null, &target(), &probes(World::default(), Names::Messages(messages), &[]));
}

/// The beginning of an answer to our greeting.
pub(super) fn tls_hello(data: &[u8]) {
    let whole = bytes::tls_hello(data);
    match &whole {
        Ok(Some(HelloAnswer::Accepted { suite, .. })) => assert!(suite.len() <= 80, "{suite}"),
        Ok(Some(HelloAnswer::Rejected { alert })) => assert!(alert.len() <= 80, "{alert}"),
        Ok(None) | Err(_) => {}
    }
    if let Ok(Some(answer)) = &whole {
        is_stable(answer);
    }
    // What is clear stays clear, however much has come of it: nothing is decided from half an answer.
    let decided = (0..=data.len().min(300)).find_map(|end| {
        let beginning = bytes::tls_hello(data.get(..end)?);
        (beginning != Ok(None)).then_some(beginning)
    });
    if let Some(decided) = decided {
        assert_eq!(decided, whole, "more bytes change what was clear");
    }
}

/// A greeting and the answer to EHLO.
pub(super) fn smtp(data: &[u8]) {
    match ready(bytes::smtp(data)) {
        Err(error) => is_short(&error),
        Ok(answer) => {
            assert!(answer.banner.chars().count() <= 512 && answer.extensions.len() <= 64);
            assert!(answer.extensions.iter().all(|word| word.chars().count() <= 512 * 3));
            is_stable(&answer);
        }
    }
}

/// An RDAP domain object, then the check that judges it.
pub(super) fn rdap(data: &[u8]) {
    let Some(answer) = bytes::registration(data) else { return };
    if let RegistrationAnswer::Known { status, events, name_servers, .. } = &answer {
        assert!(status.len() <= 32 && events.len() <= 32 && name_servers.len() <= 32);
    }
    is_stable(&answer);
    let world = World { registration: Some(Seen::Ok(answer)), ..World::default() };
    check("domain-registration", &Value::Null, &target(), &probes(world, Names::Plain, &[]));
}

/// A body in an encoding: the first byte says which, the second how much of it is kept.
pub(super) fn body(data: &[u8]) {
    let [encoding, limit, rest @ ..] = data else { return };
    let encoding = match encoding % 5 {
        0 => Some("gzip"),
        1 => Some("deflate"),
        2 => Some("x-gzip"),
        3 => Some("br"),
        _ => None,
    };
    let limit = usize::from(*limit) * 64;
    if let Ok((bytes, cut)) = bytes::body(rest, encoding, limit) {
        assert!(bytes.len() <= limit);
        assert!(!cut || bytes.len() == limit, "a body that is cut before its limit");
        if matches!(encoding, Some("br") | None) {
            assert_eq!(&bytes[..], &rest[..limit.min(rest.len())], "it changes on the way");
        }
    }
}
