//! Part 11: what was changed and what has to be, each with its way back.

use super::super::words::minute;
use super::super::{CheckReport, FindingReport, Report};
use super::{Block, words};

pub(super) fn blocks(report: &Report) -> Vec<Block> {
    let mut blocks = vec![words(
        "launchready has changed nothing: it reads. Whoever mends something writes the name and the day here.",
    )];
    let live = |(_, finding): &(&CheckReport, &FindingReport)| finding.waived.is_none();
    let rows: Vec<Vec<String>> = report
        .findings()
        .into_iter()
        .filter(live)
        .map(|(_, finding)| {
            let undo = finding.undo.lines().collect::<Vec<_>>().join(" ");
            vec![format!("`{}` on {}", finding.code, finding.subject), undo, String::new()]
        })
        .collect();
    if rows.is_empty() {
        blocks.push(words("Nothing has to be changed."));
    } else {
        blocks.push(Block::Table(&["What is mended", "How it is undone", "By whom, when"], rows));
    }
    match &report.handover {
        None => {}
        Some(said) if said.mended.is_empty() => {
            blocks.push(words("The agent has seen nothing mended, or has not watched yet."));
        }
        Some(said) => {
            let rows = said.mended.iter().map(|one| {
                let by = one.by.clone().unwrap_or_else(|| "seen by a look".to_owned());
                vec![one.title.clone(), minute(one.from), minute(one.to), by]
            });
            blocks.push(words("Mended while the agent watched:"));
            blocks.push(Block::Table(&["What", "From", "Until", "Who says so"], rows.collect()));
        }
    }
    blocks
}
