//! Part 9: what is watched, how often, who is told, and what is known of alerts that arrived.

use super::super::Report;
use super::super::words::minute;
use super::{Block, without_config, words};

pub(super) fn blocks(report: &Report) -> Vec<Block> {
    let Some(said) = &report.handover else {
        return vec![without_config(
            "It would list who is told of what, and whether messages arrive.",
        )];
    };
    let mut blocks = Vec::new();
    blocks.push(words(match said.last_look {
        Some(at) => format!("An agent watches; its last look was on {}.", minute(at)),
        None => "No agent has watched with this config: start one with `launchready agent`. What follows is what it \
                 would do."
            .to_owned(),
    }));
    if said.channels.is_empty() {
        blocks.push(words("Nobody is told: the config has no `[[channel]]`."));
    } else {
        let rows = said.channels.iter().map(|channel| {
            let sent = match (channel.delivered, channel.failed) {
                (0, 0) => "never used".to_owned(),
                (sent, 0) => format!("{sent} accepted"),
                (sent, failed) => format!("{sent} accepted, {failed} refused"),
            };
            vec![
                channel.name.clone(),
                channel.kind.clone(),
                channel.severities.join(", "),
                channel.fallback.clone().unwrap_or_else(|| "nobody".to_owned()),
                sent,
            ]
        });
        blocks.push(Block::Table(
            &["Channel", "By", "Takes", "If it fails", "Messages of this agent"],
            rows.collect(),
        ));
    }
    let drill = report.checks.iter().find(|check| check.id == "ops-alerting");
    blocks.push(words(match drill {
        Some(check) => format!("Last drill ({}): {}", check.status.as_str(), super::proof(report, check)),
        None => "No drill of the alerts is recorded. `launchready notify test` sends a message to every channel: do it \
                 now, see that a person reads it within 5 minutes, and write the minute here: ________"
            .to_owned(),
    }));
    if !said.watched.is_empty() {
        let mut by_rhythm: Vec<(&str, Vec<&str>)> = Vec::new();
        for one in &said.watched {
            match by_rhythm.iter_mut().find(|(rhythm, _)| *rhythm == one.rhythm) {
                Some((_, checks)) => checks.push(&one.check),
                None => by_rhythm.push((&one.rhythm, vec![&one.check])),
            }
        }
        let rows = by_rhythm
            .into_iter()
            .map(|(rhythm, checks)| vec![rhythm.to_owned(), checks.join(", ")]);
        blocks.push(words("What is looked at, and how often; the thresholds stand in part 5 and in `launchready explain ID`:"));
        blocks.push(Block::Table(&["How often", "Checks"], rows.collect()));
    }
    blocks
}
