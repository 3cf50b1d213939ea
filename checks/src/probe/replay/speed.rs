//! The port to a service that measures pages, answered from a written-down world.

use serde::Deserialize;

use super::{Replay, fault};
use crate::probe::{Answer, FieldSpeed, LabSpeed, PageSpeed, ProbeError, Speed};

/// What the service says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpeedWorld {
    /// Pages by URL.
    pub page: Vec<SpeedEntry>,
    /// Every question fails, as in [`super::HttpEntry::fault`].
    pub fault: Option<String>,
}

/// One page.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpeedEntry {
    /// Its URL.
    pub url: String,
    /// The load in a browser.
    pub lab: Option<LabSpeed>,
    /// Why there was none.
    pub no_lab: String,
    /// Real visitors.
    pub field: Option<FieldSpeed>,
}

impl Speed for Replay {
    fn page(&self, url: String) -> Answer<'_, Result<PageSpeed, ProbeError>> {
        self.count(format!("SPEED {url}"));
        let world = self.world.speed.as_ref();
        let answer = match world.map(|world| (world.fault.as_ref(), world)) {
            None => Err(fault("bad_credential", "no service is written down")),
            Some((Some(word), _)) => Err(fault(word, "the service")),
            Some((None, world)) => {
                let page = world.page.iter().find(|page| page.url == url);
                page.map(|page| PageSpeed {
                    lab: page.lab.clone().ok_or_else(|| page.no_lab.clone()),
                    field: page.field.clone(),
                })
                .ok_or_else(|| fault("malformed", "the service"))
            }
        };
        Box::pin(async move { answer })
    }
}
