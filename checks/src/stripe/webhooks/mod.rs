//! `stripe-webhooks`: see `webhooks.md`.

mod address;
mod drift;
mod judge;
mod look;
mod pairs;

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::address::Place;
use crate::contract::{
    Age, Approvable, Area, AssessCx, Assessment, Bounded, Check, CheckError, CheckMeta, Fact,
    FindingSpec, LookCx, Need, Schedule, Target, Vantage,
};
use crate::probe::{EventScope, KeyPower, Probes, Seen};

const NONE: FindingSpec = FindingSpec::critical(
    "stripe-webhook-missing",
    "The payment provider tells nobody that a customer has paid",
    "Customers pay and get nothing: the product never hears of the payment.",
)
.blocks();
const MONEY_UNHEARD: FindingSpec = FindingSpec::critical(
    "stripe-payment-events-unheard",
    "Payments happen that no destination is told of",
    "Customers pay and get nothing, because the event that says so is sent to nobody.",
);
const REVERSALS_UNHEARD: FindingSpec = FindingSpec::warning(
    "stripe-reversal-events-unheard",
    "Refunds or disputes happen that no destination is told of",
    "The order stays paid after the money has gone back, and a dispute is lost because nobody answers it in \
     time.",
);
const BAD_ADDRESS: FindingSpec = FindingSpec::critical(
    "stripe-webhook-address-unfit",
    "Events are sent to an address that is no production address",
    "A developer's machine, a preview or an unencrypted address gets the events: they are lost, or read by \
     others, when it goes away.",
);
const FOREIGN: FindingSpec = FindingSpec::warning(
    "stripe-webhook-foreign-host",
    "Events are sent to a host outside the project",
    "Every event carries names and addresses of customers; whoever owns that host reads them.",
);
const DISABLED: FindingSpec = FindingSpec::warning(
    "stripe-webhook-disabled",
    "A destination of events is switched off",
    "The provider switches an endpoint off that has failed for days; what it was told is not sent again.",
);
const MIXED: FindingSpec = FindingSpec::critical(
    "stripe-webhook-mode-mixed",
    "Test mode and live mode are mixed",
    "Trial payments reach the live product, or live payments a test system: orders appear that nobody paid, \
     or none where somebody did.",
);
const OLD_VERSION: FindingSpec = FindingSpec::info(
    "stripe-webhook-version-old",
    "Events are drawn in an old version of the API",
    "Fields that newer code expects are missing, and the provider's help describes other events than those \
     that arrive.",
);
const TWICE: FindingSpec = FindingSpec::warning(
    "stripe-webhook-doubled",
    "The product is told of the same event twice",
    "Where the second one is not recognised, orders, mails and credits are made twice.",
);
const UNSIGNED: FindingSpec = FindingSpec::warning(
    "stripe-webhook-unsigned-accepted",
    "The webhook says yes to a call without a signature",
    "Anybody who finds the address can tell the product that an order was paid.",
);

const CHANGED: FindingSpec = FindingSpec::critical(
    "stripe-webhook-changed",
    "A destination of events differs from the approved one",
    "The product is told of other events than it was built for, at another address, or of none at all.",
);

/// The events that say that a buyer has paid once.
const ONE_TIME: [&str; 3] =
    ["checkout.session.completed", "payment_intent.succeeded", "charge.succeeded"];
/// The events that say that a subscription was paid.
const RENEWAL: [&str; 2] = ["invoice.paid", "invoice.payment_succeeded"];
/// The events that say that money goes back.
const REFUND: [&str; 4] =
    ["charge.refunded", "refund.created", "refund.updated", "charge.refund.updated"];
/// The events that say that a customer disputes a payment.
const DISPUTE: [&str; 2] = ["charge.dispute.created", "charge.dispute.funds_withdrawn"];

/// Whether the payment provider tells the product of every payment, at the right address and once.
#[derive(Debug)]
pub struct Webhooks;

