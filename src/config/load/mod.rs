//! From the text of config.toml to projects that can be audited and watched.

mod accounts;
mod agent;
mod channels;
mod checks;
mod drills;
mod email;
mod heartbeats;
mod order;
mod policy;
mod reader;
mod windows;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use launchready_checks::contract::{Target, json};
use serde_json::Value;

use super::accounts::AccountSettings;
use super::agent::{Agent, Watch};
use super::document::{ConfigError, ConfigErrors, Document};
use super::file::{DrillTable, File, OwnerTable, schema};
use super::plan::{Named, Plan};
use super::secret::SecretRef;
use crate::files;
use crate::incident::Policy;
use crate::probe::Network;
pub(super) use checks::suggested;
use checks::{Checks, Common};
use reader::Reader;
pub(crate) use reader::read_resolver;

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
        "cannot read {path}: {why}; name the file with --config, or have one written: `launchready init your-domain.com`"
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
    /// Secrets that the config names cannot be read.
    #[error("the agent cannot start without these secrets:\n{}", .0.together())]
    Secrets(ConfigErrors),
}

/// A config that can be used. No secret has been read.
#[derive(Debug, Default)]
pub struct Config {
    /// How this machine reaches the world.
    pub network: Network,
    /// The audited products.
    pub projects: Vec<Project>,
    /// The settings of the agent, with its secrets named.
    plan: Plan,
    /// The credentials of accounts, named.
    credentials: Vec<Named>,
    /// The folder of the config, to which paths are relative.
    folder: PathBuf,
}

impl Config {
    /// The settings of the agent, with every secret read.
    ///
    /// # Errors
    /// Every secret that is missing or of no use, each with its line and key.
    pub fn agent(&self) -> Result<Agent, LoadError> {
        let (agent, errors) = self.plan.read(&self.projects, &self.network);
        if errors.is_empty() { Ok(agent) } else { Err(LoadError::Secrets(ConfigErrors(errors))) }
    }

    /// The settings of the agent without those whose secret cannot be read: enough to read and change what
    /// it remembers.
    pub fn settings(&self) -> Agent {
        self.plan.read(&self.projects, &self.network).0
    }

    /// What an audit can live with and the agent cannot, or should not: secrets that are missing, and
    /// defects that nobody would be told of; then the credentials of accounts that are missing.
    pub fn warnings(&self) -> Vec<ConfigError> {
        let mut warnings = self.plan.read(&self.projects, &self.network).1;
        warnings.extend(self.untold());
        warnings.extend(self.missing_credentials());
        warnings
    }

    /// Defects that nobody would be told of.
    pub fn untold(&self) -> Option<ConfigError> {
        self.plan.untold(&self.projects)
    }

    /// The credentials that the config names for a project and for the agent: the key, where each is kept, and
    /// whether it can be read.
    pub fn secrets_of(&self, project: &str) -> Vec<(String, SecretRef, bool)> {
        let place = self.projects.iter().position(|one| one.target.project == project);
        let mine = place.map(|index| format!("project[{index}]."));
        let all = self.credentials.iter().chain(self.plan.named());
        let named = all.filter_map(|named| {
            let key = match (&mine, named.key.starts_with("project[")) {
                (Some(mine), true) => named.key.strip_prefix(mine.as_str())?,
                (None, true) => return None,
                (_, false) => named.key.as_str(),
            };
            let is_there = named.reference.read(&self.folder).is_ok();
            Some((key.to_owned(), named.reference.clone(), is_there))
        });
        named.collect()
    }

    /// Whether any account is named.
    pub fn has_credentials(&self) -> bool {
        !self.credentials.is_empty()
    }

    /// The credentials of accounts that cannot be read; an audit skips what needs them.
    pub fn missing_credentials(&self) -> Vec<ConfigError> {
        let missing = self.credentials.iter().filter_map(|named| {
            let reason = named.reference.read(&self.folder).err()?;
            let what = if named.key.contains(".drill.") {
                "the drills that need it do not run until then"
            } else {
                "the checks that need it are skipped until then"
            };
            let message = format!("{reason}; {what}");
            Some(ConfigError { line: named.line, key: named.key.clone(), message })
        });
        missing.collect()
    }
}

/// One project, with the options of its checks.
#[derive(Debug, Clone)]
pub struct Project {
    /// The declared facts.
    pub target: Target,
    /// Parts that it does not have.
    pub not_used: Vec<String>,
    /// The token of which the record that proves ownership is made.
    pub ownership: Option<String>,
    /// Who holds which account.
    pub owners: Vec<OwnerTable>,
    /// Options by check id; what is not here has its defaults.
    pub options: Arc<BTreeMap<String, Value>>,
    /// What the agent does with it.
    pub watch: Watch,
    /// Its accounts, with their credentials named.
    pub accounts: Arc<AccountSettings>,
    /// What its drills may use.
    pub drill: Option<Arc<DrillTable>>,
}

