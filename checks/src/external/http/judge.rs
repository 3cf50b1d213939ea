//! What the answers of addresses mean.

use super::{
    CRITICAL, DURATION, Evidence, HttpQuestion, Look, Options, UNEXPECTED, VALUES, WARNING,
};
use crate::contract::{Assessment, Severity};
use crate::external::question::{finding, unseen, without_answer};
use crate::external::value::{ValueUnit, measurement, wrong};
use crate::probe::Seen;

/// Judges every answer whose question still stands in the options.
pub(super) fn judge(evidence: &Evidence, options: &Options) -> Assessment {
    let mut out = Assessment::default();
    let mut saw_any = false;
    for (name, seen) in &evidence.answers {
        let Some(asked) = options.request.iter().find(|known| known.name == *name) else {
            continue;
        };
        match seen {
            Seen::Ok(look) => of_answer(&mut out, asked, look),
            Seen::Target(fault) => unexpected(&mut out, asked, &[fault.to_string()]),
            Seen::Agent(fault) => {
                without_answer(&mut out, asked, &fault.clone().into());
                continue;
            }
        }
        saw_any = true;
    }
    out.unless_seen(saw_any);
    out
}

fn unexpected(out: &mut Assessment, asked: &HttpQuestion, unmet: &[String]) {
    let first = unmet.first().map_or("", String::as_str);
    let more = match unmet.len() {
        0 | 1 => String::new(),
        count => format!(" (and {} more)", count - 1),
    };
    let finding = finding(&UNEXPECTED, asked, Severity::Critical)
        .summary(format!("{}: {first}{more}", asked.name))
        .saw(format!("GET {}", without_query(&asked.url)))
        .saw_all(unmet);
    out.find(finding);
}

fn of_answer(out: &mut Assessment, asked: &HttpQuestion, look: &Look) {
    let seconds = look.duration_ms / 1000.0;
    let (warning, critical) = (asked.warning, asked.critical);
    if !look.unmet.is_empty() {
        unexpected(out, asked, &look.unmet);
    }
    if asked.value.is_none() {
        let edge = |range: Option<super::Range>| range.and_then(super::Range::edge);
        let duration = DURATION.value(Some(&asked.name), seconds);
        out.measure(duration.bounds(edge(warning), edge(critical)));
        // An error page that is sent at once is not fast.
        if look.unmet.is_empty() {
            number(out, asked, seconds, ValueUnit::Seconds, "answers after");
        }
        return;
    }
    out.measure(DURATION.value(Some(&asked.name), seconds));
    if let Some(value) = look.number {
        let bounds = (warning, critical);
        out.measure(measurement(&VALUES, asked.unit, &asked.name, value, bounds));
        number(out, asked, value, asked.unit, "gives");
    } else if let Some(reason) = &look.no_number {
        let unlock = "correct value, the place of the number in the JSON";
        unseen(out, asked, reason.clone(), unlock);
    }
}

fn number(out: &mut Assessment, asked: &HttpQuestion, value: f64, unit: ValueUnit, verb: &str) {
    let Some((severity, range)) = wrong(value, asked.warning, asked.critical) else { return };
    let spec = if severity == Severity::Critical { &CRITICAL } else { &WARNING };
    let (value, unit) = ((value * 1000.0).round() / 1000.0, unit.suffix());
    let finding = finding(spec, asked, severity)
        .summary(format!("{} {verb} {value}{unit}, and right is {}", asked.name, range.right()))
        .saw(format!("GET {}", without_query(&asked.url)))
        .saw(format!("value {value}{unit}, range {range}"));
    out.find(finding);
}

/// A query may hold a key.
fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}
