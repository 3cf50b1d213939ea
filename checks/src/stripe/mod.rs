//! The payment provider: whether it can take money, and whether it tells the product.

mod account;
mod deliveries;
mod hours;
mod webhooks;

pub use account::Account;
pub use deliveries::Deliveries;
pub use webhooks::Webhooks;

use crate::contract::{Assessment, Unseen};
use crate::probe::{KeyPower, Seen};

/// What a restricted key has to be allowed, by the names of Stripe's dashboard: each to be read, and nothing to
/// be written. The one home of this list.
pub const RIGHTS: &[&str] = &[
    "Events: Read",
    "Webhook Endpoints: Read",
    "Event Destinations: Read",
    "Checkout Sessions: Read",
    "Charges and Refunds: Read",
    "Disputes: Read",
    "PaymentIntents: Read",
    "Subscriptions: Read",
    "Account: Read",
];

/// [`RIGHTS`] in a sentence, after “Read for”.
pub fn rights() -> String {
    let names: Vec<&str> = RIGHTS.iter().map(|right| right.trim_end_matches(": Read")).collect();
    match names.split_last() {
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

/// Days for which the provider keeps events, and over which rates are formed.
const DAYS: i64 = 30;

/// A key of test mode sees nothing of the live account, so that what it saw proves nothing about it.
fn note_mode(key: KeyPower, part: &str, unseen: Unseen, out: &mut Assessment) {
    if !key.live {
        out.not_checked(
            unseen,
            part,
            "the key belongs to test mode",
            "make a restricted key in live mode at https://dashboard.stripe.com/apikeys and name it as \
             project.stripe.key",
        );
    }
}

/// An answer; without one the part is noted as a condition.
fn seen<'a, T>(seen: &'a Seen<T>, part: &str, out: &mut Assessment) -> Option<&'a T> {
    match seen {
        Seen::Ok(answer) => return Some(answer),
        Seen::Target(fault) => {
            let unlock = "run it again once it answers";
            out.not_checked(Unseen::Condition, part, fault.to_string(), unlock);
        }
        Seen::Agent(fault) => {
            out.not_checked(Unseen::Condition, part, fault.to_string(), fault.unlock());
        }
    }
    None
}
