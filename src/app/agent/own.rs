//! The agent's look at itself: whether its own machine still has a network, so that a lost uplink is one
//! incident and not one for each check.
//!
//! Each agent looks at its own network and notes in the store that it is lost. The job that makes an incident
//! of the notes reads those of all agents, and any of them may take it: of the network it needs nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use launchready_checks::contract::{Assessment, Finding, FindingSpec, Status};

use super::parts::Parts;
use crate::clock::{Clock, between, later, pause};
use crate::engine::seen_finding;
use crate::incident::{RunSeen, SeenFinding, Sight};
use crate::schedule::Schedule;
use crate::store::{AT_WORK, DueJob, Finished, JobKey, JobSpec, Store, StoreError};
use crate::telemetry::complain;

/// The name under which the agent reports about itself; the config refuses it for a project.
pub(super) const PROJECT: &str = "launchready";
/// The name of the look.
const CHECK: &str = "agent-network";
/// What it looks at; its findings name the agents.
const TARGET: &str = "this machine";
/// As often as the fastest checks are looked at again.
const EVERY: Duration = Duration::from_secs(30);
/// Looks in a row that must see no network before it is believed.
const LOOKS: u32 = 2;
/// Where an agent notes that its network is lost; its name stands behind it.
const LOST_AT: &str = "agent.network-lost.";

const LOST: FindingSpec = FindingSpec::critical(
    "agent-network-lost",
    "The machine of the agent has no network",
    "While it lasts nothing is watched: a product that goes down now is noticed only when the network is \
     back.",
)
.now();
/// Why it matters where another agent sees.
const OTHERS_SEE: &str =
    "The other agents look meanwhile. Where they lose their network too, nothing is watched.";

/// The job of the look.
pub(super) fn job() -> JobSpec {
    JobSpec {
        key: JobKey { project: PROJECT.to_owned(), check: CHECK.to_owned() },
        target: TARGET.to_owned(),
        schedule: Schedule::Every(EVERY),
        phase: 0.0,
    }
}

/// What an agent knows of its own network.
#[derive(Debug, Default)]
pub(super) struct Uplink {
    lost: AtomicBool,
    left: Arc<AtomicBool>,
}

impl Uplink {
    /// Whether the last look saw no network.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Whether the agent sees nothing and another one is at work that does: then that one looks and sends.
    pub(super) fn leaves_work(&self) -> bool {
        self.left.load(Ordering::Relaxed)
    }

    /// The same, for whoever sends.
    pub(super) fn left(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.left)
    }

    /// Takes in that a look of this agent saw no network: its work is left to others where one of them sees.
    pub(super) async fn lose(
        &self,
        store: &dyn Store,
        me: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.lost.store(true, Ordering::Relaxed);
        let lost = noted(store).await?;
        let at_work = store.at_work(now, AT_WORK).await?;
        let is_left = at_work.iter().any(|name| name != me && !lost.contains(name));
        self.left.store(is_left, Ordering::Relaxed);
        Ok(())
    }
}

/// Looks at the agent's own network again and again, until dropped: it is gone where no resolver answers at all, or
/// where nothing does that was connected to.
pub(super) async fn watch(parts: Parts) {
    let mut own = Own::new(&*parts.store, &parts.me, &parts.uplink);
    loop {
        let setup = parts.setup();
        let sees = setup.session.is_online().await;
        match own.saw(sees, parts.clock.now()).await {
            Ok(true) => parts.telling.scheduler.notify_one(),
            Ok(false) => {}
            Err(error) => complain(error),
        }
        pause(&*parts.clock, EVERY).await;
    }
}

/// The looks of one agent at its own network, and its note of them.
struct Own<'a> {
    store: &'a dyn Store,
    me: &'a str,
    uplink: &'a Uplink,
    /// Looks in a row that saw no network.
    failed: u32,
    /// Whether the store has the note; not known at the start.
    noted: Option<bool>,
}

impl<'a> Own<'a> {
    fn new(store: &'a dyn Store, me: &'a str, uplink: &'a Uplink) -> Self {
        Self { store, me, uplink, failed: 0, noted: None }
    }

    /// Takes in whether a look saw the network. `true` where the job of the notes has something new to read.
    async fn saw(&mut self, sees: bool, now: Timestamp) -> Result<bool, StoreError> {
        self.failed = if sees { 0 } else { self.failed.saturating_add(1) };
        if sees {
            self.uplink.lost.store(false, Ordering::Relaxed);
            self.uplink.left.store(false, Ordering::Relaxed);
            return self.note(false, now).await;
        }
        self.uplink.lose(self.store, self.me, now).await?;
        Ok(self.failed >= LOOKS && self.note(true, now).await?)
    }

