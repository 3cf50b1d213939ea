//! What every question has: a name, how bad its worst is, and what to do about it.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{Age, Assessment, CheckError, Finding, FindingSpec, Severity, Unseen};
use crate::probe::{AgentFault, ProbeError};

/// The most questions of one check.
pub(super) const QUESTIONS: usize = 16;
/// The most characters of a name.
const NAME: usize = 40;
/// The most characters of a text that is written out.
const TEXT: usize = 2_000;
/// The longest that one question may take, so that all of them fit into the time of the check.
pub(super) const LONGEST: Age = Age::secs(60);

/// How bad it is when the answer is at its worst.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Worst {
    /// Goes into the weekly summary.
    Info,
    /// A condition of the launch; can wait until the morning.
    Warning,
    /// Blocks the launch and may wake someone.
    #[default]
    Critical,
}

impl Worst {
    /// The severity of an answer that is this bad by itself.
    pub fn at_most(self, severity: Severity) -> Severity {
        severity.min(match self {
            Self::Info => Severity::Info,
            Self::Warning => Severity::Warning,
            Self::Critical => Severity::Critical,
        })
    }

    /// What no answer means for the verdict.
    pub const fn unseen(self) -> Unseen {
        match self {
            Self::Info => Unseen::Noted,
            Self::Warning => Unseen::Condition,
            Self::Critical => Unseen::Blocks,
        }
    }
}

/// What the questions of all three checks have in common.
pub(super) trait Question {
    /// Its name.
    fn name(&self) -> &str;
    /// How bad its worst is.
    fn worst(&self) -> Worst;
    /// What the user says to do about it; empty where nothing is said.
    fn remedy(&self) -> &str;
    /// What is wrong with it: the key, and the sentence.
    fn fault(&self) -> Option<(&'static str, String)>;
}

/// Refuses questions that cannot be asked. The text begins with the key, so that its line is found.
pub(super) fn checked<Q: Question, E: serde::de::Error>(
    list: &str,
    questions: Vec<Q>,
) -> Result<Vec<Q>, E> {
    if questions.len() > QUESTIONS {
        let text =
            format!("{list}[{QUESTIONS}]: there are more than {QUESTIONS} of them; ask less");
        return Err(E::custom(text));
    }
    let mut names = BTreeSet::new();
    for (place, question) in questions.iter().enumerate() {
        let name = question.name();
        let of_name = if !is_name(name) {
            let text = format!(
                "{name:?} is no name; write up to {NAME} letters, digits, dots, dashes and underscores"
            );
            Some(("name", text))
        } else if !names.insert(name.to_owned()) {
            Some(("name", format!("{name:?} stands here twice; give each a name of its own")))
        } else {
            None
        };
        let of_remedy = (question.remedy().len() > TEXT)
            .then(|| ("fix", format!("write at most {TEXT} characters")));
        if let Some((key, text)) = of_name.or(of_remedy).or_else(|| question.fault()) {
            return Err(E::custom(format!("{list}[{place}].{key}: {text}")));
        }
    }
    Ok(questions)
}

fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    !name.is_empty() && name.len() <= NAME && name.chars().all(fits)
}

/// What is wrong with a time-out.
pub(super) fn timeout_fault(given: Age) -> Option<(&'static str, String)> {
    let least = Age::secs(1);
    (given < least || given > LONGEST)
        .then(|| ("timeout", format!("{given} is out of range; write {least} to {LONGEST}")))
}

/// Nothing is asked.
pub(super) fn none(list: &str, example: &str) -> CheckError {
    CheckError::skipped(
        format!("no question of your own is configured ({list})"),
        format!("add [[project.checks.{list}]] with {example}"),
    )
}

/// A finding about a question.
pub(super) fn finding<Q: Question>(
    spec: &FindingSpec,
    question: &Q,
    severity: Severity,
) -> Finding {
    let finding = spec.finding(question.name()).at(question.worst().at_most(severity));
    let remedy = question.remedy();
    let finding = if remedy.is_empty() {
        finding.fix(format!(
            "Do what stands in your notes about the question {name}; write it as fix = \"…\" beside \
             name = \"{name}\" in the config, so that whoever is told knows it.",
            name = question.name()
        ))
    } else {
        finding.fix(remedy)
    };
    finding.undo(
        "The question only looks: take back what was changed because of it, in the reverse order.",
    )
}

/// Lists a question that could not be asked, or whose answer says nothing.
pub(super) fn unseen<Q: Question>(
    out: &mut Assessment,
    question: &Q,
    reason: String,
    unlock: &str,
) {
    out.not_checked(question.worst().unseen(), question.name(), reason, unlock);
}

/// Lists a question whose port is at fault, whoever is to blame: nothing was seen.
pub(super) fn without_answer<Q: Question>(out: &mut Assessment, question: &Q, error: &ProbeError) {
    match error {
        ProbeError::Agent(fault) => of_agent(out, question, fault),
        ProbeError::Target(fault) => {
            unseen(out, question, fault.to_string(), "run it again once it answers");
        }
    }
}

fn of_agent<Q: Question>(out: &mut Assessment, question: &Q, fault: &AgentFault) {
    unseen(out, question, fault.to_string(), fault.unlock());
}

/// Text from outside, cut; control characters would drive a reader's terminal.
pub(super) fn cut(text: &str, chars: usize) -> String {
    let printable = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let kept: String = text.chars().take(chars).map(printable).collect();
    if text.chars().count() > chars { kept + "…" } else { kept }
}

/// Milliseconds without digits that nobody needs.
pub(super) fn rounded(milliseconds: f64) -> f64 {
    (milliseconds * 1000.0).round() / 1000.0
}
