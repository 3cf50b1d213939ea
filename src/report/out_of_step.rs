//! Orders that are out of step with their payment, as the latest runs found them. Pure: what is stored decides.

use jiff::Timestamp;
use launchready_checks::contract::{AtRisk, Severity, Status};
use launchready_checks::registry;

use super::{CheckReport, FindingReport, Report};
use crate::incident::{Incident, State};

/// How an order is out of step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Somebody paid, and nothing was made of it.
    PaidWithoutOrder,
    /// Somebody paid, and the order does not say so.
    NotMarkedPaid,
    /// The order says that it is paid, and Stripe says otherwise.
    NotPaid,
    /// It was paid or made more than once.
    Twice,
    /// The money went back, and the order does not know.
    Refunded,
    /// The buyer disputes it, and the order does not know.
    Disputed,
    /// The CRM was never told.
    NotSynced,
    /// The CRM could not be told.
    FailedSync,
    /// The buyer asked, and no ticket came of it.
    NotTicketed,
}

impl Stage {
    /// Every stage, in the order in which a reader should take them.
    pub const ALL: [Self; 9] = [
        Self::PaidWithoutOrder,
        Self::NotMarkedPaid,
        Self::NotPaid,
        Self::Twice,
        Self::Refunded,
        Self::Disputed,
        Self::NotSynced,
        Self::FailedSync,
        Self::NotTicketed,
    ];

    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PaidWithoutOrder => "paid_without_order",
            Self::NotMarkedPaid => "not_marked_paid",
            Self::NotPaid => "not_paid",
            Self::Twice => "twice",
            Self::Refunded => "refunded",
            Self::Disputed => "disputed",
            Self::NotSynced => "not_synced",
            Self::FailedSync => "failed_sync",
            Self::NotTicketed => "not_ticketed",
        }
    }

    /// The heading for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::PaidWithoutOrder => "Paid without an order",
            Self::NotMarkedPaid => "Paid, and not marked paid",
            Self::NotPaid => "Not paid as the order says",
            Self::Twice => "Paid or made twice",
            Self::Refunded => "Refunded, and not closed",
            Self::Disputed => "Disputed, and not closed",
            Self::NotSynced => "Not in the CRM",
            Self::FailedSync => "Sync to the CRM failed",
            Self::NotTicketed => "Asked, and no ticket",
        }
    }

    /// The checks that look for it.
    fn checks(self) -> impl Iterator<Item = &'static str> {
        let mine = move |code: &&'static str| {
            stage(code) == Some(self)
                || (self == Self::Disputed && stage(code) == Some(Self::Refunded))
        };
        registry::ALL
            .iter()
            .filter(move |plugin| plugin.meta.findings.iter().any(|spec| mine(&spec.code)))
            .map(|plugin| plugin.meta.id)
    }
}

