//! Where the usual addresses lead, against the approved state.

use super::{CHANGED, Evidence};
use crate::contract::{Assessment, Fact, changes_of_both};

/// Where each address leads, step by step; an address that gave no answer of the site is left out.
pub(super) fn facts(evidence: &Evidence) -> Vec<Fact> {
    let walks = evidence.walks.iter().chain(&evidence.others);
    let answered = walks.filter(|walk| walk.end.answered());
    answered.map(|walk| Fact::in_order(&walk.start, walk.lines())).collect()
}

/// Compares the addresses that answered at both looks.
pub(super) fn judge(evidence: &Evidence, baseline: &Evidence, out: &mut Assessment) {
    let (then, now) = (facts(baseline), facts(evidence));
    for change in changes_of_both(&then, &now) {
        out.find(
            change
                .finding(&CHANGED)
                .summary(format!("{} leads elsewhere than approved.", change.subject))
                .fix(change.rollback("(in the code, or under redirects at your host)")),
        );
    }
}
