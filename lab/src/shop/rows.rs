//! What the shop's webhook writes about each sale and what becomes of it.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};

use super::{Facts, ShopPlan};
use crate::api::forms;
use crate::sales::{AGAIN_S, Fate, Sale, Sales, id};

/// Rows that stay recent are moved after so many seconds of the world.
pub(super) const RENEWED_S: i64 = 60;
/// Seconds from the arrival of an event to the end of its work.
const WORK_S: i64 = 1;
/// Seconds from an order to its arrival in the CRM.
const CRM_S: i64 = 20;
/// A declined card is told of so long before the sale after it, as the provider has it.
const DECLINED_S: i64 = 90;
/// A period of a subscription.
const PERIOD_S: i64 = 30 * 86_400;

/// An event that the shop listens to: the letter within its id, its type, and when it was made.
struct Moment {
    kind: char,
    name: &'static str,
    at: Timestamp,
}

fn moments(sales: &Sales, sale: &Sale, again: bool) -> Vec<Moment> {
    let begun = sale.subscription.as_ref().map(|_| sale.at);
    let declined = sales.declined(sale.number).then(|| later(sale.at, -DECLINED_S));
    let all = [
        ('C', "checkout.session.completed", Some(sale.at)),
        ('T', "checkout.session.completed", again.then(|| later(sale.at, AGAIN_S))),
        ('F', "payment_intent.payment_failed", declined),
        ('I', "invoice.paid", begun),
        ('J', "invoice.paid", sale.renewed),
        ('E', "customer.subscription.deleted", sale.ended),
        ('R', "charge.refunded", sale.refunded),
        ('N', "refund.created", sale.refunded),
        ('D', "charge.dispute.created", sale.disputed),
    ];
    all.into_iter().filter_map(|(kind, name, at)| Some(Moment { kind, name, at: at? })).collect()
}

fn later(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(at)
}

/// The sales that were last made so many seconds before the world began.
fn numbers(sales: &Sales, ages: &[i64]) -> Vec<u64> {
    let start = sales.start.as_second();
    let all: Vec<u64> = sales.numbers(sales.start).collect();
    let last = |age: &i64| all.iter().rev().find(|number| sales.second(**number) <= start - age);
    ages.iter().filter_map(last).copied().collect()
}

/// Whether anything about a sale may be done with within some seconds.
fn stirs(fate: &Fate, (from, until): (i64, i64), takes: i64) -> bool {
    let later = [fate.renewed, fate.ended, fate.refunded, fate.disputed];
    let times = [fate.at, fate.at - DECLINED_S, fate.at + CRM_S, fate.at + AGAIN_S].into_iter();
    times.chain(later.into_iter().flatten()).any(|at| at + takes > from && at + takes <= until)
}

/// Appends everything that the shop is done with after `from` and until `now`.
pub(super) fn write(facts: &Facts, from: i64, now: Timestamp, sql: &mut String) {
    let (plan, sales) = (&facts.plan, facts.sales());
    let lost = numbers(&sales, &facts.lost_s);
    let plain = |ages: &[i64]| ages.iter().filter_map(|age| sales.plain(*age)).collect::<Vec<_>>();
    let (without, twice) = (plain(&plan.without_order_s), plain(&plan.duplicate_s));
    let again = plain(&facts.paid_twice_s);
    let unheard = plain(&plan.crm_unheard_s);
    let done = |at: Timestamp| {
        let done = later(at, plan.lag_s + WORK_S).as_second();
        done > from && done <= now.as_second()
    };
    let mut tables = Tables::default();
    let mut changes = String::new();
    for number in sales.numbers(now) {
        // To write out the ids of thousands of sales at each look would keep a processor busy.
        if !stirs(&sales.fate(number, now), (from, now.as_second()), plan.lag_s + WORK_S) {
            continue;
        }
        let sale = sales.sale(number, now);
        for moment in moments(&sales, &sale, again.contains(&number)) {
            let untold = moment.kind == 'C' && lost.contains(&number);
            if !done(moment.at) || untold || plan.deaf_to.iter().any(|kind| kind == moment.name) {
                continue;
            }
            tables.event(&moment, number, plan.lag_s);
            match moment.kind {
                'C' if !without.contains(&number) => {
                    tables.order(&sale, plan, "");
                    if twice.contains(&number) {
                        tables.order(&sale, plan, "-2");
                    }
                }
                'R' => change(&mut changes, "orders", "refunded", &sale.reference),
                'D' => change(&mut changes, "orders", "disputed", &sale.reference),
                'J' => {
                    let (id, ends) = (sale.subscription.as_deref(), later(moment.at, PERIOD_S));
                    _ = writeln!(
                        changes,
                        "UPDATE subscriptions SET current_period_end = '{ends}' WHERE id = '{}';",
                        id.unwrap_or_default()
                    );
                }
                'E' => {
                    let subscription = sale.subscription.as_deref().unwrap_or_default();
                    change(&mut changes, "subscriptions", "canceled", subscription);
                }
                _ => {}
            }
        }
        // A failed synchronisation is logged without one.
        let logged = later(sale.at, CRM_S);
        let silent = [&lost, &without, &unheard].iter().any(|all| all.contains(&number));
        if done(logged) && !silent {
            tables.log(&sale, plan, logged, "", &mut changes);
            if twice.contains(&number) {
                tables.log(&sale, plan, logged, "-2", &mut changes);
            }
        }
    }
    // The form asks the desk first and writes its own row a second later.
    for form in forms(from.saturating_sub(WORK_S), now.as_second() - WORK_S) {
        tables.forms.push(format!("('{}', '{}', '{}')", form.id, form.at, form.email));
    }
    tables.append_to(sql);
    sql.push_str(&changes);
}

