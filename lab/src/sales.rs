//! The sales of the lab's shop by rule: what was sold when, to whom, and what became of it.
//!
//! A sale is a function of its number, and its number of the time, so that the payment provider and the
//! shop's database tell of the same sales without either of them holding a list.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use serde::Deserialize;

/// How the shop sells.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SalesPlan {
    /// Seconds between two sales.
    pub every_s: i64,
    /// Days that are looked back on.
    pub days: i64,
    /// Exactly so many sales, spread evenly over those days before the world began, instead of one every
    /// so often; 0 for the latter.
    pub sessions: u64,
    /// ISO 4217, lower case.
    pub currency: String,
    /// Prices in the minor unit, taken in turn.
    pub amounts: Vec<i64>,
    /// One in so many sales begins a subscription; none where it is 0.
    pub subscription_each: u64,
    /// One in so many sales is paid back after two hours.
    pub refund_each: u64,
    /// One in so many sales is disputed after three days.
    pub dispute_each: u64,
    /// Before one in so many sales another buyer's card is declined.
    pub decline_each: u64,
}

impl Default for SalesPlan {
    fn default() -> Self {
        Self {
            every_s: 1_200,
            days: 40,
            sessions: 0,
            currency: "eur".to_owned(),
            amounts: vec![4_900, 8_900, 12_000],
            subscription_each: 8,
            refund_each: 97,
            dispute_each: 701,
            decline_each: 29,
        }
    }
}

/// One sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sale {
    /// Its number; the ids are made of it.
    pub number: u64,
    /// When it was paid.
    pub at: Timestamp,
    /// `cs_…`.
    pub session: String,
    /// `pi_…`; the first payment of the subscription where it is one.
    pub intent: String,
    /// `ch_…`.
    pub charge: String,
    /// `cus_…`.
    pub customer: String,
    /// The buyer.
    pub email: String,
    /// In the minor unit.
    pub amount_minor: i64,
    /// ISO 4217, lower case.
    pub currency: String,
    /// What the shop calls it: its order.
    pub reference: String,
    /// `sub_…`, where it began one.
    pub subscription: Option<String>,
    /// When the subscription is paid for again, if that has happened.
    pub renewed: Option<Timestamp>,
    /// When the subscription was ended by the customer.
    pub ended: Option<Timestamp>,
    /// When it was paid back in full.
    pub refunded: Option<Timestamp>,
    /// When it was disputed.
    pub disputed: Option<Timestamp>,
}

/// What has become of a sale, in seconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fate {
    pub(crate) at: i64,
    pub(crate) subscription: bool,
    pub(crate) renewed: Option<i64>,
    pub(crate) ended: Option<i64>,
    pub(crate) refunded: Option<i64>,
    pub(crate) disputed: Option<i64>,
}

/// The time after which a sale is paid back, disputed, renewed or ended, in seconds.
const REFUND_S: i64 = 2 * 3_600;
const DISPUTE_S: i64 = 3 * 86_400;
const RENEWAL_S: i64 = 30 * 86_400;
const END_S: i64 = 10 * 86_400;
/// One in so many subscriptions is ended.
const END_EACH: u64 = 5;
/// Digits of a number within an id.
const DIGITS: usize = 10;

/// The sales of a world that began at `start`.
#[derive(Debug, Clone)]
pub struct Sales {
    /// How the shop sells.
    pub plan: SalesPlan,
    /// When the world began; matters only where the plan says how many sales there are.
    pub start: Timestamp,
}

/// Every sale that has happened at `now`, oldest first, in a world that began at `start`.
pub fn sales(plan: &SalesPlan, start: Timestamp, now: Timestamp) -> Vec<Sale> {
    let sales = Sales { plan: plan.clone(), start };
    sales.numbers(now).map(|number| sales.sale(number, now)).collect()
}

impl Sales {
    /// The numbers of the sales that have happened and are still remembered.
    pub fn numbers(&self, now: Timestamp) -> RangeInclusive<u64> {
        if self.plan.sessions > 0 {
            return 1..=self.plan.sessions;
        }
        let every = self.plan.every_s.max(1);
        let oldest = now.as_second() - self.plan.days * 86_400;
        number(oldest.div_euclid(every) + 1)..=number(now.as_second().div_euclid(every))
    }

    /// When a sale happens, in seconds since 1970.
    pub fn second(&self, number: u64) -> i64 {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        if self.plan.sessions == 0 {
            return number.saturating_mul(self.plan.every_s.max(1));
        }
        let all = i64::try_from(self.plan.sessions).unwrap_or(i64::MAX);
        let before = (all - number).max(0).saturating_mul(self.plan.days * 86_400) / all;
        self.start.as_second() - before
    }

    /// What has become of a sale until `now`, in seconds since 1970.
    pub(crate) fn fate(&self, number: u64, now: Timestamp) -> Fate {
        let plan = &self.plan;
        let at = self.second(number);
        let past = |happens: bool, after: i64| {
            (happens && at + after <= now.as_second()).then_some(at + after)
        };
        let begins = is_each(number, plan.subscription_each);
        let ends = begins && is_each(number / plan.subscription_each.max(1), END_EACH);
        Fate {
            at,
            subscription: begins,
            renewed: past(begins && !ends, RENEWAL_S),
            ended: past(ends, END_S),
            // A subscription keeps its money, so that both rules never meet in one sale.
            refunded: past(!begins && is_each(number, plan.refund_each), REFUND_S),
            disputed: past(!begins && is_each(number, plan.dispute_each), DISPUTE_S),
        }
    }

