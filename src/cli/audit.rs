//! `launchready audit`.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use futures_util::{StreamExt as _, stream};
use launchready_checks::contract::Severity;
use launchready_checks::registry;

use super::args::{AuditArgs, Cli, NetworkArgs, OutputArgs, ProjectArgs};
use super::explain::{closest, ids};
use super::output::{Place, draw, paint, print};
use super::{Exit, UsageError, progress};
use crate::app::{Baseline, Plan, Session};
use crate::clock::SystemClock;
use crate::config::{Config, LoadError, Project, load, read_domain, read_resolver};
use crate::engine::{AuditRecord, Outcome, Silent, load_evidence, prepare_evidence, save_evidence};
use crate::probe::{ConnectTo, Network};
use crate::report::{Report, Verdict, build};

/// Projects of a `--domains` file that are audited at once.
const DOMAINS_AT_ONCE: usize = 64;
/// The config that is looked for without `--config`.
const CONFIG: &str = "launchready.toml";

pub(super) fn run(cli: &Cli, args: &AuditArgs) -> anyhow::Result<Exit> {
    if let Some(folder) = &args.from_evidence {
        let ids: Vec<_> = registry::ALL.iter().map(|plugin| plugin.meta.id).collect();
        let record = load_evidence(folder, &ids).map_err(usage)?;
        let place = Place::prepare(args.output.out.as_deref(), "--out")?;
        return finish(&build(&record), &args.output, &place);
    }
    if let Some(path) = &args.domains {
        return crate::app::runtime(false)?.block_on(domains(path, args));
    }
    let (config, recheck) = projects(args.domain.as_deref(), &args.project)?;
    let session = Session::new(config.network.clone(), Arc::new(SystemClock))?;
    let reads = config.projects.iter().any(|project| project.target.source.is_some());
    let runtime = crate::app::runtime(reads)?;
    if args.all {
        return runtime.block_on(all(cli, args, &session, &config.projects));
    }
    let project = pick(&config.projects, args.project.project.as_deref())?;
    let place = Place::prepare(args.output.out.as_deref(), "--out")?;
    let baseline = Place::prepare(args.save_baseline.as_deref(), "--save-baseline")?;
    let plan = plan(&args.output, args.baseline.as_deref(), recheck)?;
    if let Some(folder) = &args.save_evidence {
        prepare_evidence(folder).map_err(usage)?;
    }
    let project = with_goal(project, &args.output);
    let record = runtime.block_on(session.audit(&project, &plan, progress::of(cli).as_ref()))?;
    keep(&record, args, &baseline)?;
    finish(&build(&record), &args.output, &place)
}

/// Stores what was asked to be stored.
fn keep(record: &AuditRecord, args: &AuditArgs, baseline: &Place) -> anyhow::Result<()> {
    if let Some(folder) = &args.save_evidence {
        save_evidence(folder, record).map_err(usage)?;
    }
    if let Place::File(_) = baseline {
        let approved: Baseline = record
            .runs
            .iter()
            .filter_map(|run| match &run.outcome {
                Outcome::Looked { evidence } if is_drift(&run.id) => {
                    Some((run.id.clone(), evidence.clone()))
                }
                _ => None,
            })
            .collect();
        baseline.write(&(serde_json::to_string_pretty(&approved)? + "\n"))?;
    }
    Ok(())
}

/// The checks that compare with a baseline.
fn is_drift(id: &str) -> bool {
    id.ends_with("-drift")
}

/// Prints or writes the report; the exit code follows the verdict and `--fail-on`.
pub(super) fn finish(report: &Report, args: &OutputArgs, place: &Place) -> anyhow::Result<Exit> {
    let paint = match place {
        Place::Stdout => paint(),
        Place::File(_) => crate::report::Paint::default(),
    };
    place.write(&draw(report, args.format, paint))?;
    Ok(exit_of(report, args.fail_on.into()))
}

pub(super) fn exit_of(report: &Report, fail_on: Severity) -> Exit {
    let found = report
        .checks
        .iter()
        .flat_map(|check| &check.findings)
        .any(|finding| finding.waived.is_none() && finding.severity >= fail_on);
    if found || report.verdict == Verdict::NoGo { Exit::Found } else { Exit::Clean }
}

async fn all(
    cli: &Cli,
    args: &AuditArgs,
    session: &Session,
    projects: &[Project],
) -> anyhow::Result<Exit> {
    let folder = args.output.out.as_deref().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|error| {
        UsageError(format!(
            "cannot write to {}: {error}; name a folder that you may write to with --out",
            folder.display()
        ))
    })?;
    let mut worst = Exit::Clean;
    for project in projects {
        let name = &project.target.project;
        let recheck = recheck_of(args.project.config.as_deref(), Some(name));
        let plan = plan(&args.output, args.baseline.as_deref(), recheck)?;
        let path = folder.join(format!("{name}.{}", args.output.format.ending()));
        let place = Place::prepare(Some(&path), "--out")?;
        let evidence = args.save_evidence.as_ref().map(|folder| folder.join(name));
        if let Some(folder) = &evidence {
            prepare_evidence(folder).map_err(usage)?;
        }
        let project = with_goal(project, &args.output);
        let record = session.audit(&project, &plan, progress::of(cli).as_ref()).await?;
        if let Some(folder) = &evidence {
            save_evidence(folder, &record).map_err(usage)?;
        }
        if finish(&build(&record), &args.output, &place)? == Exit::Found {
            worst = Exit::Found;
        }
    }
    Ok(worst)
}

