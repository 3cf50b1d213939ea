//! The replay drill against a real small handler on PostgreSQL: one that is right, and each usual fault, told
//! apart from the others.

use futures_util::StreamExt as _;

use crate::handler::Fault;
use crate::shop::Street;

const REFUSED: &str = "an unsigned";
const STORED: &str = "it answers only";
const AGAIN: &str = "three times one after the other";
const TOLD: &str = "an event that is known";
const AT_ONCE: &str = "three times at the same moment";
const ORDER: &str = "another event of the same payment";
const LATE: &str = "an older event";

/// What is broken at a handler with a fault, each step with words of what is said of it.
const TOLD_APART: [(Fault, &[(&str, &str)]); 9] = [
    (Fault::None, &[]),
    (
        Fault::NoDedupe,
        &[
            (AGAIN, "3 rows of orders for one event that came 3 times nothing tells a repeat"),
            (AT_ONCE, "3 rows of orders"),
        ],
    ),
    (Fault::DedupeAfterTheWork, &[(AT_ONCE, "repeats are told apart, and too late")]),
    (Fault::AnswersBeforeStoring, &[(STORED, "neither the event nor an order was there")]),
    (Fault::NoSignature, &[(REFUSED, "verify the signature")]),
    (Fault::NoTolerance, &[(REFUSED, "more than 300 s ago")]),
    (Fault::RepeatIsAnError, &[(TOLD, "answered with 409")]),
    (Fault::TwoTypes, &[(ORDER, "each event of a payment makes an order")]),
    (Fault::SetsBack, &[(LATE, "status pending")]),
];

/// Runs the drill on a handler with a fault, and looks that exactly these steps are broken, and that nothing is
/// left.
async fn drilled(street: &Street, fault: Fault, broken: &[(&str, &str)]) {
    let shop = street.shop(fault).await;
    let said = shop.say(&["drill", "webhook-replay", "--json"]).await;
    for step in [REFUSED, STORED, AGAIN, TOLD, AT_ONCE, ORDER, LATE] {
        let (state, text) = said.step(step);
        if let Some((_, words)) = broken.iter().find(|(wanted, _)| *wanted == step) {
            assert_eq!(state, "broken", "{fault:?}: {step}: {text}");
            assert!(text.contains(words), "{fault:?}: {step}: {text}");
        } else {
            let fine = matches!(state.as_str(), "held" | "left");
            assert!(fine, "{fault:?}: {step}: {state} {text}");
        }
    }
    let outcome = if broken.is_empty() { ("passed", 0) } else { ("failed", 1) };
    assert_eq!(
        (said.json()["outcome"].as_str().unwrap(), said.code.unwrap()),
        outcome,
        "{fault:?}"
    );
    assert_eq!(shop.rows().await, 0, "{fault:?}: all is taken back");
}

#[tokio::test]
async fn a_handler_that_is_right_passes_and_each_fault_is_told_apart() {
    let Some(street) = Street::open("replay").await else { return };
    // A few at once: most of a drill is waiting for what must not come.
    let all = TOLD_APART.iter().map(|(fault, broken)| drilled(&street, *fault, broken));
    futures_util::stream::iter(all).buffer_unordered(4).collect::<Vec<()>>().await;
    street.close().await;
}

#[tokio::test]
async fn a_handler_that_loses_events_ends_the_drill() {
    let Some(street) = Street::open("replay_loses").await else { return };
    let shop = street.shop(Fault::DoesNothing).await;
    shop.edit(|project| {
        project["drill"].as_table_mut().unwrap().insert("settle".to_owned(), "1s".into());
    });
    let said = shop.say(&["drill", "webhook-replay", "--json"]).await;
    let (state, text) = said.step(STORED);
    assert_eq!(state, "broken");
    assert!(text.contains("takes the event and loses it"), "{text}");
    assert_eq!(said.code, Some(1));
    street.close().await;
}