    /// Notes that the network is lost, or takes the note away; `true` where that is news. It is noted anew each time:
    /// the others take away what is noted of an agent that they have not heard of for a while.
    async fn note(&mut self, is_lost: bool, now: Timestamp) -> Result<bool, StoreError> {
        if is_lost {
            self.store.put(&place(self.me), &now.to_string()).await?;
        } else if self.noted != Some(false) {
            self.store.forget(&place(self.me)).await?;
        }
        let is_new = (self.noted == Some(true)) != is_lost;
        if is_new {
            self.store.make_due(PROJECT, Some(CHECK), now).await?;
        }
        self.noted = Some(is_lost);
        Ok(is_new)
    }
}

/// Where the agent of this name notes that its network is lost.
fn place(agent: &str) -> String {
    format!("{LOST_AT}{agent}")
}

/// The agents that have noted it.
async fn noted(store: &dyn Store) -> Result<Vec<String>, StoreError> {
    let listed = store.listed(LOST_AT).await?;
    let name = |(place, _at): (String, String)| Some(place.strip_prefix(LOST_AT)?.to_owned());
    Ok(listed.into_iter().filter_map(name).collect())
}

/// Makes of the notes what is told of them. That of an agent which is no longer at work says nothing of the
/// present, and is taken away.
pub(super) async fn look(
    store: &dyn Store,
    me: &str,
    due: &DueJob,
    clock: &dyn Clock,
) -> Result<Finished, StoreError> {
    let started_at = clock.now();
    let lost = noted(store).await?;
    let mut at_work = store.at_work(started_at, AT_WORK).await?;
    // Whoever asks is at work, whatever is noted.
    if !at_work.iter().any(|name| name == me) {
        at_work.push(me.to_owned());
    }
    let others_see = at_work.iter().any(|name| !lost.contains(name));
    let (mut found, mut expired) = (Vec::new(), Vec::new());
    for agent in &lost {
        let finding = finding(agent, others_see);
        if at_work.contains(agent) {
            found.push(finding);
        } else {
            store.forget(&place(agent)).await?;
            expired.push(finding.fingerprint);
        }
    }
    // Each agent has looked twice before it made a note.
    let seen = found.iter().map(|finding| seen_finding(finding, LOST.title, true));
    let findings: Vec<SeenFinding> = seen.collect();
    Ok(Finished {
        key: due.key.clone(),
        due_at: due.due_at,
        started_at,
        duration: between(started_at, clock.now()),
        status: if findings.is_empty() { Status::Pass } else { Status::Fail },
        reason: None,
        assessment: Assessment { findings: found, ..Assessment::default() },
        evidence: None,
        carry: None,
        windows: Vec::new(),
        seen: RunSeen {
            project: PROJECT.to_owned(),
            check: CHECK.to_owned(),
            check_title: "The agent's own network".to_owned(),
            target: TARGET.to_owned(),
            at: started_at,
            first: due.first,
            last_look: None,
            sight: Sight::Looked { unseen_parts: Vec::new() },
            findings,
            expired,
            recheck: "launchready audit".to_owned(),
        },
        next_due: later(started_at, EVERY),
    })
}