fn change(changes: &mut String, table: &str, status: &str, id: &str) {
    // Writing into a text does not fail.
    _ = writeln!(changes, "UPDATE {table} SET status = '{status}' WHERE id = '{id}';");
}

/// Rows to be written, by table.
#[derive(Default)]
struct Tables {
    orders: Vec<String>,
    events: Vec<String>,
    log: Vec<String>,
    subscriptions: Vec<String>,
    forms: Vec<String>,
}

impl Tables {
    fn event(&mut self, moment: &Moment, number: u64, lag_s: i64) {
        let received = later(moment.at, lag_s);
        self.events.push(format!(
            "('{}', '{}', 'processed', '{}', '{received}', '{}', NULL)",
            id("evt_1", moment.kind, number, 10),
            moment.name,
            moment.at,
            later(received, WORK_S)
        ));
    }

    fn order(&mut self, sale: &Sale, plan: &ShopPlan, again: &str) {
        let made = later(sale.at, plan.lag_s + WORK_S);
        let subscription = sale.subscription.as_ref();
        self.orders.push(format!(
            "('{}{again}', '{}', '{}', {}, '{}', '{}', {}, '{}', 'paid', '{made}', NULL)",
            sale.reference,
            sale.session,
            sale.intent,
            subscription.map_or_else(|| "NULL".to_owned(), |id| format!("'{id}'")),
            sale.customer,
            sale.email,
            sale.amount_minor,
            sale.currency,
        ));
        if let Some(id) = subscription.filter(|_| again.is_empty()) {
            let ends = later(sale.renewed.unwrap_or(sale.at), PERIOD_S);
            let customer = &sale.customer;
            self.subscriptions
                .push(format!("('{id}', '{customer}', 'active', '{made}', '{ends}')"));
        }
    }

    fn log(
        &mut self,
        sale: &Sale,
        plan: &ShopPlan,
        at: Timestamp,
        again: &str,
        changes: &mut String,
    ) {
        let fails = plan.crm_failed_each > 0 && sale.number.is_multiple_of(plan.crm_failed_each);
        let (order, status) =
            (format!("{}{again}", sale.reference), if fails { "failed" } else { "ok" });
        let error = if fails { "'429 from the CRM'" } else { "NULL" };
        self.log.push(format!("('{order}', '{status}', '{at}', {error})"));
        if !fails {
            _ = writeln!(changes, "UPDATE orders SET crm_synced_at = '{at}' WHERE id = '{order}';");
        }
    }

    fn append_to(self, sql: &mut String) {
        for (table, rows) in [
            ("orders", self.orders),
            ("stripe_events", self.events),
            ("crm_sync_log (order_id, status, created_at, error)", self.log),
            ("subscriptions", self.subscriptions),
            ("contact_forms", self.forms),
        ] {
            for rows in rows.chunks(500) {
                _ = writeln!(sql, "INSERT INTO {table} VALUES {};", rows.join(",\n"));
            }
        }
    }
}

/// Rows of the log that lead nowhere.
pub(super) fn strays(facts: &Facts, now: Timestamp, sql: &mut String) {
    for stray in 0..facts.plan.stray_rows {
        let at = later(now, -3_600 - i64::from(stray));
        _ = writeln!(
            sql,
            "INSERT INTO crm_sync_log (order_id, status, created_at) VALUES ('order-gone-{stray}', 'ok', '{at}');"
        );
    }
}

/// Whether some rows stay recent whatever the time.
pub(super) const fn stays_recent(plan: &ShopPlan) -> bool {
    plan.failed_events > 0 || plan.stuck_events > 0
}

/// Moves the rows that stay recent.
pub(super) fn renew(plan: &ShopPlan, now: Timestamp, sql: &mut String) {
    if !stays_recent(plan) {
        return;
    }
    sql.push_str("DELETE FROM stripe_events WHERE event_id LIKE 'evt_1Z%';\n");
    let kinds = [
        ("failed", plan.failed_events, 30, "'column orders.total does not exist'"),
        ("processing", plan.stuck_events, 1_500, "NULL"),
    ];
    for (status, count, youngest, error) in kinds {
        for nth in 0..count {
            let number = u64::from(nth) + if status == "failed" { 0 } else { 1_000 };
            let received = later(now, -youngest - 60 * i64::from(nth));
            let made = later(received, -plan.lag_s);
            let processed = if status == "failed" {
                format!("'{}'", later(received, WORK_S))
            } else {
                "NULL".to_owned()
            };
            _ = writeln!(
                sql,
                "INSERT INTO stripe_events VALUES ('{}', 'invoice.paid', '{status}', '{made}', '{received}', \
                 {processed}, {error});",
                id("evt_1", 'Z', number, 10)
            );
        }
    }
}
