//! Adds up what the other checks counted.

use jiff::{SignedDuration, Timestamp};

use super::parts::{Part, told, why};
use super::{ABOVE, Busywork, Evidence, ITEMS, Told, WEEKLY};
use crate::contract::{AssessCx, Assessment, Finding, Measurement, Unseen, hours_and_minutes};
use crate::probe::Figure;

/// One part that was seen.
struct Sum {
    part: Part,
    /// So many in a week.
    items: f64,
    seconds: f64,
    /// What was added up.
    from: String,
}

pub(super) fn judge(evidence: &Evidence, cx: &AssessCx<'_, Busywork>) -> Assessment {
    let mut out = Assessment::default();
    let mut sums = Vec::new();
    let mut whole = true;
    for part in Part::ALL {
        let fresh = |told: &&Told| value(told, cx).is_some();
        let seen: Vec<&Told> = told(&evidence.figures, part).filter(fresh).collect();
        if seen.is_empty() || !part.one_is_enough() {
            for told in told(&evidence.figures, part).filter(|told| !fresh(told)) {
                whole = false;
                unseen(part, told, &mut out);
            }
        }
        if seen.is_empty() {
            continue;
        }
        let items = part.of_week(seen.iter().filter_map(|told| value(told, cx)));
        let seconds = items * part.takes(cx.options).seconds();
        let from = seen.iter().map(|told| {
            let day = if part == Part::Tickets { " a day" } else { "" };
            format!("{}: {}{day}", told.check, value(told, cx).unwrap_or_default())
        });
        out.measure(ITEMS.value(Some(part.label()), items));
        sums.push(Sum { part, items, seconds, from: from.collect::<Vec<_>>().join(", ") });
    }
    if !sums.is_empty() {
        let weekly = sums.iter().map(|sum| sum.seconds).sum::<f64>();
        let limit = cx.options.limit.seconds();
        out.measure(WEEKLY.value(None, weekly).bounds(Some(limit), None));
        if weekly > limit {
            out.find(above(weekly, whole, &sums, cx));
        }
    }
    out.unless_seen(!sums.is_empty());
    out
}

/// The number of a figure, where it is one and not too old.
fn value(told: &Told, cx: &AssessCx<'_, Busywork>) -> Option<f64> {
    match &told.figure {
        Figure::Measured { value, at } if *at >= oldest(cx) && *value >= 0.0 => Some(*value),
        _ => None,
    }
}

fn oldest(cx: &AssessCx<'_, Busywork>) -> Timestamp {
    let age = SignedDuration::from_secs(cx.options.max_age.whole_seconds());
    cx.now.checked_sub(age).unwrap_or(Timestamp::MIN)
}

/// A part that is not in the sum.
fn unseen(part: Part, told: &Told, out: &mut Assessment) {
    let weight = match told.figure {
        Figure::Unknown { .. } | Figure::Measured { .. } => Unseen::Condition,
        Figure::Unmeasured | Figure::Skipped { .. } | Figure::NotAsked => Unseen::Noted,
    };
    let (reason, unlock) = why(&told.figure, &told.check);
    let what = format!("{} ({})", part.words(), told.check);
    out.not_checked(weight, what, reason, unlock);
}

fn above(weekly: f64, whole: bool, sums: &[Sum], cx: &AssessCx<'_, Busywork>) -> Finding {
    let line = |sum: &Sum| {
        let (items, each) = (sum.items, sum.part.takes(cx.options));
        let items = sum.part.counted(items);
        format!("{items} × {each} = {} ({})", hours_and_minutes(sum.seconds), sum.from)
    };
    let items = sums.iter().map(|sum| (sum.part, sum.items));
    let most = sums.iter().max_by(|a, b| a.seconds.total_cmp(&b.seconds));
    ABOVE
        .finding(&cx.target.domain)
        .summary(format!(
            "{} of hand-work a week, more than {}: {}.",
            estimate(weekly, whole),
            cx.options.limit,
            named(items)
        ))
        .saw_all(sums.iter().map(line))
        .fix(most.map_or("", |sum| sum.part.fix()))
        .undo("Nothing was changed; an automation that goes wrong can be switched off again.")
}

/// The hand-work of a week in one line, from the measurements of a run: `About 1 h 10 min a week: 14 tickets
/// made by hand`, or that there is none. Nothing where the run counted nothing.
pub fn hand_work(measured: &[Measurement], is_whole: bool) -> Option<String> {
    let of = |name: &str, label: Option<&str>| {
        let mine = |one: &&Measurement| one.name == name && one.subject.as_deref() == label;
        measured.iter().find(mine).map(|one| one.value)
    };
    let weekly = of(WEEKLY.name, None)?;
    let items = Part::ALL
        .into_iter()
        .filter_map(|part| of(ITEMS.name, Some(part.label())).map(|items| (part, items)));
    let named = named(items);
    Some(match (named.is_empty(), is_whole) {
        (true, true) => "none was found".to_owned(),
        (true, false) => "none was found in what could be counted".to_owned(),
        (false, _) => format!("{} a week: {named}", estimate(weekly, is_whole)),
    })
}

fn estimate(seconds: f64, is_whole: bool) -> String {
    format!("{} {}", if is_whole { "About" } else { "At least" }, hours_and_minutes(seconds))
}

/// What there is to do, part by part.
fn named(items: impl Iterator<Item = (Part, f64)>) -> String {
    let some = items.filter(|(_, items)| *items > 0.0);
    some.map(|(part, items)| part.counted(items)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_work_is_one_line_also_where_there_is_none() {
        let some = [WEEKLY.value(None, 4_200.0), ITEMS.value(Some(Part::ALL[0].label()), 14.0)];
        let line = hand_work(&some, true).unwrap();
        assert!(line.starts_with("About 1 h 10 min a week: 14 "), "{line}");
        assert!(hand_work(&some, false).unwrap().starts_with("At least 1 h 10 min a week: "));
        let none = [WEEKLY.value(None, 0.0), ITEMS.value(Some(Part::ALL[0].label()), 0.0)];
        assert_eq!(hand_work(&none, true).unwrap(), "none was found");
        assert_eq!(hand_work(&none, false).unwrap(), "none was found in what could be counted");
        assert_eq!(hand_work(&[], true), None);
    }
}
