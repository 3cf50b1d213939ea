//! Drills as text for a terminal, readable without colour.

use std::fmt::Write as _;

use super::regression::Tested;
use crate::drill::{Drill, Outcome, Plan, Record, Step, StepState, Undo, UndoState};
use crate::report::{Paint, visible};

/// What stands below a line stands right of its sign.
const INDENT: usize = 4;

/// A dry run of one or several. What more than one of them lacks is said once, at the end.
pub(super) fn plans(all: &[Plan], command: &dyn Fn(Drill) -> String, paint: Paint) -> String {
    let mut out = String::new();
    let mut shared: Vec<String> = Vec::new();
    for lack in all.iter().flat_map(|plan| &plan.lacks) {
        let in_many = all.iter().filter(|plan| plan.lacks.contains(lack)).count() > 1;
        if in_many && !shared.contains(lack) {
            shared.push(lack.clone());
        }
    }
    for one in all {
        out.push_str(&plan(one, &shared, &command(one.drill), paint));
    }
    list("Before more than one of them", &shared, paint, &mut out);
    out
}

fn plan(plan: &Plan, shared: &[String], command: &str, paint: Paint) -> String {
    let mut out = String::new();
    heading(plan.drill, paint, &mut out);
    list("It would", &plan.does, paint, &mut out);
    list("Its proof", &plan.proves, paint, &mut out);
    list("Its undo", &plan.undoes, paint, &mut out);
    if plan.lacks.is_empty() {
        paragraph(2, &format!("Nothing was touched. Run it: {command}"), paint, &mut out);
    } else {
        let is_shared = |lack: &&String| shared.contains(lack);
        let mut own: Vec<String> =
            plan.lacks.iter().filter(|lack| !is_shared(lack)).cloned().collect();
        if plan.lacks.iter().any(|lack| is_shared(&lack)) {
            own.push("what stands at the end".to_owned());
        }
        list("Before that", &own, paint, &mut out);
    }
    out.push('\n');
    out
}

/// What came of a drill.
pub(super) fn record(record: &Record, undo: &str, paint: Paint) -> String {
    let mut out = String::new();
    heading(record.drill, paint, &mut out);
    if !record.lacks.is_empty() {
        list("It was not begun. Before that", &record.lacks, paint, &mut out);
        _ = writeln!(out, "\n  {}", word(record.outcome, paint));
        return out;
    }
    for step in &record.steps {
        draw_step(step, paint, &mut out);
    }
    if !record.undo.is_empty() {
        _ = writeln!(out, "\n  {}", paint.bold("Taken back"));
        undos(&record.undo, paint, &mut out);
    }
    if record.kept {
        paragraph(2, &format!("What it made was kept; take it back: {undo}"), paint, &mut out);
    }
    _ = writeln!(out, "\n  {}", word(record.outcome, paint));
    out
}

/// What came of `drill undo`.
pub(super) fn undone(all: &[(Drill, Vec<Undo>)], paint: Paint) -> String {
    if all.is_empty() {
        return "no drill of this project has left anything\n".to_owned();
    }
    let mut out = String::new();
    for (drill, undo) in all {
        _ = writeln!(out, "{}", paint.bold(drill.as_str()));
        if undo.is_empty() {
            paragraph(INDENT, "nothing of it was found", paint, &mut out);
        }
        undos(undo, paint, &mut out);
    }
    out
}

/// What came of the eight tests.
pub(super) fn results(all: &[Tested], undo: &str, paint: Paint) -> String {
    let mut out = String::new();
    for one in all {
        let name = format!("{:<16}", one.test);
        _ = writeln!(out, "{} {}", paint.bold(&name), word(one.outcome, paint));
        for saw in &one.saw {
            paragraph(INDENT, saw, paint, &mut out);
        }
        for fix in &one.fixes {
            hung(INDENT, "→ ", fix, paint, &mut out);
        }
        let left = one.record.iter().flat_map(|record| &record.undo);
        let left: Vec<Undo> = left.filter(|undo| undo.state == UndoState::Left).cloned().collect();
        undos(&left, paint, &mut out);
    }
    let count = |outcome| all.iter().filter(|one| one.outcome == outcome).count();
    let (passed, failed) = (count(Outcome::Passed), count(Outcome::Failed));
    let not_run = count(Outcome::NotRun);
    _ = writeln!(out, "\n{passed} passed, {failed} failed, {not_run} not run");
    if all.iter().filter_map(|one| one.record.as_ref()).any(Record::is_left) {
        _ = writeln!(out, "something was left in the product: {undo}");
    }
    out
}

fn heading(drill: Drill, paint: Paint, out: &mut String) {
    _ = writeln!(out, "{}", paint.bold(&format!("drill {}", drill.as_str())));
    paragraph(2, &format!("{}.", drill.question()), paint, out);
    out.push('\n');
}

fn word(outcome: Outcome, paint: Paint) -> String {
    match outcome {
        Outcome::Passed => paint.good("PASS"),
        Outcome::Failed => paint.bad("FAIL"),
        Outcome::NotRun => paint.doubtful("NOT RUN"),
    }
}

fn draw_step(step: &Step, paint: Paint, out: &mut String) {
    let sign = match step.state {
        StepState::Held => paint.good("✓"),
        StepState::Broken => paint.bad("✗"),
        StepState::Unseen => paint.doubtful("?"),
        StepState::Left => paint.dim("–"),
    };
    for (place, line) in paint.lines(&visible(&step.what), INDENT).into_iter().enumerate() {
        let sign = if place == 0 { sign.as_str() } else { " " };
        _ = writeln!(out, "  {sign} {}", paint.bold(&line));
    }
    paragraph(INDENT, &step.saw, paint, out);
    if let Some(fix) = &step.fix {
        hung(INDENT, "→ ", fix, paint, out);
    }
}

fn undos(all: &[Undo], paint: Paint, out: &mut String) {
    for undo in all {
        let sign = match undo.state {
            UndoState::Done => "✓ ",
            UndoState::Left => "✗ ",
        };
        hung(INDENT, sign, &format!("{}: {}", undo.what, undo.how), paint, out);
    }
}

fn list(title: &str, items: &[String], paint: Paint, out: &mut String) {
    if items.is_empty() {
        return;
    }
    _ = writeln!(out, "  {}", paint.bold(title));
    for item in items {
        hung(INDENT, "- ", item, paint, out);
    }
}

/// A paragraph behind a sign, whose further lines stand below its first word.
fn hung(indent: usize, sign: &str, text: &str, paint: Paint, out: &mut String) {
    let wide = indent + sign.chars().count();
    for (place, line) in paint.lines(&visible(text), wide).into_iter().enumerate() {
        let sign = if place == 0 { sign } else { "  " };
        _ = writeln!(out, "{}{sign}{line}", " ".repeat(indent));
    }
}

fn paragraph(indent: usize, text: &str, paint: Paint, out: &mut String) {
    for line in paint.lines(&visible(text), indent) {
        _ = writeln!(out, "{}{line}", " ".repeat(indent));
    }
}
