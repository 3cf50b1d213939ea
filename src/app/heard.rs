//! What a store remembers of promised calls, behind the port of the checks.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use launchready_checks::contract::json;
use launchready_checks::probe::{
    AgentFault, Answer, Away, HeartbeatAnswer, Heartbeats, ProbeError, Promised,
};

use crate::clock::{Clock, between, later};
use crate::config::Promise;
use crate::store::{
    HeartbeatRecord, Listener, Store, StoreError, forget_listener, listeners, note_ending,
    note_listening,
};

/// How often an agent notes that it listens.
pub(crate) const NOTED_EVERY: Duration = Duration::from_secs(15);
/// An agent did not listen where its notes are further apart than this.
const GAP: Duration = Duration::from_mins(1);
/// An agent that has been away for longer is one that nobody calls any more.
const RETIRED: Duration = Duration::from_hours(24);
/// What was away so long ago touches no promise: the config takes none that spans more days than this.
const FORGOTTEN: Duration = Duration::from_hours(24 * 400);
/// Where the last time without it is kept of each agent, with its name behind it.
const AWAY: &str = "heartbeat.away";

/// Notes that an agent begins to listen, or listens again, and when calls may have been lost before.
pub(crate) async fn begin(store: &dyn Store, me: &str, now: Timestamp) -> Result<(), StoreError> {
    let listeners = listeners(store).await?;
    if let Some(away) = missed(&listeners, me, now)
        && let Ok(text) = serde_json::to_string(&away)
    {
        store.put(&format!("{AWAY}.{me}"), &text).await?;
    }
    let old = listeners.iter().filter(|one| between(one.at, now) > FORGOTTEN);
    let old: Vec<&str> = old.filter_map(|one| one.agent.as_deref()).collect();
    for agent in old {
        forget_listener(store, agent).await?;
    }
    for (name, text) in store.listed(AWAY).await? {
        let away = json::from_str::<Away>(&text);
        if away.is_ok_and(|away| between(away.to, now) > FORGOTTEN) {
            store.forget(&name).await?;
        }
    }
    note(store, me, now).await
}

/// Notes that an agent listens at this moment.
pub(crate) async fn note(store: &dyn Store, me: &str, now: Timestamp) -> Result<(), StoreError> {
    note_listening(store, me, now).await
}

/// Notes that an agent ends in order: where another one listens, nothing is lost by it.
pub(crate) async fn end(store: &dyn Store, me: &str, now: Timestamp) -> Result<(), StoreError> {
    note_ending(store, me, now).await
}

/// The time in which nobody listened, up to the present.
fn nobody(listeners: &[Listener], now: Timestamp) -> Option<Away> {
    let from = listeners.iter().map(|one| one.at).max()?;
    (between(from, now) > GAP).then_some(Away { from, to: now })
}

/// The time in which an agent did not listen that has not ended in order; at most until it is retired.
fn absent(listener: &Listener, now: Timestamp) -> Option<Away> {
    let from = listener.at;
    let is_away = listener.agent.is_some() && between(from, now) > GAP;
    is_away.then(|| Away { from, to: now.min(later(from, RETIRED)) })
}

/// When calls may have been lost before this agent listens: to it, or because nobody did.
fn missed(listeners: &[Listener], me: &str, now: Timestamp) -> Option<Away> {
    let own = listeners.iter().find(|one| one.agent.as_deref() == Some(me));
    let own = own.and_then(|one| absent(one, now));
    match (own, nobody(listeners, now)) {
        (Some(own), Some(all)) if own.to >= all.from => Some(Away { from: own.from, to: all.to }),
        (own, all) => all.or(own),
    }
}

/// When calls may be lost at present: those to an agent that is gone without a word, and all where nobody
/// listens. Whoever asks as an agent listens itself.
fn lost(listeners: &[Listener], me: Option<&str>, now: Timestamp) -> Vec<Away> {
    let others = listeners.iter().filter(|one| one.agent.as_deref() != me);
    let all = if me.is_some() { None } else { nobody(listeners, now) };
    others.filter_map(|one| absent(one, now)).chain(all).collect()
}

