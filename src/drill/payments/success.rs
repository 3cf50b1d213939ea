//! `drill payment-success`: a paid checkout becomes one order, and what else has to follow.

use launchready_checks::contract::amount;
use launchready_checks::probe::{Depth, Email, Period};
use tokio::time::{Instant, sleep};

use super::stage::{Stage, expects, plan, rows, unread};
use crate::config::Expected;
use crate::drill::rows::OrderRow;
use crate::drill::{Drill, Plan, Ran, Scene, Step};

const ORDER: &str = "a paid checkout becomes one order";
const PAID: &str = "the order counts as paid, with the amount of the checkout";
const CONTACT: &str = "the buyer is one contact in the CRM";
const TICKET: &str = "the buyer has one request at the help desk";
const SYNCED: &str = "the order was handed to the CRM once";
/// How often CRM and help desk are asked again: their indices lag, and their limits are low.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(2);

/// See the head of this file.
pub(crate) struct Success;

impl Success {
    /// What would be done.
    pub(crate) async fn plan(scene: &Scene<'_>) -> Plan {
        let mut plan = plan(Drill::PaymentSuccess, scene).await;
        let to = scene.table.webhook.as_deref().unwrap_or("the endpoint");
        plan.does.push(format!(
            "send one checkout.session.completed over {} to {to}, signed as Stripe signs test events",
            amount(&scene.table.currency, i64::try_from(scene.table.amount).unwrap_or(i64::MAX))
        ));
        plan.proves.push("one row of orders with its status and amount, by SQL".to_owned());
        if expects(scene, Expected::Contact) {
            plan.proves.push(format!("one contact of {} in the CRM", scene.buyer()));
        }
        if expects(scene, Expected::Ticket) {
            plan.proves.push(format!("one request of {} at the help desk", scene.buyer()));
        }
        plan
    }

    /// Buys, and looks what came of it.
    pub(crate) async fn run(scene: &Scene<'_>) -> Ran {
        let mut steps = Vec::new();
        match Stage::set(scene).await {
            Ok(stage) => buy(&stage, &mut steps).await,
            Err(step) => steps.push(step),
        }
        Ran { steps, ..Ran::default() }
    }
}

async fn buy(stage: &Stage<'_>, steps: &mut Vec<Step>) {
    let purchase = stage.purchase("paid");
    let event = purchase.completed(stage.scene.now());
    if let Err(step) = stage.deliver(ORDER, &event).await {
        return steps.push(step);
    }
    let counted = async {
        let (_, took) = stage.rows.wait(&purchase).await?;
        Ok((stage.rows.watch(&purchase, 1, took).await?, took))
    };
    let (orders, took) = match counted.await {
        Ok(counted) => counted,
        Err(error) => return steps.push(unread(ORDER, &error)),
    };
    match orders.as_slice() {
        [] => {
            return steps.push(Step::broken(
                ORDER,
                format!("2xx was answered, and after {} s there is no order", stage.scene.settle().as_secs()),
                "the endpoint takes the event and loses it: see its log for this event, and whether it needs metadata of \
                 your own checkouts ([project.drill.metadata])",
            ));
        }
        [order] => {
            steps.push(Step::held(ORDER, format!("it was there after {} ms", took.as_millis())));
            steps.push(paid(stage.scene, order));
        }
        many => steps.push(Step::broken(
            ORDER,
            format!("{} for one event", rows(many.len())),
            "one delivery runs the handler's work more than once: see whether a trigger or a second endpoint writes \
             orders too",
        )),
    }
    steps.push(synced(stage, &orders).await);
    steps.push(contact(stage.scene).await);
    steps.push(ticket(stage.scene).await);
}

fn paid(scene: &Scene<'_>, order: &OrderRow) -> Step {
    let amount = order.amount.as_deref();
    let wanted = scene.table.amount.to_string();
    let currency = order.currency.as_ref().map(|word| word.to_lowercase());
    let status = order.status.as_deref().unwrap_or_default();
    let or =
        |text: &str, none: &str| if text.is_empty() { none.to_owned() } else { text.to_owned() };
    let saw = format!(
        "{}, {} {}",
        or(status, "no status"),
        or(amount.unwrap_or_default(), "no amount"),
        or(currency.as_deref().unwrap_or_default(), "without a currency")
    );
    if amount.is_some_and(|amount| amount != wanted)
        || currency.is_some_and(|currency| currency != scene.table.currency)
    {
        return Step::broken(
            PAID,
            format!("{saw} in place of {wanted} {}", scene.table.currency),
            "store amount_total and currency of the checkout as they come; amount_total counts the smallest coin",
        );
    }
    if amount.is_none() {
        return Step::unseen(
            PAID,
            saw,
            "map the column that holds what was paid as amount under [project.database.orders]",
        );
    }
    match order.is_paid() {
        Some(true) => Step::held(PAID, saw),
        Some(false) => Step::broken(
            PAID,
            saw,
            "set the order to paid from checkout.session.completed with payment_status = paid",
        ),
        None => Step::unseen(
            PAID,
            saw,
            "map the column that says paid, pending, refunded or the like as status under [project.database.orders]",
        ),
    }
}

