//! What `init` says when it has written: what it saw, what to grant where, and what to type next.

use std::fmt::Write as _;
use std::path::Path;

use launchready_checks::contract::{Ownership, OwnershipRecord};

use super::Outcome;
use crate::discover::Draft;

/// The most columns of a line.
const WIDTH: usize = 100;

/// The whole text.
pub(super) fn report(
    draft: &Draft<'_>,
    path: &Path,
    outcome: &Outcome,
    owned: &Ownership,
) -> String {
    let mut text = seen(draft);
    _ = writeln!(text);
    text += &written(path, outcome);
    text += &next(draft, path, outcome, owned);
    text
}

/// What shows from outside.
fn seen(draft: &Draft<'_>) -> String {
    let stack = draft.stack;
    let mut rows: Vec<(&str, String)> = Vec::new();
    if let Some(platform) = stack.platform {
        rows.push(("the site", format!("on {platform}")));
    }
    let host = |host: &crate::discover::HostSeen| match host.platform {
        Some(platform) => format!("{} ({platform})", host.name),
        None => host.name.clone(),
    };
    let hosts: Vec<String> = stack.hosts.iter().map(host).collect();
    if !hosts.is_empty() {
        rows.push(("hosts", hosts.join(", ")));
    }
    if !stack.other_names.is_empty() {
        rows.push(("other names", stack.other_names.join(", ")));
    }
    for (word, sign) in &stack.mail.tools {
        rows.push(("mail", format!("{word} ({sign})")));
    }
    for wanted in draft.wanted() {
        rows.push((wanted.access.title, wanted.sign));
    }
    for (sign, place) in &stack.services {
        rows.push((sign.kind.words(), format!("{} ({place})", sign.name)));
    }
    for address in &stack.webhooks {
        rows.push(("webhook", address.clone()));
    }
    let mut text = format!("{}: what shows from outside\n\n", stack.domain);
    for (what, how) in rows {
        let lead = format!("  {what:<20}");
        text += &wrapped(&how, &lead, &" ".repeat(22));
    }
    for unseen in &stack.unseen {
        text += &wrapped(unseen, "  not seen            ", &" ".repeat(22));
    }
    let open: Vec<&str> = draft.unsettled().iter().map(|part| part.words()).collect();
    if !open.is_empty() {
        let how = format!("{} (may still be there; --uses names them)", open.join(", "));
        text += &wrapped(&how, "  not seen            ", &" ".repeat(22));
    }
    text
}

fn written(path: &Path, outcome: &Outcome) -> String {
    let mut text = String::new();
    let path = path.display();
    if outcome.is_new {
        _ = writeln!(text, "Wrote {path}.");
    } else if outcome.merge.added.is_empty() {
        _ = writeln!(text, "Nothing new: {path} stays as it is.");
    } else {
        _ = writeln!(text, "Added to {path}: {}.", outcome.merge.added.join(", "));
    }
    for note in &outcome.merge.by_hand {
        text += &wrapped(&format!("{note}."), "Yours to settle: ", "  ");
    }
    if let Some(env) = &outcome.env {
        let line = "with the name of each credential; only you can read it, and your copy of it.";
        text += &wrapped(line, &format!("Wrote {} ", env.display()), "  ");
    } else if !outcome.env_missing.is_empty() {
        text += ".env.example stands and was not touched. It does not name:\n";
        for line in &outcome.env_missing {
            _ = writeln!(text, "  {line}");
        }
    }
    if outcome.is_exposed {
        text += "Add .env to .gitignore before you write a credential into it.\n";
    }
    text
}

fn next(draft: &Draft<'_>, path: &Path, outcome: &Outcome, owned: &Ownership) -> String {
    let domain = &draft.stack.domain;
    let mut text = "\nNext\n\n".to_owned();
    if owned.is_proven() {
        let line = format!("The TXT record at _launchready.{domain} is there: active probes run.");
        text += &wrapped(&line, "1. ", "   ");
    } else {
        let begins = "Prove that the domain is yours, so that active probes run";
        let line = format!("{}. Publish this record:", owned.reason(begins));
        text += &wrapped(&line, "1. ", "   ");
        _ = writeln!(text, "\n   {}\n", OwnershipRecord::new(domain, &draft.token));
    }
    text += "2. Create these credentials, each with the least that it needs:\n";
    for wanted in draft.wanted() {
        let access = wanted.access;
        let names: Vec<String> =
            access.credentials.iter().map(|one| draft.variable(one.suffix)).collect();
        _ = writeln!(text, "\n   {} → {}", access.title, names.join(", "));
        for (what, how) in [
            ("where", access.create.to_owned()),
            ("grant", access.grant.join("; ")),
            ("never", access.never.to_owned()),
            ("opens", opens(access.unlocks)),
        ] {
            text += &wrapped(&how, &format!("     {what}  "), "            ");
        }
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let beside = |name: &str| {
        folder.map_or_else(|| name.to_owned(), |folder| folder.join(name).display().to_string())
    };
    let (example, env) = (beside(".env.example"), beside(".env"));
    let dotted = if folder.is_some() { env.clone() } else { "./.env".to_owned() };
    let config = if path == Path::new("launchready.toml") {
        String::new()
    } else {
        format!(" --config {}", path.display())
    };
    text += "\n3. Fill them in and look:\n\n";
    if outcome.env.is_some() {
        _ = writeln!(text, "   cp {example} {env}");
    }
    _ = writeln!(text, "   set -a; . {dotted}; set +a");
    _ = writeln!(text, "   launchready config check{config}");
    _ = writeln!(text, "   launchready audit{config}");
    text
}

/// The checks that a credential opens, in words.
fn opens(starts: &[&str]) -> String {
    let word =
        |start: &&str| if start.ends_with('-') { format!("{start}*") } else { (*start).to_owned() };
    starts.iter().map(word).collect::<Vec<_>>().join(", ")
}

fn wrapped(text: &str, lead: &str, indent: &str) -> String {
    let options = textwrap::Options::new(WIDTH).initial_indent(lead).subsequent_indent(indent);
    let lines = textwrap::wrap(text, options.break_words(false));
    lines.join("\n") + "\n"
}
