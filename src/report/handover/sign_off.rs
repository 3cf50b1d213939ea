//! Part 13: what was accepted and confirmed, by whom, and the lines for the signatures.

use super::super::Report;
use super::{Block, day, without_config, words};

pub(super) fn blocks(report: &Report) -> Vec<Block> {
    let mut blocks = Vec::new();
    if report.waivers.is_empty() {
        blocks.push(words("Nobody has accepted a risk."));
    } else {
        let rows = report.waivers.iter().map(|waiver| {
            let subject = waiver.subject.as_ref().map_or(String::new(), |one| format!(" of {one}"));
            let state = if waiver.holds { "holds" } else { "has ended" };
            vec![
                format!("`{}`{subject}", waiver.code),
                waiver.by.clone(),
                waiver.reason.clone(),
                format!("{} ({state})", day(waiver.until)),
            ]
        });
        blocks.push(words("Accepted risks:"));
        blocks.push(Block::Table(&["What", "By", "Why", "Until"], rows.collect()));
    }
    if !report.attestations.is_empty() {
        let rows = report.attestations.iter().map(|one| {
            let state = if one.holds { "holds" } else { "has ended" };
            let note = if one.note.is_empty() { "–".to_owned() } else { one.note.clone() };
            vec![
                one.title.clone(),
                format!("{}, {}", one.by, day(one.at)),
                format!("{} ({state})", day(one.until)),
                note,
            ]
        });
        blocks.push(words("Confirmed by a person:"));
        blocks.push(Block::Table(&["What", "Signed", "Until", "Note"], rows.collect()));
    } else if report.handover.is_some() {
        blocks.push(words(
            "Nobody has signed what only a person can confirm: `launchready attest list` names it.",
        ));
    } else {
        blocks.push(without_config("People sign beside it what only they can confirm."));
    }
    blocks.push(words(format!(
        "We have read parts 1, 4 and 6: the verdict {} for the goal {}, what remains, and what nobody has looked at.",
        report.verdict.title(),
        report.goal.as_str()
    )));
    blocks.push(Block::Lines(&[
        "Handed over by (name, day, signature)",
        "Taken over by (name, day, signature)",
        "On call from then on (name, telephone)",
    ]));
    blocks
}
