//! What a store remembers of promised calls, behind the port of the checks.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use launchready_checks::probe::{
    AgentFault, Answer, Away, HeartbeatAnswer, Heartbeats, ProbeError, Promised,
};

use crate::clock::{Clock, between, later};
use crate::config::Promise;
use crate::store::{HeartbeatRecord, Store, StoreError, last_listened, note_listening};

/// How often an agent notes that it listens.
pub(crate) const NOTED_EVERY: Duration = Duration::from_secs(15);
/// Nobody listened where the notes are further apart than this.
const GAP: Duration = Duration::from_mins(1);
/// Where the last time without a listener is kept.
const AWAY: &str = "heartbeat.away";

/// Notes that an agent begins to listen and, where the last note is old, that nobody did meanwhile.
pub(crate) async fn begin(store: &dyn Store, now: Timestamp) -> Result<(), StoreError> {
    if let Some(away) = gap(store, now).await?
        && let Ok(text) = serde_json::to_string(&away)
    {
        store.put(AWAY, &text).await?;
    }
    note(store, now).await
}

/// Notes that an agent listens at this moment.
pub(crate) async fn note(store: &dyn Store, now: Timestamp) -> Result<(), StoreError> {
    note_listening(store, now).await
}

/// The time since the last note, where it is too long for somebody to have listened.
async fn gap(store: &dyn Store, now: Timestamp) -> Result<Option<Away>, StoreError> {
    let from = last_listened(store).await?;
    Ok(from.filter(|from| between(*from, now) > GAP).map(|from| Away { from, to: now }))
}

/// The calls of one project as a store has them.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) store: Arc<dyn Store>,
    /// The time; none in the agent, which listens itself while it looks.
    pub(crate) clock: Option<Arc<dyn Clock>>,
    /// The promises of the project.
    pub(crate) promises: Vec<Promise>,
}

impl Heard {
    async fn read(&self, project: &str) -> Result<HeartbeatAnswer, StoreError> {
        if last_listened(&*self.store).await?.is_none() {
            return Ok(HeartbeatAnswer::Nobody);
        }
        let mut away = Vec::new();
        let earlier = self.store.get(AWAY).await?;
        away.extend(earlier.and_then(|text| serde_json::from_str::<Away>(&text).ok()));
        if let Some(clock) = &self.clock {
            away.extend(gap(&*self.store, clock.now()).await?);
        }
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
    for away in away.iter().filter(|away| away.to > since) {
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

    #[tokio::test]
    async fn a_store_in_which_no_agent_has_listened_has_heard_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = crate::store::open("sqlite:s.db", folder.path()).await.unwrap();
        let (clock, promises) = (None, vec![daily()]);
        let heard = Heard { store: Arc::clone(&store), clock, promises };
        let answer = async || heard.heard("harbor".to_owned()).await.unwrap();
        assert_eq!(answer().await, HeartbeatAnswer::Nobody);
        let key = record(None).key;
        store.sync_heartbeats(&[key], at("2026-11-20T12:00:00Z")).await.unwrap();
        begin(&*store, at("2026-11-20T12:00:00Z")).await.unwrap();
        let HeartbeatAnswer::Agent { promises } = answer().await else { panic!("it listens") };
        assert_eq!((promises.len(), promises[0].away), (1, None));
        note(&*store, at("2026-11-21T12:30:00Z")).await.unwrap();
        begin(&*store, at("2026-11-21T12:31:00Z")).await.unwrap();
        let HeartbeatAnswer::Agent { promises } = answer().await else { panic!("it listens") };
        assert_eq!(promises[0].away, None, "a restart within a minute is bridged by a second try");
        begin(&*store, at("2026-11-21T12:40:00Z")).await.unwrap();
        let HeartbeatAnswer::Agent { promises } = answer().await else { panic!("it listens") };
        let gap = away("2026-11-21T12:31:00Z", "2026-11-21T12:40:00Z");
        assert_eq!(promises[0].away, Some(gap));
        store.close().await;
    }
}
