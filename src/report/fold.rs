//! What waits for the same account, as one line: nine checks that need the same key are one thing to do.
//!
//! The model and the counts stay as they are; only what people read is shorter.

use std::borrow::Cow;

use launchready_checks::contract::{Status, Unseen};

use super::blind::own_cause;
use super::{AREAS_BY_SETTING, CheckReport, Report, UnseenPart, words};

/// So many parts with one cause and one step are told as one.
const REPEATS: usize = 3;
/// Parts are named where their names take no more characters, and else counted.
const NAMES: usize = 60;

/// One line of the list of checks: a check, or those that wait for the same account.
pub(super) struct Row<'a> {
    pub(super) status: Status,
    /// The id, or how many checks it stands for.
    pub(super) id: Cow<'a, str>,
    pub(super) title: Cow<'a, str>,
    /// How many findings, in words.
    pub(super) findings: String,
}

/// Checks that were skipped because one account is not configured.
struct Account<'a> {
    /// Its table in the config: `stripe` of `[project.stripe]`.
    setting: &'a str,
    checks: Vec<&'a CheckReport>,
}

impl Account<'_> {
    /// What the account is for, in the words of the verdict.
    fn words(&self) -> &str {
        let known = AREAS_BY_SETTING.iter().find(|(setting, _)| *setting == self.setting);
        known.map_or(self.setting, |(_, words)| words)
    }

    fn ids(&self) -> String {
        self.checks.iter().map(|check| check.id.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// The table of the config that a check waits for, where it is one of an account.
pub(super) fn setting(check: &CheckReport) -> Option<&str> {
    let unlock = check.unlock.as_deref().filter(|_| check.status == Status::Skipped)?;
    let (_, after) = unlock.split_once("[project.")?;
    let (name, rest) = after.split_once(['.', ']'])?;
    // A step that names several tables, any of which will do, waits for none of them.
    (name != "checks" && !rest.starts_with(',')).then_some(name)
}

/// The accounts that are missing, each with its checks, in the order of the report.
fn accounts(report: &Report) -> Vec<Account<'_>> {
    let mut accounts: Vec<Account<'_>> = Vec::new();
    for check in &report.checks {
        let Some(setting) = setting(check) else { continue };
        match accounts.iter_mut().find(|account| account.setting == setting) {
            Some(account) => account.checks.push(check),
            None => accounts.push(Account { setting, checks: vec![check] }),
        }
    }
    accounts
}

/// Every check, with those that wait for the same account as one row.
pub(super) fn rows(report: &Report) -> Vec<Row<'_>> {
    let accounts = accounts(report);
    let mut rows = Vec::new();
    for check in &report.checks {
        let account = accounts.iter().find(|account| setting(check) == Some(account.setting));
        match account.filter(|account| account.checks.len() > 1) {
            Some(account) if account.checks.first().is_some_and(|first| first.id == check.id) => {
                rows.push(Row {
                    status: Status::Skipped,
                    id: format!("{} checks", account.checks.len()).into(),
                    title: format!("{}: not configured", account.words()).into(),
                    findings: String::new(),
                });
            }
            Some(_) => {}
            None => rows.push(Row {
                status: check.status,
                id: check.id.as_str().into(),
                title: check.title.as_str().into(),
                findings: words::finding_count(check),
            }),
        }
    }
    rows
}

/// The unseen parts, what weighs most first, with those that wait for the same account as one part.
pub(super) fn unseen(report: &Report) -> Vec<Cow<'_, UnseenPart>> {
    let accounts = accounts(report);
    let parts = words::unseen_parts(report);
    let mut told: Vec<&str> = Vec::new();
    let mut lines = Vec::new();
    for part in &parts {
        let mine = |account: &&Account<'_>| {
            part.of == account.setting || account.checks.iter().any(|check| check.id == part.of)
        };
        let Some(account) = accounts.iter().find(mine) else {
            lines.push(Cow::Borrowed(*part));
            continue;
        };
        if told.contains(&account.setting) {
            continue;
        }
        let area = parts.iter().find(|part| part.of == account.setting).copied();
        if area.is_none() && account.checks.len() == 1 {
            lines.push(Cow::Borrowed(*part));
            continue;
        }
        told.push(account.setting);
        lines.push(Cow::Owned(one_line(account, area, part)));
    }
    by_cause(lines)
}

