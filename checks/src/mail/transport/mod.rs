//! `mail-transport`: see `transport.md`.

mod judge;
mod look;
mod policies;
mod policy;
mod servers;
mod specs;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{
    Area, AssessCx, Assessment, Check, CheckError, CheckMeta, LookCx, MeasurementSpec, Schedule,
    Target, Unit, Vantage,
};
use crate::probe::Probes;

/// How mail reaches the domain: MX records, encryption, MTA-STS, TLS-RPT and BIMI.
#[derive(Debug)]
pub struct Transport;

/// Options of `mail-transport`: there are none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {}

const NOT_AFTER: MeasurementSpec = MeasurementSpec {
    name: "certificate-not-after",
    metric: "launchready_mail_mx_certificate_not_after_timestamp_seconds",
    unit: Unit::TimestampSeconds,
    help: "When the certificate of a mail server runs out, the earliest of its addresses.",
    label: Some("host"),
};

impl Check for Transport {
    const META: CheckMeta = CheckMeta {
        id: "mail-transport",
        area: Area::Mail,
        title: "Mail servers",
        vantage: Vantage::Outside,
        findings: specs::ALL,
        measurements: &[NOT_AFTER],
        default_schedule: Schedule::Every(Duration::from_mins(15)),
        min_interval: Duration::from_mins(1),
        timeout: Duration::from_secs(40),
        needs: &[],
        evidence_version: 1,
        doc: include_str!("../transport.md"),
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
