//! Answers questions about single objects of the payment provider from a written-down world.

use super::Replay;
use crate::probe::{Answer, Charge, Payment, ProbeError, Reversal, Reversals, Subscription, Trail};

/// One entry of a list by its id.
macro_rules! one {
    ($replay:expr, $list:ident, $id:expr) => {{
        let found = $replay
            .paid(stringify!($list))
            .map(|world| world.$list.iter().find(|one| one.id == $id).cloned());
        Box::pin(async move { found })
    }};
}

impl Trail for Replay {
    fn charge(&self, id: String) -> Answer<'_, Result<Option<Charge>, ProbeError>> {
        one!(self, charge, id)
    }

    fn refund(&self, id: String) -> Answer<'_, Result<Option<Reversal>, ProbeError>> {
        one!(self, refund, id)
    }

    fn dispute(&self, id: String) -> Answer<'_, Result<Option<Reversal>, ProbeError>> {
        one!(self, dispute, id)
    }

    fn subscription(&self, id: String) -> Answer<'_, Result<Option<Subscription>, ProbeError>> {
        one!(self, subscription, id)
    }

    fn payments_of(&self, customer: String) -> Answer<'_, Result<Vec<Payment>, ProbeError>> {
        let belongs = |payment: &&Payment| payment.customer.as_ref() == Some(&customer);
        let found = self
            .paid("payment")
            .map(|world| world.payment.iter().filter(belongs).cloned().collect());
        Box::pin(async move { found })
    }

    fn reversals_of(&self, payment: String) -> Answer<'_, Result<Reversals, ProbeError>> {
        let of = |all: &[Reversal]| {
            let mine = all.iter().filter(|one| one.payment_intent.as_ref() == Some(&payment));
            mine.cloned().collect()
        };
        let found = self.paid("refund").and_then(|refunds| {
            let disputes = self.paid("dispute")?;
            Ok(Reversals { refunds: of(&refunds.refund), disputes: of(&disputes.dispute) })
        });
        Box::pin(async move { found })
    }
}
