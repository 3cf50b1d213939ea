//! Judges which forms reached nobody and which reached too many.

use super::look::Evidence;
use super::{LOST, MISSING, Options, SENT, SEVERAL};
use crate::contract::{Assessment, Unseen, number};
use crate::support::words::{count, name, rules};

/// Lines of evidence about single forms.
const LINES: usize = 10;

pub(super) fn judge(seen: &Evidence, options: &Options) -> Assessment {
    let mut out = Assessment::default();
    if let Some((reason, unlock)) = unproven(seen, options) {
        out.not_checked(Unseen::Condition, "forms against tickets", reason, unlock);
        out.unless_seen(false);
        return out;
    }
    out.measure(SENT.value(None, number(seen.sent)));
    out.measure(LOST.value(None, number(seen.missing.total() as u64)));
    if seen.sent_cut || seen.tickets_cut {
        let what = if seen.sent_cut { "forms" } else { "tickets" };
        out.not_checked(
            Unseen::Condition,
            format!("{what} past the limit"),
            format!("a limit came before the end of the {what}"),
            "lower window under [checks.support-intake]",
        );
    }
    // Where the list of tickets was cut, a ticket that was not seen may well be there.
    if seen.missing.total() > 0 && !seen.tickets_cut {
        missing(seen, options, &mut out);
    }
    if seen.several.total() > 0 {
        several(seen, &mut out);
    }
    out
}

/// Why nothing can be said.
fn unproven(seen: &Evidence, options: &Options) -> Option<(String, &'static str)> {
    if seen.sent == 0 {
        let reason = format!("no form was sent within {}", options.window);
        return Some((reason, "send the form of your own site once, then run it again"));
    }
    let none_missing = seen.missing.total() == 0;
    if !seen.desk_seen && !none_missing {
        let reason = format!("{} shows no conversation at all", name(&seen.desk));
        return Some((reason, "look whether the token may see every inbox"));
    }
    (seen.by.is_empty() && !none_missing).then(|| {
        let reason = "forms and tickets share nothing by which they could be compared".to_owned();
        let unlock = "write the id of the form into the ticket (external_id), or name the columns ticket or \
                      email under [project.database.submissions]";
        (reason, unlock)
    })
}

fn missing(seen: &Evidence, options: &Options, out: &mut Assessment) {
    let finding = MISSING
        .finding(&seen.desk)
        .summary(format!(
            "{} had no ticket after {}, of {} sent within {}.",
            count(seen.missing.total(), "form"),
            options.settle,
            seen.sent,
            options.window
        ))
        .saw_all(
            seen.missing
                .items
                .iter()
                .take(LINES)
                .map(|lost| format!("{} was sent at {}", lost.id, lost.sent)),
        )
        .saw(format!("{} tickets were compared by {}", seen.tickets, by(seen)))
        .fix(format!(
            "Answer these customers by hand first: the rows are in the table of forms. Then open the log of \
             the function that makes the ticket, at the times above, and look for an error of {} (401: the \
             token, 422: a field, 429: too many at once). Have it try again, and write the row before the \
             call, so that nothing is lost.",
            name(&seen.desk)
        ))
        .undo("Close the tickets that were made by hand.");
    out.find(finding);
}

fn several(seen: &Evidence, out: &mut Assessment) {
    let finding = SEVERAL
        .finding(&seen.desk)
        .summary(format!("{} became several tickets.", count(seen.several.total(), "form")))
        .saw_all(
            seen.several
                .items
                .iter()
                .take(LINES)
                .map(|one| format!("{} became the tickets {}", one.id, one.tickets.join(", "))),
        )
        .fix(format!(
            "Merge the tickets of each form. Then see that one way alone makes tickets: not the API and a \
             mail to the support address as well. {}. Give the ticket the id of the form as external_id, \
             and look for it before another one is made.",
            rules(&seen.desk)
        ))
        .undo("Tickets that were merged stay merged; the old way can be switched on again.");
    out.find(finding);
}

fn by(seen: &Evidence) -> String {
    if seen.by.is_empty() { "nothing".to_owned() } else { seen.by.join(", ") }
}
