//! The approved state of a project, in facts that a person can read, compare and put back.

use std::collections::BTreeMap;

use super::{Finding, FindingSpec};

/// What a check lets a person approve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Approvable {
    /// What it is, in two or three words such as `DNS records`.
    pub what: &'static str,
    /// The findings that tell of a change.
    pub codes: &'static [&'static str],
}

/// One thing that can be approved, such as the MX records of a name or the address of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fact {
    /// What it is about; once per check.
    pub subject: String,
    /// Its state, one line per part.
    pub state: Vec<String>,
}

impl Fact {
    /// A fact of lines whose order means nothing.
    pub fn new(subject: impl Into<String>, state: impl IntoIterator<Item = String>) -> Self {
        let mut state: Vec<String> = state.into_iter().collect();
        state.sort();
        state.dedup();
        Self { subject: subject.into(), state }
    }

    /// A fact whose lines stand in the order that is given, such as the steps of a redirect.
    pub fn in_order(subject: impl Into<String>, state: Vec<String>) -> Self {
        Self { subject: subject.into(), state }
    }
}

/// What differs between the approved state and another one of the same subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<'a> {
    /// What it is about.
    pub subject: &'a str,
    /// The approved state; nothing where the subject is new.
    pub then: Option<&'a Fact>,
    /// The other state; nothing where the subject is gone.
    pub now: Option<&'a Fact>,
}

impl Change<'_> {
    /// The lines that are gone.
    pub fn gone(&self) -> Vec<&str> {
        lacking(self.then, self.now)
    }

    /// The lines that are new.
    pub fn new_lines(&self) -> Vec<&str> {
        lacking(self.now, self.then)
    }

    /// Both as lines of evidence.
    pub fn lines(&self) -> Vec<String> {
        let gone = self.gone().into_iter().map(|line| format!("gone: {line}"));
        gone.chain(self.new_lines().into_iter().map(|line| format!("new: {line}"))).collect()
    }

    /// The finding that tells of the change, with both states as evidence and what takes its rollback back.
    pub fn finding(&self, spec: &FindingSpec) -> Finding {
        spec.finding(self.subject).saw_all(self.lines()).undo(self.undo())
    }

    /// The rollback note: what leads back to the approved state, which it holds line by line. `place` is
    /// where, as in "at your DNS provider".
    pub fn rollback(&self, place: &str) -> String {
        let approve = "If it was meant, run `launchready baseline approve`.";
        match self.then {
            Some(then) => format!(
                "If nobody of yours meant this change, make {} {place} exactly this again:\n{}\n{approve}",
                self.subject,
                then.state.join("\n")
            ),
            None => format!(
                "If nobody of yours meant this change, delete {} {place}. {approve}",
                self.subject
            ),
        }
    }

    /// What takes the rollback back.
    pub fn undo(&self) -> String {
        self.now.map_or_else(
            || format!("Delete {} again.", self.subject),
            |now| format!("Put the state of today back:\n{}", now.state.join("\n")),
        )
    }
}

fn lacking<'a>(of: Option<&'a Fact>, other: Option<&Fact>) -> Vec<&'a str> {
    let has = |line: &String| other.is_some_and(|other| other.state.contains(line));
    let lines = of.into_iter().flat_map(|fact| &fact.state);
    lines.filter(|line| !has(line)).map(String::as_str).collect()
}

/// The subjects whose states differ, by name.
pub fn changes<'a>(then: &'a [Fact], now: &'a [Fact]) -> Vec<Change<'a>> {
    let mut all: BTreeMap<&str, (Option<&Fact>, Option<&Fact>)> = BTreeMap::new();
    for fact in then {
        all.entry(&fact.subject).or_default().0 = Some(fact);
    }
    for fact in now {
        all.entry(&fact.subject).or_default().1 = Some(fact);
    }
    let differ = all
        .into_iter()
        .filter(|(_, (then, now))| then.map(|fact| &fact.state) != now.map(|fact| &fact.state));
    differ.map(|(subject, (then, now))| Change { subject, then, now }).collect()
}

/// The same of the subjects that both looks have seen: what one of them has not seen says nothing.
pub fn changes_of_both<'a>(then: &'a [Fact], now: &'a [Fact]) -> Vec<Change<'a>> {
    let mut both = changes(then, now);
    both.retain(|change| change.then.is_some() && change.now.is_some());
    both
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_name_what_is_gone_and_what_is_new() {
        let fact = |subject: &str, lines: &[&str]| {
            Fact::new(subject, lines.iter().map(|line| (*line).to_owned()))
        };
        let then = [fact("a", &["1", "2"]), fact("b", &["x"]), fact("c", &["y"])];
        let now = [fact("a", &["2", "3", "3"]), fact("c", &["y"]), fact("d", &["z"])];
        let found = changes(&then, &now);
        let subjects: Vec<&str> = found.iter().map(|change| change.subject).collect();
        assert_eq!(subjects, ["a", "b", "d"]);
        let lines: Vec<Vec<String>> = found.iter().map(Change::lines).collect();
        assert_eq!(lines, [vec!["gone: 1", "new: 3"], vec!["gone: x"], vec!["new: z"]]);
        assert!(found[0].rollback("here").contains("make a here exactly this again:\n1\n2\n"));
        assert!(found[2].rollback("here").contains("delete d here."));
        assert_eq!(found[0].undo(), "Put the state of today back:\n2\n3");
        assert_eq!(found[1].undo(), "Delete b again.");
    }
}
