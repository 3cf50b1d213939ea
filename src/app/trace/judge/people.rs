//! Judges the links to people: the contact in the CRM, the requests at the help desk.

use super::deal::{ANSWER, Deal, SYNC, length};
use super::unseen;
use crate::app::trace::chain::{Link, Part, State};

/// The contact.
pub(super) fn contact(deal: &Deal<'_>) -> Link {
    let part = Part::Contact;
    let people = match &deal.seen.contacts {
        Err(why) => return unseen(part, why),
        Ok(people) => people,
    };
    match people.ids.len() {
        0 if deal.paid != Some(true) && deal.orders().is_empty() => {
            Link::new(part, State::NotDue, "Nothing was paid, and there is no contact.")
        }
        0 if !deal.is_past(SYNC) => Link::new(part, State::Waiting, "The contact is not there yet."),
        0 => Link::new(part, State::Missing, "The buyer is no contact of the CRM.").next(
            "Start the sync of the order again; if the contact still does not appear, look what the CRM answers \
             to its creation.",
        ),
        1 => Link::new(part, State::There, "The buyer is a contact.").ids(&people.ids),
        many => Link::new(part, State::Wrong, format!("The buyer is {many} contacts."))
            .ids(&people.ids)
            .next("Merge them in the CRM, and let the sync look for the address before it makes a contact."),
    }
}

/// The requests.
pub(super) fn ticket(deal: &Deal<'_>) -> Link {
    let part = Part::Ticket;
    let tickets = match &deal.seen.tickets {
        Err(why) => return unseen(part, why),
        Ok(tickets) => tickets,
    };
    let Some(first) = tickets.first() else {
        return Link::new(part, State::NotDue, "The buyer has asked for nothing since.");
    };
    let ids = tickets.iter().map(|ticket| &ticket.id);
    let waiting = tickets.iter().filter_map(|ticket| ticket.waiting_since).min();
    let link = |state, says: String| Link::new(part, state, says).at(Some(first.created)).ids(ids);
    let requests = if tickets.len() == 1 {
        "request".to_owned()
    } else {
        format!("{} requests", tickets.len())
    };
    match waiting {
        Some(since) if deal.age(since) > ANSWER => link(
            State::Wrong,
            format!("The buyer has waited for an answer for {}.", length(deal.age(since))),
        )
        .next("Answer it, and make somebody responsible for it."),
        Some(since) => link(
            State::There,
            format!(
                "Of the buyer: {requests}; waiting for an answer for {}.",
                length(deal.age(since))
            ),
        ),
        None => {
            link(State::There, format!("Of the buyer: {requests}; nothing waits for an answer."))
        }
    }
}
