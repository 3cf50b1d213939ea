//! `launchready audit`.

use std::path::Path;
use std::sync::Arc;

use launchready_checks::contract::{Severity, json};
use launchready_checks::registry;

use super::args::{AuditArgs, Cli, Format, OutputArgs};
use super::explain::{closest, ids};
use super::output::{Place, draw, paint};
use super::project::{Source, listener, pick, projects, recheck, remember, with_goal};
use super::{Exit, UsageError, domains, progress};
use crate::app::{Baseline, Plan, Session, declared};
use crate::clock::SystemClock;
use crate::config::LoadError;
use crate::engine::{AuditRecord, Outcome, load_evidence, prepare_evidence, save_evidence};
use crate::files;
use crate::report::{Report, Verdict, build, redact};

/// More is no baseline.
const BASELINE_BYTES: u64 = 16 * 1024 * 1024;

pub(super) fn run(cli: &Cli, args: &AuditArgs) -> anyhow::Result<Exit> {
    if let Some(folder) = &args.from_evidence {
        let ids: Vec<_> = registry::ALL.iter().map(|plugin| plugin.meta.id).collect();
        let mut record = load_evidence(folder, &ids).map_err(usage)?;
        record.target.goal = args.output.goal.unwrap_or(record.target.goal);
        let place = report_place(&args.output)?;
        return finish(cli, &build(&record), &args.output, &place);
    }
    if let Some(path) = &args.domains {
        return crate::app::runtime(false)?.block_on(domains::run(path, args));
    }
    let source = projects(args.domain.as_deref(), &args.project)?;
    let config = &source.config;
    let mut session = Session::new(config.network.clone(), Arc::new(SystemClock))?;
    let reads = config.projects.iter().any(|project| project.target.source.is_some());
    let runtime = crate::app::runtime(reads)?;
    runtime.block_on(remember(&mut session, listener(config, source.path.as_deref()).as_ref()));
    if args.all {
        return runtime.block_on(all(cli, args, &session, &source));
    }
    let project = pick(&config.projects, args.project.project.as_deref())?;
    let place = report_place(&args.output)?;
    let baseline = Place::prepare(args.save_baseline.as_deref(), "--save-baseline")?;
    let plan = plan(
        &args.output,
        args.baseline.as_deref(),
        source.recheck.clone(),
        source.path.as_deref(),
    )?;
    if let Some(folder) = &args.save_evidence {
        prepare_evidence(folder).map_err(usage)?;
    }
    let handover = source.path.as_ref().map(|_path| declared(config, &config.settings(), project));
    let plan = Plan { handover, ..plan };
    let project = with_goal(project, &args.output);
    let record = runtime.block_on(session.audit(&project, &plan, progress::of(cli).as_ref()))?;
    keep(&record, args, &baseline)?;
    let report = build(&record);
    let exit = finish(cli, &report, &args.output, &place)?;
    for (path, what) in
        [(&args.save_evidence, "kept evidence in"), (&args.save_baseline, "kept the baseline in")]
    {
        if let Some(path) = path {
            progress::note(cli, &format!("{what} {}", path.display()));
        }
    }
    Ok(exit)
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
    registry::find(id).is_some_and(|plugin| plugin.baseline.is_some())
}

/// Where the report goes; a file whose ending means no form of it needs one that is named.
pub(super) fn report_place(args: &OutputArgs) -> anyhow::Result<Place> {
    let out = args.out.as_deref();
    if let Some(path) = out
        && args.format.is_none()
        && path.extension().is_some()
        && Format::of_file(path).is_none()
    {
        return Err(UsageError(format!(
            "the ending of {} means no form of a report; end it in .html, which a browser prints as PDF, .md, \
             .json, .sarif, .xml or .txt, or name the form with --format",
            path.display()
        ))
        .into());
    }
    Place::prepare(out, "--out")
}

