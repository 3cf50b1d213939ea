//! `launchready trace`: one payment from Stripe to the ticket.

mod draw;

use std::path::Path;
use std::sync::Arc;

use super::args::TraceArgs;
use super::output::{paint, print};
use super::{Exit, UsageError, project};
use crate::app::Session;
use crate::app::trace::{Outcome, Reference};
use crate::clock::SystemClock;

pub(super) fn run(args: &TraceArgs) -> anyhow::Result<Exit> {
    let reference = Reference::read(&args.reference).map_err(|no| UsageError(no.to_string()))?;
    if args.project.config.is_none() && !Path::new(project::CONFIG).exists() {
        let text = "there is no launchready.toml here; name a config that has [project.stripe] and \
                    [project.database] with --config FILE, or write one: launchready config example";
        return Err(UsageError(text.to_owned()).into());
    }
    let source = project::projects(None, &args.project)?;
    let project = project::pick(&source.config.projects, args.project.project.as_deref())?;
    let session = Session::new(source.config.network.clone(), Arc::new(SystemClock))?;
    let chain = crate::app::runtime(false)?.block_on(session.trace(project, &reference))?;
    if args.json {
        print(&(serde_json::to_string_pretty(&chain)? + "\n"));
    } else {
        print(&draw::draw(&chain, paint()));
    }
    Ok(match chain.outcome {
        Outcome::Whole => Exit::Clean,
        Outcome::Broken => Exit::Found,
        Outcome::Unknown => Exit::Usage,
        Outcome::Unseen => Exit::Failed,
    })
}
