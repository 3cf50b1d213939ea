//! Judges which customers are no contact and which are several.

use super::look::{Customer, Evidence};
use super::{ABSENT, DUPLICATED, MISSING, Options, TWICE};
use crate::contract::{Assessment, Finding, Unseen, number};
use crate::crm::words::{count, merging, name, tokens};

/// Lines of evidence about single customers.
const LINES: usize = 10;

pub(super) fn judge(seen: &Evidence, options: &Options) -> Assessment {
    let mut out = Assessment::default();
    if let Some((part, reason, unlock)) = unproven(seen, options) {
        out.not_checked(Unseen::Condition, part, reason, unlock);
        out.unless_seen(false);
        return out;
    }
    out.measure(ABSENT.value(None, number(seen.missing.total() as u64)));
    out.measure(TWICE.value(None, number(seen.duplicated.total() as u64)));
    if seen.customers > seen.asked {
        out.not_checked(
            Unseen::Noted,
            "older customers",
            format!("the newest {} of {} customers were looked for", seen.asked, seen.customers),
            "raise customers under [checks.crm-contacts]",
        );
    }
    if seen.missing.total() > 0 {
        out.find(missing(seen));
    }
    if seen.duplicated.total() > 0 {
        out.find(duplicated(seen));
    }
    out
}

/// Why nothing can be said: the part, the reason, and what unlocks it.
fn unproven(seen: &Evidence, options: &Options) -> Option<(&'static str, String, String)> {
    let crm = seen.crm.as_deref();
    if seen.nameless > 0 && seen.customers == 0 {
        let reason = format!("{} orders hold no address", seen.nameless);
        let unlock = "name the column email under [project.database.orders]";
        return Some(("customers of orders", reason, unlock.to_owned()));
    }
    if seen.asked == 0 {
        let reason = format!("nobody paid within {}", options.window);
        return Some(("customers", reason, "buy something yourself, then run it again".to_owned()));
    }
    (!seen.any).then(|| {
        let reason =
            format!("{} shows no contact at all: it is empty, or the token sees none", name(crm));
        let unlock = format!("look whether the token may read every contact. {}", tokens(crm));
        ("contacts", reason, unlock)
    })
}

fn subject(seen: &Evidence) -> &str {
    seen.crm.as_deref().unwrap_or("crm")
}

fn missing(seen: &Evidence) -> Finding {
    let crm = seen.crm.as_deref();
    let line = |one: &Customer| format!("order {} of {}", one.order, one.created);
    MISSING
        .finding(subject(seen))
        .summary(format!(
            "{} who paid {} no contact in {}, of {} customers from {}.",
            count(seen.missing.total(), "customer"),
            if seen.missing.total() == 1 { "is" } else { "are" },
            name(crm),
            seen.asked,
            seen.from
        ))
        .saw_all(seen.missing.items.iter().take(LINES).map(line))
        .fix(format!(
            "Make the contacts of these orders: run the job that hands orders to {} again for these ids, \
             or import them from your orders as CSV. Then open the log of the job at the times above. \
             Have it look for the address in lower case before it makes a contact.",
            name(crm)
        ))
        .undo("Delete the contacts that were made.")
}

fn duplicated(seen: &Evidence) -> Finding {
    let crm = seen.crm.as_deref();
    let line = |one: &Customer| {
        format!("order {} leads to the contacts {}", one.order, one.contacts.join(", "))
    };
    DUPLICATED
        .finding(subject(seen))
        .summary(format!(
            "{} {} several contacts in {}, of {} customers from {}.",
            count(seen.duplicated.total(), "customer"),
            if seen.duplicated.total() == 1 { "is" } else { "are" },
            name(crm),
            seen.asked,
            seen.from
        ))
        .saw_all(seen.duplicated.items.iter().take(LINES).map(line))
        .fix(format!(
            "Merge the contacts of each line. {}. Then see that every form and job looks for the address \
             in lower case before it makes a contact.",
            merging(crm)
        ))
        .undo("Contacts that were merged stay merged: note their ids before.")
}