/// What is told of an agent that has lost its network.
fn finding(agent: &str, others_see: bool) -> Finding {
    let cause = "no resolver answers it, or none of the products does that it connects to";
    let mut finding = LOST
        .finding(agent)
        .summary(format!("The agent {agent} cannot see anything: {cause}."))
        .saw(cause)
        .fix(format!(
            "Bring the network of the machine that runs the agent {agent} back: its way out (route, NAT, firewall) and a \
             resolver that answers, such as network.resolvers = [\"1.1.1.1\"]."
        ))
        .undo("Nothing has to be undone.");
    if others_see {
        OTHERS_SEE.clone_into(&mut finding.why);
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::FixedClock;

    const ONE: &str = "10.0.0.1:9797 watch-1";
    const TWO: &str = "10.0.0.2:9797 watch-2";

    fn at(text: &str) -> Timestamp {
        format!("2026-11-22T{text}Z").parse().unwrap()
    }

    /// A store in which these agents are at work.
    async fn store(agents: &[&str], now: Timestamp) -> (tempfile::TempDir, Arc<dyn Store>) {
        let folder = tempfile::tempdir().unwrap();
        let store = crate::store::open("sqlite:s.db", folder.path()).await.unwrap();
        store.sync_jobs(&[job()], &FixedClock(now)).await.unwrap();
        for agent in agents {
            store.note_at_work(agent, now, AT_WORK).await.unwrap();
        }
        (folder, store)
    }

    /// What a run of the job says that an agent makes: the agents without a network, why it matters, and how many
    /// are gone.
    async fn told(store: &dyn Store, me: &str, now: Timestamp) -> (Vec<String>, String, usize) {
        let key = job().key;
        let due = DueJob { key, due_at: now, first: false, early: false, beside: false };
        let run = look(store, me, &due, &FixedClock(now)).await.unwrap();
        let wanted = if run.seen.findings.is_empty() { Status::Pass } else { Status::Fail };
        assert_eq!((run.status, &run.seen.target), (wanted, &job().target));
        let named =
            |it: &SeenFinding| it.summary.contains(&it.subject) && it.fix.contains(&it.subject);
        assert!(run.seen.findings.iter().all(named), "{:?}", run.seen.findings);
        let why = run.seen.findings.first().map(|it| it.why.clone()).unwrap_or_default();
        let subjects = run.seen.findings.into_iter().map(|it| it.subject).collect();
        (subjects, why, run.seen.expired.len())
    }

    #[tokio::test]
    async fn an_agent_without_a_network_is_told_by_name_and_leaves_its_work_while_another_one_sees()
    {
        let now = at("10:00:00");
        let (_folder, store) = store(&[ONE, TWO], now).await;
        let (one, two) = (Uplink::default(), Uplink::default());
        let mut first = Own::new(&*store, ONE, &one);
        let mut second = Own::new(&*store, TWO, &two);
        assert!(!first.saw(true, now).await.unwrap());
        // One look is not believed, and the work is left to the other at once.
        assert!(!second.saw(false, now).await.unwrap());
        assert_eq!((two.is_lost(), two.leaves_work()), (true, true));
        assert_eq!(told(&*store, ONE, now).await, (Vec::new(), String::new(), 0));
        assert!(second.saw(false, now).await.unwrap());
        assert!(!second.saw(false, now).await.unwrap(), "it is told already");
        let wanted = (vec![TWO.to_owned()], OTHERS_SEE.to_owned(), 0);
        for me in [ONE, TWO] {
            assert_eq!(told(&*store, me, now).await, wanted, "whoever takes the job says the same");
        }
        assert!(!first.saw(true, now).await.unwrap(), "it has nothing to say of the other");
        assert_eq!(told(&*store, ONE, now).await, wanted);
        assert_eq!((one.is_lost(), one.leaves_work()), (false, false));
        assert!(second.saw(true, now).await.unwrap());
        assert_eq!((two.is_lost(), two.leaves_work()), (false, false));
        assert_eq!(told(&*store, ONE, now).await, (Vec::new(), String::new(), 0));
        store.close().await;
    }

    #[tokio::test]
    async fn where_no_agent_sees_all_go_on_and_one_alone_does_too() {
        let now = at("10:00:00");
        let (_folder, store) = store(&[ONE, TWO], now).await;
        let (one, two) = (Uplink::default(), Uplink::default());
        let mut first = Own::new(&*store, ONE, &one);
        let mut second = Own::new(&*store, TWO, &two);
        for _ in 0..3 {
            first.saw(false, now).await.unwrap();
            second.saw(false, now).await.unwrap();
        }
        assert_eq!((one.leaves_work(), two.leaves_work()), (false, false));
        let both = vec![ONE.to_owned(), TWO.to_owned()];
        assert_eq!(told(&*store, ONE, now).await, (both, LOST.why.to_owned(), 0));
        // The other one is stopped in order.
        store.release(TWO).await.unwrap();
        assert_eq!(told(&*store, ONE, now).await, (vec![ONE.to_owned()], LOST.why.to_owned(), 1));
        first.saw(false, now).await.unwrap();
        assert!(!one.leaves_work() && one.is_lost());
        store.close().await;
    }

    #[tokio::test]
    async fn what_an_agent_noted_that_is_gone_ends_with_it_and_comes_back_with_it() {
        let now = at("10:00:00");
        let (_folder, store) = store(&[ONE, TWO], now).await;
        let two = Uplink::default();
        let mut second = Own::new(&*store, TWO, &two);
        for _ in 0..2 {
            second.saw(false, now).await.unwrap();
        }
        let now = at("10:02:00");
        store.note_at_work(ONE, now, AT_WORK).await.unwrap();
        assert_eq!(told(&*store, ONE, now).await, (Vec::new(), String::new(), 1));
        assert_eq!(told(&*store, ONE, now).await, (Vec::new(), String::new(), 0));
        assert!(store.listed(LOST_AT).await.unwrap().is_empty());
        store.note_at_work(TWO, now, AT_WORK).await.unwrap();
        second.saw(false, now).await.unwrap();
        assert_eq!(told(&*store, ONE, now).await.0, [TWO]);
        // It is started anew with its network back.
        let mut again = Own::new(&*store, TWO, &two);
        again.saw(true, now).await.unwrap();
        assert_eq!(told(&*store, ONE, now).await, (Vec::new(), String::new(), 0));
        store.close().await;
    }
}
