//! `launchready attest`: people sign what only they can confirm.

use std::path::Path;

use jiff::Timestamp;
use launchready_checks::contract::{
    ATTESTATIONS, AttestationFacts, AttestationItem, attestation_item,
};
use serde::Serialize;

use super::args::{AttestAction, AttestArgs};
use super::explain::closest;
use super::output::{paint, print};
use super::{Exit, UsageError};
use crate::clock::{Clock as _, SystemClock, later, whole_second};
use crate::config::{AttestationError, Attestations, load};

/// An item as a list shows it.
#[derive(Debug, Serialize)]
struct Listed<'a> {
    item: &'static str,
    title: &'static str,
    /// `signed`, `expired` or `unsigned`.
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    signed: Option<&'a AttestationFacts>,
}

pub(super) fn run(args: &AttestArgs) -> anyhow::Result<Exit> {
    let config = load(&args.config)?;
    let project = super::project::pick(&config.projects, args.project.as_deref())?;
    let project = project.target.project.as_str();
    let folder = args.config.parent().unwrap_or(Path::new("."));
    let mut here = Attestations::read(folder).map_err(usage)?;
    let now = whole_second(SystemClock.now());
    match (&args.action, &args.item) {
        (Some(AttestAction::List), _) => list(&here.of(project), args.json, now),
        (Some(AttestAction::Remove { signed }), _) => {
            let item = known(signed)?;
            if !here.remove(project, item.id) {
                let text = format!("nobody has signed {} for {project}", item.id);
                return Err(UsageError(text).into());
            }
            here.write().map_err(usage)?;
            tell(
                args.json,
                &serde_json::json!({"item": item.id}),
                &format!("{} is no longer signed", item.id),
            );
        }
        (None, Some(word)) => {
            let signed = signature(args, known(word)?, now);
            here.sign(project, signed.clone()).map_err(UsageError)?;
            here.write().map_err(usage)?;
            let text = format!(
                "{} signs {} of {project}\nuntil {}, in {}; take it back with\nlaunchready attest remove {}{}",
                signed.by.trim(),
                signed.item,
                day(signed.until),
                Attestations::path(folder).display(),
                signed.item,
                super::project::named(&args.config),
            );
            tell(args.json, &signed, &text);
        }
        (None, None) => {
            let text = "name an item, such as restore-tried; `launchready attest list` names them";
            return Err(UsageError(text.to_owned()).into());
        }
    }
    Ok(Exit::Clean)
}

fn signature(args: &AttestArgs, item: &AttestationItem, now: Timestamp) -> AttestationFacts {
    AttestationFacts {
        item: item.id.to_owned(),
        by: args.by.clone().unwrap_or_default(),
        note: args.note.clone(),
        at: now,
        until: later(now, args.valid.unwrap_or(item.valid.0)),
        took: args.took,
        systems: args.systems,
    }
}

fn known(word: &str) -> Result<&'static AttestationItem, UsageError> {
    attestation_item(word).ok_or_else(|| {
        let remedy = closest(word, ATTESTATIONS.iter().map(|item| item.id));
        let remedy = if remedy.contains("did you mean") {
            remedy
        } else {
            "; `launchready attest list` names them".to_owned()
        };
        UsageError(format!("there is no item {word:?}{remedy}"))
    })
}

fn list(signed: &[AttestationFacts], json: bool, now: Timestamp) {
    let all: Vec<Listed<'_>> = ATTESTATIONS
        .iter()
        .map(|item| {
            let last = signed.iter().rfind(|one| one.item == item.id);
            let state = match last {
                None => "unsigned",
                Some(last) if last.holds(now) => "signed",
                Some(_) => "expired",
            };
            Listed { item: item.id, title: item.title, state, signed: last }
        })
        .collect();
    if json {
        print(&(serde_json::to_string_pretty(&all).unwrap_or_default() + "\n"));
        return;
    }
    for one in &all {
        let until = one.signed.map(|it| format!("  {} until {}", it.by, day(it.ends())));
        let until = until.unwrap_or_default();
        let head = format!("{:<20}  {:<8}{until}", one.item, one.state);
        let title = paint().lines(one.title, 2).join("\n  ");
        print(&format!("{}\n  {title}\n", paint().lines(&head, 4).join("\n    ")));
    }
}

fn tell<T: Serialize>(json: bool, became: &T, text: &str) {
    if json {
        print(&(serde_json::to_string_pretty(became).unwrap_or_default() + "\n"));
    } else {
        print(&format!("{text}\n"));
    }
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

#[allow(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn usage(error: AttestationError) -> UsageError {
    UsageError(error.to_string())
}