/// The calls of one project as a store has them.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) store: Arc<dyn Store>,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
    /// The agent that asks, which listens itself while it looks; none in an audit.
    pub(crate) me: Option<Arc<str>>,
    /// The promises of the project.
    pub(crate) promises: Vec<Promise>,
}

impl Heard {
    async fn read(&self, project: &str) -> Result<HeartbeatAnswer, StoreError> {
        let listeners = listeners(&*self.store).await?;
        if listeners.is_empty() {
            return Ok(HeartbeatAnswer::Nobody);
        }
        let mut away = lost(&listeners, self.me.as_deref(), self.clock.now());
        let earlier = self.store.listed(AWAY).await?;
        away.extend(earlier.iter().filter_map(|(_, text)| json::from_str::<Away>(text).ok()));
        // Each may put the next call off, after which a later one counts.
        away.sort_by_key(|away| (away.from, away.to));
        let records = self.store.heartbeats(project).await?;
        let promised = self.promises.iter().filter_map(|promise| {
            let record = records.iter().find(|record| record.key.name == promise.name)?;
            Some(promised(promise, record, &away))
        });
        Ok(HeartbeatAnswer::Agent { promises: promised.collect() })
    }
}

/// What a check is told of one promise.
fn promised(promise: &Promise, record: &HeartbeatRecord, away: &[Away]) -> Promised {
    // A promise that was taken back and made again counts from then.
    let since = record.last_end().max(Some(record.promised_at)).unwrap_or(record.promised_at);
    let mut due_at = promise.due_after(since);
    let mut unheard = None;
    // A call that was heard meanwhile was heard by another agent: the job reaches whichever lives. In the first
    // moments it may have been the one that then was gone.
    let calls = [record.last_start, record.last_success, record.last_failure];
    let is_reached =
        |away: Away| calls.iter().flatten().any(|at| *at > later(away.from, GAP) && *at <= away.to);
    for away in away.iter().filter(|away| away.to > since && !is_reached(**away)) {
        // A job may call a little early too, such as a daily one that was quick today.
        let grace = SignedDuration::try_from(promise.grace).unwrap_or(SignedDuration::MAX);
        let earliest = due_at.checked_sub(grace).unwrap_or(Timestamp::MIN);
        if away.to >= earliest && away.from <= later(due_at, promise.grace) {
            due_at = promise.due_after(away.to);
            unheard = Some(*away);
        }
    }
    Promised {
        name: promise.name.clone(),
        promised_at: record.promised_at,
        first_call: record.first_call,
        last_start: record.last_start,
        last_success: record.last_success,
        last_failure: record.last_failure,
        exit: record.exit,
        due_at,
        away: unheard,
    }
}

impl Heartbeats for Heard {
    fn heard(&self, project: String) -> Answer<'_, Result<HeartbeatAnswer, ProbeError>> {
        Box::pin(async move {
            self.read(&project).await.map_err(|error| AgentFault::Bug(error.to_string()).into())
        })
    }
}

/// An audit without an agent: nobody has listened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Nobody;

