//! Calls of jobs in a written-down world.

use super::Replay;
use crate::probe::{Answer, HeartbeatAnswer, Heartbeats, ProbeError, Seen};

impl Heartbeats for Replay {
    fn heard(&self, project: String) -> Answer<'_, Result<HeartbeatAnswer, ProbeError>> {
        self.count(format!("HEARTBEATS {project}"));
        let answer = match self.world.heartbeats.clone() {
            None => Ok(HeartbeatAnswer::Nobody),
            Some(Seen::Ok(answer)) => Ok(answer),
            Some(Seen::Target(fault)) => Err(fault.into()),
            Some(Seen::Agent(fault)) => Err(fault.into()),
        };
        Box::pin(async move { answer })
    }
}
