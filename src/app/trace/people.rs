//! Looks for the buyer in the CRM and at the help desk. Addresses go in, ids come out.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use launchready_checks::probe::{Conversation, Crm, Depth, Desk, Email, Period};

use super::seen::{Look, People, missing, unseen};

/// Requests are looked for from so long before the payment.
const BEFORE: SignedDuration = SignedDuration::from_mins(10);
/// The most requests of one buyer that are kept.
const KEPT: usize = 20;

fn nobody() -> launchready_checks::probe::Missing {
    missing(
        "neither Stripe nor the order says who bought",
        "map the column with the address as email under [project.database.orders]",
    )
}

/// The contacts of the buyer.
pub(super) async fn contacts(crm: &dyn Crm, email: Option<&Email>) -> Look<People> {
    let email = email.ok_or_else(nobody)?;
    let found = crm.contacts(vec![email.clone()], Depth::All).await.map_err(unseen)?;
    let ids = found.into_iter().next().unwrap_or_default().ids;
    if ids.is_empty() && !crm.any().await.map_err(unseen)? {
        return Err(missing(
            "the token shows no contact at all",
            "grant it the permission to read contacts, or look whether it belongs to the right account",
        ));
    }
    Ok(People { ids })
}

/// The requests of the buyer since shortly before a time, oldest first.
pub(super) async fn tickets(
    desk: &dyn Desk,
    email: Option<&Email>,
    since: Timestamp,
) -> Look<Vec<Conversation>> {
    let email = email.ok_or_else(nobody)?;
    let since = since.checked_sub(BEFORE).unwrap_or(since);
    let mut found: BTreeMap<String, Conversation> = BTreeMap::new();
    let mine = |one: &Conversation| one.requester.as_ref() == Some(email) && one.created >= since;
    let mut take = |one: Conversation| {
        if mine(&one) && found.len() < KEPT {
            found.insert(one.id.clone(), one);
        }
    };
    desk.created(Period { since, until: None }, &mut take).await.map_err(unseen)?;
    // Whether the customer waits is told of the open ones alone.
    let mut take = |one: Conversation| {
        if mine(&one) {
            found.insert(one.id.clone(), one);
        }
    };
    desk.open(&mut take).await.map_err(unseen)?;
    let mut all: Vec<Conversation> = found.into_values().collect();
    all.sort_by(|a, b| a.created.cmp(&b.created).then_with(|| a.id.cmp(&b.id)));
    Ok(all)
}
