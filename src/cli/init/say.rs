//! What `init` says when it has written: what it saw, what to grant where, and what to type next.

use std::fmt::Write as _;
use std::path::Path;

use launchready_checks::contract::{Ownership, OwnershipRecord};

use super::Outcome;
use crate::cli::project::named;
use crate::config::shell_word;
use crate::discover::Draft;
use crate::report::Paint;

/// The whole text. Lines are as wide as the terminal; a record and a command stay whole, so that they can be copied.
pub(super) fn report(
    draft: &Draft<'_>,
    path: &Path,
    outcome: &Outcome,
    owned: &Ownership,
    paint: Paint,
) -> String {
    let mut text = seen(draft, paint);
    _ = writeln!(text);
    text += &written(path, outcome, paint);
    text += &next(draft, path, outcome, owned, paint);
    text
}

/// What stands before something that may be there and does not show.
const NOT_SEEN: &str = "  not seen            ";

/// What shows from outside.
fn seen(draft: &Draft<'_>, paint: Paint) -> String {
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
        text += &after(&format!("  {what:<19} "), &how, paint);
    }
    for unseen in &stack.unseen {
        text += &after(NOT_SEEN, unseen, paint);
    }
    let open: Vec<&str> = draft.unsettled().iter().map(|part| part.words()).collect();
    if !open.is_empty() {
        let how = format!("{} (may still be there; --uses names them)", open.join(", "));
        text += &after(NOT_SEEN, &how, paint);
    }
    text
}

fn written(path: &Path, outcome: &Outcome, paint: Paint) -> String {
    let path = path.display();
    let mut text = if outcome.is_new {
        hanging(&format!("Wrote {path}."), paint)
    } else if outcome.merge.added.is_empty() {
        hanging(&format!("Nothing new: {path} stays as it is."), paint)
    } else {
        hanging(&format!("Added to {path}: {}.", outcome.merge.added.join(", ")), paint)
    };
    for note in &outcome.merge.by_hand {
        text += &hanging(&format!("Yours to settle: {note}."), paint);
    }
    if let Some(env) = &outcome.env {
        let line = "with the name of each credential; only you can read it, and your copy of it.";
        text += &hanging(&format!("Wrote {} {line}", env.display()), paint);
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

fn next(
    draft: &Draft<'_>,
    path: &Path,
    outcome: &Outcome,
    owned: &Ownership,
    paint: Paint,
) -> String {
    let domain = &draft.stack.domain;
    let mut text = "\nNext\n\n".to_owned();
    if owned.is_proven() {
        let line = format!("The TXT record at _launchready.{domain} is there: active probes run.");
        text += &after("1. ", &line, paint);
    } else {
        let begins = "Prove that the domain is yours, so that active probes run";
        let line = format!("{}. Publish this record:", owned.reason(begins));
        text += &after("1. ", &line, paint);
        _ = writeln!(text, "\n   {}\n", OwnershipRecord::new(domain, &draft.token));
    }
    text += "2. Create these credentials, each with the least that it needs:\n";
    for wanted in draft.wanted() {
        let access = wanted.access;
        let names: Vec<String> =
            access.credentials.iter().map(|one| draft.variable(one.suffix)).collect();
        text.push('\n');
        text += &after("   ", &format!("{} → {}", access.title, names.join(", ")), paint);
        for (what, how) in [
            ("where", access.create.to_owned()),
            ("grant", access.grant.join("; ")),
            ("never", access.never.to_owned()),
            ("opens", opens(access.unlocks)),
        ] {
            text += &after(&format!("     {what}  "), &how, paint);
        }
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let beside = |name: &str| {
        folder.map_or_else(|| name.to_owned(), |folder| folder.join(name).display().to_string())
    };
    let (example, env) = (beside(".env.example"), beside(".env"));
    let dotted = if folder.is_some() { env.clone() } else { "./.env".to_owned() };
    let (example, env, dotted) = (shell_word(&example), shell_word(&env), shell_word(&dotted));
    let config = named(path);
    text += "\n3. Fill them in and look:\n\n";
    if outcome.env_to_copy {
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

/// A text beside what leads to it.
fn after(lead: &str, text: &str, paint: Paint) -> String {
    let indent = lead.chars().count();
    let mut out = String::new();
    for (index, line) in paint.lines(text, indent).iter().enumerate() {
        // Writing into a string cannot fail.
        _ = match index {
            0 => writeln!(out, "{lead}{line}"),
            _ => writeln!(out, "{}{line}", " ".repeat(indent)),
        };
    }
    out
}

/// A paragraph whose further lines stand a little to the right.
fn hanging(text: &str, paint: Paint) -> String {
    let lines = paint.lines(text, 2);
    lines.join("\n  ") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_wide_as_the_terminal_and_stand_below_each_other() {
        let paint = Paint { colour: false, width: 40 };
        assert_eq!(
            after("  hosts ", "www.harbor.example (Vercel), app.harbor.example", paint),
            "  hosts www.harbor.example (Vercel),\n        app.harbor.example\n"
        );
        assert_eq!(
            hanging("Added to launchready.toml: project.crm, project.support.", paint),
            "Added to launchready.toml:\n  project.crm, project.support.\n"
        );
        let text = "word ".repeat(60);
        for width in [40, 80, 100] {
            let paint = Paint { colour: false, width };
            for line in [after("1. ", &text, paint), hanging(&text, paint)].concat().lines() {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
        }
    }
}
