//! Walks over a list of the payment provider to its end, where one walk ends before it.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;

use jiff::{SignedDuration, Timestamp};

use crate::contract::CheckError;
use crate::probe::{
    CheckoutSession, EventFilter, PaymentEvent, Payments, Period, Reversal, Visit, Walked,
};

/// Walks over one list that a check makes. A walk of Stripe ends after 12 seconds, and with twenty of them
/// for each of two readings a check stays below its ten minutes.
pub(super) const WALKS: u32 = 20;

/// Entries of one second that are told apart; a list with more of them cannot be gone on with.
const OF_A_SECOND: usize = 10_000;

/// Where one walk ended and the next goes on: the entries of that second come again and are told once.
#[derive(Debug, Default)]
struct Seam {
    /// The seed of the hashes of ids.
    seed: RandomState,
    /// The oldest second so far, with the entries of it.
    oldest: Option<(i64, HashSet<u64>)>,
    /// The same as the last walk left it.
    before: Option<(i64, HashSet<u64>)>,
}

impl Seam {
    /// Whether an entry has not been told.
    fn is_new(&mut self, created: Timestamp, id: &str) -> bool {
        let (second, id) = (created.as_second(), self.seed.hash_one(id));
        if let Some((last, told)) = &self.before
            && (second > *last || (second == *last && told.contains(&id)))
        {
            return false;
        }
        match &mut self.oldest {
            Some((oldest, _)) if second > *oldest => {}
            Some((oldest, told)) => {
                if second < *oldest {
                    *oldest = second;
                    told.clear();
                }
                if told.len() < OF_A_SECOND {
                    told.insert(id);
                }
            }
            None => self.oldest = Some((second, HashSet::from([id]))),
        }
        true
    }

    /// The period of the next walk; nothing where the last one came no further than the one before.
    fn next(&mut self, period: Period) -> Option<Period> {
        let (second, _) = self.oldest.as_ref().filter(|(_, told)| told.len() < OF_A_SECOND)?;
        let until = Timestamp::from_second(*second).ok()?;
        let until = until.checked_add(SignedDuration::from_secs(1)).ok()?;
        let is_further = period.until.is_none_or(|before| until < before);
        self.before.clone_from(&self.oldest);
        is_further.then_some(Period { until: Some(until), ..period })
    }
}

/// The sum of two walks of one list.
fn sum(all: &mut Walked, one: Walked) {
    all.entries += one.entries;
    all.cut = one.cut;
}

/// Hands over every checkout of a period; at most so many walks are made.
pub(super) async fn checkouts(
    payments: &dyn Payments,
    mut period: Period,
    walks: u32,
    visit: Visit<'_, CheckoutSession>,
) -> Result<Walked, CheckError> {
    let (mut seam, mut all) = (Seam::default(), Walked::default());
    for _ in 0..walks {
        let mut tell = |session: CheckoutSession| {
            if seam.is_new(session.created, &session.id) {
                visit(session);
            }
        };
        let walked = payments.sessions(period, &mut tell).await;
        sum(&mut all, walked.map_err(CheckError::unseen)?);
        match all.cut.then(|| seam.next(period)).flatten() {
            Some(next) => period = next,
            None => break,
        }
    }
    Ok(all)
}

/// Hands over every event that the filter lets pass.
pub(super) async fn events(
    payments: &dyn Payments,
    mut filter: EventFilter,
    visit: Visit<'_, PaymentEvent>,
) -> Result<Walked, CheckError> {
    let (mut seam, mut all) = (Seam::default(), Walked::default());
    for _ in 0..WALKS {
        let mut tell = |event: PaymentEvent| {
            if seam.is_new(event.created, &event.id) {
                visit(event);
            }
        };
        let walked = payments.events(filter.clone(), &mut tell).await;
        sum(&mut all, walked.map_err(CheckError::unseen)?);
        match all.cut.then(|| seam.next(filter.period)).flatten() {
            Some(next) => filter.period = next,
            None => break,
        }
    }
    Ok(all)
}

/// Hands over every refund of a period.
pub(super) async fn refunds(
    payments: &dyn Payments,
    mut period: Period,
    visit: Visit<'_, Reversal>,
) -> Result<Walked, CheckError> {
    let (mut seam, mut all) = (Seam::default(), Walked::default());
    for _ in 0..WALKS {
        let mut tell = |refund: Reversal| {
            if seam.is_new(refund.created, &refund.id) {
                visit(refund);
            }
        };
        let walked = payments.refunds(period, &mut tell).await;
        sum(&mut all, walked.map_err(CheckError::unseen)?);
        match all.cut.then(|| seam.next(period)).flatten() {
            Some(next) => period = next,
            None => break,
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    proptest! {
        #[test]
        fn walks_of_any_length_tell_each_entry_once(
            seconds in prop::collection::vec(0_i64..12, 1..60),
            most in 1_usize..9,
        ) {
            let mut all: Vec<(i64, String)> =
                seconds.iter().enumerate().map(|(place, second)| (*second, format!("cs_{place}"))).collect();
            all.sort_by_key(|(second, _)| -second);
            let (mut seam, mut told) = (Seam::default(), Vec::new());
            let mut period = Period { since: at(0), until: None };
            loop {
                let holds =
                    |second: i64| period.until.is_none_or(|until| at(second) < until);
                // A walk tells so many at most, and all of a second at least: it gets on.
                let walk: Vec<_> = all.iter().filter(|(second, _)| holds(*second)).collect();
                let begun = walk.first().map_or(0, |first| first.0);
                let enough = walk.iter().filter(|(second, _)| *second == begun).count() + most;
                for (second, id) in walk.iter().take(enough) {
                    if seam.is_new(at(*second), id) {
                        told.push(id.clone());
                    }
                }
                if walk.len() <= enough {
                    break;
                }
                let next = seam.next(period);
                prop_assert!(next.is_some());
                period = next.unwrap();
            }
            let wanted: Vec<_> = all.into_iter().map(|(_, id)| id).collect();
            prop_assert_eq!(told, wanted);
        }
    }

    #[test]
    fn a_walk_that_comes_no_further_is_the_last() {
        let mut seam = Seam::default();
        assert!(seam.is_new(at(5), "cs_1") && seam.is_new(at(5), "cs_2"));
        let period = seam.next(Period { since: at(0), until: None }).unwrap();
        assert_eq!(period.until, Some(at(6)));
        assert!(!seam.is_new(at(5), "cs_1") && seam.is_new(at(5), "cs_3"));
        assert_eq!(seam.next(period), None);
    }
}
