//! The jobs that have promised to call, on the page of the check that judges them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::store::{HeartbeatCall, HeartbeatKey, HeartbeatRecord, Signal};
use crate::web::fault::Fault;
use crate::web::show;
use crate::web::time::When;
use crate::web::{ProjectFacts, Site, heartbeat};

/// The last calls that are shown of each job.
const CALLS: usize = 20;
/// The most jobs whose calls are shown one by one.
const JOBS: usize = 25;

/// One job with its last calls.
pub(super) struct Beat {
    pub(super) name: String,
    /// When it calls.
    pub(super) rhythm: String,
    pub(super) start: Option<When>,
    pub(super) success: Option<When>,
    pub(super) failure: Option<When>,
    /// How often it has called, in words.
    pub(super) count: String,
    pub(super) calls: Vec<(When, String)>,
}

/// The jobs of a project, in the order of the config; none on the page of another check.
pub(super) async fn beats(
    site: &Site,
    project: &ProjectFacts,
    check: &str,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<Vec<Beat>, Fault> {
    if check != heartbeat::CHECK || project.heartbeats.is_empty() {
        return Ok(Vec::new());
    }
    let records = site.store.heartbeats(&project.name).await?;
    let mut beats = Vec::new();
    for (index, (name, rhythm)) in project.heartbeats.iter().enumerate() {
        let Some(record) = records.iter().find(|record| record.key.name == *name) else {
            continue;
        };
        let key = HeartbeatKey { project: project.name.clone(), name: name.clone() };
        let calls =
            if index < JOBS { site.store.heartbeat_calls(&key, CALLS).await? } else { Vec::new() };
        beats.push(Beat::new(rhythm, record, &calls, now, zone));
    }
    Ok(beats)
}

impl Beat {
    fn new(
        rhythm: &str,
        record: &HeartbeatRecord,
        calls: &[HeartbeatCall],
        now: Timestamp,
        zone: &TimeZone,
    ) -> Self {
        let when = |at| When::new(at, now, zone);
        let count = match record.calls {
            0 => "no call yet".to_owned(),
            calls => {
                format!("{}, {} of them failures", show::count(calls, "call"), record.failures)
            }
        };
        Self {
            name: record.key.name.clone(),
            rhythm: rhythm.to_owned(),
            start: record.last_start.map(when),
            success: record.last_success.map(when),
            failure: record.last_failure.map(when),
            count,
            calls: calls.iter().map(|call| (when(call.at), words(call))).collect(),
        }
    }
}

fn words(call: &HeartbeatCall) -> String {
    match (call.signal, call.exit) {
        (Signal::Start, _) => "began".to_owned(),
        (Signal::Success, _) => "ended well".to_owned(),
        (Signal::Failure, None) => "failed".to_owned(),
        (Signal::Failure, Some(code)) => format!("failed with exit code {code}"),
    }
}