async fn synced(stage: &Stage<'_>, orders: &[OrderRow]) -> Step {
    let began = Instant::now();
    let mut seen = false;
    loop {
        match stage.rows.synced(orders).await {
            Err(error) => return unread(SYNCED, &error),
            Ok(None) => return Step::left(SYNCED, "no CRM log is mapped"),
            Ok(Some(1)) if seen => return Step::held(SYNCED, "one entry of the CRM log"),
            // A second one may follow.
            Ok(Some(1)) => {
                seen = true;
                sleep(AGAIN).await;
            }
            Ok(Some(0)) if began.elapsed() < stage.scene.settle() => sleep(AGAIN / 4).await,
            Ok(Some(0)) => {
                return Step::broken(
                    SYNCED,
                    format!("no entry of the CRM log after {} s", stage.scene.settle().as_secs()),
                    "see why the step that hands orders to the CRM does not run for this order",
                );
            }
            Ok(Some(many)) => {
                return Step::broken(
                    SYNCED,
                    format!("{many} entries of the CRM log for one order"),
                    "hand an order to the CRM in one place alone",
                );
            }
        }
    }
}

async fn contact(scene: &Scene<'_>) -> Step {
    if !expects(scene, Expected::Contact) {
        return Step::left(
            CONTACT,
            "none is expected: expects = [\"contact\"] under [project.drill] would",
        );
    }
    let (Ok(crm), Some(buyer)) = (scene.ports.crm.get(), Email::new(&scene.buyer())) else {
        return Step::unseen(CONTACT, "the CRM cannot be asked", "add [project.crm]");
    };
    let began = Instant::now();
    let mut seen = false;
    loop {
        let found = match crm.contacts(vec![buyer.clone()], Depth::All).await {
            Ok(found) => found.into_iter().next().unwrap_or_default().ids.len(),
            Err(error) => {
                return Step::unseen(
                    CONTACT,
                    error.to_string(),
                    "see `launchready check crm-contacts`",
                );
            }
        };
        match found {
            1 if seen => return Step::held(CONTACT, "one contact"),
            // A second one may follow.
            1 => {
                seen = true;
                sleep(AGAIN).await;
            }
            0 if began.elapsed() < scene.settle() => sleep(AGAIN).await,
            0 => {
                return Step::broken(
                    CONTACT,
                    format!("no contact after {} s", scene.settle().as_secs()),
                    "see why the step that makes contacts does not run; where the CRM takes longer to find new ones, \
                     raise project.drill.settle",
                );
            }
            many => {
                return Step::broken(
                    CONTACT,
                    format!("{many} contacts for one buyer"),
                    "look a contact up by its address and update it, or use the CRM's upsert, before you make one",
                );
            }
        }
    }
}

async fn ticket(scene: &Scene<'_>) -> Step {
    if !expects(scene, Expected::Ticket) {
        return Step::left(
            TICKET,
            "none is expected: expects = [\"ticket\"] under [project.drill] would",
        );
    }
    let (Ok(desk), Some(buyer)) = (scene.ports.desk.get(), Email::new(&scene.buyer())) else {
        return Step::unseen(TICKET, "the help desk cannot be asked", "add [project.support]");
    };
    let began = Instant::now();
    let mut seen = false;
    let hour = jiff::SignedDuration::from_hours(1);
    let since = scene.now().checked_sub(hour).unwrap_or(scene.now());
    loop {
        let mut found = 0_usize;
        let mut take = |one: launchready_checks::probe::Conversation| {
            found += usize::from(one.requester.as_ref() == Some(&buyer));
        };
        let listed = desk.created(Period { since, until: None }, &mut take).await;
        if let Err(error) = listed {
            return Step::unseen(
                TICKET,
                error.to_string(),
                "see `launchready check support-backlog`",
            );
        }
        match found {
            1 if seen => return Step::held(TICKET, "one request"),
            // A second one may follow.
            1 => {
                seen = true;
                sleep(AGAIN).await;
            }
            0 if began.elapsed() < scene.settle() => sleep(AGAIN).await,
            0 => {
                return Step::broken(
                    TICKET,
                    format!("no request after {} s", scene.settle().as_secs()),
                    "see why the step that opens requests does not run",
                );
            }
            many => {
                return Step::broken(
                    TICKET,
                    format!("{many} requests for one checkout"),
                    "open the request where the order is made, and only where the event was new",
                );
            }
        }
    }
}