    /// A sale as it stands at `now`.
    pub fn sale(&self, number: u64, now: Timestamp) -> Sale {
        let plan = &self.plan;
        let fate = self.fate(number, now);
        let time = |second: i64| Timestamp::from_second(second).unwrap_or(self.start);
        let price = usize::try_from(number).unwrap_or_default() % plan.amounts.len().max(1);
        Sale {
            number,
            at: time(fate.at),
            session: id("cs_live_a1", 'S', number, 40),
            intent: id("pi_3", 'S', number, 10),
            charge: id("ch_3", 'S', number, 10),
            customer: id("cus_", 'S', number, 3),
            email: format!("buyer{number}@customers.example"),
            amount_minor: plan.amounts.get(price).copied().unwrap_or(4_900),
            currency: plan.currency.clone(),
            reference: format!("order-{number}"),
            subscription: fate.subscription.then(|| id("sub_1", 'S', number, 10)),
            renewed: fate.renewed.map(time),
            ended: fate.ended.map(time),
            refunded: fate.refunded.map(time),
            disputed: fate.disputed.map(time),
        }
    }

    /// The last sale that was made so many seconds before the world began and of which nothing else ever
    /// becomes: no subscription, no refund, no dispute.
    pub(crate) fn plain(&self, before: i64) -> Option<u64> {
        let plan = &self.plan;
        let rules = [plan.subscription_each, plan.refund_each, plan.dispute_each];
        let until = self.start.as_second() - before;
        self.numbers(self.start)
            .rev()
            .filter(|number| self.second(*number) <= until)
            .find(|number| !rules.iter().any(|each| is_each(*number, *each)))
    }

    /// Whether another buyer's card was declined just before a sale.
    pub fn declined(&self, number: u64) -> bool {
        is_each(number, self.plan.decline_each)
    }
}

/// Who pays twice does it so many seconds after the first time.
pub(crate) const AGAIN_S: i64 = 40;

/// Whether a number is one of every so many. The place within them is not the first, because rules of
/// even numbers would then meet.
fn is_each(number: u64, each: u64) -> bool {
    each > 0 && number % each == each / 3
}

fn number(from: i64) -> u64 {
    u64::try_from(from).unwrap_or_default()
}

/// An id: a beginning, a letter for its kind, the number, and letters that make it look like a real one.
pub(crate) fn id(start: &str, kind: char, number: u64, letters: usize) -> String {
    let mut text = String::with_capacity(start.len() + 1 + DIGITS + letters);
    text.push_str(start);
    text.push(kind);
    let mut place = 36_u64.pow(u32::try_from(DIGITS - 1).unwrap_or(0));
    for _ in 0..DIGITS {
        let digit = u32::try_from(number / place % 36).unwrap_or(0);
        text.extend(char::from_digit(digit, 36));
        place = (place / 36).max(1);
    }
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(u32::from(kind));
    for _ in 0..letters {
        // SplitMix64, a public-domain generator.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z ^= z >> 27;
        text.extend(char::from_digit(u32::try_from(z % 36).unwrap_or(0), 36));
    }
    text
}

/// The kind and number of an id with this beginning.
pub(crate) fn read_id(start: &str, text: &str) -> Option<(char, u64)> {
    let rest = text.strip_prefix(start)?;
    let kind = rest.chars().next()?;
    let digits = rest.get(kind.len_utf8()..kind.len_utf8() + DIGITS)?;
    Some((kind, u64::from_str_radix(digits, 36).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-20T09:00:00Z";

    #[test]
    fn sales_are_the_same_whenever_one_asks_and_grow_with_the_clock() {
        let now: Timestamp = NOW.parse().unwrap();
        let later = now + jiff::SignedDuration::from_hours(1);
        let plan = SalesPlan::default();
        let (first, second) = (sales(&plan, now, now), sales(&plan, now, later));
        assert_eq!(first.len(), 40 * 72);
        assert_eq!(second.len(), first.len());
        assert!(second.last().unwrap().at <= later && second.last().unwrap().at > now);
        assert_eq!(first.last().unwrap().session, second[second.len() - 4].session);
        let ids: std::collections::BTreeSet<_> = first.iter().map(|sale| &sale.session).collect();
        assert_eq!(ids.len(), first.len());
        for what in [
            first.iter().filter(|sale| sale.refunded.is_some()).count(),
            first.iter().filter(|sale| sale.disputed.is_some()).count(),
            first.iter().filter(|sale| sale.renewed.is_some()).count(),
            first.iter().filter(|sale| sale.ended.is_some()).count(),
        ] {
            assert!(what > 0);
        }
    }

    #[test]
    fn a_plan_with_a_number_has_exactly_so_many_and_the_last_at_the_start() {
        let now: Timestamp = NOW.parse().unwrap();
        let plan = SalesPlan { sessions: 1_000_000, days: 30, ..SalesPlan::default() };
        let sales = Sales { plan, start: now };
        let later = now + jiff::SignedDuration::from_hours(5);
        assert_eq!(sales.numbers(later), 1..=1_000_000);
        assert_eq!(sales.second(1_000_000), now.as_second());
        assert!(sales.second(1) >= now.as_second() - 30 * 86_400);
        let sale = sales.sale(777, later);
        assert_eq!(read_id("cs_live_a1", &sale.session), Some(('S', 777)));
    }
}
