//! `orders-unpaid`: see `unpaid.md`.

mod deals;
mod look;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{
    Age, Area, AssessCx, Assessment, AtRisk, Bounded, Check, CheckError, CheckMeta, Finding,
    FindingSpec, LookCx, MeasurementSpec, Need, Schedule, Target, Unit, Unseen, Vantage, amount,
    number,
};
use crate::probe::Probes;

const WITHOUT: FindingSpec = FindingSpec::critical(
    "order-without-payment",
    "An order counts as paid, and Stripe knows no payment for it",
    "Somebody has what they did not pay for, or the handler believes messages that Stripe never sent.",
)
.now();
const NOT_MARKED: FindingSpec = FindingSpec::critical(
    "order-not-marked-paid",
    "An order was paid and still waits for its payment",
    "The buyer has paid and the product keeps asking for money, or does nothing.",
)
.now();
const FAILED: FindingSpec = FindingSpec::critical(
    "failed-payment-shown-as-paid",
    "A payment failed, and its order counts as paid",
    "The product delivers for money that never came.",
)
.now();
const DIFFERS: FindingSpec = FindingSpec::critical(
    "order-amount-differs",
    "An order and its payment are over different amounts",
    "Books, invoices and payouts to sellers go by the order, and the money by the payment.",
);
const RETURNED: FindingSpec = FindingSpec::critical(
    "order-active-after-reversal",
    "The money went back, and the order is still active",
    "The buyer keeps what was paid back, and the seller is paid for it.",
);

const OUT_OF_STEP: MeasurementSpec = MeasurementSpec {
    name: "out-of-step",
    metric: "launchready_orders_out_of_step",
    unit: Unit::Count,
    help: "Orders that disagree with their payment, by what is wrong.",
    label: Some("kind"),
    window: Duration::ZERO,
};

/// Orders that evidence names.
const NAMED: usize = 200;
/// Orders that are findings of their own, of each kind.
const OWN_FINDINGS: usize = 10;

/// Orders in the database against the payments in Stripe.
#[derive(Debug)]
pub struct Unpaid;

/// Thresholds of `orders-unpaid`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// An order is left alone for this long after it was made.
    pub settle: Age,
    /// Orders of this long ago and later are compared.
    pub since: Age,
}

impl Default for Options {
    fn default() -> Self {
        Self { settle: Age::minutes(15), since: Age::days(7) }
    }
}

/// What is wrong with an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Without,
    NotMarked,
    Failed,
    Differs,
    Returned,
}

impl Kind {
    const ALL: [Self; 5] =
        [Self::Without, Self::NotMarked, Self::Failed, Self::Differs, Self::Returned];

    const fn spec(self) -> &'static FindingSpec {
        match self {
            Self::Without => &WITHOUT,
            Self::NotMarked => &NOT_MARKED,
            Self::Failed => &FAILED,
            Self::Differs => &DIFFERS,
            Self::Returned => &RETURNED,
        }
    }

    const fn fix(self) -> &'static str {
        match self {
            Self::Without => {
                "Search Stripe for the order's id and the buyer. If there is no payment, take the order back, and look \
                 at what set it to paid: a handler has to check the signature of the event and payment_status = paid."
            }
            Self::NotMarked => {
                "Open the payment in Stripe, find its event under Developers → Events, and resend it. If the order does \
                 not change, read the log of the webhook function for that minute; set the order by hand until then."
            }
            Self::Failed => {
                "Take the order back, and make the handler set it to paid only for checkout.session.completed with \
                 payment_status = paid, or payment_intent.succeeded."
            }
            Self::Differs => {
                "See which of the two the buyer agreed to. Write the amount of the order from amount_total of the event, \
                 and never from what the browser sent."
            }
            Self::Returned => {
                "Mark the order as refunded or disputed, close the access, and stop the payout to the seller; then \
                 handle charge.refunded and charge.dispute.created."
            }
        }
    }
}

