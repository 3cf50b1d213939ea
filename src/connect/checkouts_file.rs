//! Checkouts from a file instead of Stripe: one JSON object a line, as the API or an export has them.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;

use launchready_checks::probe::{
    AgentFault, Answer, Charge, CheckoutSession, Destinations, EventFilter, KeyPower, Payment,
    PaymentAccount, PaymentEvent, PaymentKey, Payments, Period, ProbeError, Reversal, Reversals,
    Subscription, Trail, Visit, Walked,
};

use super::stripe::read_session;

/// The most bytes of one line.
const LINE_BYTES: u64 = 1024 * 1024;

/// Checkouts of a file. It holds nothing else: no event, no refund, no account.
#[derive(Debug, Clone)]
pub struct CheckoutsFile {
    path: PathBuf,
    brief: bool,
}

impl CheckoutsFile {
    /// The checkouts of a file, which is opened at each walk.
    pub const fn new(path: PathBuf) -> Self {
        Self { path, brief: false }
    }

    /// The same, of which no more is read than what tells whether a checkout was a sale: its keys, money
    /// and marks are left out.
    #[must_use]
    pub fn brief(self) -> Self {
        Self { brief: true, ..self }
    }

    /// Hands over every line. The period is not asked: whoever names a file means all of it.
    fn read(&self, visit: Visit<'_, CheckoutSession>) -> Result<Walked, ProbeError> {
        let wrong = |what: String| {
            ProbeError::from(AgentFault::Refused(format!("{}: {what}", self.path.display())))
        };
        let file = File::open(&self.path).map_err(|error| wrong(error.to_string()))?;
        let mut lines = BufReader::with_capacity(256 * 1024, file);
        let mut line = Vec::new();
        let mut walked = Walked::default();
        for number in 1_u64.. {
            line.clear();
            let mut bounded = std::io::Read::take(&mut lines, LINE_BYTES);
            let read = bounded.read_until(b'\n', &mut line);
            if read.map_err(|error| wrong(error.to_string()))? == 0 {
                break;
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            let session = read_session(&line, self.brief).ok_or_else(|| {
                wrong(format!("line {number} is no checkout session as Stripe's API has them"))
            })?;
            walked.entries += 1;
            visit(session);
        }
        Ok(walked)
    }
}

/// What a file of checkouts does not hold.
fn nothing<'a, T: Send + 'a>() -> Answer<'a, Result<T, ProbeError>> {
    let what = "a file of checkouts holds nothing else".to_owned();
    Box::pin(std::future::ready(Err(AgentFault::Refused(what).into())))
}

/// A list that is empty because a file of checkouts does not hold it.
fn none<'a>() -> Answer<'a, Result<Walked, ProbeError>> {
    Box::pin(std::future::ready(Ok(Walked::default())))
}

impl Payments for CheckoutsFile {
    fn key(&self) -> KeyPower {
        KeyPower { live: true, restricted: true }
    }

    fn account(&self) -> Answer<'_, Result<PaymentAccount, ProbeError>> {
        nothing()
    }

    fn destinations(&self) -> Answer<'_, Result<Destinations, ProbeError>> {
        nothing()
    }

    fn events<'a>(
        &'a self,
        _filter: EventFilter,
        _visit: Visit<'a, PaymentEvent>,
    ) -> Answer<'a, Result<Walked, ProbeError>> {
        none()
    }

    fn sessions<'a>(
        &'a self,
        _period: Period,
        visit: Visit<'a, CheckoutSession>,
    ) -> Answer<'a, Result<Walked, ProbeError>> {
        Box::pin(std::future::ready(self.read(visit)))
    }

    fn session(&self, _id: String) -> Answer<'_, Result<Option<CheckoutSession>, ProbeError>> {
        nothing()
    }

    fn sessions_of(
        &self,
        _key: PaymentKey,
    ) -> Answer<'_, Result<Vec<CheckoutSession>, ProbeError>> {
        nothing()
    }

    fn payments<'a>(
        &'a self,
        _period: Period,
        _visit: Visit<'a, Payment>,
    ) -> Answer<'a, Result<Walked, ProbeError>> {
        nothing()
    }

    fn payment(&self, _id: String) -> Answer<'_, Result<Option<Payment>, ProbeError>> {
        nothing()
    }

    fn event(&self, _id: String) -> Answer<'_, Result<Option<PaymentEvent>, ProbeError>> {
        nothing()
    }

    fn charges<'a>(
        &'a self,
        _period: Period,
        _visit: Visit<'a, Charge>,
    ) -> Answer<'a, Result<Walked, ProbeError>> {
        nothing()
    }

    fn refunds<'a>(
        &'a self,
        _period: Period,
        _visit: Visit<'a, Reversal>,
    ) -> Answer<'a, Result<Walked, ProbeError>> {
        none()
    }

    fn disputes<'a>(
        &'a self,
        _period: Period,
        _visit: Visit<'a, Reversal>,
    ) -> Answer<'a, Result<Walked, ProbeError>> {
        nothing()
    }

    fn subscriptions<'a>(
        &'a self,
        _period: Period,
        _visit: Visit<'a, Subscription>,
    ) -> Answer<'a, Result<Walked, ProbeError>> {
        nothing()
    }
}

impl Trail for CheckoutsFile {
    fn charge(&self, _id: String) -> Answer<'_, Result<Option<Charge>, ProbeError>> {
        nothing()
    }

    fn refund(&self, _id: String) -> Answer<'_, Result<Option<Reversal>, ProbeError>> {
        nothing()
    }

    fn dispute(&self, _id: String) -> Answer<'_, Result<Option<Reversal>, ProbeError>> {
        nothing()
    }

    fn subscription(&self, _id: String) -> Answer<'_, Result<Option<Subscription>, ProbeError>> {
        nothing()
    }

    fn payments_of(&self, _customer: String) -> Answer<'_, Result<Vec<Payment>, ProbeError>> {
        nothing()
    }

    fn reversals_of(&self, _payment: String) -> Answer<'_, Result<Reversals, ProbeError>> {
        nothing()
    }
}
