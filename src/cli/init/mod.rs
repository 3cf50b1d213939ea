//! `launchready init`: finds the stack of a domain and writes a config for it.

mod ask;
mod files;
mod say;

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;

use self::files::Place;
use super::args::{Cli, InitArgs};
use super::output::{paint, print};
use super::project::network;
use super::{Exit, UsageError, progress};
use crate::app::Session;
use crate::app::discovery::{DiscoveryError, new_token};
use crate::clock::SystemClock;
use crate::config::{Config, load, parse, read_domain};
use crate::discover::{ACCESS, Answers, Draft, Merge, NetworkLines, Stack, merge, standing};

pub(super) fn run(cli: &Cli, args: &InitArgs) -> anyhow::Result<Exit> {
    let domain = read_domain(&args.domain)?;
    let uses = words(&args.uses)?;
    let place = Place::prepare(&args.out)?;
    // A config with errors is told before anything is looked at, and is never written over.
    let config = if place.before().is_some() { load(&args.out)? } else { Config::default() };
    let session =
        Session::new(network(&args.network, config.network.clone())?, Arc::new(SystemClock))?;
    progress::note(cli, &format!("looking at {domain} from outside …"));
    let runtime = crate::app::runtime(false)?;
    let stack = runtime.block_on(session.discover(&domain, args.time_limit));
    let stack = stack.map_err(|error| match error.downcast_ref::<DiscoveryError>() {
        Some(DiscoveryError::NoSuchDomain(_)) => UsageError(error.to_string()).into(),
        _ => error,
    })?;
    let known = place.before().and_then(|text| standing(text, &domain));
    let mut answers = Answers { uses, ..Answers::default() };
    let is_asked = !args.yes
        && known.is_none()
        && std::io::stdin().is_terminal()
        && std::io::stderr().is_terminal();
    if is_asked {
        ask::ask(
            &mut std::io::stdin().lock(),
            &mut std::io::stderr().lock(),
            &stack,
            &mut answers,
        )?;
    }
    let (name, token) = match known {
        Some((name, token)) => (Some(name), token),
        None => (free_name(&config, &stack, &answers), None),
    };
    let token = match token {
        Some(token) => token,
        None => new_token()?,
    };
    let draft = Draft::new(&stack, &answers, name.as_deref(), token);
    let outcome = write(args, &place, &draft)?;
    let owned = runtime.block_on(session.ownership(&domain, &draft.token, args.time_limit));
    print(&say::report(&draft, &args.out, &outcome, &owned, paint()));
    Ok(Exit::Clean)
}

/// What was written, and what was left as it is.
#[derive(Debug)]
struct Outcome {
    /// The file is new.
    is_new: bool,
    /// What was added to a file that stood, and what is left to the founder.
    merge: Merge,
    /// `.env.example`, where it was written.
    env: Option<PathBuf>,
    /// The lines that an `.env.example` which stood does not have.
    env_missing: Vec<String>,
    /// There is no `.env` yet.
    env_to_copy: bool,
    /// Git would take `.env` along.
    is_exposed: bool,
}

/// Writes the config and the list of its variables.
fn write(args: &InitArgs, place: &Place, draft: &Draft<'_>) -> anyhow::Result<Outcome> {
    let network = network_lines(args)?;
    let folder = args.out.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let merge = match place.before() {
        Some(text) => merge(text, draft, &network).map_err(|error| {
            UsageError(format!("nothing was added to {}: {error}", args.out.display()))
        })?,
        None => Merge { text: draft.file(&network), added: Vec::new(), by_hand: Vec::new() },
    };
    parse(&merge.text, folder).with_context(|| {
        format!(
            "what would stand in {} is no valid config, so nothing was written",
            args.out.display()
        )
    })?;
    place.write(&merge.text)?;
    let path = args.out.with_file_name(".env.example");
    let (env, env_missing) = match std::fs::read(&path) {
        Ok(stands) => (None, missing(draft, &String::from_utf8_lossy(&stands))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            files::create(&path, &draft.env_example(), true)?;
            (Some(path), Vec::new())
        }
        Err(_unreadable) => (None, missing(draft, "")),
    };
    Ok(Outcome {
        is_new: place.before().is_none(),
        merge,
        env,
        env_missing,
        env_to_copy: !args.out.with_file_name(".env").exists(),
        is_exposed: files::git_takes_env(folder),
    })
}

/// The lines of the variables that a file does not name.
fn missing(draft: &Draft<'_>, stands: &str) -> Vec<String> {
    let has = |name: &str| {
        stands.lines().any(|line| {
            let line = line.trim_start_matches(['#', ' ']);
            line.trim_start_matches("export ").split('=').next().map(str::trim) == Some(name)
        })
    };
    let all = draft.variables().into_iter().filter(|(name, _)| !has(name));
    all.filter_map(|(_, lines)| lines.lines().last().map(str::to_owned)).collect()
}

/// `[network]` of a new config, as the command line has it.
fn network_lines(args: &InitArgs) -> anyhow::Result<NetworkLines> {
    let given = &args.network;
    let pair =
        |rule: &String| rule.split_once('=').map(|(from, to)| (from.to_owned(), to.to_owned()));
    let mut extra_roots = Vec::new();
    for path in &given.extra_roots {
        let path = std::path::absolute(path)
            .with_context(|| format!("cannot tell where {} is", path.display()))?;
        extra_roots.push(path.display().to_string());
    }
    Ok(NetworkLines {
        resolvers: given.resolvers.clone(),
        extra_roots,
        allow_private: given.allow_private,
        connect_to: given.connect_to.iter().filter_map(pair).collect(),
    })
}

/// A name for the project that no other project of the config has; `None` for the usual one.
fn free_name(config: &Config, stack: &Stack, answers: &Answers) -> Option<String> {
    let usual = Draft::new(stack, answers, None, String::new()).name;
    let taken = config.projects.iter().any(|project| project.target.project == usual);
    taken.then(|| stack.domain.clone())
}

/// The systems that `--uses` names.
fn words(given: &[String]) -> anyhow::Result<Vec<&'static str>> {
    let mut words = Vec::new();
    for word in given.iter().map(|word| word.trim()).filter(|word| !word.is_empty()) {
        let plain = word.to_ascii_lowercase();
        let Some(access) = ACCESS.iter().find(|access| access.word == plain) else {
            let known = ACCESS.iter().map(|access| access.word);
            let text = format!("--uses: there is no system {word:?}{}", ask::near(word, known));
            return Err(UsageError(text).into());
        };
        words.push(access.word);
    }
    Ok(words)
}
