//! `launchready demo`: a small internet on this machine, audited with nothing to configure.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use launchready_lab::{Lab, LabOptions, World};

use super::args::{Cli, DemoArgs, Scenario};
use super::audit::{finish, plan};
use super::output::Place;
use super::project::with_goal;
use super::{Exit, UsageError, progress};
use crate::app::Session;
use crate::clock::{Clock as _, SystemClock};
use crate::config::load;
use crate::report::build;

pub(super) fn run(cli: &Cli, args: &DemoArgs) -> anyhow::Result<Exit> {
    if !args.once {
        let text = "this version audits the demo once; type `launchready demo --once`";
        return Err(UsageError(text.to_owned()).into());
    }
    let place = Place::prepare(args.output.out.as_deref(), "--out")?;
    crate::app::runtime(false)?.block_on(async {
        let world = match args.scenario {
            Scenario::Broken => World::load("broken"),
            Scenario::Healthy => World::load("healthy"),
        };
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let options = LabOptions {
            now: SystemClock.now(),
            delay: Duration::ZERO,
            dir: folder.path().to_owned(),
        };
        let lab = Lab::start(&world?, options).await.context("the lab cannot start")?;
        progress::note(cli, "a small internet runs on this machine; nothing leaves it");
        let path = folder.path().join("config.toml");
        std::fs::write(&path, lab.config_toml())?;
        let config = load(&path)?;
        let project = config.projects.first().context("the lab has no project")?;
        let session = Session::new(config.network.clone(), Arc::new(SystemClock))?;
        let project = with_goal(project, &args.output);
        let plan = plan(&args.output, None, recheck(args.scenario), None)?;
        let record = session.audit(&project, &plan, progress::of(cli).as_ref()).await?;
        lab.stop().await;
        finish(cli, &build(&record), &args.output, &place)
    })
}

/// The command that looks again: the lab is gone by then, so it has to be started once more.
fn recheck(scenario: Scenario) -> String {
    let scenario = match scenario {
        Scenario::Broken => "",
        Scenario::Healthy => " --scenario healthy",
    };
    format!("launchready demo --once{scenario} --only {{id}}")
}
