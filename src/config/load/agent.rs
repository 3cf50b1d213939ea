//! `[agent]` and `[metrics]`.

use std::net::{IpAddr, SocketAddr};

use launchready_checks::contract::Age;
use url::{Host, Url};

use super::policy::zone;
use super::reader::Reader;
use crate::config::file::{AgentTable, File, StoreValue};
use crate::config::plan::{Named, Plan};
use crate::config::secret::SecretRef;
use crate::config::store::fault;
use crate::incident::Policy;
use crate::schedule::Cron;

/// The most characters of an address.
const ADDRESS_CHARS: usize = 2048;

impl Reader<'_> {
    /// The settings of the agent; `policy` is that of `[defaults]`.
    pub(super) fn plan(&mut self, file: &File, policy: &Policy) -> Plan {
        let table = &file.agent;
        let mut plan = Plan::new(table, &file.metrics, self.folder);
        plan.agent.timezone.clone_from(&policy.timezone);
        self.addresses(table, &mut plan);
        let (least, most) = (Age::secs(15), Age::days(1));
        self.within("agent.heartbeat_every", table.heartbeat_every, least, most);
        self.within("agent.keep", table.keep, Age::days(1), Age::days(3650));
        plan.agent.summary = match table.summary.trim() {
            "" | "never" => None,
            text => match Cron::new(text, zone(policy)) {
                Ok(cron) => Some(cron),
                Err(error) => {
                    self.error("agent.summary", format!("{error}, or \"never\""));
                    None
                }
            },
        };
        plan.heartbeat_url = self.named(table.heartbeat_url.as_ref(), "agent.heartbeat_url");
        plan.password = self.named(table.auth.password.as_ref(), "agent.auth.password");
        let token = table.auth.metrics_token.as_ref();
        plan.metrics_token = self.named(token, "agent.auth.metrics_token");
        plan.tokens = self.tokens(file);
        let names: Vec<&str> = file.project.iter().map(|project| project.name.as_str()).collect();
        plan.channels = self.channels(&file.channel, &names);
        plan.agent.book.windows = self.windows(&file.maintenance, &names, policy);
        plan
    }

    fn addresses(&mut self, table: &AgentTable, plan: &mut Plan) {
        if let Ok(listen) = table.listen.parse::<SocketAddr>() {
            if !listen.ip().to_canonical().is_loopback() && table.auth.password.is_none() {
                let message = format!(
                    "anybody who reaches {listen} could read the page; add password = {{ env = \
                     \"LAUNCHREADY_PASSWORD\" }} to [agent.auth], or listen on 127.0.0.1"
                );
                self.error("agent.listen", message);
            }
            plan.agent.listen = listen;
        } else {
            let text = &table.listen;
            let message =
                format!("{text:?} is no address; write \"127.0.0.1:9797\" or \"[::1]:9797\"");
            self.error("agent.listen", message);
        }
        match &table.store {
            StoreValue::Plain(text) => {
                if let Some(message) = fault(text, false) {
                    self.error("agent.store", message);
                }
            }
            StoreValue::Secret(reference) => {
                plan.store = self.named(Some(reference), "agent.store");
            }
        }
        if let Some(text) = &table.public_url {
            plan.agent.public_url = self.url("agent.public_url", text);
            let url = plan.agent.public_url.as_deref().and_then(|url| Url::parse(url).ok());
            let is_here = url.as_ref().and_then(Url::host).is_none_or(|host| match host {
                Host::Domain(name) => name == "localhost",
                Host::Ipv4(address) => address.is_loopback(),
                Host::Ipv6(address) => address.is_loopback(),
            });
            if !is_here && table.auth.password.is_none() {
                let message = "whoever reaches that address could read the page; add password = { env = \
                               \"LAUNCHREADY_PASSWORD\" } to [agent.auth]";
                self.error("agent.public_url", message);
            }
        }
        for (index, text) in table.probe_targets.iter().enumerate() {
            if !is_target(text) {
                let message = "write a host, host:port or web address, such as \"shop.example\" or \
                               \"https://shop.example/health\"";
                self.error(&format!("agent.probe_targets[{index}]"), message);
            }
        }
    }

    /// A secret that is named and not read.
    pub(super) fn named(&self, reference: Option<&SecretRef>, key: &str) -> Option<Named> {
        let reference = reference?.clone();
        Some(Named { key: key.to_owned(), line: self.line(key), reference })
    }

    /// The base of web addresses, without a slash at the end. It is never quoted: people paste tokens.
    pub(super) fn url(&mut self, key: &str, text: &str) -> Option<String> {
        match read_base(text) {
            Ok(url) => Some(url),
            Err(message) => {
                self.error(key, message);
                None
            }
        }
    }
}

/// A web address that others are put behind.
fn read_base(text: &str) -> Result<String, &'static str> {
    const WRITE: &str = "this is no web address; write one such as \"https://watch.shop.example\"";
    if text.len() > ADDRESS_CHARS {
        return Err(WRITE);
    }
    let url = Url::parse(text.trim()).map_err(|_source| WRITE)?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(WRITE);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("an address must hold no user and password; take them out");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("the address must end with its path; take out what follows ? or #");
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// `HOST`, `HOST:PORT` or a web address.
fn is_target(text: &str) -> bool {
    if text.is_empty() || text.len() > ADDRESS_CHARS || text.contains(char::is_whitespace) {
        return false;
    }
    if text.contains("://") {
        let url = Url::parse(text);
        return url.is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    }
    read_host_port(text).is_some()
}

