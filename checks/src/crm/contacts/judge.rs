//! Judges which customers are no contact and which are several.

use super::look::{Customer, Evidence};
use super::{ABSENT, DUPLICATED, MISSING, Options, TWICE};
use crate::contract::{Assessment, Unseen};
use crate::crm::words::{count, merging, name, number, tokens};

/// Lines of evidence about single customers.
const LINES: usize = 10;

pub(super) fn judge(seen: &Evidence, options: &Options) -> Assessment {
    let mut out = Assessment::default();
    let crm = seen.crm.as_deref();
    let subject = crm.unwrap_or("crm");
    if seen.nameless > 0 && seen.customers == 0 {
        out.not_checked(
            Unseen::Condition,
            "customers of orders",
            format!("{} orders hold no address", seen.nameless),
            "name the column email under [project.database.orders]",
        );
        out.unless_seen(false);
        return out;
    }
    if seen.asked == 0 {
        out.not_checked(
            Unseen::Condition,
            "customers",
            format!("nobody paid within {}", options.window),
            "buy something yourself, then run it again",
        );
        out.unless_seen(false);
        return out;
    }
    if !seen.any {
        out.not_checked(
            Unseen::Condition,
            "contacts",
            format!("{} shows no contact at all: it is empty, or the token sees none", name(crm)),
            format!("look whether the token may read every contact. {}", tokens(crm)),
        );
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
    let of = format!("of {} customers from {}", seen.asked, seen.from);
    if seen.missing.total() > 0 {
        let line = |one: &Customer| format!("order {} of {}", one.order, one.created);
        let finding = MISSING
            .finding(subject)
            .summary(format!(
                "{} who paid {} no contact in {}, {of}.",
                count(seen.missing.total(), "customer"),
                if seen.missing.total() == 1 { "is" } else { "are" },
                name(crm)
            ))
            .saw_all(seen.missing.items.iter().take(LINES).map(line))
            .fix(format!(
                "Make the contacts of these orders: run the job that hands orders to {} again for these ids, \
                 or import them from your orders as CSV. Then open the log of the job at the times above. \
                 Have it look for the address in lower case before it makes a contact.",
                name(crm)
            ))
            .undo("Delete the contacts that were made.");
        out.find(finding);
    }
    if seen.duplicated.total() > 0 {
        let line = |one: &Customer| {
            format!("order {} leads to the contacts {}", one.order, one.contacts.join(", "))
        };
        let finding = DUPLICATED
            .finding(subject)
            .summary(format!(
                "{} several contacts in {}, {of}.",
                if seen.duplicated.total() == 1 {
                    "1 customer is".to_owned()
                } else {
                    format!("{} customers are", seen.duplicated.total())
                },
                name(crm)
            ))
            .saw_all(seen.duplicated.items.iter().take(LINES).map(line))
            .fix(format!(
                "Merge the contacts of each line. {}. Then see that every form and job looks for the address \
                 in lower case before it makes a contact.",
                merging(crm)
            ))
            .undo("Contacts that were merged stay merged: note their ids before.");
        out.find(finding);
    }
    out
}
