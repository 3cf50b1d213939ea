//! Follows one payment from Stripe to the ticket: what each side says, and where the chain breaks.
//!
//! [`Session::trace`] looks, through the same ports as the checks; [`judge`] is pure.

mod chain;
mod events;
mod judge;
mod people;
mod reference;
mod rows;
mod seen;
mod stripe;

pub use chain::{Chain, IDS, Link, Outcome, Part, State};
pub use judge::judge;
pub use reference::{Kind, NoReference, Reference};
pub use seen::{EventRow, Look, OrderRow, Orders, People, RowState, Seen, Sync, SyncState};

use jiff::{SignedDuration, Timestamp};
use launchready_checks::contract::json;
use launchready_checks::probe::{Accounts, Conversation, Database, Email, PaymentEvent};
use launchready_checks::webhook::processing;

use super::Session;
use crate::clock::whole_second;
use crate::config::Project;
use crate::connect;
use rows::Buyer;
use seen::missing;
use stripe::{Ids, Provider};

/// Requests are looked for so far back where no time of the payment is known.
const FAR: SignedDuration = SignedDuration::from_hours(30 * 24);

impl Session {
    /// Follows a reference through the accounts and the database of a project. What cannot be asked is a link
    /// that was not looked at, and never an error.
    ///
    /// # Errors
    /// This build cannot speak TLS.
    pub async fn trace(&self, project: &Project, reference: &Reference) -> anyhow::Result<Chain> {
        let accounts = connect::accounts(&project.accounts, &self.reach()?);
        let words = json::from_value(&project.options_of("webhook-processing"));
        let words = words.unwrap_or_default();
        let now = whole_second(self.clock.now());
        let seen = look(&accounts, reference, &words, now).await;
        Ok(judge(&project.target.project, &seen))
    }
}

/// Asks every side, each with what the ones before it told.
async fn look(
    accounts: &Accounts,
    reference: &Reference,
    words: &processing::Options,
    now: Timestamp,
) -> Seen {
    let database = accounts.database.get();
    let mut ids = Ids::default();
    let mut row = None;
    if let (Kind::Order, Ok(database)) = (reference.kind, &database)
        && let Ok(Some(order)) = rows::named_order(*database, &reference.text).await
    {
        ids = Ids::of_order(&order);
        row = Some(order);
    }
    let provider = match accounts.payments.get() {
        Ok(payments) => stripe::ask(payments, reference, ids, now).await,
        Err(why) => Provider::missing(&why, with(ids, reference)),
    };
    let session = provider.checkout.as_ref().ok().and_then(Option::as_ref);
    let payment = provider.payment.as_ref().ok().and_then(Option::as_ref);
    let buyer = Buyer {
        email: session
            .and_then(|session| session.email.clone())
            .or_else(|| payment.and_then(|payment| payment.email.clone())),
        amount: session
            .and_then(|session| session.amount.clone())
            .or_else(|| payment.map(|payment| payment.amount.clone())),
        at: session.map(|session| session.created).or(payment.map(|payment| payment.created)),
    };
    let orders = match (&database, row) {
        (Err(why), _) => Err(why.clone()),
        (Ok(database), row) => {
            let found = rows::orders(*database, &provider.ids, &buyer).await;
            match (found, row) {
                // Orders of the same checkout beside the one that was named are duplicates.
                (Ok(all), Some(row)) if !all.rows.iter().any(|other| other.id == row.id) => {
                    Ok(Orders { rows: vec![row], by: Some("id") })
                }
                (found, _) => found,
            }
        }
    };
    let events = match &database {
        Err(why) => Err(why.clone()),
        Ok(database) => event_rows(*database, reference, &provider.events, words).await,
    };
    let found = orders.as_ref().map_or(&[][..], |orders| orders.rows.as_slice());
    let sync = match &database {
        Err(why) => Err(why.clone()),
        Ok(database) => rows::sync(*database, found).await,
    };
    let email = buyer.email.or_else(|| found.iter().find_map(|order| order.email.clone()));
    let made = found.iter().filter_map(|order| order.created).min();
    let far = now.checked_sub(FAR).unwrap_or(now);
    let (contacts, tickets) =
        people(accounts, email.as_ref(), buyer.at.or(made).unwrap_or(far)).await;
    Seen {
        reference: reference.clone(),
        now,
        named: provider.named,
        checkout: provider.checkout,
        others: provider.others,
        payment: provider.payment,
        reversals: provider.reversals,
        events: provider.events,
        told: provider.told,
        rows: events,
        orders,
        sync,
        contacts,
        tickets,
    }
}

/// The rows of the events, and of the one that was named even where the provider does not know it any more.
async fn event_rows(
    database: &dyn Database,
    reference: &Reference,
    events: &Look<Vec<PaymentEvent>>,
    words: &processing::Options,
) -> Look<Vec<EventRow>> {
    let mut wanted = events.clone().unwrap_or_default();
    if reference.kind == Kind::Event && !wanted.iter().any(|event| event.id == reference.text) {
        wanted.push(PaymentEvent { id: reference.text.clone(), ..PaymentEvent::default() });
    }
    match events {
        Err(why) if wanted.is_empty() => Err(missing(
            format!("no event is known to look for: {}", why.reason),
            why.unlock.clone(),
        )),
        _ => rows::events(database, &wanted, words).await,
    }
}

/// The ids of the reference itself, for the database alone.
fn with(mut ids: Ids, reference: &Reference) -> Ids {
    let id = reference.text.clone();
    match reference.kind {
        Kind::Checkout => ids.session = Some(id),
        Kind::Payment => ids.payment = Some(id),
        Kind::Subscription => ids.subscription = Some(id),
        Kind::Customer => ids.customer = Some(id),
        Kind::Order => ids.references.push(id),
        Kind::Event | Kind::Charge | Kind::Refund | Kind::Dispute => {}
    }
    ids
}

async fn people(
    accounts: &Accounts,
    email: Option<&Email>,
    since: Timestamp,
) -> (Look<People>, Look<Vec<Conversation>>) {
    let contacts = match accounts.crm.get() {
        Ok(crm) => people::contacts(crm, email).await,
        Err(why) => Err(why),
    };
    let tickets = match accounts.desk.get() {
        Ok(desk) => people::tickets(desk, email, since).await,
        Err(why) => Err(why),
    };
    (contacts, tickets)
}
