//! What other checks measured in a written-down world.

use serde::Deserialize;

use super::Replay;
use crate::probe::{AgentFault, Answer, Figure, Figures, ProbeError};

/// One figure; what is not written down was not asked for.
#[derive(Debug, Clone, Deserialize)]
pub struct FigureEntry {
    /// The check.
    pub check: String,
    /// Its measurement; absent means every one of that check.
    #[serde(default)]
    pub measurement: Option<String>,
    /// What it said last.
    #[serde(flatten)]
    pub figure: Figure,
}

impl Figures for Replay {
    fn figures<'a>(
        &'a self,
        project: &'a str,
        wanted: &'a [(&'static str, &'static str)],
    ) -> Answer<'a, Result<Vec<Figure>, ProbeError>> {
        self.count(format!("FIGURES {project}"));
        let figure = |(check, measurement): &(&str, &str)| {
            let mine = |entry: &&FigureEntry| {
                entry.check == *check
                    && entry.measurement.as_deref().is_none_or(|name| name == *measurement)
            };
            let found = self.world.figure.iter().find(mine);
            found.map_or(Figure::NotAsked, |entry| entry.figure.clone())
        };
        let answer = match &self.world.figures_fault {
            Some(fault) => Err(AgentFault::Bug(fault.clone()).into()),
            None => Ok(wanted.iter().map(figure).collect()),
        };
        Box::pin(async move { answer })
    }
}
