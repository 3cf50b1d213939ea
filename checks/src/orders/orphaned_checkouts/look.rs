//! Reads both sides and keeps what only one of them knows.

use std::collections::{BTreeMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::super::checkout::{Checkout, STRONG};
use super::super::keys::KeySet;
use super::super::matching::{FEW, Found, take_known};
use super::super::walk::{self, WALKS};
use super::refunds::{Earlier, take_refunded};
use super::{Evidence, Missing, OrphanedCheckouts};
use crate::contract::{AtRisk, Bounded, CheckError, LookCx, StripeOnly, Target};
use crate::probe::{
    Database, EventFilter, Payments, Period, Probes, RowQuery, TableRole, TableShape,
};

/// Events that say that a checkout was paid.
const PAID_EVENTS: [&str; 2] =
    ["checkout.session.completed", "checkout.session.async_payment_succeeded"];
/// Each look begins a little before the last one did, because clocks differ.
const OVERLAP: SignedDuration = SignedDuration::from_mins(2);
/// Everything is read again after this long, for rows that have changed since.
const WHOLE_AGAIN: SignedDuration = SignedDuration::from_hours(24);
/// Orders may have been written this long before the checkout was.
const EARLIER: SignedDuration = SignedDuration::from_hours(24);
/// Where more are missing than are carried, everything is read again after this long.
const OVERFULL: SignedDuration = SignedDuration::from_mins(15);
/// Checkouts without an order that are carried from look to look.
const CARRIED: usize = 1_000;
/// Checkouts that evidence names; the others are counted.
const NAMED: usize = 200;
/// So many siblings have to carry a marker before its absence says anything.
const SIBLINGS: u64 = 10;

/// What one look hands to the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Carry {
    /// The last look that read everything.
    whole: Timestamp,
    /// The last look.
    last: Timestamp,
    /// Checkouts that no order knows.
    unresolved: Vec<Checkout>,
    /// Checkouts that are too young to tell.
    young: Vec<Checkout>,
    /// The money of further checkouts that no order knew at the last whole look.
    over: Vec<AtRisk>,
    /// The last whole look did not come to the oldest checkouts.
    cut: bool,
    /// Checkouts and those of them with a reference, of the last whole look and since.
    counted: u64,
    marked: u64,
}

/// Both sides, read.
pub(super) struct Sides<'a> {
    pub(super) payments: &'a dyn Payments,
    pub(super) database: &'a dyn Database,
    pub(super) shape: TableShape,
    pub(super) only: StripeOnly,
    pub(super) since: Timestamp,
    pub(super) now: Timestamp,
    pub(super) settle: SignedDuration,
}

/// What was read of the payment side.
#[derive(Default)]
struct Read {
    /// Checkouts that were paid.
    counted: u64,
    /// Those with a reference.
    marked: u64,
    /// Those that no order was found for, of which only so many are kept.
    left: Vec<Checkout>,
    /// The others, of which nothing but the money is kept.
    over: Vec<AtRisk>,
    found: Found,
    cut: bool,
}

impl Read {
    fn take(&mut self, checkout: Checkout) {
        if self.left.len() < FEW {
            self.left.push(checkout);
        } else {
            let risk =
                checkout.at_risk().into_iter().chain(self.over.drain(..)).collect::<Vec<_>>();
            self.over = AtRisk::sum(risk);
        }
    }

    fn count(&mut self, checkout: &Checkout) {
        self.counted += 1;
        self.marked += u64::from(!checkout.references.is_empty());
    }
}

