//! `crm-contacts`: see `contacts.md`.

mod judge;
mod look;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{
    Age, Area, AssessCx, Assessment, Check, CheckError, CheckMeta, FindingSpec, LookCx,
    MeasurementSpec, Need, Schedule, Target, Unit, Vantage,
};
use crate::probe::Probes;

use look::Evidence;

const MISSING: FindingSpec = FindingSpec::critical(
    "crm-contact-missing",
    "A customer who paid is no contact in the CRM",
    "Whoever is no contact gets no confirmation, no help and no renewal: the money came in and nobody \
     knows from whom.",
);
const DUPLICATED: FindingSpec = FindingSpec::warning(
    "crm-contact-duplicated",
    "One customer is several contacts in the CRM",
    "Half of the story is on each contact: the customer gets two mails, and whoever answers sees no order.",
);

const ABSENT: MeasurementSpec = MeasurementSpec {
    name: "missing",
    metric: "launchready_crm_customers_without_contact",
    unit: Unit::Count,
    help: "Customers who paid and are no contact, of those that were looked for.",
    label: None,
    window: Duration::ZERO,
};
const TWICE: MeasurementSpec = MeasurementSpec {
    name: "duplicated",
    metric: "launchready_crm_customers_with_several_contacts",
    unit: Unit::Count,
    help: "Customers who are several contacts, of those that were looked for.",
    label: None,
    window: Duration::ZERO,
};

/// Whether every customer who paid is one contact.
#[derive(Debug)]
pub struct Contacts;

/// Windows of `crm-contacts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// How far back customers are looked at.
    pub window: Age,
    /// A customer has to be a contact this long after the order.
    pub settle: Age,
    /// At most so many customers are looked for, the newest first; from 1 to 500.
    #[schemars(range(min = 1, max = 500))]
    pub customers: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { window: Age::days(30), settle: Age::minutes(15), customers: 100 }
    }
}

impl Check for Contacts {
    const META: CheckMeta = CheckMeta {
        id: "crm-contacts",
        area: Area::Crm,
        title: "Customers as contacts",
        vantage: Vantage::Provider,
        findings: &[MISSING, DUPLICATED],
        measurements: &[ABSENT, TWICE],
        default_schedule: Schedule::Every(Duration::from_hours(1)),
        min_interval: Duration::from_mins(10),
        timeout: Duration::from_mins(3),
        needs: &[Need::Setting("project.crm")],
        evidence_version: 1,
        doc: include_str!("../contacts.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        look: &LookCx<'_, Self>,
        target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        Ok((look::look(look.now, look.options, target, probes).await?, ()))
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        judge::judge(evidence, cx.options)
    }
}
