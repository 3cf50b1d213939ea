//! What the answers of programs mean.

use super::{CRITICAL, CommandQuestion, DURATION, Evidence, Options, STATE, Said, VALUES, WARNING};
use crate::contract::{Assessment, FindingSpec, Severity, Unseen};
use crate::external::question::{finding, unseen, without_answer};
use crate::probe::{CommandEnd, Seen};

/// Judges every answer whose question still stands in the options.
pub(super) fn judge(evidence: &Evidence, options: &Options) -> Assessment {
    let mut out = Assessment::default();
    let mut saw_any = false;
    for (name, seen) in &evidence.answers {
        let Some(question) = options.command.iter().find(|known| known.name == *name) else {
            continue;
        };
        match seen {
            Seen::Ok(said) => saw_any |= of_answer(&mut out, question, said),
            Seen::Target(fault) => without_answer(&mut out, question, &fault.clone().into()),
            Seen::Agent(fault) => without_answer(&mut out, question, &fault.clone().into()),
        }
    }
    out.unless_seen(saw_any);
    out
}

/// Whether the program gave an answer by the protocol.
fn of_answer(out: &mut Assessment, question: &CommandQuestion, said: &Said) -> bool {
    let state = match said.end {
        CommandEnd::Exited(0) => 0.0,
        CommandEnd::Exited(1) => {
            out.find(of_state(&WARNING, question, Severity::Warning, said));
            1.0
        }
        CommandEnd::Exited(2) => {
            out.find(of_state(&CRITICAL, question, Severity::Critical, said));
            2.0
        }
        end => {
            let (reason, unlock) = no_answer(end, question, said);
            unseen(out, question, reason, unlock);
            return false;
        }
    };
    let name = question.name.as_str();
    out.measure(STATE.value(Some(name), state).bounds(Some(1.0), Some(2.0)));
    out.measure(DURATION.value(Some(name), said.duration_ms / 1000.0));
    for value in &said.values {
        let Some(number) = value.value else { continue };
        let subject = format!("{name}:{}", value.label);
        let measurement = VALUES.of(value.unit).value(Some(&subject), number);
        out.measure(measurement.bounds(value.warning, value.critical));
    }
    for (count, what) in [(said.cut, "are too many"), (said.unreadable, "break the form")] {
        if count > 0 {
            out.not_checked(
                Unseen::Noted,
                format!("performance data of {name}"),
                format!("{count} of its values {what}"),
                "let the program write at most 20 values, as 'label'=value[unit];warning;critical",
            );
        }
    }
    true
}

fn of_state(
    spec: &FindingSpec,
    question: &CommandQuestion,
    severity: Severity,
    said: &Said,
) -> crate::contract::Finding {
    let word = if severity == Severity::Critical { "is critical" } else { "warns" };
    let text = if said.text.is_empty() { "it says nothing more" } else { said.text.as_str() };
    finding(spec, question, severity)
        .summary(format!("{} {word}: {}", question.name, text.trim_end_matches('.')))
        .saw(format!("ran {}", question.command.first().map_or("", String::as_str)))
        .saw(if said.text.is_empty() { "no output" } else { said.text.as_str() })
        .saw_all(&said.long)
}

/// Why an answer says nothing, and what to do.
fn no_answer(end: CommandEnd, question: &CommandQuestion, said: &Said) -> (String, &'static str) {
    let text = [said.text.as_str(), said.complaint.as_str()];
    let text = text.into_iter().find(|text| !text.is_empty());
    let words = text.map(|text| format!(": {text}")).unwrap_or_default();
    let path = question.command.first().map_or("", String::as_str);
    match end {
        CommandEnd::Exited(3) => (
            format!("the program says that it does not know{words}"),
            "run the program by hand as the user of launchready and see what it lacks",
        ),
        CommandEnd::Exited(code) => (
            format!("{path} ends with {code}, which means nothing to a monitoring plugin{words}"),
            "let the program end with 0, 1, 2 or 3",
        ),
        CommandEnd::Signalled(signal) => (
            format!("{path} was ended by signal {signal}{words}"),
            "run the program by hand and see why it crashes",
        ),
        CommandEnd::TimedOut => (
            format!("{path} did not end within {} and was stopped", question.timeout),
            "find out what it waits for, or raise its timeout",
        ),
        CommandEnd::Flooded => (
            format!("{path} wrote more than 64 KiB and was stopped"),
            "let the program write a line and its performance data",
        ),
        CommandEnd::LeftBehind(code) => (
            format!("{path} ended with {code} and left programs running, which were stopped"),
            "let the program wait for what it starts",
        ),
    }
}
