//! `launchready agent` and `launchready notify`.

use std::sync::Arc;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::args::{AgentArgs, Cli, NotifyAction, NotifyArgs};
use super::explain::closest;
use super::output::{complain, print};
use super::{Exit, UsageError, progress};
use crate::app::agent::{AgentOptions, prove, run_agent};
use crate::clock::{Clock, FastClock, SharedClock, SystemClock};
use crate::config::load;

pub(super) fn run(cli: &Cli, args: &AgentArgs) -> anyhow::Result<Exit> {
    crate::app::agent::runtime()?.block_on(async {
        let (machine, clock): (_, Arc<dyn Clock>) = if args.speed > 1.0 {
            let machine = Arc::new(SharedClock::showing(SystemClock.now()));
            let since = args.since.unwrap_or_else(|| machine.now());
            (Arc::clone(&machine), Arc::new(FastClock::on(machine, since, args.speed)))
        } else {
            let machine = Arc::new(SharedClock::default());
            (Arc::clone(&machine), machine)
        };
        let (quiet, log_format) = (cli.quiet, cli.log_format);
        let started = move |address| {
            progress::say(quiet, log_format, &format!("the page is at http://{address}/"));
        };
        // On a thread that goes on working: what reading a config of thousands of products leaves free belongs to
        // the thread that read it, and is used again there.
        let agent = tokio::spawn(run_agent(AgentOptions {
            config: args.config.clone(),
            machine,
            clock,
            stop: stop_signal()?,
            started: Box::new(started),
        }));
        agent.await.context("the agent ended in the middle of its work")??;
        Ok(Exit::Clean)
    })
}

/// Becomes true when the process is asked to end.
pub(super) fn stop_signal() -> anyhow::Result<watch::Receiver<bool>> {
    let (send, receive) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        send.send_replace(true);
        // Asked a second time, it does not wait for what is under way.
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        std::process::exit(130);
    });
    Ok(receive)
}

pub(super) fn notify(args: &NotifyArgs) -> anyhow::Result<Exit> {
    let NotifyAction::Test { channel, config } = &args.action;
    crate::app::runtime(false)?.block_on(async {
        let agent = load(config)?.agent()?;
        let names = || agent.channels.iter().map(|channel| channel.name.as_str());
        if agent.channels.is_empty() {
            let text = format!(
                "{} has no [[channel]], so nobody is told; copy a block from `launchready config example` into it, put \
                 its secrets where it says, and run `launchready notify test` again",
                config.display()
            );
            return Err(UsageError(text).into());
        }
        if let Some(name) = channel
            && !names().any(|known| known == name)
        {
            let text = format!("there is no channel {name:?}{}", closest(name, names()));
            return Err(UsageError(text).into());
        }
        let mut exit = Exit::Clean;
        for settings in &agent.channels {
            if channel.as_ref().is_some_and(|name| *name != settings.name) {
                continue;
            }
            match prove(settings, &agent).await {
                Ok(()) => {
                    print(&format!("{}: the other side took the test message\n", settings.name));
                }
                Err(error) => {
                    complain(&format!("{}: {error}", settings.name));
                    exit = Exit::Found;
                }
            }
        }
        Ok(exit)
    })
}