/// Prints or writes the report; the exit code follows the verdict and `--fail-on`, and says where nothing is known.
pub(super) fn finish(
    cli: &Cli,
    report: &Report,
    args: &OutputArgs,
    place: &Place,
) -> anyhow::Result<Exit> {
    let paint = match place {
        Place::Stdout => paint(),
        Place::File(_) => crate::report::Paint::default(),
    };
    let shared = args.redact.then(|| redact(report));
    let drawn = shared.as_ref().unwrap_or(report);
    place.write(&draw(drawn, args.form(), args.fail_on.into(), paint))?;
    if let Place::File(path) = place {
        progress::note(cli, &format!("{}. Report: {}", report.in_short(), path.display()));
    }
    Ok(exit_of(report, args.fail_on.into()))
}

pub(super) fn exit_of(report: &Report, fail_on: Severity) -> Exit {
    let found = report
        .checks
        .iter()
        .flat_map(|check| &check.findings)
        .any(|finding| finding.waived.is_none() && finding.severity >= fail_on);
    if found {
        return Exit::Found;
    }
    match (report.blind(), report.verdict) {
        (Some(_), _) => Exit::Failed,
        (None, Verdict::NoGo) => Exit::Found,
        (None, Verdict::Go | Verdict::GoWithConditions) => Exit::Clean,
    }
}

/// Which end of several audits counts: what was found, then what could not be seen.
pub(super) const fn worse(one: Exit, other: Exit) -> Exit {
    match (one, other) {
        (Exit::Found, _) | (_, Exit::Found) => Exit::Found,
        (Exit::Clean, other) => other,
        (one, _) => one,
    }
}

async fn all(
    cli: &Cli,
    args: &AuditArgs,
    session: &Session,
    source: &Source,
) -> anyhow::Result<Exit> {
    let folder = args.output.out.as_deref().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|error| {
        UsageError(format!(
            "cannot write to {}: {error}; name a folder that you may write to with --out",
            folder.display()
        ))
    })?;
    let mut worst = Exit::Clean;
    // The place is a folder, whose name says nothing about the form.
    let output =
        OutputArgs { format: Some(args.output.format.unwrap_or_default()), ..args.output.clone() };
    let config = source.path.as_deref();
    let settings = source.config.settings();
    for project in &source.config.projects {
        let name = &project.target.project;
        let recheck = recheck(None, config, Some(name), &args.project.network);
        let handover = Some(declared(&source.config, &settings, project));
        let plan = plan(&output, args.baseline.as_deref(), recheck, config)?;
        let plan = Plan { handover, ..plan };
        let path = folder.join(format!("{name}.{}", output.form().ending()));
        let place = Place::prepare(Some(&path), "--out")?;
        let evidence = args.save_evidence.as_ref().map(|folder| folder.join(name));
        if let Some(folder) = &evidence {
            prepare_evidence(folder).map_err(usage)?;
        }
        let project = with_goal(project, &output);
        let record = session.audit(&project, &plan, progress::of(cli).as_ref()).await?;
        if let Some(folder) = &evidence {
            save_evidence(folder, &record).map_err(usage)?;
        }
        worst = worse(worst, finish(cli, &build(&record), &output, &place)?);
    }
    Ok(worst)
}

pub(super) fn plan(
    args: &OutputArgs,
    baseline: Option<&Path>,
    recheck: String,
    config: Option<&Path>,
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
            let text = files::read_text(path, BASELINE_BYTES).map_err(|error| {
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
                json::from_str(&text).map_err(|error| no_baseline(&error.to_string()))?;
            if !read.keys().any(|id| is_drift(id)) {
                return Err(no_baseline("it holds no evidence of a drift check").into());
            }
            read
        }
    };
    let config = config.map(|path| path.display().to_string());
    let time_limit = args.time_limit;
    Ok(Plan { ids, time_limit, baseline, recheck, config, handover: None, checkouts: None })
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
