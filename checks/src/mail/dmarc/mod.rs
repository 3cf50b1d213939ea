//! `mail-dmarc`: see `dmarc.md`.

mod defects;
mod judge;
mod look;
pub(super) mod record;
mod sender;
mod specs;
pub(super) mod walk;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) use look::valid_record;

use crate::contract::{
    Area, AssessCx, Assessment, Check, CheckError, CheckMeta, LookCx, Schedule, Target, Vantage,
};
use crate::probe::Probes;

/// The DMARC policy of the domain and of every From domain.
#[derive(Debug)]
pub struct Dmarc;

/// Options of `mail-dmarc`: there are none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {}

impl Check for Dmarc {
    const META: CheckMeta = CheckMeta {
        id: "mail-dmarc",
        area: Area::Mail,
        title: "DMARC",
        vantage: Vantage::Outside,
        findings: specs::ALL,
        measurements: &[],
        default_schedule: Schedule::Every(Duration::from_hours(1)),
        min_interval: Duration::from_mins(10),
        timeout: Duration::from_secs(30),
        needs: &[],
        evidence_version: 1,
        doc: include_str!("../dmarc.md"),
    };
    type Options = Options;
    type Evidence = look::Evidence;
    type Carry = ();

    async fn collect(
        _look: &LookCx<'_, Self>,
        target: &Target,
        probes: &Probes,
    ) -> Result<(look::Evidence, ()), CheckError> {
        Ok((look::look(target, probes).await, ()))
    }

    fn assess(evidence: &look::Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        judge::judge(evidence, cx.target)
    }
}

/// The registrable domain by the public suffix list; a suffix or a single label is its own.
pub(super) fn registrable(name: &str) -> &str {
    psl::domain_str(name).unwrap_or(name)
}

/// Whether a name is at or below a registrable domain, and not a public suffix.
pub(super) fn is_ours(name: &str) -> bool {
    psl::domain_str(name).is_some()
}