/// What each finding about money says of an order; nothing where it says nothing of one order.
const CODES: &[(&str, Option<Stage>)] = &[
    ("checkout-without-order", Some(Stage::PaidWithoutOrder)),
    ("subscription-not-in-database", Some(Stage::PaidWithoutOrder)),
    ("order-not-marked-paid", Some(Stage::NotMarkedPaid)),
    ("order-without-payment", Some(Stage::NotPaid)),
    ("failed-payment-shown-as-paid", Some(Stage::NotPaid)),
    ("order-amount-differs", Some(Stage::NotPaid)),
    ("subscription-still-active", Some(Stage::NotPaid)),
    ("payment-duplicated", Some(Stage::Twice)),
    ("payment-possibly-duplicated", Some(Stage::Twice)),
    ("order-duplicated", Some(Stage::Twice)),
    // A dispute is told apart by the text of the finding, which names what went back.
    ("order-active-after-reversal", Some(Stage::Refunded)),
    ("reversal-unprocessed", Some(Stage::Refunded)),
    ("crm-order-missing", Some(Stage::NotSynced)),
    ("crm-failed-payment-missing", Some(Stage::NotSynced)),
    ("crm-contact-missing", Some(Stage::NotSynced)),
    ("crm-sync-failing", Some(Stage::FailedSync)),
    ("crm-sync-stuck", Some(Stage::FailedSync)),
    ("support-ticket-missing", Some(Stage::NotTicketed)),
    // What follows is about an account, an endpoint or a table, and not about one order.
    ("checkout-of-another-product", None),
    ("event-duplicated", None),
    ("event-without-row", None),
    ("event-id-not-unique", None),
    ("order-session-not-unique", None),
    ("events-table-missing", None),
    ("row-parent-missing", None),
    ("parent-without-foreign-key", None),
    ("database-user-can-write", None),
    ("database-connection-plain", None),
    ("webhook-failures", None),
    ("webhook-stuck", None),
    ("webhook-error-rate", None),
    ("webhook-lag", None),
    ("crm-access-lost", None),
    ("crm-contact-duplicated", None),
    ("support-ticket-duplicated", None),
    ("stripe-charges-disabled", None),
    ("stripe-payouts-disabled", None),
    ("stripe-test-key", None),
    ("stripe-requirements-past-due", None),
    ("stripe-requirements-due", None),
    ("stripe-full-key", None),
    ("stripe-dispute-rate", None),
    ("stripe-failed-payments", None),
    ("stripe-webhook-missing", None),
    ("stripe-webhook-changed", None),
    ("stripe-webhook-disabled", None),
    ("stripe-webhook-doubled", None),
    ("stripe-webhook-address-unfit", None),
    ("stripe-webhook-foreign-host", None),
    ("stripe-webhook-mode-mixed", None),
    ("stripe-webhook-unsigned-accepted", None),
    ("stripe-webhook-version-old", None),
    ("stripe-payment-events-unheard", None),
    ("stripe-reversal-events-unheard", None),
    ("stripe-events-undelivered", None),
    ("stripe-event-late", None),
    ("stripe-event-lost", None),
    ("stripe-delivery-rate", None),
];

/// What a code says of an order.
fn stage(code: &str) -> Option<Stage> {
    CODES.iter().find(|(known, _)| *known == code).and_then(|(_, stage)| *stage)
}

/// One order, or several that a finding sums up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The id that the finding is about; never an address.
    pub id: String,
    /// The finding code.
    pub code: String,
    /// The check that found it.
    pub check: String,
    /// How bad it is for the launch.
    pub severity: Severity,
    /// One sentence; addresses are taken out.
    pub summary: String,
    /// Since when it has been seen.
    pub since: Option<Timestamp>,
    /// The money that hangs on it, by currency.
    pub at_risk: Vec<AtRisk>,
    /// Its incident, where one is open.
    pub incident: Option<String>,
    /// Somebody has accepted it.
    pub waived: bool,
}

/// A check of a stage that could not look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlooked {
    /// The check.
    pub check: String,
    /// Why.
    pub reason: String,
    /// The step that unlocks it.
    pub unlock: String,
}

/// What is out of step in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageReport {
    /// In which.
    pub stage: Stage,
    /// What was found, the oldest first.
    pub items: Vec<Item>,
    /// The checks that could not look.
    pub unlooked: Vec<Unlooked>,
}

/// Everything that is out of step in a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutOfStep {
    /// The money of what nobody has accepted, by currency.
    pub totals: Vec<AtRisk>,
    /// Every stage, in the order of [`Stage::ALL`].
    pub stages: Vec<StageReport>,
}

impl OutOfStep {
    /// How many items there are.
    pub fn count(&self) -> usize {
        self.stages.iter().map(|stage| stage.items.len()).sum()
    }
}