pub(super) async fn look(
    look: &LookCx<'_, OrphanedCheckouts>,
    target: &Target,
    probes: &Probes,
) -> Result<(Evidence, Carry), CheckError> {
    let sides = Sides::new(look, target, probes).await?;
    let carry = look.carry.as_ref().filter(|carry| {
        let again = if carry.over.is_empty() { WHOLE_AGAIN } else { OVERFULL };
        carry.last <= look.now && look.now.duration_since(carry.whole) < again
    });
    let (mut read, whole) = match carry {
        Some(carry) => (sides.what_is_new(carry).await?, carry.whole),
        None => (sides.everything().await?, look.now),
    };
    let earlier = carry.map(Carry::earlier).unwrap_or_default();
    take_known(&mut read.left, &sides.shape, sides.database, &mut read.found).await?;
    let young = sides.take_young(&mut read.left).await?;
    let (refunded, unread) = take_refunded(&mut read.left, &earlier, sides.payments).await?;
    read.cut |= unread;
    read.left.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));

    let siblings_are_marked = read.counted >= SIBLINGS && read.marked * 10 >= read.counted * 9;
    let is_foreign = |checkout: &&Checkout| siblings_are_marked && checkout.references.is_empty();
    let foreign = read.left.iter().filter(is_foreign).map(|checkout| checkout.id.clone());
    let missing: Vec<&Checkout> =
        read.left.iter().filter(|checkout| !is_foreign(checkout)).collect();
    let rest = missing.iter().skip(NAMED).filter_map(|checkout| checkout.at_risk());
    let over: u64 = read.over.iter().map(|risk| risk.count).sum();
    let mut kept: Bounded<Missing> = Bounded::keep(missing.iter().map(|it| Missing::of(it)), NAMED);
    kept.cut += usize::try_from(over).unwrap_or(usize::MAX);
    let evidence = Evidence {
        since: sides.since,
        checkouts: read.counted,
        found: read.found,
        missing: kept,
        rest: AtRisk::sum(rest.chain(read.over.iter().cloned())),
        foreign: Bounded::keep(foreign, NAMED),
        young: u64::try_from(young.len()).unwrap_or(u64::MAX),
        refunded,
        cut: read.cut,
    };
    let dropped = missing.iter().skip(CARRIED).filter_map(|checkout| checkout.at_risk());
    let over = AtRisk::sum(dropped.chain(read.over));
    // Those that are counted as missing come first, so that what is dropped is in `over`.
    let (mut unresolved, foreign): (Vec<_>, Vec<_>) =
        read.left.into_iter().partition(|checkout| !is_foreign(&checkout));
    unresolved.extend(foreign);
    unresolved.truncate(CARRIED);
    let carry = Carry {
        whole,
        last: look.now,
        unresolved,
        young,
        over,
        cut: read.cut,
        counted: read.counted,
        marked: read.marked,
    };
    Ok((evidence, carry))
}

impl Carry {
    /// From when on a look reads what has happened since.
    fn since(&self) -> Timestamp {
        self.last.checked_sub(OVERLAP).unwrap_or(self.last)
    }

    fn earlier(&self) -> Earlier {
        let judged = self.unresolved.iter().map(|checkout| checkout.id.clone()).collect();
        Earlier { judged, read: Some(self.since()) }
    }
}

impl<'a> Sides<'a> {
    async fn new(
        look: &LookCx<'_, OrphanedCheckouts>,
        target: &Target,
        probes: &'a Probes,
    ) -> Result<Self, CheckError> {
        let payments = probes.accounts.payments.get()?;
        let database = probes.accounts.database.get()?;
        let shape = super::super::orders_table(database).await?;
        let facts = target.accounts.stripe.clone().unwrap_or_default();
        let since = look.options.since.before(look.now);
        Ok(Self {
            payments,
            database,
            shape,
            only: facts.only,
            since: facts.since.map_or(since, |since_of_config| since.max(since_of_config)),
            now: look.now,
            settle: SignedDuration::from_secs(look.options.settle.whole_seconds()),
        })
    }

    /// Reads both sides whole. The orders are read first and kept as hashes, then the checkouts stream by.
    async fn everything(&self) -> Result<Read, CheckError> {
        let columns: Vec<&'static str> =
            STRONG.into_iter().filter(|column| self.shape.has(column)).collect();
        // Most orders know their checkout by the first column; the others are needed where they do not.
        let mut read = self.against(&self.keys(&columns, true).await?, &columns).await?;
        if !read.over.is_empty() && columns.len() > 1 {
            read = self.against(&self.keys(&columns, false).await?, &columns).await?;
        }
        Ok(read)
    }

