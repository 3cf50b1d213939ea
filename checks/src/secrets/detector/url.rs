//! Addresses of databases and services with a password in them.

use super::Match;
use super::kinds;
use super::shape::{contains_ignoring_case, has_placeholder_word, position, run_end, starts_word};

/// The schemes of databases, with the drivers that `SQLAlchemy` appends; longest first where one ends
/// with another.
const DATABASES: [&str; 9] = [
    "postgresql+asyncpg",
    "postgresql+psycopg2",
    "postgresql",
    "postgres",
    "mysql",
    "mongodb+srv",
    "mongodb",
    "rediss",
    "redis",
];
/// The schemes of other services.
const SERVICES: [&str; 5] = ["amqps", "amqp", "cloudinary", "smtps", "smtp"];
/// Passwords of examples and of databases that only their own machine reaches.
const EXAMPLE_PASSWORDS: [&str; 20] = [
    "password",
    "passwd",
    "pass",
    "postgres",
    "postgresql",
    "root",
    "admin",
    "secret",
    "user",
    "username",
    "mysql",
    "mongo",
    "redis",
    "guest",
    "test",
    "api_secret",
    "pw",
    "pwd",
    "key",
    "token",
];

/// The address around its scheme.
pub(super) fn with_password(bytes: &[u8], at: usize) -> Option<Match> {
    const USER: usize = 128;
    const REST: usize = 256 + 254;
    const NEAR: usize = 24;
    // The literal stands in the scheme or, for `//:` and `//default:`, right after its colon.
    let near = at.saturating_sub(1);
    let colon = near + position(bytes.get(near..(near + NEAR).min(bytes.len()))?, b"://")?;
    let head = bytes.get(..colon)?;
    let ends = |scheme: &&&str| head.ends_with(scheme.as_bytes());
    let (scheme, kind) = DATABASES
        .iter()
        .find(ends)
        .map(|scheme| (scheme, kinds::DATABASE_URL))
        .or_else(|| SERVICES.iter().find(ends).map(|scheme| (scheme, kinds::SERVICE_URL)))?;
    let start = colon - scheme.len();
    let user = colon + "://".len();
    let user_end = run_end(bytes, user, USER, in_user);
    let password = user_end + 1;
    let rest = bytes.get(password..run_end(bytes, password, REST, in_rest))?;
    let end = splits(rest).find_map(|at| {
        let (secret, host) = (rest.get(..at)?, rest.get(at + 1..)?);
        let host = host.get(..run_end(host, 0, 254, in_host))?;
        (is_password(secret) && is_public_host(host)).then_some(password + at + 1 + host.len())
    })?;
    let fits = starts_word(bytes, start) && bytes.get(user_end) == Some(&b':');
    fits.then(|| Match { kind, start, end, lead: user - start })
}

/// Where the password may end and the host begin, the likeliest first.
///
/// Passwords are often pasted as they are, with an `@` of their own: what counts is the last one (RFC
/// 3986, section 3.2.1, read from the right, as drivers do). One in the query behind the host does not
/// count, unless the `?` or `#` belongs to the password.
fn splits(rest: &[u8]) -> impl Iterator<Item = usize> + use<> {
    let last = |bytes: &[u8]| bytes.iter().rposition(|byte| *byte == b'@');
    let first = rest.iter().position(|byte| *byte == b'@').unwrap_or(rest.len());
    let query = rest.iter().skip(first).position(|byte| matches!(byte, b'?' | b'#'));
    let authority = query.and_then(|length| rest.get(..first + length)).unwrap_or(rest);
    last(authority).into_iter().chain(last(rest))
}

fn in_user(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._%+-~@".contains(&byte)
}

fn in_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-'
}

/// A password, the host and what follows it.
fn in_rest(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"/\"'`\\<>{}[]|,;".contains(&byte)
}

/// A password that is no example, no variable and no row of stars.
fn is_password(secret: &[u8]) -> bool {
    let example = EXAMPLE_PASSWORDS.iter().any(|word| secret.eq_ignore_ascii_case(word.as_bytes()))
        || contains_ignoring_case(secret, b"password")
        || has_placeholder_word(secret);
    let variable = secret.starts_with(b"$") || secret.starts_with(b"%") && secret.ends_with(b"%");
    let distinct = secret
        .iter()
        .enumerate()
        .filter(|(place, byte)| !secret.get(..*place).is_some_and(|head| head.contains(byte)));
    secret.len() >= 5 && distinct.count() >= 4 && !example && !variable
}

/// A host that others can reach, and no example: `localhost`, `db` or `127.0.0.1` are neither.
fn is_public_host(host: &[u8]) -> bool {
    let Ok(host) = std::str::from_utf8(host) else { return false };
    if let Ok(address) = host.parse::<std::net::Ipv4Addr>() {
        return !address.is_loopback() && !address.is_unspecified();
    }
    let reserved = [
        "example.com",
        "example.org",
        "example.net",
        ".example",
        ".test",
        ".local",
        ".localhost",
        ".invalid",
        ".host",
    ];
    let lower = host.to_ascii_lowercase();
    lower.contains('.')
        && !reserved.iter().any(|suffix| lower.ends_with(suffix))
        && !["example", "xxx", "your", "abcdefghij", "hostname"]
            .iter()
            .any(|word| lower.contains(word))
}
