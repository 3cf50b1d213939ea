//! `launchready demo`: a small internet on this machine, audited or watched, with nothing to configure.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use launchready_lab::{Lab, LabOptions, Mailbox, MailboxOptions, Page, Sinks, Timetable, World};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::agent::stop_signal;
use super::args::{Cli, DemoArgs, Scenario};
use super::audit::{finish, plan, report_place};
use super::project::with_goal;
use super::{Exit, UsageError, progress};
use crate::app::agent::{AgentOptions, run_agent, runtime};
use crate::app::{Plan, Session, declared};
use crate::clock::{Clock, FastClock, SystemClock, between, later, pause};
use crate::config::load;
use crate::drill::{ChannelDrilled, Drill, Outcome, Record, new_mark};
use crate::probe::Network;
use crate::report::build;

/// Where the page is unless the command line says otherwise.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9797);
/// Settings of the demo's agent beside its channels: what comes and goes all the time would count as
/// flapping, and a visitor waits for messages.
const SETTINGS: &str = "
[defaults]
group_wait = \"5s\"
flap_turns = 1000
[checks.web-uptime]
every = \"30s\"
";

pub(super) fn run(cli: &Cli, args: &DemoArgs) -> anyhow::Result<Exit> {
    if args.once {
        return once(cli, args);
    }
    if let Some(address) = args.listen.filter(|it| !it.ip().to_canonical().is_loopback()) {
        let text = format!(
            "the demo has no password and listens on this machine only; use --listen 127.0.0.1:{}",
            address.port()
        );
        return Err(UsageError(text).into());
    }
    runtime()?.block_on(keep_running(cli, args))
}

fn once(cli: &Cli, args: &DemoArgs) -> anyhow::Result<Exit> {
    let place = report_place(&args.output)?;
    crate::app::runtime(false)?.block_on(async {
        let scenario = args.scenario.unwrap_or_default();
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let lab = start(scenario, folder.path(), 1.0).await?;
        progress::note(cli, "a small internet runs on this machine; nothing leaves it");
        let path = folder.path().join("config.toml");
        std::fs::write(&path, lab.config_toml())?;
        let config = load(&path)?;
        let project = config.projects.first().context("the lab has no project")?;
        let session = Session::new(config.network.clone(), Arc::new(SystemClock))?;
        let project = with_goal(project, &args.output);
        let plan = plan(&args.output, None, recheck(scenario), None)?;
        let plan = Plan { handover: Some(declared(&config, &config.settings(), &project)), ..plan };
        let record = session.audit(&project, &plan, progress::of(cli).as_ref()).await?;
        lab.stop().await;
        finish(cli, &build(&record), &args.output, &place)
    })
}

async fn start(scenario: Scenario, folder: &Path, speed: f64) -> anyhow::Result<Lab> {
    let world = match scenario {
        Scenario::Broken => World::load("broken"),
        Scenario::Healthy => World::load("healthy"),
    };
    let options =
        LabOptions { now: SystemClock.now(), delay: Duration::ZERO, speed, dir: folder.to_owned() };
    Lab::start(&world?, options).await.context("the lab cannot start")
}

/// The command that looks again: the lab is gone by then, so it has to be started once more.
fn recheck(scenario: Scenario) -> String {
    let scenario = match scenario {
        Scenario::Broken => "",
        Scenario::Healthy => " --scenario healthy",
    };
    format!("launchready demo --once{scenario} --only {{id}}")
}

/// The lab and the agent against it, until the process is asked to end.
async fn keep_running(cli: &Cli, args: &DemoArgs) -> anyhow::Result<Exit> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let timetable = if args.scenario.is_none() { Some(Timetable::demo()?) } else { None };
    let lab = start(args.scenario.unwrap_or(Scenario::Healthy), folder.path(), args.speed).await?;
    let now = SystemClock.now();
    let mailbox = Arc::new(Mailbox::start(lab.authority(), MailboxOptions::default())?);
    let sinks = Arc::new(Sinks::start(now)?);
    let letters = Page::start(now, args.speed, Arc::clone(&mailbox), Arc::clone(&sinks))?;
    let listen = match args.listen {
        Some(address) if address.port() != 0 => address,
        Some(address) => free(address).await?,
        None => free(LISTEN).await?,
    };
    let settings =
        format!("[agent]\nlisten = \"{listen}\"\npublic_url = \"http://{listen}\"\n{SETTINGS}");
    let path = folder.path().join("launchready.toml");
    let mut config: toml::Table =
        toml::from_str(&lab.agent_config_toml(&mailbox, &sinks, &settings)?)?;
    let token = crate::store::new_message_id()?;
    std::fs::write(folder.path().join(TOKEN), &token)?;
    // A visitor finds something on the public status page, and a job that calls.
    let projects = config.get_mut("project").and_then(toml::Value::as_array_mut);
    for project in projects.into_iter().flatten().filter_map(toml::Value::as_table_mut) {
        project.insert("public".to_owned(), true.into());
        project.insert("heartbeat".to_owned(), vec![job()].into());
    }
    std::fs::write(&path, config.to_string())?;

    drilled(folder.path(), now).await?;
    let clock: Arc<dyn Clock> = Arc::new(FastClock::new(now, args.speed));
    let stop = stop_signal()?;
    let (quiet, log_format) = (cli.quiet, cli.log_format);
    let words = words(&letters.url(), timetable.as_ref(), now, args.speed);
    let (up, started) = watch::channel(false);
    let agent = run_agent(AgentOptions {
        config: path,
        machine: Arc::default(),
        clock: Arc::clone(&clock),
        stop,
        started: Box::new(move |address| {
            let text = format!("the agent's page:  http://{address}/\n{words}");
            progress::say(quiet, log_format, &text);
            up.send_replace(true);
        }),
    });
    let calls = calls(&lab, &*clock, format!("http://{listen}/heartbeat/{token}"), started.clone());
    let play = play(cli, &lab, timetable.as_ref(), &*clock, folder.path(), started);
    tokio::select! {
        ended = agent => ended?,
        ended = play => ended?,
        ended = calls => ended?,
    }
    lab.stop().await;
    Ok(Exit::Clean)
}