impl Project {
    /// A project of which only the domain is known.
    pub fn of_domain(domain: &str) -> Self {
        let target =
            Target { project: domain.to_owned(), domain: domain.to_owned(), ..Target::default() };
        Self {
            target,
            not_used: Vec::new(),
            ownership: None,
            owners: Vec::new(),
            options: Arc::default(),
            watch: Watch::default(),
            accounts: Arc::default(),
            drill: None,
        }
    }

    /// The parts of the product that are configured or said not to exist, in the words of `not_used`.
    pub fn settled(&self) -> Vec<String> {
        let mut parts = self.not_used.clone();
        let configured = self.target.accounts.configured();
        parts.extend(configured.into_iter().map(str::to_owned));
        parts
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
    let text = files::read_text(path, FILE_BYTES).map_err(|why| match why.kind() {
        ErrorKind::FileTooLarge => LoadError::TooLarge(path.to_owned()),
        _ => read(why),
    })?;
    let folder = path.parent().unwrap_or(Path::new("."));
    parse(&text, folder).map_err(|errors| LoadError::Invalid { path: path.to_owned(), errors })
}

/// Reads and checks a file, and every secret that it names.
///
/// # Errors
/// Those of [`load`] and of [`Config::agent`].
pub fn load_agent(path: &Path) -> Result<(Config, Agent), LoadError> {
    let config = load(path)?;
    let agent = config.agent()?;
    Ok((config, agent))
}

/// Checks the text of a config; paths in it are relative to `folder`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(text: &str, folder: &Path) -> Result<Config, ConfigErrors> {
    let document = Document::parse(text).map_err(|error| ConfigErrors(vec![error]))?;
    let shape = document.shape(&schema());
    let file: File = match json::from_value(&shape.value) {
        Ok(file) => file,
        Err(error) => {
            let at = ConfigError { line: 0, key: String::new(), message: error.to_string() };
            // Where the shape is wrong, what is made of it may be too.
            let more = if shape.errors.is_empty() { vec![at] } else { Vec::new() };
            return Err(ConfigErrors(shape.with(more)));
        }
    };
    let mut reader = Reader::new(&document, folder);
    let network = reader.network(&file.network);
    let policy = reader.policy(&Policy::default(), &file.defaults, "defaults");
    let tables = reader.checks(&file.checks, &Checks::new(), &policy, "checks");
    let common = Common::new(tables);
    let mut projects = Vec::new();
    for (index, table) in file.project.iter().enumerate() {
        projects.push(reader.project(table, &policy, &common, &format!("project[{index}]")));
    }
    reader.names(&projects);
    reader.attestations(&mut projects);
    let plan = reader.plan(&file, &policy);
    let named = |(index, project): (usize, &Project)| -> Vec<Named> {
        let drill = project.drill.iter().flat_map(|drill| drill.credentials());
        let accounts = project.accounts.credentials().into_iter();
        let credentials = accounts.map(|(name, it)| (name.to_owned(), it)).chain(drill);
        let named = credentials.map(|(name, reference)| {
            let key = format!("project[{index}].{name}");
            Named { line: reader.line(&key), key, reference: reference.clone() }
        });
        named.collect()
    };
    let credentials = projects.iter().enumerate().flat_map(named).collect();
    let errors = shape.with(reader.errors);
    if errors.is_empty() {
        Ok(Config { network, projects, plan, credentials, folder: folder.to_owned() })
    } else {
        Err(ConfigErrors(errors))
    }
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
        let errors = errors(text);
        assert!(errors.contains("\"lunch\" is none of launch"), "{errors}");
        assert!(errors.contains("line 3: project[0].domain"), "{errors}");
        assert!(errors.contains("write only the name: harbor.example"), "{errors}");
        assert!(errors.contains("\"crmm\" is none of mail"), "{errors}");
        assert!(errors.contains("used twice"), "{errors}");
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
    fn a_credential_that_is_missing_is_named_with_its_line_and_key() {
        let text = "[[project]]\nname = \"harbor\"\ndomain = \"harbor.example\"\n[project.stripe]\nkey = { file = \"no-such-key\" }\n";
        let config = parse(text, Path::new("/nowhere")).unwrap();
        let warning = config.warnings().pop().unwrap();
        assert_eq!((warning.line, warning.key.as_str()), (5, "project[0].stripe.key"));
        assert!(warning.message.contains("/nowhere/no-such-key"), "{warning}");
        assert!(warning.message.ends_with("are skipped until then"), "{warning}");
    }

    #[test]
    fn options_of_the_project_win_key_by_key() {
        let text = "[checks.domain-registration]\ncritical = \"10d\"\nwarning = \"20d\"\n[[project]]\nname = \"harbor\"\ndomain = \"harbor.example\"\n[project.checks.domain-registration]\nwarning = \"60d\"\n";
        let config = parse(text, Path::new(".")).unwrap();
        let options = config.projects[0].options_of("domain-registration");
        assert_eq!(options, serde_json::json!({"critical": "10d", "warning": "60d"}));
    }
}
