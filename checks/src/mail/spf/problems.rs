//! What keeps a receiver from finishing, as findings.

use super::answers::Answers;
use super::findings;
use super::proposal;
use super::record::SyntaxError;
use super::walk::Problem;
use crate::contract::Finding;
use crate::probe::Seen;

const RESTORE: &str = "Put the old text of the TXT record back.";

/// The finding about the sending domain `name`; none where a word that is glued together is the
/// real defect.
pub(super) fn finding(
    name: &str,
    problem: &Problem,
    answers: &Answers,
    glued: &[String],
) -> Option<Finding> {
    let report = Report { name, answers };
    Some(match problem {
        Problem::Syntax { name: holder, errors } => return report.syntax(holder, errors, glued),
        Problem::Multiple { name: holder, count } => report.multiple(holder, *count),
        Problem::NoRecord { term, .. } if glued.contains(term) => return None,
        Problem::NoRecord { term, holder, name: target, why } => findings::NO_RECORD
            .finding(name)
            .key(term)
            .summary(format!("“{term}”{} leads to {target}, which {why}.", report.place(holder)))
            .saw_all(report.records(holder))
            .saw(format!("TXT {target}: {why}"))
            .fix(if holder == name {
                format!("Remove “{term}” from the TXT record of {name}, or correct the name in it.")
            } else {
                report.ask(holder, "correct its record")
            })
            .undo(RESTORE),
        Problem::Loop { path } => report.circle(path),
        Problem::MxHosts { term, holder, name: target, count } => findings::MX_HOSTS
            .finding(name)
            .key(term)
            .summary(format!(
                "“{term}”{} asks for {count} mail servers of {target}; ten are allowed.",
                report.place(holder)
            ))
            .saw_all(report.records(holder))
            .saw(format!("MX {target}: {count} records"))
            .fix(format!("Replace “{term}” by ip4: and ip6: terms with the addresses that send."))
            .undo(RESTORE),
        Problem::Unanswered { question, fault } => unanswered(name, question, fault),
    })
}

/// Characters of a record that are shown, more than a record of use has (RFC 7208 §3.4 advises 450 bytes).
const SHOWN: usize = 1_000;

/// As much of a record as is shown.
fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

struct Report<'a> {
    name: &'a str,
    answers: &'a Answers,
}

impl Report<'_> {
    fn texts(&self, name: &str) -> Vec<String> {
        match self.answers.texts(name) {
            Some(Seen::Ok(texts)) => texts.records.iter().map(|strings| strings.concat()).collect(),
            _ => Vec::new(),
        }
    }

    fn records(&self, name: &str) -> Vec<String> {
        self.texts(name).into_iter().map(|text| format!("{name} TXT {}", shown(&text))).collect()
    }

    /// Where a term stands, if not in the record of the sending domain itself.
    fn place(&self, holder: &str) -> String {
        if holder == self.name {
            String::new()
        } else {
            format!(" in the record of {holder} (used by {})", self.name)
        }
    }

    fn ask(&self, holder: &str, what: &str) -> String {
        format!(
            "Ask whoever runs {holder} to {what}, or remove the term that leads there from the record of \
             {}.",
            self.name
        )
    }

    fn syntax(&self, holder: &str, errors: &[SyntaxError], glued: &[String]) -> Option<Finding> {
        let name = self.name;
        let errors: Vec<_> = errors.iter().filter(|error| !glued.contains(&error.term)).collect();
        let first = errors.first()?;
        let fix = if holder == name {
            let terms = listed(errors.iter().map(|error| error.term.as_str()));
            format!("In the TXT record of {name}, correct or remove: {terms}.")
        } else {
            self.ask(holder, "correct its record")
        };
        let finding = findings::SYNTAX
            .finding(name)
            .key(holder)
            .summary(format!("“{}”{}: {}.", first.term, self.place(holder), first.problem))
            .saw_all(self.records(holder))
            .saw_all(errors.iter().map(|error| format!("“{}”: {}", error.term, error.problem)));
        Some(finding.fix(fix).undo(RESTORE))
    }

    fn multiple(&self, holder: &str, count: usize) -> Finding {
        let name = self.name;
        let record = proposal::merged(&self.texts(holder));
        findings::MULTIPLE
            .finding(name)
            .key(holder)
            .summary(format!("{holder} has {count} SPF records where one is allowed."))
            .saw_all(self.records(holder))
            .fix(if holder == name {
                format!("Delete all of them and add one in their place: {name} TXT \"{record}\".")
            } else {
                self.ask(holder, "merge its records")
            })
            .undo("Remove the merged record and put the old ones back.")
    }

    fn circle(&self, path: &[String]) -> Finding {
        let name = self.name;
        let back = path.last().map_or(name, String::as_str);
        let before = path.iter().rev().nth(1).map_or(name, String::as_str);
        findings::LOOP
            .finding(name)
            .key(&path.join(" "))
            .summary(format!("The SPF record of {name} leads back to itself: {}.", path.join(" → ")))
            .saw_all(path.iter().skip(1).flat_map(|name| self.records(name)))
            .fix(format!(
                "Remove the include: or redirect= that leads back to {back} from the record of {before}."
            ))
            .undo(RESTORE)
    }
}

/// A look-up without an answer.
pub(super) fn unanswered(name: &str, question: &str, fault: &str) -> Finding {
    let (kind, asked) = question.rsplit_once(' ').unwrap_or(("TXT", question));
    let kind = kind.split(' ').next().unwrap_or("TXT");
    findings::UNANSWERED
        .finding(name)
        .key(question)
        .summary(if asked == name && kind == "TXT" {
            format!("The SPF record of {name} cannot be read.")
        } else {
            format!("The SPF record of {name} needs {question}, and that gets no answer.")
        })
        .saw(format!("{question}: {fault}"))
        .fix(if asked == name && kind == "TXT" {
            format!("Mend the name servers of {name}. Look yourself: dig TXT {name}")
        } else {
            format!(
                "Ask whoever runs the name servers of {asked} to mend them, or remove the term that asks \
                 for it. Look yourself: dig {kind} {asked}"
            )
        })
        .undo(RESTORE)
}

/// A few terms in quotes, the rest counted.
pub(super) fn listed<'a>(terms: impl Iterator<Item = &'a str>) -> String {
    let all: Vec<String> = terms.map(|term| format!("“{term}”")).collect();
    match all.get(..5) {
        Some(first) if all.len() > 5 => format!("{} and {} more", first.join(", "), all.len() - 5),
        _ => all.join(", "),
    }
}

/// The first few of many lines.
pub(super) fn some(lines: &[String]) -> String {
    match lines.get(..5) {
        Some(first) if lines.len() > 5 => {
            format!("{}; and {} more", first.join("; "), lines.len() - 5)
        }
        _ => lines.join("; "),
    }
}
