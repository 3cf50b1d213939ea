//! From the text of config.toml to projects that can be audited.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use launchready_checks::contract::{
    DynCheck, MailFacts, RedirectRule, RegistrationFacts, SourceFacts, Target, WebFacts,
};
use launchready_checks::registry;
use serde_json::Value;

use super::document::{ConfigError, ConfigErrors, Document};
use super::domain::{read_domain, read_host};
use super::file::{File, NetworkTable, ProjectTable, schema};
use super::redirects::read_redirects;
use crate::probe::{ConnectTo, Network};

/// The names that `not_used` takes.
pub const NOT_USED: [&str; 7] =
    ["mail", "stripe", "supabase", "database", "crm", "support", "automation"];

/// The most bytes of a config or redirect map.
const FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Why a config could not be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error(
        "cannot read {path}: {why}; name the file with --config, or write one with `launchready config example > launchready.toml`"
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: std::io::Error,
    },
    /// The file is too large.
    #[error("{0} is over 4 MiB; this is no config file")]
    TooLarge(PathBuf),
    /// The file holds errors.
    #[error("{path} cannot be used:\n{errors}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Every error.
        errors: ConfigErrors,
    },
}

/// A config that can be used.
#[derive(Debug)]
pub struct Config {
    /// How this machine reaches the world.
    pub network: Network,
    /// The audited products; at least one.
    pub projects: Vec<Project>,
}

/// One project, with the options of its checks.
#[derive(Debug, Clone)]
pub struct Project {
    /// The declared facts.
    pub target: Target,
    /// Parts that it does not have.
    pub not_used: Vec<String>,
    /// The token that proves ownership.
    pub ownership: Option<String>,
    /// Options by check id; what is not here has its defaults.
    pub options: BTreeMap<String, Value>,
}

impl Project {
    /// A project of which only the domain is known.
    pub fn of_domain(domain: &str) -> Self {
        let target =
            Target { project: domain.to_owned(), domain: domain.to_owned(), ..Target::default() };
        Self { target, not_used: Vec::new(), ownership: None, options: BTreeMap::new() }
    }

    /// The options of one check, or `null` for the defaults.
    pub fn options_of(&self, id: &str) -> Value {
        self.options.get(id).cloned().unwrap_or(Value::Null)
    }
}

/// Reads and checks a file.
///
/// # Errors
/// The file cannot be read, or everything that is wrong with it.
pub fn load(path: &Path) -> Result<Config, LoadError> {
    let read = |why| LoadError::Read { path: path.to_owned(), why };
    if std::fs::metadata(path).map_err(read)?.len() > FILE_BYTES {
        return Err(LoadError::TooLarge(path.to_owned()));
    }
    let text = std::fs::read_to_string(path).map_err(read)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    parse(&text, folder).map_err(|errors| LoadError::Invalid { path: path.to_owned(), errors })
}

/// Checks the text of a config; paths in it are relative to `folder`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(text: &str, folder: &Path) -> Result<Config, ConfigErrors> {
    let document = Document::parse(text).map_err(|error| ConfigErrors(vec![error]))?;
    let errors = document.errors(&schema());
    if !errors.is_empty() {
        return Err(ConfigErrors(errors));
    }
    let file: File = serde_json::from_value(document.to_json()).map_err(|error| {
        let message = error.to_string();
        ConfigErrors(vec![ConfigError { line: 0, key: String::new(), message }])
    })?;
    let mut reader = Reader { document: &document, folder, errors: Vec::new() };
    let network = reader.network(&file.network);
    reader.options(&file.checks, "checks");
    let mut projects = Vec::new();
    for (index, table) in file.project.iter().enumerate() {
        projects.push(reader.project(table, &file.checks, &format!("project[{index}]")));
    }
    reader.names(&projects);
    let mut errors = reader.errors;
    if errors.is_empty() {
        return Ok(Config { network, projects });
    }
    errors.sort_by_key(|error| error.line);
    Err(ConfigErrors(errors))
}

struct Reader<'a> {
    document: &'a Document<'a>,
    folder: &'a Path,
    errors: Vec<ConfigError>,
}

