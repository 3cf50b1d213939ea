//! Domain names as people paste them.

use launchready_checks::suffix;
use std::net::IpAddr;

/// Why something is no domain name, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DomainError {
    /// A URL.
    #[error("{given:?} is a web address; write only the name: {name}")]
    Url {
        /// What was given.
        given: String,
        /// The name inside.
        name: String,
    },
    /// An address of a machine.
    #[error(
        "{0:?} is an IP address; write the public domain that visitors type, such as shop.example; to try \
         launchready out without one, type: launchready demo"
    )]
    Address(String),
    /// A name that means the machine on which it is asked for (RFC 6761).
    #[error(
        "{0:?} is this machine alone, and launchready looks at what strangers can reach; write the public domain \
         that visitors type, such as shop.example; to try launchready out without one, type: launchready demo"
    )]
    Local(String),
    /// An email address.
    #[error("{given:?} is an email address; write only the part after the @: {name}")]
    Email {
        /// What was given.
        given: String,
        /// The name inside.
        name: String,
    },
    /// A name with a port.
    #[error("{given:?} has a port; write only the name: {name}")]
    Port {
        /// What was given.
        given: String,
        /// The name inside.
        name: String,
    },
    /// A name without a dot.
    #[error("{0:?} is no full domain name; write it with its ending, such as {0}.com")]
    NoDot(String),
    /// A suffix under which others register.
    #[error(
        "{0:?} is a public suffix, not a domain of one owner; write the name below it, such as shop.{0}"
    )]
    Suffix(String),
    /// Anything else.
    #[error("{given:?} is no domain name: {reason}")]
    Malformed {
        /// What was given.
        given: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// The audited domain as lower-case A-labels without a trailing dot.
///
/// # Errors
/// What was given instead of a domain name, and what to write.
pub fn read_domain(given: &str) -> Result<String, DomainError> {
    let text = given.trim();
    let inner = |name: &str| match read_domain(name) {
        // What stands inside is the greater mistake: without its port it would be refused again.
        Err(error @ (DomainError::Address(_) | DomainError::Local(_))) => Err(error),
        read => Ok(read.unwrap_or_else(|_| "shop.example".to_owned())),
    };
    if let Some((_, rest)) = text.split_once("://") {
        let name = rest.split(['/', '?', '#', ':']).next().unwrap_or_default();
        return Err(DomainError::Url { given: given.to_owned(), name: inner(name)? });
    }
    if text.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
        return Err(DomainError::Address(given.to_owned()));
    }
    if let Some((_, name)) = text.rsplit_once('@') {
        return Err(DomainError::Email { given: given.to_owned(), name: inner(name)? });
    }
    if let Some((name, _)) = text.split_once('/') {
        return Err(DomainError::Url { given: given.to_owned(), name: inner(name)? });
    }
    if let Some((name, port)) = text.split_once(':')
        && port.chars().all(|c| c.is_ascii_digit())
    {
        return Err(DomainError::Port { given: given.to_owned(), name: inner(name)? });
    }
    let name = read_name(text)?;
    if name == "localhost" || name.ends_with(".localhost") {
        return Err(DomainError::Local(name));
    }
    if !name.contains('.') {
        return Err(DomainError::NoDot(name));
    }
    if suffix::is_suffix(&name) {
        return Err(DomainError::Suffix(name));
    }
    Ok(name)
}

/// A declared host: a full name, or one relative to the domain.
///
/// # Errors
/// What is wrong with the name.
pub fn read_host(given: &str, domain: &str) -> Result<String, DomainError> {
    let text = given.trim();
    if text == "@" || text.is_empty() {
        return Ok(domain.to_owned());
    }
    if !text.contains('.') {
        return read_domain(&format!("{}.{domain}", read_name(text)?));
    }
    let name = read_domain(text)?;
    let below = name == domain || name.ends_with(&format!(".{domain}"));
    let known = suffix::ends_in_suffix(&name);
    // `eu.api` is relative: no registry has the suffix `api`.
    if below || known { Ok(name) } else { read_domain(&format!("{name}.{domain}")) }
}

/// RFC 1035 and UTS 46: labels of 1 to 63 characters, 253 in all.
fn read_name(text: &str) -> Result<String, DomainError> {
    let malformed =
        |reason: &str| DomainError::Malformed { given: text.to_owned(), reason: reason.to_owned() };
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.is_empty() {
        return Err(malformed("it is empty; write a name such as shop.example"));
    }
    if text.chars().any(char::is_whitespace) {
        return Err(malformed("it holds a blank"));
    }
    let name = idna::domain_to_ascii(text)
        .map_err(|_source| malformed("it holds characters that no domain name has"))?;
    if name.len() > 253 {
        return Err(malformed("it is longer than 253 characters"));
    }
    for label in name.split('.') {
        if label.is_empty() {
            return Err(malformed("it has two dots in a row"));
        }
        if label.len() > 63 {
            return Err(malformed("a part is longer than 63 characters"));
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if !label.chars().all(allowed) || label.starts_with('-') || label.ends_with('-') {
            return Err(malformed("its parts may hold letters, digits and inner hyphens only"));
        }
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_people_write_them() {
        for (given, name) in [
            ("harbor.example", "harbor.example"),
            (" Harbor.Example. ", "harbor.example"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("shop.co.uk", "shop.co.uk"),
        ] {
            assert_eq!(read_domain(given).as_deref(), Ok(name));
        }
    }

    #[test]
    fn what_is_no_name_is_answered_with_the_name_inside() {
        let message = |given: &str| read_domain(given).unwrap_err().to_string();
        assert!(message("https://harbor.example/pricing").ends_with("name: harbor.example"));
        assert!(message("harbor.example/pricing").ends_with("name: harbor.example"));
        assert!(message("founder@harbor.example").ends_with("harbor.example"));
        assert!(message("harbor.example:8080").ends_with("name: harbor.example"));
        assert!(message("203.0.113.7").contains("IP address"));
        assert!(message("2001:db8::1").contains("IP address"));
        assert!(message("harbor").ends_with("harbor.com"));
        assert!(message("co.uk").contains("public suffix"));
        for bad in ["", ".", "a..b", "-a.example", "a b.example", &"x".repeat(64), "\u{202e}.com"] {
            assert!(read_domain(bad).is_err(), "{bad:?}");
        }
        assert!(read_domain(&"a.".repeat(200)).is_err());
    }

    #[test]
    fn a_machine_of_ones_own_is_answered_with_a_public_domain_and_the_demo() {
        for given in [
            "localhost",
            "Localhost.",
            "shop.localhost",
            "localhost:3000",
            "http://localhost:3000/",
            "127.0.0.1",
            "127.0.0.1:3000",
            "http://192.168.0.7/shop",
            "::1",
            "[::1]",
        ] {
            let message = read_domain(given).unwrap_err().to_string();
            assert!(message.contains("the public domain that visitors type"), "{message}");
            assert!(message.ends_with("type: launchready demo"), "{message}");
        }
        assert_eq!(read_domain("localhost.example").as_deref(), Ok("localhost.example"));
        assert_eq!(read_host("localhost", "harbor.example").unwrap(), "localhost.harbor.example");
    }

    #[test]
    fn hosts_are_relative_or_full() {
        let host = |given: &str| read_host(given, "harbor.example").unwrap();
        assert_eq!(host("www"), "www.harbor.example");
        assert_eq!(host("@"), "harbor.example");
        assert_eq!(host("api.harbor.example"), "api.harbor.example");
        assert_eq!(host("eu.api"), "eu.api.harbor.example");
        assert_eq!(host("shop.harbor.com"), "shop.harbor.com");
    }
}
