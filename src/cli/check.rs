//! `launchready check`: one check again.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use launchready_checks::contract::{Severity, SourceFacts, Status, Unit};
use launchready_checks::registry;

use super::args::{CheckArgs, CheckFormat, Cli, FailOn, OutputArgs};
use super::explain::{closest, ids};
use super::output::{paint, print};
use super::{Exit, UsageError, audit, progress, project};
use crate::app::{Plan, Session};
use crate::clock::SystemClock;
use crate::config::{Project, shell_word};
use crate::engine::Silent;
use crate::report::{CheckReport, Report, build};

/// The check that looks at a folder instead of a domain.
const SOURCE: &str = "secrets-source";
/// The check that can take its checkouts from a file.
const CHECKOUTS: &str = "orders-orphaned-checkouts";

pub(super) fn run(cli: &Cli, args: &CheckArgs) -> anyhow::Result<Exit> {
    if registry::find(&args.id).is_none() {
        let remedy = match registry::find_code(&args.id) {
            Some((plugin, _)) => {
                let id = plugin.meta.id;
                format!("; that is a finding of {id}: launchready check {id}")
            }
            None => closest(&args.id, ids()),
        };
        return Err(UsageError(format!("there is no check {:?}{remedy}", args.id)).into());
    }
    if args.sessions.is_some() && args.id != CHECKOUTS {
        let text = format!("--sessions is for launchready check {CHECKOUTS}");
        return Err(UsageError(text).into());
    }
    if args.format == CheckFormat::Jsonl && args.id == CHECKOUTS {
        return list_differences(args);
    }
    if args.format == CheckFormat::Jsonl {
        // Where only the check can tell what a key means, it looks too and says nothing.
        if let Some(exit) = list_secrets(cli, args)? {
            return Ok(exit);
        }
    }
    let folder = if args.id == SOURCE { args.domain.as_deref() } else { None };
    let (network, project, recheck, config, settings) = if let Some(folder) = folder {
        let mut project = Project::of_domain("source");
        folder.clone_into(&mut project.target.domain);
        project.target.source = Some(SourceFacts { path: existing(folder)? });
        let network = project::network(&args.project.network, crate::probe::Network::default())?;
        let recheck = project::recheck(Some(folder), None, None, &args.project.network);
        (network, project, recheck, None, None)
    } else {
        let source = project::projects(args.domain.as_deref(), &args.project)?;
        let name = args.project.project.as_deref();
        let mut project = project::pick(&source.config.projects, name)?.clone();
        if args.sessions.is_some() {
            whole_file(&mut project);
        }
        let settings = project::listener(&source.config, source.path.as_deref());
        let recheck = with_sessions(source.recheck, args.sessions.as_deref());
        (source.config.network, project, recheck, source.path, settings)
    };
    let output = OutputArgs {
        only: vec![args.id.clone()],
        skip: Vec::new(),
        goal: None,
        format: None,
        out: None,
        redact: false,
        fail_on: FailOn::Critical,
        time_limit: args.time_limit,
    };
    let mut session = Session::new(network, Arc::new(SystemClock))?;
    let plan = audit::plan(&output, None, recheck, config.as_deref())?;
    let plan = Plan { checkouts: args.sessions.clone(), ..plan };
    let is_silent = args.nagios || args.format == CheckFormat::Jsonl;
    let progress = if is_silent { Box::new(Silent) } else { progress::of(cli) };
    let runtime = crate::app::runtime(project.target.source.is_some())?;
    runtime.block_on(project::remember(&mut session, settings.as_ref()));
    let record = runtime.block_on(session.audit(&project, &plan, progress.as_ref()))?;
    let mut report = build(&record);
    report.not_checked.retain(|part| part.of == args.id);
    let Some(check) = report.checks.first() else {
        return Err(anyhow::anyhow!("the run of {} was lost", args.id));
    };
    if args.nagios {
        print(&nagios_line(check));
        return Ok(Exit::Nagios(nagios_code(check.status)));
    }
    match args.format {
        CheckFormat::Json => print(&(serde_json::to_string_pretty(check)? + "\n")),
        CheckFormat::Jsonl => {}
        CheckFormat::Terminal => {
            print(&crate::report::check_to_terminal(&report, check, paint()));
        }
    }
    Ok(exit_of(&report))
}

/// 1 for a critical finding, 3 when it could not look.
fn exit_of(report: &Report) -> Exit {
    match report.checks.first().map(|check| check.status) {
        Some(Status::Unknown) => Exit::Failed,
        _ if audit::exit_of(report, Severity::Critical) == Exit::Found => Exit::Found,
        _ => Exit::Clean,
    }
}

/// The command that looks again at the same file of checkouts.
fn with_sessions(recheck: String, sessions: Option<&Path>) -> String {
    match sessions {
        Some(path) => format!("{recheck} --sessions {}", shell_word(path.display())),
        None => recheck,
    }
}

fn existing(folder: &str) -> anyhow::Result<String> {
    match std::fs::metadata(folder) {
        Ok(metadata) if metadata.is_dir() => Ok(folder.to_owned()),
        Ok(_) => {
            Err(UsageError(format!("{folder} is a file; name the folder of the project")).into())
        }
        Err(error) => Err(UsageError(format!("cannot read {folder}: {error}")).into()),
    }
}

