//! Tells an id that no system knows from a chain that is broken: there is no chain of it.

use crate::app::trace::reference::{FORMS, Kind};
use crate::app::trace::seen::Seen;

/// Whether somebody could be asked, and nobody knows anything of what was typed.
pub(super) fn is_nowhere(seen: &Seen) -> bool {
    !asked(seen).is_empty() && !is_known(seen)
}

/// The sides that could be asked.
fn asked(seen: &Seen) -> Vec<&'static str> {
    let stripe = seen.named.is_ok() && seen.checkout.is_ok() && seen.payment.is_ok();
    let sides = [("Stripe", stripe), ("the table of orders", seen.orders.is_ok())];
    sides.into_iter().filter(|(_, is_asked)| *is_asked).map(|(side, _)| side).collect()
}

fn is_known(seen: &Seen) -> bool {
    // Of the other kinds nobody is asked by the id alone.
    let is_object = matches!(
        seen.reference.kind,
        Kind::Event | Kind::Charge | Kind::Refund | Kind::Dispute | Kind::Subscription
    );
    is_object && seen.named == Ok(true)
        || matches!(seen.checkout, Ok(Some(_)))
        || matches!(seen.payment, Ok(Some(_)))
        || seen.events.as_ref().is_ok_and(|events| !events.is_empty())
        || seen.rows.as_ref().is_ok_and(|rows| !rows.is_empty())
        || seen.orders.as_ref().is_ok_and(|orders| !orders.rows.is_empty())
}

/// What is said of it, and what to check.
pub(super) fn words(seen: &Seen) -> (String, String) {
    let kind = seen.reference.kind.as_str();
    let says = match asked(seen).as_slice() {
        [one] => format!("No system that could be asked knows this {kind}: {one} does not."),
        all => {
            format!(
                "No system that could be asked knows this {kind}: neither {}.",
                all.join(" nor ")
            )
        }
    };
    let next = format!(
        "Check that it was typed whole; capital letters count.\n{}\n\
         Look how old it is: Stripe keeps events for 30 days, and an order that is in no table is looked for beside \
         the checkouts of 30 days.\n\
         What can be followed: {FORMS}.",
        mode(&seen.reference.text)
    );
    (says, next)
}

/// That a key of one mode of Stripe sees nothing of the other.
fn mode(text: &str) -> String {
    let mine = ["test", "live"].into_iter().find(|mode| text.contains(&format!("_{mode}_")));
    let of = mine.map_or_else(String::new, |mode| {
        format!("This one is of {mode} mode, so that the key has to begin with rk_{mode}_. ")
    });
    format!(
        "{of}A key of test mode sees nothing of live mode, and the other way round: search for the id in both at the \
         Stripe dashboard, then correct what was typed or the key in the config."
    )
}