/// The history of the demo: its founder has tried yesterday whether alerts arrive.
async fn drilled(folder: &Path, now: Timestamp) -> anyhow::Result<()> {
    let yesterday = now.checked_sub(jiff::SignedDuration::from_hours(24)).unwrap_or(now);
    let mut record = Record::begun(Drill::Alert, "harbor", &new_mark()?, yesterday);
    record.outcome = Outcome::Passed;
    record.channels = ["founder", "ops", "hook"]
        .map(|channel| ChannelDrilled {
            channel: channel.to_owned(),
            accepted_after_ms: Some(900),
            error: None,
        })
        .into();
    let store = crate::store::open("sqlite:launchready.db", folder).await?;
    store.record_drill(&record.stored(true)).await?;
    store.close().await;
    Ok(())
}

/// The file with the token of the job.
const TOKEN: &str = "backup.token";
/// The name of the job in the timetable and in the config.
const JOB: &str = "backup";
/// How often the job runs.
const BACKUP: Duration = Duration::from_secs(20);

/// The promise of a job that is due far more often than in reality, for a visitor does not wait for a day.
fn job() -> toml::Table {
    let mut token = toml::Table::new();
    token.insert("file".to_owned(), TOKEN.into());
    let mut job = toml::Table::new();
    for (key, value) in [("name", JOB), ("every", "1m"), ("grace", "30s")] {
        job.insert(key.to_owned(), value.into());
    }
    job.insert("token".to_owned(), token.into());
    job
}

/// Plays a job that calls the agent again and again, unless it has stopped.
async fn calls(
    lab: &Lab,
    clock: &dyn Clock,
    url: String,
    mut started: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    started.wait_for(|started| *started).await?;
    let session = Session::new(Network::default(), Arc::new(SystemClock))?;
    loop {
        if lab.runs(JOB) {
            // An agent that is about to end does not answer, and that is all right.
            drop(session.call(&url).await);
        }
        pause(clock, BACKUP).await;
    }
}

/// The address, or a free port beside it where another process has it.
async fn free(wanted: SocketAddr) -> anyhow::Result<SocketAddr> {
    let listener = match TcpListener::bind(wanted).await {
        Ok(listener) => listener,
        Err(_taken) => TcpListener::bind((wanted.ip(), 0)).await?,
    };
    Ok(listener.local_addr()?)
}

/// What a visitor is told at the start.
fn words(letters: &str, timetable: Option<&Timetable>, now: Timestamp, speed: f64) -> String {
    let mut text = format!("mail and messages: {letters}\n");
    if speed > 1.0 {
        text = format!(
            "{text}\nThe demo's clock runs {speed} times faster than yours: a minute of it takes {} \
             seconds.\nIt begins at {}; every time on the page and in the messages is by it.\n",
            (600.0 / speed).round() / 10.0,
            now.strftime("%-d %b %Y, %H:%M UTC"),
        );
    }
    if let Some(timetable) = timetable {
        let heading = "This happens again and again, in its minutes and seconds from the start:";
        text = format!("{text}\n{heading}\n{timetable}\n");
    }
    text + "\nCtrl-C ends it; nothing of it stays."
}

/// Does what the timetable says, and has the agent look at once: some checks look once an hour, and a
/// visitor does not wait for that.
async fn play(
    cli: &Cli,
    lab: &Lab,
    timetable: Option<&Timetable>,
    clock: &dyn Clock,
    folder: &Path,
    mut started: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    started.wait_for(|started| *started).await?;
    let Some(timetable) = timetable else { return std::future::pending().await };
    let store = crate::store::open("sqlite:launchready.db", folder).await?;
    let begin = clock.now();
    let mut done = Duration::ZERO;
    while let Some((at, step)) = timetable.next(done) {
        pause(clock, at.saturating_sub(between(begin, clock.now()))).await;
        step.apply(lab).await?;
        let by_clock = later(begin, at).strftime("%H:%M:%S UTC");
        progress::note(cli, &format!("{by_clock} by the demo's clock: {}", step.say));
        store.make_due("harbor", None, clock.now()).await?;
        done = at;
    }
    Ok(())
}