fn list_secrets(cli: &Cli, args: &CheckArgs) -> anyhow::Result<Option<Exit>> {
    let (SOURCE, Some(folder)) = (args.id.as_str(), args.domain.as_deref()) else {
        let text = "--format jsonl lists the secrets of a folder: launchready check secrets-source PATH --format jsonl";
        return Err(UsageError(text.to_owned()).into());
    };
    let folder = existing(folder)?;
    let mut out = std::io::BufWriter::with_capacity(64 * 1024, std::io::stdout().lock());
    let path = Path::new(&folder);
    let listed = crate::app::runtime(true)?.block_on(crate::probe::list_keys(path, &mut out))?;
    drop(std::io::Write::flush(&mut out));
    for path in &listed.now.unreadable {
        super::output::complain(&format!("could not read {path}"));
    }
    if let Some(reason) = &listed.no_history {
        progress::note(cli, &format!("the git history was not read whole: {reason}"));
    }
    Ok(listed.is_critical.map(|is_critical| if is_critical { Exit::Found } else { Exit::Clean }))
}

/// Whoever names a file means all of it, however old.
fn whole_file(project: &mut Project) {
    let options = Arc::make_mut(&mut project.options);
    let own = options.entry(CHECKOUTS.to_owned()).or_insert_with(|| serde_json::json!({}));
    if let Some(own) = own.as_object_mut() {
        own.insert("since".to_owned(), "36500d".into());
    }
}

/// Every difference between checkouts and orders, one JSON object a line.
fn list_differences(args: &CheckArgs) -> anyhow::Result<Exit> {
    let source = project::projects(args.domain.as_deref(), &args.project)?;
    let project = project::pick(&source.config.projects, args.project.project.as_deref())?;
    let session = Session::new(source.config.network.clone(), Arc::new(SystemClock))?;
    let mut out = std::io::BufWriter::with_capacity(64 * 1024, std::io::stdout());
    let mut failed = None;
    let mut told = |difference: &'static str, id: &str| {
        let line = serde_json::json!({ "difference": difference, "checkout": id });
        if let Err(error) = writeln!(out, "{line}") {
            failed.get_or_insert(error);
        }
    };
    let compared = session.reconcile(project, args.sessions.as_deref(), &mut told);
    let is_wrong = crate::app::runtime(false)?.block_on(compared)?;
    out.flush()?;
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(if is_wrong { Exit::Found } else { Exit::Clean }),
    }
}

const fn nagios_code(status: Status) -> u8 {
    match status {
        Status::Pass => 0,
        Status::Warn => 1,
        Status::Fail => 2,
        Status::Unknown | Status::Skipped => 3,
    }
}

/// `STATUS - id: text | perfdata`, as the plugin guidelines have it.
fn nagios_line(check: &CheckReport) -> String {
    let word = match check.status {
        Status::Pass => "OK",
        Status::Warn => "WARNING",
        Status::Fail => "CRITICAL",
        Status::Unknown | Status::Skipped => "UNKNOWN",
    };
    let text = match (&check.reason, check.findings.first()) {
        (Some(reason), _) => reason.clone(),
        (None, Some(first)) if check.findings.len() > 1 => {
            format!("{} (and {} more)", first.summary, check.findings.len() - 1)
        }
        (None, Some(first)) => first.summary.clone(),
        (None, None) => format!("{}: nothing found", check.title),
    };
    let mut line = format!("{word} - {}: {}", check.id, text.replace('|', "/").replace('\n', " "));
    for (index, measurement) in check.measurements.iter().enumerate() {
        let subject = measurement.subject.as_ref().map(|s| format!("_{s}")).unwrap_or_default();
        let label = format!("{}{subject}", measurement.name).replace(['\'', '='], "_");
        let unit = match measurement.unit {
            Unit::Seconds => "s",
            Unit::Bytes => "B",
            Unit::Ratio | Unit::Count | Unit::Score | Unit::TimestampSeconds => "",
        };
        let bound = |bound: Option<f64>| bound.map(figure).unwrap_or_default();
        _ = write!(
            line,
            "{}'{label}'={}{unit};{};{}",
            if index == 0 { " | " } else { " " },
            figure(measurement.value),
            bound(measurement.warning),
            bound(measurement.critical)
        );
    }
    line + "\n"
}

/// A number with at most six digits behind the point: the rest is dust of a division. Whole numbers are exact.
fn figure(value: f64) -> String {
    let rounded = if value.fract() == 0.0 { value } else { (value * 1e6).round() / 1e6 };
    rounded.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_a_plugin_have_no_dust() {
        for (value, told) in [
            (0.004_900_000_000_000_001, "0.0049"),
            (0.1 + 0.2, "0.3"),
            (1.0 / 3.0, "0.333333"),
            (1_764_000_000.0, "1764000000"),
            (9_007_199_254_740_992.0, "9007199254740992"),
            (0.0, "0"),
        ] {
            assert_eq!(figure(value), told);
        }
    }
}
