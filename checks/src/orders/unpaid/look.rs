//! Holds each order against its payment.

use jiff::{SignedDuration, Timestamp};

use super::super::checkout::STRONG;
use super::super::words::{Standing, minor};
use super::deals::{Deal, Deals, State};
use super::{Evidence, Kind, NAMED, Odd, Unpaid};
use crate::contract::{AtRisk, CheckError, LookCx};
use crate::probe::{
    Database, Money, Payments, Period, Probes, Row, RowQuery, TableRole, TableShape,
};

/// Payments may have been made this long before the order was written.
const EARLIER: SignedDuration = SignedDuration::from_hours(24);
/// Orders whose payment is asked for one by one, because it is older than the window.
const ASKED: usize = 50;

/// The columns of the query, in their order: the strong keys stand behind these.
const COLUMNS: [&str; 4] = ["amount", "currency", "status", "created"];

/// One order.
struct Order {
    name: String,
    keys: Vec<String>,
    amount: Option<String>,
    currency: Option<String>,
    standing: Standing,
    word: String,
}

impl Order {
    fn of(row: &Row<'_>, columns: &[&'static str], says_status: bool) -> Option<Self> {
        let keys: Vec<String> = (COLUMNS.len()..columns.len())
            .filter_map(|place| row.text(place))
            .map(str::to_owned)
            .collect();
        let id = columns.iter().position(|column| *column == "id");
        let name = id.and_then(|place| row.text(place)).map(str::to_owned);
        let word = row.text(2).unwrap_or_default().to_owned();
        Some(Self {
            name: name.or_else(|| keys.first().cloned())?,
            keys,
            amount: row.text(0).map(str::to_owned),
            currency: row.text(1).map(str::to_ascii_lowercase),
            // A table without a status holds only what was paid.
            standing: if says_status { Standing::of(&word) } else { Standing::Paid },
            word,
        })
    }

    /// What the order says was paid.
    fn money(&self) -> Option<Money> {
        let currency = self.currency.clone().unwrap_or_default();
        let amount_minor = minor(self.amount.as_deref()?, &currency)?;
        Some(Money { currency, amount_minor })
    }

    fn odd(&self, kind: Kind, stripe: String, money: Option<&Money>) -> Odd {
        let database = if self.word.is_empty() { "stored".to_owned() } else { self.word.clone() };
        let at_risk = money.map(|money| AtRisk {
            currency: money.currency.clone(),
            amount_minor: money.amount_minor,
            count: 1,
        });
        Odd { kind, order: self.name.clone(), stripe, database, at_risk }
    }
}

pub(super) async fn look(
    look: &LookCx<'_, Unpaid>,
    probes: &Probes,
) -> Result<(Evidence, ()), CheckError> {
    let payments = probes.accounts.payments.get()?;
    let database = probes.accounts.database.get()?;
    let shape = super::super::orders_table(database).await?;
    if !shape.has("created") {
        return Err(CheckError::unknown(
            format!("{} has no column that says when an order was made", shape.name),
            "map it: created = \"created_at\" under [project.database.orders]",
        ));
    }
    let since = look.options.since.before(look.now);
    let settled = look.options.settle.before(look.now);
    let begin = since.checked_sub(EARLIER).unwrap_or(since);
    let deals = Deals::read(payments, Period { since: begin, until: None }).await?;
    let mut sides = Compared { since, ..Compared::default() };
    sides.read(database, &shape, &deals, settled).await?;
    sides.ask_for_older(payments).await?;
    sides.odd.sort();
    let evidence = Evidence {
        orders: sides.orders,
        payments: u64::try_from(deals.len()).unwrap_or(u64::MAX),
        odd: crate::contract::Bounded::keep(sides.odd, NAMED),
        unknown_words: sides.unknown_words.into_iter().collect(),
        cut: deals.cut,
    };
    Ok((evidence, ()))
}