/// Options of `stripe-webhooks`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Hosts outside the project that may be told of events, beside known automation services.
    pub hosts: Vec<String>,
    /// An API version is old when it is older than this.
    pub version_age: Age,
}

impl Default for Options {
    fn default() -> Self {
        Self { hosts: Vec::new(), version_age: Age::days(730) }
    }
}

/// The destinations, the payments that the account told of, and what own addresses say to an unsigned call.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    key: KeyPower,
    destinations: Bounded<Told>,
    /// Why newer destinations could not be listed.
    unseen: Option<String>,
    /// Kinds of payment events of the last 30 days.
    emitted: Seen<Vec<String>>,
    posts: Vec<Post>,
}

/// One destination.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Told {
    id: String,
    kind: String,
    place: Place,
    /// The address as it may be shown.
    shown: String,
    enabled: bool,
    /// Those events that are about money.
    hears: Vec<String>,
    /// All events that it is told of.
    #[serde(default)]
    events: Bounded<String>,
    api_version: Option<String>,
    live: bool,
    thin: bool,
    scope: EventScope,
}

/// What an own address says to an empty call without a signature.
#[derive(Debug, Serialize, Deserialize)]
struct Post {
    id: String,
    shown: String,
    /// Absent where it was not asked, because the domain is not proven to be the user's.
    answer: Option<Seen<u16>>,
}

/// When each kind of payment event was last seen.
type LastSeen = BTreeMap<String, Timestamp>;

/// The most destinations that are judged: the provider allows 16 endpoints and as many destinations.
const DESTINATIONS: usize = 40;
/// The most addresses that are asked.
const POSTS: usize = 6;
/// The most events of one destination that are kept.
const EVENTS: usize = 30;

impl Check for Webhooks {
    const META: CheckMeta = CheckMeta {
        id: "stripe-webhooks",
        area: Area::Stripe,
        title: "Stripe webhooks",
        vantage: Vantage::Provider,
        findings: &[
            NONE,
            MONEY_UNHEARD,
            REVERSALS_UNHEARD,
            BAD_ADDRESS,
            FOREIGN,
            DISABLED,
            MIXED,
            OLD_VERSION,
            TWICE,
            UNSIGNED,
            CHANGED,
        ],
        measurements: &[],
        default_schedule: Schedule::Every(Duration::from_hours(1)),
        min_interval: Duration::from_mins(10),
        timeout: Duration::from_secs(42),
        needs: &[Need::Setting("project.stripe")],
        evidence_version: 1,
        doc: include_str!("../webhooks.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = LastSeen;

    async fn collect(
        look: &LookCx<'_, Self>,
        target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, LastSeen), CheckError> {
        let payments = probes.accounts.payments.get()?;
        let listed = payments.destinations().await.map_err(CheckError::unseen)?;
        let destinations = Bounded::keep(
            listed.all.into_iter().map(|one| look::told(one, target, &look.options.hosts)),
            DESTINATIONS,
        );
        let mut seen = look.carry.clone().unwrap_or_default();
        let emitted = look::emitted(payments, look.now, &mut seen).await;
        let proven = target.ownership.is_proven();
        let own = destinations
            .items
            .iter()
            .filter(|told| told.enabled && told.place.is_own() && told.place.unfit().is_none());
        let posts = join_all(own.take(POSTS).map(|told| look::post(&*probes.http, told, proven)));
        let posts = posts.await;
        let evidence = Evidence {
            key: payments.key(),
            destinations,
            unseen: listed.unseen,
            emitted: emitted.into(),
            posts,
        };
        Ok((evidence, seen))
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        let mut out = judge::judge(evidence, cx.options, cx.target, cx.now);
        if let Some(baseline) = &cx.baseline {
            drift::judge(evidence, baseline, &mut out);
        }
        out
    }

    const BASELINE: Option<Approvable> = Some(Approvable {
        what: "webhook endpoints of Stripe",
        codes: &["stripe-webhook-changed"],
    });

    fn facts(evidence: &Evidence) -> Vec<Fact> {
        drift::facts(evidence)
    }
}
