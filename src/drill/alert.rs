//! `drill alert`: a marked message to every channel, through the outbox of the agent that watches.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::sleep;

use super::{ChannelDrilled, Drill, Plan, Ran, Scene, Step};
use crate::clock::{between, later};
use crate::store::{
    Delivery, DeliveryState, Notification, NotificationKind, Plain, StoreError, last_listened,
};

/// The longest that an alert may take, from the look to the accepted message.
const LONGEST: Duration = Duration::from_mins(5);
/// An agent notes that it listens every 15 seconds; one that has not for this long is gone.
const GONE: SignedDuration = SignedDuration::from_mins(1);
/// How often the store is asked what became of the message.
const AGAIN: Duration = Duration::from_millis(200);

/// What would be done.
pub(super) async fn plan(scene: &Scene<'_>) -> Plan {
    let mut plan = Plan::new(Drill::Alert);
    if scene.channels.is_empty() {
        plan.lacks
            .push("no channel tells of this project: add a [[channel]] to the config".to_owned());
    }
    match last_listened(&**scene.store).await {
        Ok(Some(at)) if scene.now().duration_since(at) <= GONE => {}
        Ok(_) => plan.lacks.push(
            "no agent runs with this config: start `launchready agent` first, because the drill proves that it can tell you"
                .to_owned(),
        ),
        Err(error) => plan.lacks.push(format!("what the agent remembers cannot be read: {error}")),
    }
    let for_whom = match scene.channels {
        [] => "no channel yet".to_owned(),
        channels => channels.join(", "),
    };
    plan.does.push(format!(
        "put a message that says DRILL into the outbox of the agent, for {for_whom}"
    ));
    plan.proves
        .push("each channel has accepted it within 5 minutes, as the agent records it".to_owned());
    plan.undoes.push(
        "nothing: a message cannot be taken back, and this one says that it is a drill".to_owned(),
    );
    plan
}

/// Sends the message and waits until every channel has taken it.
pub(super) async fn run(scene: &Scene<'_>) -> Ran {
    match send(scene).await {
        Ok(ran) => ran,
        Err(error) => Ran {
            steps: vec![Step::unseen(
                "a message reaches every channel",
                format!("the agent's store: {error}"),
                "see `launchready explain agent` for what the store needs",
            )],
            ..Ran::default()
        },
    }
}

async fn send(scene: &Scene<'_>) -> Result<Ran, StoreError> {
    let at = scene.now();
    let notification = Notification {
        id: format!("msg_{}", scene.digits()),
        kind: NotificationKind::Test,
        project: scene.project.to_owned(),
        at,
        told: Vec::new(),
        text: Some(Plain {
            title: format!("DRILL: an alert for {}", scene.project),
            lines: vec![
                "This is a drill. Nothing is wrong, and nothing has to be done.".to_owned(),
                "If you are whoever should hear of a real alert, note when you read this: the promise is five minutes."
                    .to_owned(),
            ],
        }),
    };
    scene.store.enqueue(&notification, scene.channels, at).await?;
    let until = later(at, LONGEST);
    let deliveries = loop {
        let deliveries = scene.store.deliveries(&notification.id).await?;
        let waits = deliveries.iter().any(|one| one.state == DeliveryState::Pending);
        if !waits || scene.now() > until {
            break deliveries;
        }
        sleep(AGAIN).await;
    };
    let mut ran = Ran::default();
    for channel in scene.channels {
        // What a fallback took was not taken by the channel itself.
        let own = deliveries.iter().find(|one| one.channel == *channel && one.instead_of.is_none());
        let (step, drilled) = judge(channel, own, at);
        ran.steps.push(step);
        ran.channels.push(drilled);
    }
    Ok(ran)
}

fn judge(channel: &str, delivery: Option<&Delivery>, at: Timestamp) -> (Step, ChannelDrilled) {
    let what = format!("the message reaches {channel} within 5 minutes");
    let fix = format!(
        "run `launchready notify test {channel}`: it says what the other side answers, and what to do"
    );
    let drilled = |took: Option<Duration>, error: Option<String>| ChannelDrilled {
        channel: channel.to_owned(),
        accepted_after_ms: took.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
        error,
    };
    let sent = delivery.and_then(|one| one.sent_at);
    match (sent.map(|sent| between(at, sent)), delivery) {
        (Some(took), _) if took <= LONGEST => {
            let saw = format!("accepted after {}.{} s", took.as_secs(), took.subsec_millis() / 100);
            (Step::held(what, saw), drilled(Some(took), None))
        }
        (Some(took), _) => {
            let saw = format!("accepted after {} s", took.as_secs());
            (Step::broken(what, saw, fix), drilled(Some(took), None))
        }
        (None, Some(one)) => {
            let why = one.last_error.clone().unwrap_or_else(|| "nothing was answered".to_owned());
            let saw = match one.state {
                DeliveryState::Failed => format!("refused: {why}"),
                _ => format!("not accepted yet after {} tries: {why}", one.attempts),
            };
            (Step::broken(what, saw, fix), drilled(None, Some(why)))
        }
        (None, None) => {
            let why = "the outbox does not hold the message".to_owned();
            (Step::unseen(what, why.clone(), fix), drilled(None, Some(why)))
        }
    }
}