/// The orders, held against the payments.
#[derive(Default)]
struct Compared {
    since: Timestamp,
    orders: u64,
    odd: Vec<Odd>,
    /// Orders that say they were paid, of whose payment nothing is known yet.
    without: Vec<Order>,
    unknown_words: std::collections::BTreeSet<String>,
}

impl Compared {
    async fn read(
        &mut self,
        database: &dyn Database,
        shape: &TableShape,
        deals: &Deals,
        settled: Timestamp,
    ) -> Result<(), CheckError> {
        let strong = STRONG.into_iter().filter(|column| shape.has(column));
        let columns: Vec<&'static str> = COLUMNS.into_iter().chain(strong).collect();
        let query = RowQuery::new(TableRole::Orders, &columns).since("created", self.since);
        let says_status = shape.has("status");
        database
            .rows(query, &mut |row| {
                self.orders += 1;
                let old = row.time(3).is_some_and(|created| created <= settled);
                let order = Order::of(&row, &columns, says_status).filter(|_| old);
                let Some(order) = order else { return };
                match order.keys.iter().find_map(|key| deals.find(key)) {
                    Some(deal) => self.hold(&order, deal),
                    None if order.standing == Standing::Paid => self.without.push(order),
                    None => {}
                }
            })
            .await
            .map_err(CheckError::unseen)?;
        Ok(())
    }

    fn hold(&mut self, order: &Order, deal: &Deal) {
        let paid = deal.amount.as_ref();
        match (deal.state, order.standing) {
            (State::Paid, Standing::Unpaid) => {
                self.odd.push(order.odd(Kind::NotMarked, "paid".to_owned(), paid));
            }
            (State::Failed, Standing::Paid) => {
                self.odd.push(order.odd(Kind::Failed, "failed".to_owned(), paid));
            }
            (State::Returned, Standing::Paid) => {
                self.odd.push(order.odd(Kind::Returned, "paid back".to_owned(), paid));
            }
            (State::Paid, Standing::Unknown) if self.unknown_words.len() < 20 => {
                self.unknown_words.insert(order.word.chars().take(40).collect());
            }
            _ => {}
        }
        let (Some(paid), Some(written)) = (paid, order.money()) else { return };
        let same_currency = written.currency.is_empty() || written.currency == paid.currency;
        let is_sold = deal.state == State::Paid && order.standing == Standing::Paid;
        if is_sold && (written.amount_minor != paid.amount_minor || !same_currency) {
            let text = crate::contract::amount(&paid.currency, paid.amount_minor);
            let mut odd = order.odd(Kind::Differs, text, None);
            let currency =
                if written.currency.is_empty() { &paid.currency } else { &written.currency };
            odd.database = crate::contract::amount(currency, written.amount_minor);
            self.odd.push(odd);
        }
    }

    /// Payments that are older than the window are asked for by their id.
    async fn ask_for_older(&mut self, payments: &dyn Payments) -> Result<(), CheckError> {
        let without = std::mem::take(&mut self.without);
        for (place, order) in without.into_iter().enumerate() {
            let money = order.money();
            // A free order needs no payment.
            if money.as_ref().is_some_and(|money| money.amount_minor == 0) {
                continue;
            }
            let key = |start: &str| order.keys.iter().find(|key| key.starts_with(start)).cloned();
            let mut paid = false;
            if place < ASKED {
                if let Some(id) = key("pi_") {
                    let payment = payments.payment(id).await.map_err(CheckError::unseen)?;
                    paid = payment.is_some_and(|payment| payment.status == "succeeded");
                } else if let Some(id) = key("cs_") {
                    let session = payments.session(id).await.map_err(CheckError::unseen)?;
                    paid = session.is_some_and(|session| session.payment_status != "unpaid");
                }
            }
            if !paid {
                let stripe = "no payment".to_owned();
                self.odd.push(order.odd(Kind::Without, stripe, money.as_ref()));
            }
        }
        Ok(())
    }
}