impl Reader<'_> {
    #[allow(clippy::needless_pass_by_value, reason = "callers hand over errors and texts alike")]
    fn error(&mut self, key: &str, message: impl ToString) {
        let line = self.document.line(key);
        self.errors.push(ConfigError { line, key: key.to_owned(), message: message.to_string() });
    }

    fn network(&mut self, table: &NetworkTable) -> Network {
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

    /// Options that have the right shape can still be refused by their check.
    fn options(&mut self, checks: &BTreeMap<String, Value>, key: &str) {
        for (id, options) in checks {
            let built: Option<Result<Box<dyn DynCheck>, _>> =
                registry::find(id).map(|plugin| (plugin.build)(options));
            if let Some(Err(error)) = built {
                let source = std::error::Error::source(&error).map(ToString::to_string);
                self.error(&format!("{key}.{id}"), source.unwrap_or_else(|| error.to_string()));
            }
        }
    }

    fn project(
        &mut self,
        table: &ProjectTable,
        common: &BTreeMap<String, Value>,
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
        self.options(&table.checks, &format!("{key}.checks"));
        let redirect_map = self.redirect_map(table, key);
        let path = table.source.as_ref().map(|source| self.folder.join(&source.path));
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
            ..Target::default()
        };
        Project {
            target,
            not_used: table.not_used.clone(),
            ownership: table.ownership.clone(),
            options: merged(common, &table.checks),
        }
    }

    fn redirect_map(&mut self, table: &ProjectTable, key: &str) -> Vec<RedirectRule> {
        let Some(path) = &table.web.redirect_map else { return Vec::new() };
        let key = format!("{key}.web.redirect_map");
        let path = self.folder.join(path);
        let text = match std::fs::read_to_string(&path) {
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

    fn names(&mut self, projects: &[Project]) {
        for (index, project) in projects.iter().enumerate() {
            let name = &project.target.project;
            let before = projects.iter().take(index);
            if before.into_iter().any(|other| other.target.project == *name) {
                let message = format!("{name:?} is used twice; give each project its own name");
                self.error(&format!("project[{index}].name"), message);
            }
            let safe = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
            if name.is_empty() || name.len() > 64 || !name.chars().all(safe) {
                let message = "write 1 to 64 letters, digits, dots, hyphens or blanks";
                self.error(&format!("project[{index}].name"), message);
            }
        }
    }
}

/// `IP` or `IP:port`.
pub(crate) fn read_resolver(text: &str) -> Option<SocketAddr> {
    let address = text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53)).ok();
    address.or_else(|| text.parse().ok())
}

/// Options of the project over those for all projects, key by key.
fn merged(
    common: &BTreeMap<String, Value>,
    own: &BTreeMap<String, Value>,
) -> BTreeMap<String, Value> {
    let mut all = common.clone();
    for (id, options) in own {
        match (all.get_mut(id), options) {
            (Some(Value::Object(common)), Value::Object(own)) => {
                common.extend(own.clone());
            }
            _ => {
                all.insert(id.clone(), options.clone());
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(text: &str) -> String {
        parse(text, Path::new(".")).unwrap_err().to_string()
    }

    #[test]
    fn every_error_comes_at_once_with_its_line_and_a_suggestion() {
        let text = "[network]\nresolver = [\"1.1.1.1\"]\nallow_private = \"yes\"\n\n[[project]]\nname = \"harbor\"\ndomian = \"harbor.example\"\n\n[checks.domain-registration]\ncritical = \"two weeks\"\n";
        let errors = errors(text);
        assert!(
            errors.contains("line 2: network.resolver: unknown key; did you mean \"resolvers\"?"),
            "{errors}"
        );
        assert!(
            errors.contains("line 3: network.allow_private: this is text; write true or false"),
            "{errors}"
        );
        assert!(
            errors.contains("line 7: project[0].domian: unknown key; did you mean \"domain\"?"),
            "{errors}"
        );
        assert!(errors.contains("the key \"domain\" is missing"), "{errors}");
        assert!(
            errors.contains(
                "line 10: checks.domain-registration.critical: \"two weeks\" cannot be read"
            ),
            "{errors}"
        );
    }

    #[test]
    fn values_that_have_the_right_shape_are_still_checked() {
        let text = "[[project]]\nname = \"harbor\"\ndomain = \"https://harbor.example/\"\nnot_used = [\"crmm\"]\n[[project]]\nname = \"harbor\"\ndomain = \"harbor.example\"\ngoal = \"lunch\"\n";
        let first = errors(text);
        assert!(first.contains("\"lunch\" is none of launch"), "{first}");
        let second = errors(&text.replace("lunch", "launch"));
        assert!(second.contains("line 3: project[0].domain"), "{second}");
        assert!(second.contains("write only the name: harbor.example"), "{second}");
        assert!(second.contains("\"crmm\" is none of mail"), "{second}");
        assert!(second.contains("used twice"), "{second}");
    }

    #[test]
    fn broken_toml_and_deep_nesting_are_one_error_each() {
        assert!(errors("[network\n").contains("line 1"));
        assert!(errors(&format!("a = {}", "[".repeat(2000))).contains("TOML"));
        assert!(
            errors("[checks.mail-sfp]\n").contains("did you mean")
                || errors("[checks.nope]\n").contains("no such check")
        );
    }

    #[test]
    fn options_of_the_project_win_key_by_key() {
        let text = "[checks.domain-registration]\ncritical = \"10d\"\nwarning = \"20d\"\n[[project]]\nname = \"harbor\"\ndomain = \"harbor.example\"\n[project.checks.domain-registration]\nwarning = \"60d\"\n";
        let config = parse(text, Path::new(".")).unwrap();
        let options = config.projects[0].options_of("domain-registration");
        assert_eq!(options, serde_json::json!({"critical": "10d", "warning": "60d"}));
    }
}
