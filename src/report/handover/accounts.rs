//! Parts 7 and 8: who holds which account, and where each credential is kept.

use super::super::Report;
use super::{Block, day, without_config, words};

/// Accounts that every product has or may have: the word in the config, and the checks that prove that it is used.
const SYSTEMS: [(&str, &str, &[&str]); 10] = [
    ("registrar", "the domain's registration", &["domain-registration"]),
    ("dns", "the name servers", &["dns-resolution"]),
    ("hosting", "where the site runs", &["ops-deployment", "web-uptime"]),
    ("edge", "the edge in front of it", &["web-edge"]),
    ("supabase", "database and sign-in", &["supabase-settings"]),
    ("stripe", "payments", &["stripe-account"]),
    ("mail", "sending and receiving mail", &["mail-spf"]),
    ("crm", "the CRM", &["crm-contacts"]),
    ("support", "the help desk", &["support-backlog"]),
    ("automation", "the automations", &["automation-runs"]),
];

/// Part 7.
pub(super) fn owners(report: &Report) -> Vec<Block> {
    let mut blocks = Vec::new();
    let rows: Vec<Vec<String>> = report
        .ownership
        .iter()
        .map(|one| {
            let text =
                |value: &Option<String>| value.clone().unwrap_or_else(|| "not said".to_owned());
            let mfa = match one.mfa {
                Some(true) => "demanded",
                Some(false) => "not demanded",
                None => "not said",
            };
            let both = |first: String, second: String| format!("{first}; {second}");
            let renews = one.renews.map_or_else(|| "not said".to_owned(), |day| day.to_string());
            vec![
                one.account.as_ref().map_or_else(
                    || one.system.clone(),
                    |account| format!("{}: {account}", one.system),
                ),
                both(text(&one.owner), format!("second: {}", text(&one.second))),
                mfa.to_owned(),
                both(renews, text(&one.cost)),
                text(&one.recovery),
            ]
        })
        .collect();
    let looked = |ids: &[&str]| {
        let ran = |id: &&str| {
            report.checks.iter().any(|check| check.id == **id && check.reason.is_none())
        };
        ids.iter().any(ran)
    };
    let missing: Vec<String> = SYSTEMS
        .iter()
        .filter(|(system, _, ids)| {
            looked(ids)
                && report.ownership.iter().all(|one| !one.system.eq_ignore_ascii_case(system))
        })
        .map(|(system, words, _)| format!("`{system}`: {words}"))
        .collect();
    if rows.is_empty() {
        blocks.push(words(
            "Nobody has written down who holds which account: add a `[[project.account]]` table to the config for \
             each, with owner, second owner, second factor, renewal, way back and cost.",
        ));
    } else {
        blocks.push(Block::Table(
            &["System and account", "Owners", "Second factor", "Renews, cost", "Way back"],
            rows,
        ));
    }
    if !missing.is_empty() {
        blocks.push(words("In use, and nobody is named for it:"));
        blocks.push(Block::Items(missing));
    }
    let signed =
        report.attestations.iter().filter(|one| ["two-owners", "mfa"].contains(&one.item.as_str()));
    for one in signed {
        let state = if one.holds { "until" } else { "which ran out on" };
        blocks.push(words(format!(
            "Signed by {} on {}, {state} {}: {}.",
            one.by,
            day(one.at),
            day(one.until),
            one.title
        )));
    }
    blocks
}

/// How a credential is made anew, and what stands still meanwhile, by the first word of its key.
const ROTATION: [(&str, &str, &str); 12] = [
    ("stripe", "Stripe: Developers, API keys, Restricted keys, Rotate", "the checks of payments"),
    (
        "supabase",
        "Supabase: Account, Access Tokens; project keys under Settings, API Keys",
        "the checks of Supabase",
    ),
    (
        "database",
        "`ALTER ROLE … PASSWORD` for the reading user, then the new address",
        "the checks of orders",
    ),
    ("crm", "a new token in the CRM's settings for apps", "the checks of the CRM"),
    ("support", "a new API token in the help desk's settings", "the checks of support"),
    ("automation", "a new API key in the settings of the automation", "the checks of automations"),
    ("edge", "Cloudflare: My Profile, API Tokens, Roll", "what is read of the zone"),
    ("hosting", "a new token in the account settings of the host", "the checks of deployments"),
    ("pagespeed", "Google Cloud: APIs and Services, Credentials", "the speed of pages"),
    (
        "heartbeat",
        "16 new random letters, in the config's file and in the job",
        "the calls of that job",
    ),
    (
        "channel",
        "a new password, URL or key at the channel",
        "messages on that channel; its fallback is told",
    ),
    (
        "agent",
        "a new password; the page signs everybody out",
        "the page, or the metrics, of the agent",
    ),
];

/// Part 8.
pub(super) fn secrets(report: &Report) -> Vec<Block> {
    let Some(said) = &report.handover else {
        return vec![without_config(
            "It would list each credential that launchready is given, and where it is kept.",
        )];
    };
    let mut blocks = Vec::new();
    if said.secrets.is_empty() {
        blocks.push(words("The config names no credential."));
    } else {
        let rows = said.secrets.iter().map(|secret| {
            let first = secret.key.split(['.', '[']).next().unwrap_or_default();
            let known = ROTATION.iter().find(|(word, _, _)| *word == first);
            let (how, stops) =
                known.map_or(("at its provider", "what reads it"), |(_, how, stops)| (how, stops));
            vec![
                format!("`{}`", secret.key),
                format!("{}{}", secret.kept, if secret.is_there { "" } else { " (missing)" }),
                how.to_owned(),
                stops.to_owned(),
            ]
        });
        blocks.push(words(
            "What launchready itself is given, each to read and for nothing else; the values stay on its machine:",
        ));
        blocks.push(Block::Table(
            &["Name", "Kept in", "Made anew", "Stands still meanwhile"],
            rows.collect(),
        ));
    }
    let rotated = report.attestations.iter().find(|one| one.item == "secrets-rotated");
    blocks.push(words(match rotated {
        Some(one) => format!(
            "Last rotated, as {} signed on {}: {}",
            one.by,
            day(one.at),
            if one.note.is_empty() { "without a note." } else { one.note.as_str() }
        ),
        None => "When they were last rotated, nobody has signed: `launchready attest secrets-rotated --by NAME`."
            .to_owned(),
    }));
    blocks.push(words(
        "The keys of the product itself are at its host: `launchready check ops-deployment` compares their names, and \
         never reads a value.",
    ));
    blocks
}