/// One order that disagrees with its payment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Odd {
    kind: Kind,
    order: String,
    stripe: String,
    database: String,
    at_risk: Option<AtRisk>,
}

/// What both sides said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    orders: u64,
    payments: u64,
    odd: Bounded<Odd>,
    /// Words of the status that we do not know.
    unknown_words: Vec<String>,
    cut: bool,
}

impl Check for Unpaid {
    const META: CheckMeta = CheckMeta {
        id: "orders-unpaid",
        area: Area::Orders,
        title: "Orders and their payments",
        vantage: Vantage::Database,
        findings: &[WITHOUT, NOT_MARKED, FAILED, DIFFERS, RETURNED],
        measurements: &[OUT_OF_STEP],
        default_schedule: Schedule::Every(Duration::from_mins(2)),
        min_interval: Duration::from_mins(1),
        timeout: Duration::from_mins(3),
        needs: &[Need::Setting("project.stripe"), Need::Setting("project.database.orders")],
        evidence_version: 1,
        doc: include_str!("../unpaid.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        look: &LookCx<'_, Self>,
        _target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        look::look(look, probes).await
    }

    fn assess(evidence: &Evidence, _cx: &AssessCx<'_, Self>) -> Assessment {
        let mut out = Assessment::default();
        for kind in Kind::ALL {
            let of_kind: Vec<&Odd> =
                evidence.odd.items.iter().filter(|odd| odd.kind == kind).collect();
            for odd in of_kind.iter().take(OWN_FINDINGS) {
                out.find(finding(odd));
            }
            if let Some(rest) = of_kind.get(OWN_FINDINGS..).filter(|rest| !rest.is_empty()) {
                out.find(further(kind, rest));
            }
            let count = number(of_kind.len() as u64);
            let word = kind.spec().code;
            out.measure(OUT_OF_STEP.value(Some(word), count).bounds(None, Some(0.0)));
        }
        if evidence.cut {
            out.not_checked(
                Unseen::Condition,
                "the oldest payments",
                "the list of Stripe was not read to its end",
                "shorten orders-unpaid.since, or run it again",
            );
        }
        if !evidence.unknown_words.is_empty() {
            out.not_checked(
                Unseen::Noted,
                "orders whose status we cannot read",
                format!("the words {} are not known", evidence.unknown_words.join(", ")),
                "map a column that says paid, pending, refunded or the like as status",
            );
        }
        if evidence.orders == 0 {
            out.not_checked(
                Unseen::Noted,
                "an order with its payment",
                "no order was made within the time",
                "buy something yourself, and look again",
            );
        }
        out
    }
}

fn finding(odd: &Odd) -> Finding {
    odd.kind
        .spec()
        .finding(&odd.order)
        .summary(format!(
            "Order {}: {} in the database, {} in Stripe.",
            odd.order, odd.database, odd.stripe
        ))
        .saw(format!("order {}: {}; Stripe: {}", odd.order, odd.database, odd.stripe))
        .fix(odd.kind.fix())
        .undo("Set the order back to what it was.")
        .at_risk(odd.at_risk.clone().into_iter().collect())
}

fn further(kind: Kind, rest: &[&Odd]) -> Finding {
    let at_risk = AtRisk::sum(rest.iter().filter_map(|odd| odd.at_risk.clone()));
    let sums: Vec<String> =
        at_risk.iter().map(|sum| amount(&sum.currency, sum.amount_minor)).collect();
    let over = if sums.is_empty() { String::new() } else { format!(" over {}", sums.join(", ")) };
    kind.spec()
        .finding("further orders")
        .summary(format!("{} more orders{over}.", rest.len()))
        .saw_all(
            rest.iter().map(|odd| {
                format!("order {}: {}; Stripe: {}", odd.order, odd.database, odd.stripe)
            }),
        )
        .fix(kind.fix())
        .undo("Set the orders back to what they were.")
        .at_risk(at_risk)
}
