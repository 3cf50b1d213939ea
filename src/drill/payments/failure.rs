//! `drill payment-failure`: a declined payment leaves nothing that looks paid.

use launchready_checks::probe::{Depth, Email};

use super::stage::{Stage, UNSEEN_PAYMENT, plan, refusal, unread};
use crate::drill::stripe::{Event, Signing};
use crate::drill::{Drill, Plan, Ran, Scene, Step};

const TAKEN: &str = "news of a failed payment is taken";
const UNPAID: &str = "nothing counts as paid";
const UNTOLD: &str = "the buyer is no customer in the CRM";
const WELCOME: &str = "the buyer gets no welcome mail";

/// See the head of this file.
pub(crate) struct Failure;

impl Failure {
    /// What would be done.
    pub(crate) async fn plan(scene: &Scene<'_>) -> Plan {
        let mut plan = plan(Drill::PaymentFailure, scene).await;
        let to = scene.table.webhook.as_deref().unwrap_or("the endpoint");
        plan.does.extend([
            format!("send payment_intent.payment_failed (card_declined) to {to}"),
            "send an unpaid checkout.session.completed and its checkout.session.async_payment_failed".to_owned(),
        ]);
        plan.proves.push("the rows of orders of both and their status, by SQL".to_owned());
        if scene.ports.crm.get().is_ok() {
            plan.proves.push(format!("no contact of {} in the CRM", scene.buyer()));
        }
        plan
    }

    /// Fails to pay, and looks what came of it.
    pub(crate) async fn run(scene: &Scene<'_>) -> Ran {
        let mut steps = Vec::new();
        match Stage::set(scene).await {
            Ok(stage) => fail(&stage, &mut steps).await,
            Err(step) => steps.push(step),
        }
        Ran { steps, ..Ran::default() }
    }
}

async fn fail(stage: &Stage<'_>, steps: &mut Vec<Step>) {
    let purchase = stage.purchase("declined");
    let now = stage.scene.now();
    let mut events = vec![
        ("checkout.session.completed, unpaid", purchase.completed_unpaid(now)),
        ("checkout.session.async_payment_failed", purchase.bounced(now)),
    ];
    if stage.rows.sees_payments() {
        events.insert(0, ("payment_intent.payment_failed", purchase.declined(now)));
    } else {
        steps.push(Step::left("a declined card leaves nothing that looks paid", UNSEEN_PAYMENT));
    }
    match send(stage, &events).await {
        Ok(step) => steps.push(step),
        Err(step) => return steps.push(step),
    }
    // Longer than an order usually takes, because nothing is to appear.
    let patience = stage.scene.settle() / 3;
    let orders = match stage.rows.watch(&purchase, usize::MAX, patience).await {
        Ok(orders) => orders,
        Err(error) => return steps.push(unread(UNPAID, &error)),
    };
    let words: Vec<_> =
        orders.iter().map(|order| order.status.as_deref().unwrap_or("no status")).collect();
    steps.push(if orders.is_empty() {
        Step::held(UNPAID, "no order")
    } else if orders.iter().any(|order| order.is_paid() == Some(true)) {
        Step::broken(
            UNPAID,
            format!("an order with the status {}", words.join(", ")),
            "give access only for checkout.session.completed with payment_status = paid, \
             checkout.session.async_payment_succeeded or payment_intent.succeeded: a checkout can be complete and unpaid",
        )
    } else if orders.iter().any(|order| order.is_paid().is_none()) {
        Step::unseen(
            UNPAID,
            format!("an order with the status {}, which may mean anything", words.join(", ")),
            "use words such as paid, pending and failed, or map another column as status",
        )
    } else {
        Step::held(UNPAID, format!("an order with the status {}", words.join(", ")))
    });
    steps.push(contact(stage.scene).await);
    steps.push(Step::left(
        WELCOME,
        format!("nobody reads that mailbox: see that nothing comes for {}", stage.scene.buyer()),
    ));
}

async fn send(stage: &Stage<'_>, events: &[(&str, Event)]) -> Result<Step, Step> {
    let mut answers = Vec::new();
    for (name, event) in events {
        match stage.endpoint.send(event, Signing::Good).await {
            Ok(sent) if !sent.is_taken() => {
                return Err(Step::broken(
                    TAKEN,
                    format!("{name}: {}", sent.status),
                    format!(
                        "{}; answer 200 also to events that need nothing, or Stripe sends them again for three days and then \
                         turns the endpoint off",
                        refusal(sent.status)
                    ),
                ));
            }
            Ok(sent) => answers.push(format!("{name}: {}", sent.status)),
            Err(error) => {
                return Err(Step::broken(
                    TAKEN,
                    format!("{name}: no answer came: {error}"),
                    "see the log of the endpoint",
                ));
            }
        }
    }
    Ok(Step::held(TAKEN, answers.join(", ")))
}

async fn contact(scene: &Scene<'_>) -> Step {
    let (Ok(crm), Some(buyer)) = (scene.ports.crm.get(), Email::new(&scene.buyer())) else {
        return Step::left(UNTOLD, "no CRM is configured");
    };
    match crm.contacts(vec![buyer], Depth::All).await {
        Err(error) => {
            Step::unseen(UNTOLD, error.to_string(), "see `launchready check crm-contacts`")
        }
        Ok(found) if found.iter().all(|one| one.ids.is_empty()) => Step::held(UNTOLD, "no contact"),
        Ok(_) => Step::left(
            UNTOLD,
            "the CRM has a contact; that is right where it keeps people who tried, and wrong where it keeps customers",
        ),
    }
}
