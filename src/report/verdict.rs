//! Go, go with conditions, or no go: from documented rules and nothing else.

use launchready_checks::contract::{Goal, Severity, Unseen};
use serde::{Deserialize, Serialize};

use super::{CheckReport, Report, UnseenPart, rules};

/// Whether the project is ready for its goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing stands in the way.
    Go,
    /// It can, once the conditions are met or accepted.
    GoWithConditions,
    /// It must not.
    NoGo,
}

impl Verdict {
    /// The words that a reader sees.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Go => "GO",
            Self::GoWithConditions => "GO WITH CONDITIONS",
            Self::NoGo => "NO-GO",
        }
    }
}

/// The parts of a product whose checks need a setting, with the words for a reader. Each must be
/// configured or named in `not_used`, so that the verdict knows that it was no oversight.
pub const AREAS_BY_SETTING: &[(&str, &str)] = &[
    ("mail", "email"),
    ("stripe", "payments (Stripe)"),
    ("supabase", "Supabase"),
    ("database", "orders in the database"),
    ("crm", "the CRM"),
    ("support", "support backlog"),
    ("automation", "automations"),
];

/// What a reason begins with that tells of an unseen part.
pub(super) const NOT_PROVEN: &str = "Not proven: ";

/// What names the checks that are left out, and how a reason tells of them: nobody failed to look there.
pub(super) const LEFT_OUT: [(&str, &str); 2] =
    [("audit", "left out as asked"), ("agent", "switched off in the config")];

/// The verdict on what was found and not seen, and the reasons, most serious first.
pub fn decide(goal: Goal, checks: &[CheckReport], unseen: &[UnseenPart]) -> (Verdict, Vec<String>) {
    let live = || {
        checks.iter().flat_map(|check| &check.findings).filter(|finding| finding.waived.is_none())
    };
    let count = |severity| live().filter(|finding| finding.severity == severity).count();
    let parts = |wanted| unseen.iter().filter(move |part| part.unseen == wanted);
    let mut reasons = Vec::new();
    let critical = count(Severity::Critical);
    if critical > 0 {
        let verb = if critical == 1 { "blocks" } else { "block" };
        let of = rules(goal).of;
        reasons.push(format!("{} {verb} {of}.", number(critical, "critical finding")));
    }
    for part in parts(Unseen::Blocks) {
        reasons.push(format!("{NOT_PROVEN}{} ({}).", part.part, part.reason));
    }
    let blocked = !reasons.is_empty();
    let warnings = count(Severity::Warning);
    if warnings > 0 {
        reasons.push(format!("{} to settle or accept.", number(warnings, "warning")));
    }
    let conditions: Vec<&UnseenPart> = parts(Unseen::Condition).collect();
    let (areas, parts): (Vec<_>, Vec<_>) = conditions
        .into_iter()
        .partition(|part| AREAS_BY_SETTING.iter().any(|(setting, _)| part.of == *setting));
    if !areas.is_empty() {
        let names: Vec<_> = areas.iter().map(|part| part.part.as_str()).collect();
        reasons.push(format!("Not looked at: {}.", names.join(", ")));
    }
    let (left_out, parts): (Vec<_>, Vec<_>) =
        parts.into_iter().partition(|part| LEFT_OUT.iter().any(|(of, _)| part.of == *of));
    for part in left_out {
        let why = LEFT_OUT.iter().find(|(of, _)| part.of == *of).map_or("", |(_, why)| why);
        let verb = if part.part.starts_with("1 ") { "is" } else { "are" };
        reasons.push(format!("{} {verb} {why}.", part.part));
    }
    if !parts.is_empty() {
        reasons.push(format!("{} could not be looked at.", number(parts.len(), "part")));
    }
    let verdict = match (blocked, reasons.is_empty()) {
        (true, _) => Verdict::NoGo,
        (false, false) => Verdict::GoWithConditions,
        (false, true) => Verdict::Go,
    };
    if verdict == Verdict::Go {
        reasons.push("Nothing was found that stands in the way.".to_owned());
    }
    (verdict, reasons)
}

impl Report {
    /// The verdict in a line without a full stop: `NO-GO: 18 critical, 24 warnings`.
    pub fn in_short(&self) -> String {
        if let Some(blind) = self.blind() {
            return format!("{}: {}; {}", self.title(), blind.cause, blind.unlock);
        }
        let live = |severity| {
            let findings = self.checks.iter().flat_map(|check| &check.findings);
            findings
                .filter(|finding| finding.waived.is_none() && finding.severity == severity)
                .count()
        };
        let unseen = |wanted| self.not_checked.iter().filter(|part| part.unseen == wanted).count();
        let (critical, warnings) = (live(Severity::Critical), live(Severity::Warning));
        let (blocks, conditions) = (unseen(Unseen::Blocks), unseen(Unseen::Condition));
        let parts = [
            (critical, format!("{critical} critical")),
            (blocks, format!("{blocks} not proven")),
            (warnings, number(warnings, "warning")),
            (conditions, format!("{conditions} not looked at")),
        ];
        let parts: Vec<_> =
            parts.into_iter().filter(|(count, _)| *count > 0).map(|(_, text)| text).collect();
        let text = if parts.is_empty() {
            "nothing stands in the way".to_owned()
        } else {
            parts.join(", ")
        };
        format!("{}: {text}", self.verdict.title())
    }
}

/// `1 warning`, `3 warnings`.
fn number(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(of: &str, unseen: Unseen) -> UnseenPart {
        UnseenPart {
            of: of.to_owned(),
            part: format!("part of {of}"),
            reason: "no network".to_owned(),
            unlock: "connect".to_owned(),
            unseen,
        }
    }

    #[test]
    fn not_knowing_is_never_passing() {
        assert_eq!(decide(Goal::Launch, &[], &[]).0, Verdict::Go);
        assert_eq!(decide(Goal::Launch, &[], &[part("mail-spf", Unseen::Noted)]).0, Verdict::Go);
        let (verdict, reasons) = decide(Goal::Launch, &[], &[part("stripe", Unseen::Condition)]);
        assert_eq!(verdict, Verdict::GoWithConditions);
        assert_eq!(reasons, ["Not looked at: part of stripe."]);
        assert_eq!(decide(Goal::Launch, &[], &[part("mail-spf", Unseen::Blocks)]).0, Verdict::NoGo);
    }

    #[test]
    fn checks_that_are_left_out_as_asked_are_no_part_that_could_not_be_looked_at() {
        let left = |of: &str, part: &str| UnseenPart {
            part: part.to_owned(),
            ..self::part(of, Unseen::Condition)
        };
        let reasons = |parts: &[UnseenPart]| decide(Goal::Launch, &[], parts).1;
        assert_eq!(
            reasons(&[left("audit", "48 of 49 checks"), part("mail-spf", Unseen::Condition)]),
            ["48 of 49 checks are left out as asked.", "1 part could not be looked at."]
        );
        assert_eq!(
            reasons(&[left("agent", "1 of 49 checks")]),
            ["1 of 49 checks is switched off in the config."]
        );
    }
}
