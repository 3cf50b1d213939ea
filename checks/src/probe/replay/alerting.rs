//! The way of alerts in a written-down world.

use super::Replay;
use crate::probe::{Alerting, AlertingAnswer, Answer, ProbeError, Seen};

impl Alerting for Replay {
    fn known(&self, project: String) -> Answer<'_, Result<AlertingAnswer, ProbeError>> {
        self.count(format!("ALERTING {project}"));
        let answer = match self.world.alerting.clone() {
            None => Ok(AlertingAnswer::Nobody),
            Some(Seen::Ok(answer)) => Ok(answer),
            Some(Seen::Target(fault)) => Err(fault.into()),
            Some(Seen::Agent(fault)) => Err(fault.into()),
        };
        Box::pin(async move { answer })
    }
}