async fn domains(path: &Path, args: &AuditArgs) -> anyhow::Result<Exit> {
    let text = if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().lock().take(16 * 1024 * 1024).read_to_string(&mut text)?;
        text
    } else {
        std::fs::read_to_string(path)
            .map_err(|error| UsageError(format!("cannot read {}: {error}", path.display())))?
    };
    let mut names = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if !line.is_empty() {
            let name = read_domain(line).with_context(|| format!("line {}", index + 1))?;
            names.push(name);
        }
    }
    let network = network(&args.project.network, Network::default())?;
    let session = Session::new(network, Arc::new(SystemClock))?;
    let mut worst = Exit::Clean;
    let audits = names.iter().map(async |name| {
        let plan = plan(&args.output, None, name.clone())?;
        let project = with_goal(&Project::of_domain(name), &args.output);
        session.audit(&project, &plan, &Silent).await
    });
    let mut audits = stream::iter(audits).buffered(DOMAINS_AT_ONCE);
    while let Some(record) = audits.next().await {
        let report = build(&record?);
        print(&(serde_json::to_string(&report)? + "\n"));
        if exit_of(&report, args.output.fail_on.into()) == Exit::Found {
            worst = Exit::Found;
        }
    }
    Ok(worst)
}

/// The config, or one made of the domain alone; and what follows `launchready check ID`.
pub(super) fn projects(
    domain: Option<&str>,
    args: &ProjectArgs,
) -> anyhow::Result<(Config, String)> {
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
        None => Config { network: Network::default(), projects: Vec::new() },
    };
    config.network = network(&args.network, config.network)?;
    let mut recheck = recheck_of(path.map(PathBuf::as_path), args.project.as_deref());
    if let Some(domain) = domain {
        let domain = read_domain(domain)?;
        config.projects.retain(|project| project.target.domain == domain);
        if config.projects.is_empty() {
            config.projects.push(Project::of_domain(&domain));
        }
        recheck = if path.is_some() { format!("{domain} {recheck}") } else { domain };
    }
    if config.projects.is_empty() {
        let path = path.map(|path| path.display().to_string()).unwrap_or_default();
        let text = format!("{path} holds no project; add a [[project]] with name and domain");
        return Err(UsageError(text).into());
    }
    Ok((config, recheck))
}

fn recheck_of(config: Option<&Path>, project: Option<&str>) -> String {
    let config = config.map(|path| format!("--config {}", path.display()));
    let project = project.map(|name| format!("--project {name:?}"));
    config.into_iter().chain(project).collect::<Vec<_>>().join(" ")
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

fn with_goal(project: &Project, args: &OutputArgs) -> Project {
    let mut project = project.clone();
    project.target.goal = args.goal.unwrap_or(project.target.goal);
    project
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

pub(super) fn plan(
    args: &OutputArgs,
    baseline: Option<&Path>,
    recheck: String,
) -> anyhow::Result<Plan> {
    for pattern in args.only.iter().chain(&args.skip) {
        if !registry::ALL.iter().any(|plugin| matches(pattern, plugin.meta.id)) {
            let text = format!("there is no check {pattern:?}{}", closest(pattern, ids()));
            return Err(UsageError(text).into());
        }
    }
    let any = |patterns: &[String], id| patterns.iter().any(|pattern| matches(pattern, id));
    let ids: Vec<&'static str> = registry::ALL
        .iter()
        .map(|plugin| plugin.meta.id)
        .filter(|id| args.only.is_empty() || any(&args.only, id))
        .filter(|id| !any(&args.skip, id))
        .collect();
    if ids.is_empty() {
        let text = "--only and --skip leave no check; take a check out of --skip";
        return Err(UsageError(text.to_owned()).into());
    }
    let baseline = match baseline {
        None => Baseline::new(),
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| {
                UsageError(format!(
                    "cannot read the baseline {}: {error}; write one with --save-baseline FILE",
                    path.display()
                ))
            })?;
            let no_baseline = |why: &str| {
                let text = format!(
                    "{} is no baseline: {why}; write one with --save-baseline FILE",
                    path.display()
                );
                UsageError(text)
            };
            let read: Baseline =
                serde_json::from_str(&text).map_err(|error| no_baseline(&error.to_string()))?;
            if !read.keys().any(|id| is_drift(id)) {
                return Err(no_baseline("it holds no evidence of a drift check").into());
            }
            read
        }
    };
    Ok(Plan { ids, time_limit: args.time_limit, baseline, recheck })
}

/// `mail-spf` or `mail-*`.
fn matches(pattern: &str, id: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => id.starts_with(prefix),
        None => pattern == id,
    }
}

#[allow(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn usage(error: crate::engine::EvidenceError) -> anyhow::Error {
    anyhow::Error::from(UsageError(match std::error::Error::source(&error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }))
}

impl From<LoadError> for UsageError {
    fn from(error: LoadError) -> Self {
        Self(error.to_string())
    }
}