    /// The keys of the orders: of each its first one, or all.
    async fn keys(&self, columns: &[&'static str], first: bool) -> Result<KeySet, CheckError> {
        let mut keys = KeySet::new();
        let mut query = RowQuery::new(TableRole::Orders, columns);
        if self.shape.has("created") {
            let since = self.since.checked_sub(EARLIER).unwrap_or(self.since);
            query = query.since("created", since);
        }
        let walked = self
            .database
            .rows(query, &mut |row| {
                let values = (0..columns.len()).filter_map(|place| row.text(place));
                values.take(if first { 1 } else { columns.len() }).for_each(|key| keys.add(key));
            })
            .await
            .map_err(CheckError::unseen)?;
        if walked.cut {
            return Err(CheckError::unknown(
                "the orders could not be read to their end",
                "let launchready read the whole table, or shorten orders-orphaned-checkouts.since",
            ));
        }
        keys.seal();
        Ok(keys)
    }

    async fn against(&self, keys: &KeySet, columns: &[&'static str]) -> Result<Read, CheckError> {
        let mut read = Read::default();
        let mut known = 0;
        let period = Period { since: self.since, until: None };
        let walked = walk::checkouts(self.payments, period, WALKS, &mut |session| {
            let Some(checkout) = Checkout::paid(session, &self.only) else { return };
            read.count(&checkout);
            let mut values = columns.iter().flat_map(|column| checkout.values(column));
            if values.any(|value| keys.has(value)) {
                known += 1;
            } else {
                read.take(checkout);
            }
        })
        .await?;
        if known > 0 {
            read.found.insert("key".to_owned(), known);
        }
        read.cut = walked.cut;
        Ok(read)
    }

    /// What was paid since the last look, and what no order knew then.
    async fn what_is_new(&self, carry: &Carry) -> Result<Read, CheckError> {
        let mut read = Read {
            counted: carry.counted,
            marked: carry.marked,
            over: carry.over.clone(),
            ..Read::default()
        };
        let carried = carry.unresolved.iter().chain(&carry.young);
        read.left.extend(carried.filter(|old| old.created >= self.since).cloned());
        let (paid, cut) = self.paid_since(carry.since()).await?;
        read.cut = carry.cut || cut;
        let mut new: HashSet<String> = paid.into_keys().collect();
        for known in &read.left {
            new.remove(&known.id);
        }
        let mut new: Vec<String> = new.into_iter().collect();
        new.sort();
        if self.shape.has("session") {
            for batch in new.clone().chunks(crate::probe::KEYS) {
                let query =
                    RowQuery::new(TableRole::Orders, &["session"]).among("session", batch.to_vec());
                let mut there = HashSet::new();
                self.database
                    .rows(query, &mut |row| there.extend(row.text(0).map(str::to_owned)))
                    .await
                    .map_err(CheckError::unseen)?;
                new.retain(|id| !there.contains(id));
                let found = u64::try_from(there.len()).unwrap_or(u64::MAX);
                read.counted += found;
                read.marked += found;
                if found > 0 {
                    *read.found.entry("session".to_owned()).or_default() += found;
                }
            }
        }
        for id in new {
            let session = self.payments.session(id).await.map_err(CheckError::unseen)?;
            if let Some(checkout) = session.and_then(|it| Checkout::paid(it, &self.only)) {
                read.count(&checkout);
                read.take(checkout);
            }
        }
        Ok(read)
    }

    /// The checkouts that were paid since a time, with when that was.
    async fn paid_since(
        &self,
        since: Timestamp,
    ) -> Result<(BTreeMap<String, Timestamp>, bool), CheckError> {
        let filter = EventFilter {
            period: Period { since, until: None },
            types: PAID_EVENTS.map(str::to_owned).to_vec(),
            undelivered: false,
        };
        let mut paid = BTreeMap::new();
        let walked = walk::events(self.payments, filter, &mut |event| {
            if let Some(session) = event.object {
                paid.insert(session, event.created);
            }
        })
        .await?;
        Ok((paid, walked.cut))
    }

    /// Takes out the checkouts that were paid so lately that their order may still be on its way.
    async fn take_young(&self, left: &mut Vec<Checkout>) -> Result<Vec<Checkout>, CheckError> {
        let settled = self.now.checked_sub(self.settle).unwrap_or(self.now);
        if left.is_empty() {
            return Ok(Vec::new());
        }
        let (paid, _cut) = self.paid_since(settled).await?;
        let (young, old) = std::mem::take(left).into_iter().partition(|checkout: &Checkout| {
            checkout.created > settled || paid.get(&checkout.id).is_some_and(|at| *at > settled)
        });
        *left = old;
        Ok(young)
    }
}
