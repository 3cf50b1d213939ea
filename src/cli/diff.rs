//! `launchready diff`: what two or more audits told differently.

use std::path::Path;

use launchready_checks::contract::json;

use super::args::{DiffArgs, DiffFormat};
use super::output::{paint, print};
use super::{Exit, UsageError};
use crate::files;
use crate::report::{Difference, Report, difference_to_markdown, difference_to_terminal};

/// No report is larger, in bytes: evidence is bounded, and so are findings.
const REPORT_BYTES: u64 = 64 * 1024 * 1024;
/// The form of reports that can be read.
const SCHEMA: u32 = 1;

pub(super) fn run(args: &DiffArgs) -> anyhow::Result<Exit> {
    let reports = args.reports.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    let difference = Difference::of(&reports).map_err(|error| UsageError(error.to_string()))?;
    print(&match args.format {
        DiffFormat::Terminal => difference_to_terminal(&difference, paint()),
        DiffFormat::Markdown => difference_to_markdown(&difference),
        DiffFormat::Json => serde_json::to_string_pretty(&difference)? + "\n",
    });
    Ok(if difference.is_worse(args.fail_on.into()) { Exit::Found } else { Exit::Clean })
}

fn read(path: &Path) -> Result<Report, UsageError> {
    let wrong = |why: String| {
        UsageError(format!(
            "{}: {why}; write one with `launchready audit --format json --out FILE`",
            path.display()
        ))
    };
    let text = files::read_text(path, REPORT_BYTES).map_err(|error| wrong(error.to_string()))?;
    let report: Report =
        json::from_str(&text).map_err(|error| wrong(format!("it is no report: {error}")))?;
    if report.schema_version != SCHEMA {
        let version = report.schema_version;
        return Err(wrong(format!(
            "its schema_version is {version}, and this version reads {SCHEMA}"
        )));
    }
    Ok(report)
}
