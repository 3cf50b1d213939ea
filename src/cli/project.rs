//! Which project is meant, how it is reached, and the command that looks again.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::UsageError;
use super::args::{NetworkArgs, OutputArgs, ProjectArgs};
use crate::app::Session;
use crate::config::{Agent, Config, Project, load, read_domain, read_resolver, shell_word};
use crate::probe::{ConnectTo, Network};

/// The config that is looked for without `--config`.
pub(super) const CONFIG: &str = "launchready.toml";

/// Where projects come from.
pub(super) struct Source {
    /// The config, or one made of the domain alone.
    pub(super) config: Config,
    /// The file that was read.
    pub(super) path: Option<PathBuf>,
    /// The command that looks again; `{id}` stands for the check.
    pub(super) recheck: String,
}

/// The config, or one made of the domain alone.
pub(super) fn projects(domain: Option<&str>, args: &ProjectArgs) -> anyhow::Result<Source> {
    let default = PathBuf::from(CONFIG);
    let path = match (&args.config, domain) {
        (Some(path), _) => Some(path),
        (None, None) if default.exists() => Some(&default),
        (None, None) => {
            let text = "name a domain, such as `launchready audit shop.example`, or a config with --config FILE";
            return Err(UsageError(text.to_owned()).into());
        }
        (None, Some(_)) => None,
    };
    let mut config = match path {
        Some(path) => load(path)?,
        None => Config::default(),
    };
    config.network = network(&args.network, config.network)?;
    let domain = domain.map(read_domain).transpose()?;
    if let Some(domain) = &domain {
        config.projects.retain(|project| project.target.domain == *domain);
        if config.projects.is_empty() {
            config.projects.push(Project::of_domain(domain));
        }
    }
    if config.projects.is_empty() {
        let path = path.map(|path| path.display().to_string()).unwrap_or_default();
        let text = format!("{path} holds no project; add a [[project]] with name and domain");
        return Err(UsageError(text).into());
    }
    let (name, named) = (args.project.as_deref(), path.map(PathBuf::as_path));
    let recheck = recheck(domain.as_deref(), named, name, &args.network);
    Ok(Source { config, path: path.cloned(), recheck })
}

/// The command that looks again with one check, at the same place and by the same way.
pub(super) fn recheck(
    what: Option<&str>,
    config: Option<&Path>,
    project: Option<&str>,
    network: &NetworkArgs,
) -> String {
    let mut command = "launchready check {id}".to_owned();
    if let Some(what) = what {
        command.push(' ');
        command.push_str(&shell_word(what));
    }
    let mut add = |option: &str, value: &str| {
        // Writing into a string cannot fail.
        _ = write!(command, " {option} {}", shell_word(value));
    };
    if let Some(path) = config {
        add("--config", &path.display().to_string());
    }
    if let Some(name) = project {
        add("--project", name);
    }
    for resolver in &network.resolvers {
        add("--resolver", resolver);
    }
    for path in &network.extra_roots {
        add("--ca", &path.display().to_string());
    }
    for rule in &network.connect_to {
        add("--connect-to", rule);
    }
    if network.allow_private {
        command.push_str(" --allow-private");
    }
    command
}

/// How a command names the config: not at all where it is the one that is looked for anyway.
pub(super) fn named(config: &Path) -> String {
    match config.to_str() {
        Some(CONFIG) => String::new(),
        _ => format!(" --config {}", shell_word(config.display())),
    }
}

/// The one project that is meant.
pub(super) fn pick<'a>(projects: &'a [Project], name: Option<&str>) -> anyhow::Result<&'a Project> {
    let names = || {
        let names: Vec<_> = projects.iter().map(|p| p.target.project.as_str()).collect();
        names.join(", ")
    };
    match (name, projects) {
        (Some(name), _) => projects.iter().find(|p| p.target.project == name).ok_or_else(|| {
            UsageError(format!("there is no project {name:?}; the config holds {}", names())).into()
        }),
        (None, [only]) => Ok(only),
        (None, _) => {
            let text =
                format!("the config holds {}; name one with --project, or use --all", names());
            Err(UsageError(text).into())
        }
    }
}

/// The project with the goal of the command line, where one was given.
pub(super) fn with_goal(project: &Project, args: &OutputArgs) -> Project {
    let mut project = project.clone();
    project.target.goal = args.goal.unwrap_or(project.target.goal);
    project
}

/// The settings with which an agent would remember, where a config names them.
pub(super) fn listener(config: &Config, path: Option<&Path>) -> Option<Agent> {
    path.map(|_path| config.settings())
}

/// Has an audit read what an agent remembers. Where that cannot be read, the audit does without.
pub(super) async fn remember(session: &mut Session, settings: Option<&Agent>) {
    let Some(settings) = settings else { return };
    if let Err(error) = session.remember(settings).await {
        tracing::warn!(
            "what the agent remembers is not looked at: {:#}",
            anyhow::Error::new(error)
        );
    }
}

/// The settings of the config with those of the command line.
pub(super) fn network(args: &NetworkArgs, mut network: Network) -> anyhow::Result<Network> {
    if !args.resolvers.is_empty() {
        network.resolvers.clear();
    }
    for text in &args.resolvers {
        network.resolvers.push(read_resolver(text).ok_or_else(|| {
            UsageError(format!(
                "--resolver {text:?} is no address; write 1.1.1.1 or 127.0.0.1:5353"
            ))
        })?);
    }
    network.extra_roots.extend(args.extra_roots.iter().cloned());
    network.allow_private |= args.allow_private;
    let mut rules = Vec::new();
    for text in &args.connect_to {
        let parts = text.split_once('=').ok_or_else(|| {
            UsageError(format!("--connect-to {text:?} has no =; write FROM=TO, such as shop.example:443=203.0.113.7:443"))
        })?;
        rules.push(ConnectTo::new(parts.0, parts.1).map_err(|e| UsageError(e.to_string()))?);
    }
    rules.append(&mut network.connect_to);
    network.connect_to = rules;
    Ok(network)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_that_looks_again_goes_the_same_way() {
        let network = NetworkArgs {
            resolvers: vec!["1.1.1.1".to_owned(), "[::1]:53".to_owned()],
            extra_roots: vec![PathBuf::from("our ca.pem")],
            connect_to: vec!["shop.example:443=203.0.113.7:443".to_owned()],
            allow_private: true,
        };
        assert_eq!(
            recheck(Some("shop.example"), None, None, &network),
            "launchready check {id} shop.example --resolver 1.1.1.1 --resolver '[::1]:53' --ca 'our ca.pem' \
             --connect-to shop.example:443=203.0.113.7:443 --allow-private"
        );
    }

    #[test]
    fn names_with_blanks_stay_one_word() {
        let path = Path::new("our shop.toml");
        let plain = NetworkArgs::default();
        assert_eq!(
            recheck(None, Some(path), Some("Harbor & Sons"), &plain),
            "launchready check {id} --config 'our shop.toml' --project 'Harbor & Sons'"
        );
        assert_eq!(named(path), " --config 'our shop.toml'");
        assert_eq!(named(Path::new(CONFIG)), "");
    }
}