/// What has the same cause, step and weight as one part where it repeats, such as all that needs a resolver.
fn by_cause(lines: Vec<Cow<'_, UnseenPart>>) -> Vec<Cow<'_, UnseenPart>> {
    let is_same = |one: &UnseenPart, other: &UnseenPart| {
        let of = |part: &UnseenPart| (part.unseen, cause(&part.reason).to_owned());
        !one.unlock.is_empty() && one.unlock == other.unlock && of(one) == of(other)
    };
    let mut groups: Vec<Vec<Cow<'_, UnseenPart>>> = Vec::new();
    for line in lines {
        let same = groups
            .iter_mut()
            .find(|group| group.first().is_some_and(|first| is_same(first, &line)));
        match same {
            Some(group) => group.push(line),
            None => groups.push(vec![line]),
        }
    }
    let folded = groups.into_iter().flat_map(|group| match group.len() {
        REPEATS.. => vec![Cow::Owned(together(&group))],
        _ => group,
    });
    folded.collect()
}

/// A reason without what differs from check to check in a cause of this machine.
fn cause(reason: &str) -> &str {
    own_cause(reason).unwrap_or(reason)
}

fn together(group: &[Cow<'_, UnseenPart>]) -> UnseenPart {
    let mut of: Vec<&str> = Vec::new();
    for part in group {
        if !of.contains(&part.of.as_str()) {
            of.push(&part.of);
        }
    }
    let names = group.iter().map(|part| part.part.as_str()).collect::<Vec<_>>().join(", ");
    let is_short = names.chars().count() <= NAMES;
    let first = group.first();
    UnseenPart {
        of: of.join(", "),
        part: if is_short { names } else { format!("{} parts", group.len()) },
        reason: first.map(|part| cause(&part.reason).to_owned()).unwrap_or_default(),
        unlock: first.map(|part| part.unlock.clone()).unwrap_or_default(),
        unseen: first.map_or(Unseen::Noted, |part| part.unseen),
    }
}

/// The one line of an account; `area` is what the verdict says of it, where it says anything.
fn one_line(account: &Account<'_>, area: Option<&UnseenPart>, part: &UnseenPart) -> UnseenPart {
    let first = account.checks.first();
    let unlock = first.and_then(|check| check.unlock.as_deref()).unwrap_or_default();
    let otherwise = area.and_then(|area| area.unlock.split_once(", or say "));
    let verb = if account.checks.len() == 1 { "waits" } else { "wait" };
    UnseenPart {
        of: account.setting.to_owned(),
        part: match account.checks.len() {
            1 => format!("{}: 1 check", account.words()),
            count => format!("{}: {count} checks", account.words()),
        },
        reason: format!("not configured; {} {verb} for it", account.ids()),
        unlock: match otherwise {
            Some((_, otherwise)) => format!("{unlock}; or say {otherwise}"),
            None => unlock.to_owned(),
        },
        unseen: area.map_or(part.unseen, |area| area.unseen),
    }
}

#[cfg(test)]
mod tests {
    use launchready_checks::contract::{History, Target};
    use launchready_checks::probe::{Accounts, Missing};
    use launchready_checks::registry;

    use super::*;
    use crate::engine::{AuditRecord, Outcome, RunRecord};
    use crate::report::{Paint, build, to_html, to_json, to_markdown, to_terminal};

    fn skipped(id: &str, missing: Missing) -> RunRecord {
        RunRecord {
            id: id.to_owned(),
            evidence_version: 1,
            options: serde_json::Value::Null,
            duration_ms: 0,
            outcome: Outcome::Skipped { reason: missing.reason, unlock: missing.unlock },
            baseline: None,
            previous: None,
            history: History::default(),
            carry: None,
        }
    }

    fn report(not_used: &[&str]) -> Report {
        let none = Accounts::default();
        let stripe = none.payments.get().err().unwrap();
        let (crm, desk) = (none.crm.get().err().unwrap(), none.desk.get().err().unwrap());
        let hosting = none.hosting.get().err().unwrap();
        let at = "2026-11-23T09:00:00Z".parse().unwrap();
        build(&AuditRecord {
            version: "0.0.0".to_owned(),
            started_at: at,
            finished_at: at,
            target: Target { domain: "harbor.example".to_owned(), ..Target::default() },
            not_used: not_used.iter().map(|name| (*name).to_owned()).collect(),
            waivers: Vec::new(),
            handover: None,
            recheck: "launchready check {id}".to_owned(),
            config: None,
            clock_behind_s: None,
            runs: vec![
                skipped("stripe-account", stripe.clone()),
                skipped("stripe-webhooks", stripe.clone()),
                skipped("orders-unpaid", stripe),
                skipped("crm-sync", crm.clone()),
                skipped("crm-contacts", crm),
                skipped("support-backlog", desk),
                skipped("ops-deployment", hosting),
            ],
        })
    }

    #[test]
    fn every_list_is_as_wide_as_the_terminal() {
        for width in [60, 80, 100] {
            let text = to_terminal(&report(&[]), Paint { colour: false, width });
            for line in text.lines() {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
        }
    }

    #[test]
    fn checks_that_wait_for_one_account_are_one_line_and_counted_one_by_one() {
        let report = report(&["crm", "database", "supabase", "automation"]);
        let text = to_terminal(&report, Paint::default());
        let from = text.find("Every check").unwrap();
        // How many checks there are grows from version to version.
        let all = registry::ALL.len();
        let left_out = format!("{} of {all} checks", all - 7);
        let text = text.replace(&left_out, "all other checks");
        insta::assert_snapshot!("folded", text.split_at(from).1);
        assert_eq!(report.coverage.skipped, 7);
        assert!(text.contains("0 of 7 checks run · 0 unknown · 7 skipped"), "{text}");
        let json: serde_json::Value = serde_json::from_str(&to_json(&report)).unwrap();
        let parts = json["not_checked"].as_array().unwrap();
        assert_eq!(parts.len(), 10, "seven checks, two areas that may be an oversight, the rest");
        for drawn in [to_markdown(&report), to_html(&report)] {
            assert!(drawn.contains("payments (Stripe): 3 checks"), "{drawn}");
            assert_eq!(drawn.matches("RESTRICTED").count(), 1, "{drawn}");
        }
    }

    #[test]
    fn what_repeats_with_one_cause_and_one_step_is_one_line() {
        let part = |of: &str, reason: &str, unseen| UnseenPart {
            of: of.to_owned(),
            part: format!("Part {of}"),
            reason: reason.to_owned(),
            unlock: "name a resolver".to_owned(),
            unseen,
        };
        let asked = |name: &str| format!("no resolver answered: 192.0.2.1 asked for {name}");
        let parts = [
            part("mail-spf", &asked("a.example"), Unseen::Blocks),
            part("mail-dkim", &asked("b.example"), Unseen::Blocks),
            part("mail-dkim", &asked("c.example"), Unseen::Blocks),
            part("web-pages", &asked("d.example"), Unseen::Condition),
            part("web-cors", "Stripe answers 500", Unseen::Condition),
        ];
        let folded = by_cause(parts.iter().map(Cow::Borrowed).collect());
        assert_eq!(folded.len(), 3, "{folded:?}");
        let first = &folded[0];
        assert_eq!((first.of.as_str(), first.unseen), ("mail-spf, mail-dkim", Unseen::Blocks));
        assert_eq!(first.part, "Part mail-spf, Part mail-dkim, Part mail-dkim");
        assert_eq!(first.reason, "no resolver answered: 192.0.2.1");
        assert_eq!(folded[1].of, "web-pages");
        let many: Vec<UnseenPart> =
            (0..22).map(|at| part(&format!("check-{at}"), "late", Unseen::Noted)).collect();
        let folded = by_cause(many.iter().map(Cow::Borrowed).collect());
        assert_eq!((folded.len(), folded[0].part.as_str()), (1, "22 parts"));
    }

    #[test]
    fn a_step_that_any_of_several_accounts_would_take_belongs_to_none() {
        let mut report = report(&[]);
        report.checks.truncate(1);
        let check = &mut report.checks[0];
        assert_eq!(setting(check), Some("stripe"));
        check.unlock = Some(
            "add [project.stripe], [project.database] or [project.crm] to the config".to_owned(),
        );
        assert_eq!(setting(check), None);
    }
}