/// A host and, where one is said, a port. An IPv6 address with a port stands in brackets.
pub(super) fn read_host_port(text: &str) -> Option<(String, Option<u16>)> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Some((ip.to_string(), None));
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, Some(port.parse().ok().filter(|port| *port > 0)?)),
        None => (text, None),
    };
    if host.len() > 253 {
        return None;
    }
    match Host::parse(host).ok()? {
        Host::Domain(name) => Some((name, port)),
        Host::Ipv4(ip) => Some((ip.to_string(), port)),
        Host::Ipv6(ip) => Some((ip.to_string(), port)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, parse};
    use std::path::Path;

    fn read(text: &str) -> Config {
        parse(text, Path::new(".")).unwrap_or_else(|errors| panic!("{errors}"))
    }

    fn errors(text: &str) -> String {
        parse(text, Path::new(".")).unwrap_err().to_string()
    }

    #[test]
    fn without_a_word_the_agent_is_on_this_machine_alone_and_remembers_in_a_file() {
        let agent = read("").agent().unwrap();
        assert_eq!(agent.listen.to_string(), "127.0.0.1:9797");
        assert_eq!(agent.store.address(), Ok("sqlite:launchready.db"));
        assert_eq!(agent.summary.unwrap().text(), "0 8 * * 1");
        assert_eq!((agent.max_in_flight, agent.metrics_max_checks), (200, 20_000));
        assert_eq!(agent.keep, Age::days(90).0);
        let made = Config::default().agent().unwrap();
        assert_eq!(format!("{made:?}").replace("folder: \"\"", "folder: \".\""), {
            let same = read("").agent().unwrap();
            format!("{same:?}")
        });
    }

    #[test]
    fn who_listens_beyond_this_machine_needs_a_password() {
        for listen in ["0.0.0.0:9797", "[::]:9797", "192.0.2.7:80"] {
            let text = format!("[agent]\nlisten = \"{listen}\"\n");
            let errors = errors(&text);
            assert!(errors.contains("line 2: agent.listen: anybody who reaches"), "{errors}");
            assert!(errors.contains("password = { env = \"LAUNCHREADY_PASSWORD\" }"), "{errors}");
            let with = format!("{text}[agent.auth]\npassword = {{ env = \"NOT_SET\" }}\n");
            assert_eq!(read(&with).plan.agent.listen.to_string(), listen);
        }
        for listen in ["127.0.0.1:0", "[::1]:9797", "127.8.8.8:1"] {
            read(&format!("[agent]\nlisten = \"{listen}\"\n"));
        }
        assert!(errors("[agent]\nlisten = \"9797\"\n").contains("write \"127.0.0.1:9797\""));
    }

    #[test]
    fn the_summary_may_never_come_and_is_told_in_the_zone_of_the_defaults() {
        for never in ["never", ""] {
            let config = read(&format!("[agent]\nsummary = \"{never}\"\n"));
            assert_eq!(config.agent().unwrap().summary, None);
        }
        let text = "[defaults]\ntimezone = \"Asia/Tokyo\"\n[agent]\nsummary = \"0 9 * * 5\"\n";
        let agent = read(text).agent().unwrap();
        let next = agent.summary.unwrap().after("2026-11-24T00:00:00Z".parse().unwrap());
        assert_eq!(next.unwrap().to_string(), "2026-11-27T00:00:00Z");
        assert_eq!(agent.timezone, "Asia/Tokyo");
        let wrong = errors("[agent]\nsummary = \"weekly\"\n");
        assert!(wrong.contains("line 2: agent.summary") && wrong.contains("\"never\""), "{wrong}");
    }

    #[test]
    fn addresses_are_checked_and_what_may_hold_a_password_is_never_quoted() {
        let text = "[agent]\npublic_url = \"http://localhost:8080/base/\"\n\
                    probe_targets = [\"shop.example\", \"shop.example:443\", \"[2001:db8::7]:25\", \
                    \"https://shop.example/health?x=1\"]\n";
        let agent = read(text).agent().unwrap();
        assert_eq!(agent.public_url.as_deref(), Some("http://localhost:8080/base"));
        assert_eq!(agent.probe_targets.len(), 4);
        for (line, part) in [
            ("store = \"postgres://agent:hunter2@db/agent\"", "{ env = \"LAUNCHREADY_STORE\" }"),
            ("store = { env = \"not a name hunter2\" }", "name of a variable"),
            ("store = 7", "write"),
            ("store = \"sqlite:\"", "path of a file"),
            ("store = \"sqlite::memory:\"", "outlive"),
            ("store = \"hunter2\"", "sqlite:launchready.db"),
            ("public_url = \"https://me:hunter2@watch.example\"", "no user and password"),
            ("public_url = \"watch.example/hunter2\"", "no web address"),
            ("public_url = \"https://watch.example\"", "add password"),
            ("public_url = \"http://203.0.113.7\"", "add password"),
            ("public_url = \"https://watch.example/?t=hunter2\"", "?"),
            ("probe_targets = [\"ftp://a.example\"]", "probe_targets[0]"),
            ("probe_targets = [\"a b\"]", "probe_targets[0]"),
            ("heartbeat_every = \"1s\"", "write 15s to 24h"),
            ("keep = \"1h\"", "write 24h to 3650d"),
            ("max_in_flight = 0", "write a number from 1 to 10000"),
            ("max_in_flight = 99999999999999999999", "the number is too large"),
        ] {
            let errors = errors(&format!("[agent]\n{line}\n"));
            assert!(errors.contains(part) && errors.contains("line 2"), "{line}: {errors}");
            assert!(!errors.contains("hunter2"), "{errors}");
        }
    }
}
