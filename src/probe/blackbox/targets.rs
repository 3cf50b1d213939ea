//! What may be probed: the hosts of the projects and what the config adds.

use url::Url;

/// Why a probe was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProbeDenied {
    /// There is no such module.
    #[error("there is no module {0:?}; there are http_2xx, tcp_tls and dns_a")]
    Module(String),
    /// The target cannot be read.
    #[error("{target:?} is no target of {module}; write {example}")]
    Target {
        /// The module.
        module: &'static str,
        /// What was asked for, cut short.
        target: String,
        /// How it is written.
        example: &'static str,
    },
    /// The config does not name it.
    #[error("{0} is not a host of a project; add it to agent.probe_targets to let it be probed")]
    NotListed(String),
}

/// What may be probed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProbeTargets {
    /// Hosts of the projects, at any port and path.
    pub hosts: Vec<String>,
    /// Hosts, `HOST:PORT` and URLs beside them. An address or `localhost` that stands here may be
    /// private: the user wrote it.
    pub extra: Vec<String>,
    /// The name that `dns_a` asks for where the target names none.
    pub dns_name: Option<String>,
}

/// A target that may be probed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// Lower case, without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// Of `http_2xx`.
    pub(super) url: Option<Url>,
    /// The name that `dns_a` asks for; empty for other modules.
    pub(super) name: String,
    /// An address or `localhost` that the user wrote into the config.
    pub(super) is_own: bool,
}

/// The most characters of a target.
const LENGTH: usize = 2048;

impl ProbeTargets {
    /// Reads what is asked for, and lets pass what is listed.
    pub(super) fn read(&self, module: &str, text: &str) -> Result<Target, ProbeDenied> {
        let (module, example) = match module {
            "http_2xx" => ("http_2xx", "https://shop.example/"),
            "tcp_tls" => ("tcp_tls", "shop.example:443"),
            "dns_a" => ("dns_a", "192.0.2.53:53/shop.example, the name server and the name"),
            other => return Err(ProbeDenied::Module(other.chars().take(40).collect())),
        };
        let denied =
            || ProbeDenied::Target { module, target: text.chars().take(100).collect(), example };
        if text.len() > LENGTH {
            return Err(denied());
        }
        let mut target = match module {
            "http_2xx" => web(text),
            "tcp_tls" => server(text, 443),
            _ => self.name_server(text),
        }
        .ok_or_else(denied)?;
        let is_host = |host: &String| host.eq_ignore_ascii_case(&target.host);
        let is_extra = self.extra.iter().any(|entry| names(entry, &target));
        if !is_extra && !self.hosts.iter().any(is_host) {
            return Err(ProbeDenied::NotListed(target.host));
        }
        let is_literal = target.host.parse::<std::net::IpAddr>().is_ok();
        target.is_own = is_extra && (is_literal || target.host == "localhost");
        Ok(target)
    }

    fn name_server(&self, text: &str) -> Option<Target> {
        let (address, name) = match text.split_once('/') {
            Some((address, name)) => (address, Some(name)),
            None => (text, self.dns_name.as_deref()),
        };
        let name = name.filter(|name| !name.is_empty())?.trim_end_matches('.');
        Some(Target { name: name.to_owned(), ..server(address, 53)? })
    }
}

fn web(text: &str) -> Option<Target> {
    let url =
        if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("http://{text}")) };
    let url = url.ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    // A name and password in a URL would be sent to the target and stand in the query of Prometheus.
    if !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    Some(Target {
        host: plain(url.host_str()?),
        port: url.port_or_known_default()?,
        url: Some(url),
        name: String::new(),
        is_own: false,
    })
}

/// `host`, `host:port`, `[::1]:port`.
fn server(text: &str, default: u16) -> Option<Target> {
    let (host, port) = match text.rsplit_once(':') {
        // More colons without brackets are an IPv6 address alone.
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            (host, port.parse().ok().filter(|port| *port > 0)?)
        }
        _ => (text, default),
    };
    let host = plain(host);
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    let is_good = !host.is_empty() && host.len() <= 253 && host.chars().all(is_name);
    is_good.then_some(Target { host, port, url: None, name: String::new(), is_own: false })
}

/// A host in lower case, without brackets and the dot at the end.
pub(super) fn plain(host: &str) -> String {
    host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase()
}

/// Whether an entry of the config names a target.
fn names(entry: &str, target: &Target) -> bool {
    if entry.contains("://") {
        return web(entry).is_some_and(|entry| entry.url == target.url);
    }
    let Some(listed) = server(entry, 0) else { return false };
    listed.host == target.host && (listed.port == 0 || listed.port == target.port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets() -> ProbeTargets {
        ProbeTargets {
            hosts: vec!["harbor.example".to_owned()],
            extra: [
                "https://status.example/health",
                "127.0.0.1:5353",
                "localhost",
                "[2001:db8::7]:853",
            ]
            .map(str::to_owned)
            .to_vec(),
            dns_name: Some("harbor.example".to_owned()),
        }
    }

    #[test]
    fn only_what_is_listed_passes() {
        let targets = targets();
        for (module, target, own) in [
            ("http_2xx", "https://HARBOR.example/a?b", false),
            ("http_2xx", "harbor.example", false),
            ("http_2xx", "https://status.example/health", false),
            ("http_2xx", "https://localhost:8443/", true),
            ("tcp_tls", "harbor.example", false),
            ("tcp_tls", "[2001:db8::7]:853", true),
            ("dns_a", "127.0.0.1:5353", true),
            ("dns_a", "127.0.0.1:5353/www.harbor.example.", true),
        ] {
            let read = targets.read(module, target).unwrap();
            assert_eq!(read.is_own, own, "{module} {target}");
        }
        for (module, target) in [
            ("http_2xx", "https://status.example/other"),
            ("http_2xx", "https://harbor.example.evil.example/"),
            ("http_2xx", "http://169.254.169.254/latest/meta-data"),
            ("tcp_tls", "127.0.0.1:5353x"),
            ("tcp_tls", "127.0.0.1:22"),
            ("dns_a", "127.0.0.1"),
        ] {
            assert!(targets.read(module, target).is_err(), "{module} {target}");
        }
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let targets = targets();
        let said = |module, target| targets.read(module, target).unwrap_err().to_string();
        assert_eq!(
            said("http_2xx", "https://other.example/"),
            "other.example is not a host of a project; add it to agent.probe_targets to let it be probed"
        );
        assert!(said("icmp", "harbor.example").contains("http_2xx, tcp_tls and dns_a"));
        assert!(said("http_2xx", "https://a:b@harbor.example/").contains("is no target"));
        assert!(said("http_2xx", "ftp://harbor.example/").contains("is no target"));
        assert!(said("dns_a", "127.0.0.1:5353/").contains("name server and the name"));
    }
}
