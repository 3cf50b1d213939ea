//! What a store remembers of channels and of alert drills, behind the port of the checks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use launchready_checks::contract::json;
use launchready_checks::probe::{
    AgentFault, AlertDrill, Alerting, AlertingAnswer, Answer, ChannelDrill, ChannelFacts,
    ProbeError,
};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::heard::Nobody;
use crate::drill::{Drill, Record};
use crate::incident::ChannelRule;
use crate::store::{DeliveryState, Store, StoreError, last_listened};

/// All deliveries are counted again after this: many projects ask at about the same time.
const COUNTED: Duration = Duration::from_mins(1);

/// The deliveries of all channels: accepted and given up, by channel.
type Counts = BTreeMap<String, (u64, u64)>;

/// Counts deliveries for all projects of an agent.
#[derive(Debug, Default)]
pub(crate) struct Counter(Mutex<Option<(Instant, Arc<Counts>)>>);

impl Counter {
    async fn counts(&self, store: &dyn Store) -> Result<Arc<Counts>, StoreError> {
        let mut known = self.0.lock().await;
        if let Some((at, counts)) = &*known
            && at.elapsed() < COUNTED
        {
            return Ok(Arc::clone(counts));
        }
        let mut counts = Counts::new();
        for row in store.outbox().await? {
            let (accepted, refused) = counts.entry(row.channel).or_default();
            match row.state {
                DeliveryState::Sent => *accepted += row.count,
                DeliveryState::Failed => *refused += row.count,
                DeliveryState::Pending => {}
            }
        }
        let counts = Arc::new(counts);
        *known = Some((Instant::now(), Arc::clone(&counts)));
        Ok(counts)
    }
}

/// The channels and drills of one project as a store has them.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) counter: Arc<Counter>,
    /// The channels that tell of the project.
    pub(crate) channels: Vec<String>,
}

/// The channels that tell of a project, in the order of the config.
pub(crate) fn channels_of(rules: &[ChannelRule], project: &str) -> Vec<String> {
    rules.iter().filter(|rule| rule.tells_of(project)).map(|rule| rule.name.clone()).collect()
}

impl Told {
    async fn read(&self, project: &str) -> Result<AlertingAnswer, StoreError> {
        if last_listened(&*self.store).await?.is_none() {
            return Ok(AlertingAnswer::Nobody);
        }
        let counts = self.counter.counts(&*self.store).await?;
        let channels = self.channels.iter().map(|name| {
            let (accepted, refused) = counts.get(name).copied().unwrap_or_default();
            ChannelFacts { name: name.clone(), accepted, refused }
        });
        let mut drills = self.store.drills(project).await?;
        drills.retain(|one| one.drill == Drill::Alert.as_str() && one.finished_at.is_some());
        let passed = drills.iter().find(|one| one.passed == Some(true));
        let passed_at = passed.map(|one| one.started_at);
        let mut records = drills.into_iter().map(|one| json::from_value::<Record>(&one.record));
        let last = records.find_map(Result::ok).map(|record| drilled(&record));
        Ok(AlertingAnswer::Known { channels: channels.collect(), last, passed_at })
    }
}

fn drilled(record: &Record) -> AlertDrill {
    let channels = record.channels.iter().map(|one| ChannelDrill {
        name: one.channel.clone(),
        accepted_after_ms: one.accepted_after_ms,
    });
    AlertDrill { at: record.started_at, channels: channels.collect() }
}

impl Alerting for Told {
    fn known(&self, project: String) -> Answer<'_, Result<AlertingAnswer, ProbeError>> {
        Box::pin(async move {
            self.read(&project).await.map_err(|error| AgentFault::Bug(error.to_string()).into())
        })
    }
}

impl Alerting for Nobody {
    fn known(&self, _project: String) -> Answer<'_, Result<AlertingAnswer, ProbeError>> {
        Box::pin(async { Ok(AlertingAnswer::Nobody) })
    }
}
