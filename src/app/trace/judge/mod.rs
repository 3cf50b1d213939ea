//! Judges what was seen, link by link. Pure: the same sight gives the same chain.

mod deal;
mod nowhere;
mod people;
mod shop;
mod stripe;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use launchready_checks::probe::Missing;

use super::chain::{Chain, Link, Outcome, Part, State, shown};
use super::seen::Seen;
use deal::Deal;

/// The chain of what was seen.
pub fn judge(project: &str, seen: &Seen) -> Chain {
    let deal = Deal::of(seen);
    let links = vec![
        stripe::checkout(&deal),
        stripe::payment(&deal),
        stripe::reversal(&deal),
        stripe::webhook(&deal),
        shop::rows(&deal),
        shop::order(&deal),
        shop::sync(&deal),
        people::contact(&deal),
        people::ticket(&deal),
    ];
    let is_nowhere = nowhere::is_nowhere(seen);
    let broken = links.iter().find(|link| link.state.is_broken()).filter(|_| !is_nowhere);
    let looked = links.iter().any(|link| link.state != State::NotLookedAt);
    let outcome = match broken {
        _ if !looked => Outcome::Unseen,
        _ if is_nowhere => Outcome::Unknown,
        Some(_) => Outcome::Broken,
        None => Outcome::Whole,
    };
    let (in_short, next) = if outcome == Outcome::Unknown {
        let (says, next) = nowhere::words(seen);
        (says, Some(next))
    } else {
        in_short(&links, broken, outcome)
    };
    Chain {
        schema_version: 1,
        project: project.to_owned(),
        reference: shown(&seen.reference.text),
        kind: seen.reference.kind,
        looked_at: seen.now,
        outcome,
        broken: broken.map(|link| link.part),
        in_short,
        next,
        links,
    }
}

/// One sentence about the whole, and the step that follows.
fn in_short(links: &[Link], broken: Option<&Link>, outcome: Outcome) -> (String, Option<String>) {
    if let Some(link) = broken {
        let says = format!("The chain breaks at the {}: {}", name(link.part), link.says);
        return (says, link.next.clone());
    }
    let unseen = links.iter().filter(|link| link.state == State::NotLookedAt);
    let waits = links.iter().find(|link| link.state == State::Waiting);
    if outcome == Outcome::Unseen {
        let says = "Nothing could be looked at, so that nothing is known.".to_owned();
        return (says, links.first().and_then(|link| link.next.clone()));
    }
    if let Some(link) = waits {
        let says = format!("No link is broken so far; the {} is still to come.", name(link.part));
        return (says, Some("Trace it again in a few minutes.".to_owned()));
    }
    match unseen.count() {
        0 => ("Every link is as it should be.".to_owned(), None),
        1 => (
            "Every link that was looked at is as it should be; 1 was not looked at.".to_owned(),
            None,
        ),
        count => (
            format!(
                "Every link that was looked at is as it should be; {count} were not looked at."
            ),
            None,
        ),
    }
}

/// The name of a link within a sentence.
const fn name(part: Part) -> &'static str {
    match part {
        Part::Checkout => "checkout",
        Part::Payment => "payment",
        Part::Reversal => "refunds and disputes",
        Part::Webhook => "webhook",
        Part::EventRow => "events table",
        Part::Order => "order",
        Part::CrmSync => "CRM sync",
        Part::Contact => "CRM contact",
        Part::Ticket => "ticket",
    }
}

/// A link that was not looked at.
fn unseen(part: Part, why: &Missing) -> Link {
    Link::new(part, State::NotLookedAt, sentence(&why.reason)).next(why.unlock.clone())
}

/// A reason as a sentence.
fn sentence(text: &str) -> String {
    let text: String = text.chars().take(400).collect();
    let mut letters = text.trim_end_matches('.').chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

/// A time within a sentence.
fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
