//! `drill webhook-replay`: an event that comes again changes nothing, and a forged one is refused.
//!
//! Each fault of an endpoint shows in another place. Without any dedupe, repeats one after the other make
//! rows. Where an event is marked as known only after its work is done, or looked up before and not in the
//! same step, repeats one after the other make none, and repeats at the same moment do. Where the endpoint
//! answers before it has stored, the answer is there and the row is not.

use launchready_checks::probe::ProbeError;
use std::time::Duration;

use super::stage::{Stage, UNSEEN_PAYMENT, plan, rows, unread};
use crate::drill::stripe::{Event, Purchase, Signing};
use crate::drill::{Drill, Plan, Ran, Scene, Step, StepState};

/// How often an event comes.
const TIMES: usize = 3;
/// Rounds of events at the same moment: what depends on chance is tried more than once.
const ROUNDS: [&str; 3] = ["once", "once_more", "once_again"];

const REFUSED: &str = "an unsigned, a forged and a stale event change nothing";
const STORED: &str = "it answers only when the event is stored";
const AGAIN: &str = "three times one after the other change the product once";
const TOLD_AGAIN: &str = "an event that is known is answered with 2xx";
const AT_ONCE: &str = "three times at the same moment change the product once";
const ORDER: &str = "another event of the same payment that comes first makes no second order";
const LATE: &str = "an older event that comes late takes nothing back";

/// See the head of this file.
pub(crate) struct Replay;

impl Replay {
    /// What would be done.
    pub(crate) async fn plan(scene: &Scene<'_>) -> Plan {
        let mut plan = plan(Drill::WebhookReplay, scene).await;
        let to = scene.table.webhook.as_deref().unwrap_or("the endpoint");
        plan.does.extend([
            format!("send checkout.session.completed to {to} unsigned, forged, and with a signature of 10 minutes ago"),
            format!("send one {TIMES} times one after the other, and another {TIMES} times at the same moment"),
            "send payment_intent.succeeded before the checkout.session.completed of the same payment, and an unpaid \
             checkout.session.completed after the money has come"
                .to_owned(),
        ]);
        plan.proves.extend([
            "orders, events and CRM log, counted by SQL before and after each of them".to_owned(),
            "the status of each answer, and whether the row is there at the moment of the answer"
                .to_owned(),
        ]);
        plan
    }

    /// Sends the events and counts rows.
    pub(crate) async fn run(scene: &Scene<'_>) -> Ran {
        let mut steps = Vec::new();
        match Stage::set(scene).await {
            Ok(stage) => play(&stage, &mut steps).await,
            Err(step) => steps.push(step),
        }
        Ran { steps, ..Ran::default() }
    }
}

async fn play(stage: &Stage<'_>, steps: &mut Vec<Step>) {
    steps.push(refused(stage).await);
    let usual = match one_after_the_other(stage, steps).await {
        Ok(usual) => usual,
        // An endpoint that takes no genuine event has nothing to repeat.
        Err(step) => return steps.push(step),
    };
    let mut together = at_once(stage, ROUNDS[0], usual).await;
    for label in &ROUNDS[1..] {
        if together.state == StepState::Held {
            together = at_once(stage, label, usual).await;
        }
    }
    steps.push(together);
    let dedupes = steps.iter().all(|step| step.what != AGAIN || step.state == StepState::Held);
    steps.push(another_event_first(stage, usual, dedupes).await);
    steps.push(late(stage, usual).await);
}

/// What nobody signed with the secret of a moment ago.
async fn refused(stage: &Stage<'_>) -> Step {
    let tries = [
        ("unsigned", Signing::None, "an unsigned event"),
        ("forged", Signing::Forged, "an event signed with another secret"),
        ("stale", Signing::Stale, "an event signed 10 minutes ago"),
    ];
    let mut answers = Vec::new();
    let mut taken = Vec::new();
    for (label, signing, name) in tries {
        let purchase = stage.purchase(label);
        let event = purchase.completed(stage.scene.now());
        match stage.endpoint.send(&event, signing).await {
            Ok(sent) => {
                answers.push(format!("{name}: {}", sent.status));
                if sent.is_taken() {
                    taken.push(name);
                }
            }
            Err(error) => {
                return Step::unseen(
                    REFUSED,
                    format!("{name}: no answer came: {error}"),
                    "see the log of the endpoint",
                );
            }
        }
    }
    let mut changed = Vec::new();
    // They were sent at about the same time, and are watched for the same time.
    let [.., (last, ..)] = tries;
    if let Err(error) = stage.rows.watch(&stage.purchase(last), 0, Duration::ZERO).await {
        return unread(REFUSED, &error);
    }
    for (label, _, name) in tries {
        match stage.rows.orders(&stage.purchase(label)).await {
            Ok(orders) if orders.is_empty() => {}
            Ok(_) => changed.push(name),
            Err(error) => return unread(REFUSED, &error),
        }
    }
    let saw = answers.join(", ");
    if let Some(first) = changed.first() {
        let fix = if changed.as_slice() == ["an event signed 10 minutes ago"] {
            "refuse a signature whose t is more than 300 s ago: hand the endpoint's library its usual tolerance, \
             never 0. Otherwise whoever has seen one event can send it for ever"
        } else {
            "verify the signature of the raw body before anything else, as stripe.webhooks.constructEvent does, and \
             answer 400 where it does not fit. At present anybody can give himself a paid order"
        };
        return Step::broken(REFUSED, format!("{saw}; {first} made an order"), fix);
    }
    if let Some(first) = taken.first() {
        return Step::broken(
            REFUSED,
            format!("{saw}; no order came of it"),
            format!(
                "answer 400 to {first}: with 2xx nobody notices when a secret is wrong, and events are lost"
            ),
        );
    }
    Step::held(REFUSED, format!("{saw}; no order came of it"))
}

