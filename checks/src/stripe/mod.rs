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