impl Heartbeats for Nobody {
    fn heard(&self, _project: String) -> Answer<'_, Result<HeartbeatAnswer, ProbeError>> {
        Box::pin(async { Ok(HeartbeatAnswer::Nobody) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::FixedClock;
    use crate::schedule::Schedule;
    use crate::store::HeartbeatKey;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn daily() -> Promise {
        Promise {
            name: "backup".to_owned(),
            schedule: Schedule::Every(Duration::from_hours(24)),
            grace: Duration::from_hours(1),
            max_runtime: None,
        }
    }

    fn record(success: Option<&str>) -> HeartbeatRecord {
        HeartbeatRecord {
            key: HeartbeatKey { project: "harbor".to_owned(), name: "backup".to_owned() },
            promised_at: at("2026-11-20T12:00:00Z"),
            first_call: success.map(at),
            last_start: None,
            last_success: success.map(at),
            last_failure: None,
            exit: None,
            calls: 1,
            failures: 0,
        }
    }

    fn away(from: &str, to: &str) -> Away {
        Away { from: at(from), to: at(to) }
    }

    #[test]
    fn a_call_is_due_after_the_last_one_or_after_the_promise() {
        let heard = promised(&daily(), &record(Some("2026-11-22T03:00:00Z")), &[]);
        assert_eq!((heard.due_at, heard.away), (at("2026-11-23T03:00:00Z"), None));
        let never = promised(&daily(), &record(None), &[]);
        assert_eq!(never.due_at, at("2026-11-21T12:00:00Z"));
        let again = promised(&daily(), &record(Some("2026-11-02T03:00:00Z")), &[]);
        assert_eq!(again.due_at, at("2026-11-21T12:00:00Z"), "it has promised anew");
    }

    #[test]
    fn a_call_that_may_have_come_while_nobody_listened_is_not_missed() {
        let record = record(Some("2026-11-22T03:00:00Z"));
        let due = |away: Away| promised(&daily(), &record, &[away]);
        let over_it = away("2026-11-23T02:30:00Z", "2026-11-23T03:10:00Z");
        let heard = due(over_it);
        assert_eq!((heard.due_at, heard.away), (at("2026-11-24T03:10:00Z"), Some(over_it)));
        for elsewhere in [
            away("2026-11-22T01:00:00Z", "2026-11-22T02:00:00Z"),
            away("2026-11-22T12:00:00Z", "2026-11-22T18:00:00Z"),
            away("2026-11-23T05:00:00Z", "2026-11-23T06:00:00Z"),
        ] {
            let heard = due(elsewhere);
            assert_eq!((heard.due_at, heard.away), (at("2026-11-23T03:00:00Z"), None));
        }
    }

    #[test]
    fn a_job_that_another_agent_has_heard_meanwhile_is_not_excused_by_the_one_that_is_gone() {
        let record = record(Some("2026-11-22T03:00:00Z"));
        let gone = away("2026-11-22T02:00:00Z", "2026-11-23T04:00:00Z");
        let heard = promised(&daily(), &record, &[gone]);
        assert_eq!((heard.due_at, heard.away), (at("2026-11-23T03:00:00Z"), None));
        // Here it may have heard the call itself, just before it was gone.
        let gone = away("2026-11-22T02:59:50Z", "2026-11-23T04:00:00Z");
        assert_eq!(promised(&daily(), &record, &[gone]).away, Some(gone));
    }

    async fn answer(store: &Arc<dyn Store>, me: Option<&str>, now: &str) -> HeartbeatAnswer {
        let heard = Heard {
            store: Arc::clone(store),
            clock: Arc::new(FixedClock(at(now))),
            me: me.map(Arc::from),
            promises: vec![daily()],
        };
        heard.heard("harbor".to_owned()).await.unwrap()
    }

    /// What is told of the one promise.
    async fn told(store: &Arc<dyn Store>, me: Option<&str>, now: &str) -> Promised {
        let HeartbeatAnswer::Agent { promises } = answer(store, me, now).await else {
            panic!("somebody listens")
        };
        assert_eq!(promises.len(), 1);
        promises[0].clone()
    }

    /// A store that knows of the promise, whose call is due at noon of the 21st.
    async fn store() -> (tempfile::TempDir, Arc<dyn Store>) {
        let folder = tempfile::tempdir().unwrap();
        let store = crate::store::open("sqlite:s.db", folder.path()).await.unwrap();
        let key = record(None).key;
        store.sync_heartbeats(&[key], &FixedClock(at("2026-11-20T12:00:00Z"))).await.unwrap();
        (folder, store)
    }

    #[tokio::test]
    async fn a_store_in_which_no_agent_has_listened_has_heard_nothing() {
        let (_folder, store) = store().await;
        let now = "2026-11-20T12:00:00Z";
        assert_eq!(answer(&store, None, now).await, HeartbeatAnswer::Nobody);
        begin(&*store, "one", at(now)).await.unwrap();
        assert_eq!(told(&store, Some("one"), now).await.away, None);
        note(&*store, "one", at("2026-11-21T12:30:00Z")).await.unwrap();
        begin(&*store, "one", at("2026-11-21T12:31:00Z")).await.unwrap();
        let now = "2026-11-21T12:31:00Z";
        let why = "a restart within a minute is bridged by a second try";
        assert_eq!(told(&store, Some("one"), now).await.away, None, "{why}");
        begin(&*store, "one", at("2026-11-21T12:40:00Z")).await.unwrap();
        let gap = away("2026-11-21T12:31:00Z", "2026-11-21T12:40:00Z");
        for me in [Some("one"), None] {
            assert_eq!(told(&store, me, "2026-11-21T12:40:00Z").await.away, Some(gap));
        }
        store.close().await;
    }

    #[tokio::test]
    async fn calls_to_an_agent_that_is_gone_are_not_missed_because_another_one_listens() {
        let (_folder, store) = store().await;
        for agent in ["one", "two"] {
            begin(&*store, agent, at("2026-11-20T12:00:00Z")).await.unwrap();
            note(&*store, agent, at("2026-11-21T11:30:00Z")).await.unwrap();
        }
        // One is gone without a word, and two goes on.
        let now = "2026-11-21T11:30:45Z";
        assert_eq!(told(&store, Some("two"), now).await.away, None, "it is no minute yet");
        let now = "2026-11-21T13:30:00Z";
        note(&*store, "two", at(now)).await.unwrap();
        let gap = away("2026-11-21T11:30:00Z", now);
        for me in [Some("two"), None] {
            let heard = told(&store, me, now).await;
            assert_eq!((heard.due_at, heard.away), (at("2026-11-22T13:30:00Z"), Some(gap)));
        }
        // It is back, and what was is remembered.
        begin(&*store, "one", at(now)).await.unwrap();
        for agent in ["one", "two"] {
            note(&*store, agent, at("2026-11-22T14:00:00Z")).await.unwrap();
        }
        let heard = told(&store, Some("two"), "2026-11-22T14:00:00Z").await;
        assert_eq!((heard.due_at, heard.away), (at("2026-11-22T13:30:00Z"), Some(gap)));
        store.close().await;
    }

    #[tokio::test]
    async fn an_agent_that_is_gone_for_good_excuses_a_day_and_one_that_ended_in_order_nothing() {
        let (_folder, store) = store().await;
        for agent in ["one", "two", "three"] {
            begin(&*store, agent, at("2026-11-20T12:00:00Z")).await.unwrap();
            note(&*store, agent, at("2026-11-21T11:30:00Z")).await.unwrap();
        }
        end(&*store, "one", at("2026-11-21T11:30:00Z")).await.unwrap();
        note(&*store, "three", at("2026-11-25T12:00:00Z")).await.unwrap();
        let heard = told(&store, Some("three"), "2026-11-25T12:00:00Z").await;
        let day = away("2026-11-21T11:30:00Z", "2026-11-22T11:30:00Z");
        assert_eq!((heard.due_at, heard.away), (at("2026-11-23T11:30:00Z"), Some(day)));
        end(&*store, "two", at("2026-11-21T11:30:00Z")).await.unwrap();
        let heard = told(&store, Some("three"), "2026-11-25T12:00:00Z").await;
        assert_eq!((heard.due_at, heard.away), (at("2026-11-21T12:00:00Z"), None));
        store.close().await;
    }

    #[tokio::test]
    async fn when_the_last_agent_has_ended_in_order_nobody_listens_until_one_begins() {
        let (_folder, store) = store().await;
        begin(&*store, "one", at("2026-11-20T12:00:00Z")).await.unwrap();
        end(&*store, "one", at("2026-11-21T11:40:00Z")).await.unwrap();
        let gap = away("2026-11-21T11:40:00Z", "2026-11-21T12:10:00Z");
        assert_eq!(told(&store, None, "2026-11-21T12:10:00Z").await.away, Some(gap));
        // Its successor may have another name.
        begin(&*store, "moved", at("2026-11-21T12:10:00Z")).await.unwrap();
        assert_eq!(told(&store, Some("moved"), "2026-11-21T12:10:00Z").await.away, Some(gap));
        // What touches no promise any more is forgotten.
        begin(&*store, "moved", at("2028-01-21T12:00:00Z")).await.unwrap();
        begin(&*store, "last", at("2030-01-21T12:00:00Z")).await.unwrap();
        let names = store.listed("heartbeat.").await.unwrap().into_iter().map(|(name, _)| name);
        let left = ["heartbeat.away.last", "heartbeat.listening", "heartbeat.listening.last"];
        assert_eq!(names.collect::<Vec<_>>(), left);
        store.close().await;
    }
}
