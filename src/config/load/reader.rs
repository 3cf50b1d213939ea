//! Network and projects, and what every part of the file is read with.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use launchready_checks::contract::{
    Age, MailFacts, RedirectRule, RegistrationFacts, SourceFacts, Target, WebFacts,
};

use super::checks::{Common, schedules};
use super::{NOT_USED, Project};
use crate::config::accounts::AccountSettings;
use crate::config::agent::Watch;
use crate::config::attestations::Attestations;
use crate::config::document::{ConfigError, Document};
use crate::config::domain::{read_domain, read_host};
use crate::config::file::{NetworkTable, ProjectTable};
use crate::config::promise::Promise;
use crate::config::redirects::read_redirects;
use crate::files;
use crate::incident::Policy;
use crate::probe::{ConnectTo, Network};

/// More is no map of old addresses.
const MAP_BYTES: u64 = 4 * 1024 * 1024;
/// The fewest characters of a token: from the record in DNS, shorter ones can be found by trying.
const TOKEN_CHARS: usize = 16;

/// Reads what the schema has let through, and collects what is still wrong.
pub(super) struct Reader<'a> {
    document: &'a Document<'a>,
    pub(super) folder: &'a Path,
    pub(super) errors: Vec<ConfigError>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(document: &'a Document<'a>, folder: &'a Path) -> Self {
        Self { document, folder, errors: Vec::new() }
    }

    #[allow(clippy::needless_pass_by_value, reason = "callers hand over errors and texts alike")]
    pub(super) fn error(&mut self, key: &str, message: impl ToString) {
        let line = self.document.line(key);
        self.errors.push(ConfigError { line, key: key.to_owned(), message: message.to_string() });
    }

    /// The line of a key.
    pub(super) fn line(&self, key: &str) -> usize {
        self.document.line(key)
    }

    /// A length of time within bounds.
    pub(super) fn within(&mut self, key: &str, given: Age, least: Age, most: Age) -> Duration {
        if given < least || given > most {
            self.error(key, format!("{given} is out of range; write {least} to {most}"));
        }
        given.0
    }

    pub(super) fn network(&mut self, table: &NetworkTable) -> Network {
        let mut network = Network {
            extra_roots: table.extra_roots.iter().map(|path| self.folder.join(path)).collect(),
            allow_private: table.allow_private,
            rdap: table.rdap.clone(),
            ..Network::default()
        };
        for (index, text) in table.resolvers.iter().enumerate() {
            match read_resolver(text) {
                Some(resolver) => network.resolvers.push(resolver),
                None => self.error(
                    &format!("network.resolvers[{index}]"),
                    format!("{text:?} is no address; write \"1.1.1.1\" or \"127.0.0.1:5353\""),
                ),
            }
        }
        for (index, rule) in table.connect_to.iter().enumerate() {
            match ConnectTo::new(&rule.from, &rule.to) {
                Ok(rule) => network.connect_to.push(rule),
                Err(error) => self.error(&format!("network.connect_to[{index}]"), error),
            }
        }
        for (index, path) in network.extra_roots.iter().enumerate() {
            if let Err(error) = std::fs::File::open(path) {
                let message =
                    format!("cannot read {}: {error}; name an existing PEM file", path.display());
                self.error(&format!("network.extra_roots[{index}]"), message);
            }
        }
        network
    }

    pub(super) fn project(
        &mut self,
        table: &ProjectTable,
        defaults: &Policy,
        common: &Common,
        key: &str,
    ) -> Project {
        let domain = read_domain(&table.domain).unwrap_or_else(|error| {
            self.error(&format!("{key}.domain"), error);
            String::new()
        });
        let mut hosts = Vec::new();
        for (index, host) in table.hosts.iter().enumerate() {
            match read_host(host, &domain) {
                Ok(host) if host == domain || hosts.contains(&host) => {}
                Ok(host) => hosts.push(host),
                Err(error) => self.error(&format!("{key}.hosts[{index}]"), error),
            }
        }
        for (index, name) in table.not_used.iter().enumerate() {
            if !NOT_USED.contains(&name.as_str()) {
                let message = format!("{name:?} is none of {}", NOT_USED.join(", "));
                self.error(&format!("{key}.not_used[{index}]"), message);
            }
        }
        let policy = self.policy(defaults, &table.policy, key);
        let checks = self.checks(&table.checks, &common.tables, &policy, &format!("{key}.checks"));
        let schedules = schedules(&common.tables, &checks, &policy);
        let redirect_map = self.redirect_map(table, key);
        let path = table.source.as_ref().map(|source| self.folder.join(&source.path));
        if let Some(drill) = &table.drill {
            self.drill(drill, &table.accounts, key);
        }
        let heartbeats = self.promises(&table.heartbeat, &policy, key);
        let mut sends_from = Vec::new();
        for (index, name) in table.mail.sends_from.iter().enumerate() {
            match read_domain(name) {
                Ok(name) => sends_from.push(name),
                Err(error) => self.error(&format!("{key}.mail.sends_from[{index}]"), error),
            }
        }
        let target = Target {
            project: table.name.clone(),
            domain,
            hosts,
            goal: table.goal,
            web: WebFacts {
                redirect_map,
                webhook_paths: table.web.webhook_paths.clone(),
                oauth_paths: table.web.oauth_paths.clone(),
                legal_pages: table.web.legal_pages.clone(),
                functions: table.web.functions.clone(),
            },
            mail: MailFacts {
                not_used: table.not_used.iter().any(|name| name == "mail"),
                sends_from,
                selectors: table.mail.selectors.clone(),
                tools: table.mail.tools.clone(),
            },
            registration: RegistrationFacts {
                expires: table.registration.expires,
                auto_renew: table.registration.auto_renew,
            },
            source: path.map(|path| SourceFacts { path: path.to_string_lossy().into_owned() }),
            accounts: self.accounts(&table.accounts, key),
            heartbeats: heartbeats.iter().map(Promise::facts).collect(),
            ..Target::default()
        };
        let token = table.ownership.as_deref().map_or(TOKEN_CHARS, |it| it.trim().chars().count());
        if token < TOKEN_CHARS {
            let message = format!(
                "it is shorter than {TOKEN_CHARS} characters, so that the record in DNS would give it away; \
                 `openssl rand -hex 16` makes one"
            );
            self.error(&format!("{key}.ownership"), message);
        }
        Project {
            target,
            not_used: table.not_used.clone(),
            ownership: table.ownership.clone(),
            owners: table.account.clone(),
            options: common.options_with(&checks),
            watch: Watch { policy, schedules, public: table.public, heartbeats },
            accounts: Arc::new(AccountSettings {
                tables: table.accounts.clone(),
                folder: self.folder.to_owned(),
            }),
            drill: table.drill.clone().map(Arc::new),
        }
    }

    fn redirect_map(&mut self, table: &ProjectTable, key: &str) -> Vec<RedirectRule> {
        let Some(path) = &table.web.redirect_map else { return Vec::new() };
        let key = format!("{key}.web.redirect_map");
        let path = self.folder.join(path);
        let text = match files::read_text(&path, MAP_BYTES) {
            Ok(text) => text,
            Err(error) => {
                self.error(&key, format!("cannot read {}: {error}", path.display()));
                return Vec::new();
            }
        };
        read_redirects(&text).unwrap_or_else(|message| {
            self.error(&key, format!("{}: {message}", path.display()));
            Vec::new()
        })
    }

    /// What people have signed, in the file beside the config.
    pub(super) fn attestations(&mut self, projects: &mut [Project]) {
        match Attestations::read(self.folder) {
            Ok(all) => {
                for project in projects {
                    project.target.attestations = Some(all.of(&project.target.project));
                }
            }
            Err(error) => self.error("attestations", error),
        }
    }

    pub(super) fn names(&mut self, projects: &[Project]) {
        let mut seen = HashSet::new();
        for (index, project) in projects.iter().enumerate() {
            let name = &project.target.project;
            if !seen.insert(name) {
                let message = format!("{name:?} is used twice; give each project its own name");
                self.error(&format!("project[{index}].name"), message);
            }
            if let Err(message) = read_label(name) {
                self.error(&format!("project[{index}].name"), message);
            }
        }
    }
}

/// A name that stands in metrics and messages.
pub(super) fn read_label(name: &str) -> Result<(), &'static str> {
    let safe = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
    if name.is_empty() || name.len() > 64 || !name.chars().all(safe) {
        return Err("write 1 to 64 letters, digits, dots, hyphens or blanks");
    }
    Ok(())
}

/// `IP` or `IP:port`.
pub(crate) fn read_resolver(text: &str) -> Option<SocketAddr> {
    let address = text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53)).ok();
    address.or_else(|| text.parse().ok())
}