/// The first delivery, and two more. Gives how long an order takes to appear.
async fn one_after_the_other(stage: &Stage<'_>, steps: &mut Vec<Step>) -> Result<Duration, Step> {
    let purchase = stage.purchase("again");
    let event = purchase.completed(stage.scene.now());
    stage.deliver(STORED, &event).await?;
    let at_answer =
        stored(stage, &purchase, &event).await.map_err(|error| unread(STORED, &error))?;
    let (orders, took) =
        stage.rows.wait(&purchase).await.map_err(|error| unread(STORED, &error))?;
    if orders.is_empty() {
        return Err(Step::broken(
            STORED,
            format!(
                "2xx was answered, and after {} s there is no order",
                stage.scene.settle().as_secs()
            ),
            "the endpoint takes the event and loses it: see its log for this event. Where it needs metadata of your own \
             checkouts, add it under [project.drill.metadata]; where orders take longer, raise project.drill.settle",
        ));
    }
    steps.push(if at_answer {
        Step::held(STORED, "when 2xx came, the event was in the database")
    } else {
        Step::broken(
            STORED,
            format!("when 2xx came, neither the event nor an order was there; the order came {} ms later", took.as_millis()),
            "answer 200 after the transaction is committed, never before: what dies in between is lost, and Stripe does \
             not send it again because it was told that all is well. Where the work is long, store the event in the \
             request and work it off from the table",
        )
    });
    let synced = stage.rows.synced(&orders).await.map_err(|error| unread(AGAIN, &error))?;
    let mut answers = Vec::new();
    for _ in 1..TIMES {
        match stage.endpoint.send(&event, Signing::Good).await {
            Ok(sent) => answers.push(sent.status),
            Err(error) => {
                return Err(Step::unseen(
                    AGAIN,
                    format!("no answer came: {error}"),
                    "see the log of the endpoint",
                ));
            }
        }
    }
    let orders =
        stage.rows.watch(&purchase, 1, took).await.map_err(|error| unread(AGAIN, &error))?;
    let after = stage.rows.synced(&orders).await.map_err(|error| unread(AGAIN, &error))?;
    let handed = match (synced, after) {
        (Some(before), Some(after)) if after > before.max(1) => after,
        _ => 0,
    };
    steps.push(if orders.len() > 1 {
        Step::broken(
            AGAIN,
            format!("{} for one event that came {TIMES} times", rows(orders.len())),
            NO_DEDUPE,
        )
    } else if handed > 0 {
        Step::broken(
            AGAIN,
            format!("one order, handed to the CRM {handed} times"),
            "hand an order to the CRM in the same step that makes it, and only where the event was new",
        )
    } else {
        Step::held(AGAIN, format!("{} for one event that came {TIMES} times", rows(orders.len())))
    });
    let refused: Vec<_> = answers.iter().filter(|status| !(200..300).contains(*status)).collect();
    steps.push(match refused.first() {
        None => Step::held(TOLD_AGAIN, "each repeat was answered with 2xx"),
        Some(status) => Step::broken(
            TOLD_AGAIN,
            format!("a repeat was answered with {status}"),
            "answer 200 to an event that is known: otherwise Stripe sends it again for three days and then turns the \
             endpoint off",
        ),
    });
    Ok(took)
}

const NO_DEDUPE: &str = "nothing tells a repeat: give the table of events a unique key on the event's id, begin the \
    handler with `insert into EVENTS (id) values ($1) on conflict do nothing`, and go on only where a row was inserted, \
    in one transaction with the order";
const DEDUPE_TOO_LATE: &str = "repeats are told apart, and too late: the event is looked up before, or marked as known \
    after its work is done, so that two at the same moment both do it. Insert the event's id first, under a unique key, \
    with `on conflict do nothing`, and make the order only where a row was inserted, in one transaction";

/// Whether the event, or its order, is in the database at this moment.
async fn stored(stage: &Stage<'_>, purchase: &Purchase, event: &Event) -> Result<bool, ProbeError> {
    if !stage.rows.orders(purchase).await?.is_empty() {
        return Ok(true);
    }
    Ok(stage.rows.events(vec![event.id.clone()]).await?.is_some_and(|count| count > 0))
}

