//! The replay drill against a real small handler on PostgreSQL: one that is right, and each usual fault, told
//! apart from the others.

use crate::handler::Fault;
use crate::shop::Shop;

const REFUSED: &str = "an unsigned";
const STORED: &str = "it answers only";
const AGAIN: &str = "three times one after the other";
const TOLD: &str = "an event that is known";
const AT_ONCE: &str = "three times at the same moment";
const ORDER: &str = "another event of the same payment";
const LATE: &str = "an older event";

/// Runs the drill on a handler with a fault, and looks that exactly these steps are broken, each with these
/// words, and that nothing is left.
async fn drilled(test: &str, fault: Fault, broken: &[(&str, &str)]) {
    let Some(shop) = Shop::open(test, fault).await else { return };
    let said = shop.say(&["drill", "webhook-replay", "--json"]).await;
    for step in [REFUSED, STORED, AGAIN, TOLD, AT_ONCE, ORDER, LATE] {
        let (state, text) = said.step(step);
        match broken.iter().find(|(wanted, _)| *wanted == step) {
            Some((_, words)) => {
                assert_eq!(state, "broken", "{step}: {text}");
                assert!(text.contains(words), "{step}: {text}");
            }
            None => assert!(matches!(state.as_str(), "held" | "left"), "{step}: {state} {text}"),
        }
    }
    let outcome = if broken.is_empty() { ("passed", 0) } else { ("failed", 1) };
    assert_eq!((said.json()["outcome"].as_str().unwrap(), said.code.unwrap()), outcome);
    assert_eq!(shop.rows().await, "0", "all is taken back");
    shop.close().await;
}

#[tokio::test]
async fn a_handler_that_is_right_passes_and_nothing_is_left() {
    drilled("replay_right", Fault::None, &[]).await;
}

#[tokio::test]
async fn a_handler_without_dedupe_is_told() {
    let broken = [
        (AGAIN, "3 rows of orders for one event that came 3 times nothing tells a repeat"),
        (AT_ONCE, "3 rows of orders"),
    ];
    drilled("replay_no_dedupe", Fault::NoDedupe, &broken).await;
}

#[tokio::test]
async fn a_handler_that_marks_an_event_after_its_work_is_told() {
    let broken = [(AT_ONCE, "repeats are told apart, and too late")];
    drilled("replay_dedupe_after", Fault::DedupeAfterTheWork, &broken).await;
}

#[tokio::test]
async fn a_handler_that_answers_before_it_has_stored_is_told() {
    let broken = [(STORED, "neither the event nor an order was there")];
    drilled("replay_answers_first", Fault::AnswersBeforeStoring, &broken).await;
}

#[tokio::test]
async fn a_handler_that_believes_everybody_is_told() {
    drilled("replay_no_signature", Fault::NoSignature, &[(REFUSED, "verify the signature")]).await;
}

#[tokio::test]
async fn a_handler_that_believes_old_signatures_is_told() {
    drilled("replay_no_tolerance", Fault::NoTolerance, &[(REFUSED, "more than 300 s ago")]).await;
}

#[tokio::test]
async fn a_repeat_that_is_an_error_is_told() {
    drilled("replay_repeat_error", Fault::RepeatIsAnError, &[(TOLD, "answered with 409")]).await;
}

#[tokio::test]
async fn a_handler_that_makes_orders_of_two_types_is_told() {
    let broken = [(ORDER, "each event of a payment makes an order")];
    drilled("replay_two_types", Fault::TwoTypes, &broken).await;
}

#[tokio::test]
async fn older_news_that_overwrite_newer_ones_are_told() {
    drilled("replay_sets_back", Fault::SetsBack, &[(LATE, "status pending")]).await;
}

#[tokio::test]
async fn a_handler_that_loses_events_ends_the_drill() {
    let Some(shop) = Shop::open("replay_loses", Fault::DoesNothing).await else { return };
    shop.edit(|project| {
        project["drill"].as_table_mut().unwrap().insert("settle".to_owned(), "1s".into());
    });
    let said = shop.say(&["drill", "webhook-replay", "--json"]).await;
    let (state, text) = said.step(STORED);
    assert_eq!(state, "broken");
    assert!(text.contains("takes the event and loses it"), "{text}");
    assert_eq!(said.code, Some(1));
    shop.close().await;
}
