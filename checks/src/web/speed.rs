//! `web-speed`: see `speed.md`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{
    Area, AssessCx, Assessment, Check, CheckError, CheckMeta, LookCx, Need, Schedule, Target,
    Vantage,
};
use crate::probe::Probes;

/// How fast the page is in a browser. It needs a browser or a key, and this version has a setting
/// for neither, so that every run is skipped with the reason.
#[derive(Debug)]
pub struct Speed;

/// `web-speed` has no options yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {}

/// Nothing is seen yet.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {}

impl Check for Speed {
    const META: CheckMeta = CheckMeta {
        id: "web-speed",
        area: Area::Web,
        title: "Speed in a browser",
        vantage: Vantage::Outside,
        findings: &[],
        measurements: &[],
        default_schedule: Schedule::Every(Duration::from_hours(24)),
        min_interval: Duration::from_hours(1),
        timeout: Duration::from_secs(5),
        needs: &[Need::Setting("a local Lighthouse, or a PageSpeed key")],
        evidence_version: 1,
        doc: include_str!("speed.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        _look: &LookCx<'_, Self>,
        target: &Target,
        _probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        Err(CheckError::skipped(
            "this version cannot run Lighthouse and has no PageSpeed key",
            format!(
                "run `npx lighthouse https://{}/` by hand, or look at pagespeed.web.dev",
                target.domain
            ),
        ))
    }

    fn assess(_evidence: &Evidence, _cx: &AssessCx<'_, Self>) -> Assessment {
        Assessment::default()
    }
}