async fn at_once(stage: &Stage<'_>, label: &'static str, usual: Duration) -> Step {
    let purchase = stage.purchase(label);
    let event = purchase.completed(stage.scene.now());
    let answers = match stage.endpoint.send_at_once(&event, TIMES).await {
        Ok(answers) => answers,
        Err(error) => {
            return Step::unseen(
                AT_ONCE,
                format!("no answer came: {error}"),
                "see the log of the endpoint",
            );
        }
    };
    let told: Vec<String> = answers.iter().map(|sent| sent.status.to_string()).collect();
    // One that loses a race may say so; one that was turned away has not raced.
    let raced =
        answers.iter().filter(|sent| sent.is_taken() || sent.status == 409 || sent.status >= 500);
    if raced.count() < 2 {
        return Step::unseen(
            AT_ONCE,
            format!("answers {}: they were turned away before they met", told.join(", ")),
            "let the endpoint take three events at a time, and run the drill again",
        );
    }
    let counted = async {
        stage.rows.wait(&purchase).await?;
        stage.rows.watch(&purchase, 1, usual).await
    };
    match counted.await {
        Err(error) => unread(AT_ONCE, &error),
        Ok(orders) if orders.is_empty() => Step::broken(
            AT_ONCE,
            format!("answers {}, and no order", told.join(", ")),
            "two at the same moment undo each other: let the database decide which one is first, by a unique key and \
             `on conflict do nothing`",
        ),
        Ok(orders) if orders.len() > 1 => Step::broken(
            AT_ONCE,
            format!(
                "{} for one event that came {TIMES} times at the same moment",
                rows(orders.len())
            ),
            DEDUPE_TOO_LATE,
        ),
        Ok(orders) => {
            Step::held(AT_ONCE, format!("{}, answers {}", rows(orders.len()), told.join(", ")))
        }
    }
}

/// `payment_intent.succeeded` comes before `checkout.session.completed`, as it often does.
async fn another_event_first(stage: &Stage<'_>, usual: Duration, dedupes: bool) -> Step {
    if !stage.rows.sees_payments() {
        return Step::left(ORDER, UNSEEN_PAYMENT);
    }
    let purchase = stage.purchase("order");
    let now = stage.scene.now();
    // The endpoint need not take the first of them at all, and may say so.
    if let Err(error) = stage.endpoint.send(&purchase.succeeded(now), Signing::Good).await {
        return Step::unseen(
            ORDER,
            format!("no answer came: {error}"),
            "see the log of the endpoint",
        );
    }
    if let Err(step) = stage.deliver(ORDER, &purchase.completed(now)).await {
        return step;
    }
    let counted = async {
        stage.rows.wait(&purchase).await?;
        stage.rows.watch(&purchase, 1, usual).await
    };
    match counted.await {
        Err(error) => unread(ORDER, &error),
        Ok(orders) if orders.len() == 1 => {
            Step::held(ORDER, format!("{} for a payment with two events", rows(1)))
        }
        Ok(orders) if orders.is_empty() => Step::broken(
            ORDER,
            "no order for a payment whose events came the other way round",
            "do not rely on the order of events, Stripe does not keep any: make the order from whichever event says that \
             it is paid",
        ),
        Ok(orders) => Step::broken(
            ORDER,
            format!("{} for one payment with two events", rows(orders.len())),
            if dedupes {
                "each event of a payment makes an order: make orders from one type of event alone, or give orders a unique \
                 key on the payment's id"
            } else {
                NO_DEDUPE
            },
        ),
    }
}

/// The money has come, and then the older news arrives that it is under way.
async fn late(stage: &Stage<'_>, usual: Duration) -> Step {
    let purchase = stage.purchase("late");
    let now = stage.scene.now();
    let before = now.checked_sub(jiff::SignedDuration::from_mins(2)).unwrap_or(now);
    if let Err(error) = stage.endpoint.send(&purchase.arrived(now), Signing::Good).await {
        return Step::unseen(
            LATE,
            format!("no answer came: {error}"),
            "see the log of the endpoint",
        );
    }
    let first = match stage.rows.watch(&purchase, 0, usual).await {
        Ok(first) => first,
        Err(error) => return unread(LATE, &error),
    };
    let Some(paid) = first.first() else {
        return Step::left(
            LATE,
            "the endpoint makes no order of checkout.session.async_payment_succeeded; where you take bank debits or the \
             like, it has to",
        );
    };
    if let Err(step) = stage.deliver(LATE, &purchase.completed_unpaid(before)).await {
        return step;
    }
    match stage.rows.watch(&purchase, 1, usual).await {
        Err(error) => unread(LATE, &error),
        Ok(orders)
            if orders.len() == 1 && orders.iter().all(|order| order.status == paid.status) =>
        {
            Step::held(LATE, "one order, as it was")
        }
        Ok(orders) => {
            let words: Vec<_> = orders.iter().filter_map(|order| order.status.clone()).collect();
            Step::broken(
                LATE,
                format!("{} with the status {}", rows(orders.len()), words.join(", ")),
                "never let an older event overwrite a newer state: an order that is paid stays paid until a refund, \
                 whatever comes late",
            )
        }
    }
}