/// What is out of step by the report of the latest runs and the incidents that are open.
pub fn out_of_step(report: &Report, incidents: &[Incident]) -> OutOfStep {
    let mut stages: Vec<StageReport> = Stage::ALL
        .into_iter()
        .map(|stage| StageReport { stage, items: Vec::new(), unlooked: unlooked(stage, report) })
        .collect();
    for (check, finding) in report.findings() {
        let Some(stage) = stage_of(finding) else { continue };
        if let Some(place) = stages.iter_mut().find(|report| report.stage == stage) {
            place.items.push(item(report, check, finding, incidents));
        }
    }
    for stage in &mut stages {
        stage.items.sort_by(|a, b| a.since.cmp(&b.since).then_with(|| a.id.cmp(&b.id)));
    }
    let items = stages.iter().flat_map(|stage| &stage.items);
    let live = items.filter(|item| !item.waived);
    let totals = AtRisk::sum(live.flat_map(|item| item.at_risk.iter().cloned()));
    OutOfStep { totals, stages }
}

fn stage_of(finding: &FindingReport) -> Option<Stage> {
    let stage = stage(&finding.code)?;
    let disputed = finding.summary.contains("dispute");
    Some(if stage == Stage::Refunded && disputed { Stage::Disputed } else { stage })
}

fn item(
    report: &Report,
    check: &CheckReport,
    finding: &FindingReport,
    incidents: &[Incident],
) -> Item {
    let mine = |incident: &&Incident| {
        incident.state != State::Resolved
            && incident.key.project == report.project
            && incident.key.check == check.id
            && incident.key.code == finding.code
    };
    Item {
        id: id_alone(&finding.subject),
        code: finding.code.clone(),
        check: check.id.clone(),
        severity: finding.severity,
        summary: id_alone(&finding.summary),
        since: finding.since,
        at_risk: finding.at_risk.clone(),
        incident: incidents.iter().find(mine).map(|incident| incident.id.clone()),
        waived: finding.waived.is_some(),
    }
}

/// A text without any word that could be an address.
fn id_alone(text: &str) -> String {
    if !text.contains('@') {
        return text.to_owned();
    }
    let words = text.split(' ').map(|word| if word.contains('@') { "(an address)" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

fn unlooked(stage: Stage, report: &Report) -> Vec<Unlooked> {
    stage.checks().filter_map(|id| why(id, report)).collect()
}

/// Why a check says nothing, where it does not.
fn why(id: &str, report: &Report) -> Option<Unlooked> {
    let unlooked = |reason: &str, unlock: &str| {
        let (reason, unlock) = (reason.to_owned(), unlock.to_owned());
        Some(Unlooked { check: id.to_owned(), reason, unlock })
    };
    let Some(check) = report.checks.iter().find(|check| check.id == id) else {
        return unlooked(
            "the agent does not run it for this project",
            "take enabled = false out of its table in the config",
        );
    };
    match check.status {
        Status::Unknown | Status::Skipped => unlooked(
            check.reason.as_deref().unwrap_or("it gave no answer"),
            check.unlock.as_deref().unwrap_or_default(),
        ),
        Status::Pass | Status::Warn | Status::Fail => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finding_about_money_has_its_place() {
        let about_money = |id: &str| {
            ["orders-", "stripe-", "crm-", "webhook-"].iter().any(|start| id.starts_with(start))
                || id == "support-intake"
        };
        let codes = registry::ALL
            .iter()
            .filter(|plugin| about_money(plugin.meta.id))
            .flat_map(|plugin| plugin.meta.findings.iter().map(|spec| spec.code));
        let lost: Vec<_> =
            codes.filter(|code| !CODES.iter().any(|(known, _)| known == code)).collect();
        assert!(lost.is_empty(), "add to CODES, with the stage of an order or none: {lost:?}");
        let mut once: Vec<_> = CODES.iter().map(|(code, _)| code).collect();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), CODES.len(), "each code stands once");
        for stage in Stage::ALL {
            assert!(stage.checks().next().is_some(), "no check looks for {}", stage.as_str());
        }
    }

    #[test]
    fn an_address_is_taken_out_of_a_text() {
        assert_eq!(id_alone("cs_live_1"), "cs_live_1");
        assert_eq!(id_alone("Order a@b.example is lost."), "Order (an address) is lost.");
    }
}
