//! `launchready audit --domains`: one JSON report a line.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use futures_util::{StreamExt as _, stream};

use super::args::{AuditArgs, Format};
use super::audit::{exit_of, plan, worse};
use super::output::print;
use super::project::{network as network_of, recheck, with_goal};
use super::{Exit, UsageError};
use crate::app::Session;
use crate::clock::SystemClock;
use crate::config::{Project, load, read_domain};
use crate::engine::Silent;
use crate::files;
use crate::probe::Network;
use crate::report::build;

/// More is no list of domains.
const LIST_BYTES: u64 = 16 * 1024 * 1024;
/// Domains that are audited at once.
const AT_ONCE: usize = 64;

pub(super) async fn run(path: &Path, args: &AuditArgs) -> anyhow::Result<Exit> {
    if !matches!(args.output.format, None | Some(Format::Json)) {
        let text = "--domains prints one JSON report a line; leave --format out, or audit one domain at a time";
        return Err(UsageError(text.to_owned()).into());
    }
    let text = if path == Path::new("-") {
        files::read_to_end(std::io::stdin().lock(), LIST_BYTES).and_then(files::text)
    } else {
        files::read_text(path, LIST_BYTES)
    };
    let text =
        text.map_err(|error| UsageError(format!("cannot read {}: {error}", path.display())))?;
    let mut names = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if !line.is_empty() {
            let name = read_domain(line).with_context(|| format!("line {}", index + 1))?;
            names.push(name);
        }
    }
    let config = args.project.config.as_deref();
    let network = match config {
        Some(path) => load(path)?.network,
        None => Network::default(),
    };
    let network = network_of(&args.project.network, network)?;
    let session = Session::new(network, Arc::new(SystemClock))?;
    let mut worst = Exit::Clean;
    let audits = names.iter().map(async |name| {
        let recheck = recheck(Some(name), config, None, &args.project.network);
        let plan = plan(&args.output, None, recheck, config)?;
        let project = with_goal(&Project::of_domain(name), &args.output);
        session.audit(&project, &plan, &Silent).await
    });
    let mut audits = stream::iter(audits).buffered(AT_ONCE);
    while let Some(record) = audits.next().await {
        let report = build(&record?);
        print(&(serde_json::to_string(&report)? + "\n"));
        worst = worse(worst, exit_of(&report, args.output.fail_on.into()));
    }
    Ok(worst)
}
