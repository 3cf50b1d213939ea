//! A fix as a text that can be pasted to an AI builder: what, where, what not, and when it is done.

use super::super::{CheckReport, FindingReport};

/// The instruction for one finding, in plain text.
pub(in crate::report) fn instruction(
    domain: &str,
    check: &CheckReport,
    finding: &FindingReport,
) -> String {
    let plain = |text: &str| text.replace('`', "");
    let text = format!(
        "Mend one defect of {domain}, and nothing else.\n\
         Defect: {} ({})\n\
         Where: {}\n\
         Change: {}\n\
         Keep: change no other behaviour, print no secret and write none into a file, and switch no protection off \
         to make the message go away.\n\
         If it cannot be done from here, because it needs a sign-in at a provider, say which clicks a person has \
         to make, and stop.\n\
         Undo: {}\n\
         Done when: {} no longer lists {} for {}.",
        plain(&finding.summary),
        finding.code,
        place(check, finding),
        plain(&finding.fix),
        plain(&finding.undo),
        finding.recheck,
        finding.code,
        finding.subject,
    );
    text.lines().filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("\n")
}

fn place(check: &CheckReport, finding: &FindingReport) -> String {
    format!("{} ({}, seen from {})", finding.subject, check.title, check.vantage.as_str())
}
