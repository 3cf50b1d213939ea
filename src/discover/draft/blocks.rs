//! The table of one system: what was seen, what to create and to grant, and the keys.

use std::fmt::Write as _;

use super::{Addition, Draft, Wanted, comment, quoted};
use crate::discover::access::{ACCESS, Access, Part};

/// The tables that a database may hold, with the names that they usually have.
const TABLES: [(&str, &str, &str); 6] = [
    ("orders", "orders", "what was sold"),
    ("events", "stripe_events", "the provider's events that the webhook has taken"),
    ("crm_sync", "crm_sync_log", "what was handed to the CRM"),
    ("subscriptions", "subscriptions", "subscriptions"),
    ("tickets", "tickets", "requests for help"),
    ("submissions", "contact_forms", "forms that were sent"),
];

impl Draft<'_> {
    /// The table of a system, with what to do in front of it.
    pub(super) fn block(&self, wanted: &Wanted) -> Addition {
        let access = wanted.access;
        let (keys, open) = self.keys(access);
        let mut text = comment(&format!("{}: {}.", access.title, wanted.sign));
        text += &comment(&format!("Where: {}", access.create));
        text += &comment(&format!("Grant: {}. Never: {}.", access.grant.join("; "), access.never));
        if let Some(open) = open {
            text +=
                &comment(&format!("Fill in {open}, then take the \"# \" away from these lines."));
        }
        let lead = if open.is_some() { "# " } else { "" };
        _ = writeln!(text, "{lead}[project.{}]", access.part.table());
        for line in keys.lines() {
            _ = writeln!(text, "{lead}{line}");
        }
        Addition { table: access.part.table(), text, open, wanted: Some(wanted.clone()) }
    }

    /// The keys of a system's table, and what is not known of them.
    fn keys(&self, access: &'static Access) -> (String, Option<&'static str>) {
        let mut text = String::new();
        let mut open = None;
        if matches!(
            access.part,
            Part::Crm | Part::Support | Part::Automation | Part::Edge | Part::Hosting
        ) {
            _ = writeln!(text, "kind = {}", quoted(access.word));
        }
        if let Some(supabase) = self.stack.supabase.as_ref().filter(|_| access.word == "supabase") {
            _ = writeln!(text, "ref = {}", quoted(&supabase.reference));
        } else if access.word == "supabase" {
            _ = writeln!(text, "ref = \"\"");
            open = Some("ref, the 20 letters after /project/ in the dashboard's address");
        }
        for credential in access.credentials {
            let variable = self.variable(credential.suffix);
            _ = writeln!(text, "{} = {{ env = {} }}", credential.key, quoted(&variable));
        }
        let guess = super::project_name(&self.stack.domain);
        match access.word {
            "zendesk" | "freshdesk" => {
                let seen = if access.word == "zendesk" {
                    &self.stack.zendesk
                } else {
                    &self.stack.freshdesk
                };
                if let Some(name) = self.answers.desk.as_ref().or(seen.as_ref()) {
                    _ = writeln!(text, "subdomain = {}", quoted(name));
                } else {
                    let line = "# A guess: the first part of the desk's address.";
                    _ = writeln!(text, "{line}\nsubdomain = {}", quoted(&guess));
                }
                if access.word == "zendesk" {
                    let user = self.answers.user.clone();
                    let line = "# A guess: the address of the agent whose API token it is. With an OAuth \
                                token take user out.\n";
                    let lead = if user.is_some() { "" } else { line };
                    let user = user.unwrap_or_else(|| format!("support@{}", self.stack.domain));
                    _ = writeln!(text, "{lead}user = {}", quoted(&user));
                }
            }
            "helpscout" => {
                let user = self.answers.user.as_deref();
                _ = writeln!(text, "user = {}", quoted(user.unwrap_or_default()));
                open = user.is_none().then_some("user, the App ID of the application");
            }
            "n8n" => {
                let address = self.answers.automation.clone().or_else(|| self.n8n());
                open = address.is_none().then_some("api, the address of your n8n");
                let address =
                    address.unwrap_or_else(|| format!("https://n8n.{}", self.stack.domain));
                _ = writeln!(text, "api = {}", quoted(&address));
            }
            "make" => {
                let zone = self.stack.make_zone.as_deref().unwrap_or("eu1");
                _ = writeln!(text, "api = \"https://{zone}.make.com\"\nteam = \"\"");
                open = Some("team, the number after /team/ in Make's address");
            }
            "vercel" => {
                let line =
                    "# A guess: the project's name at Vercel. For a team add team = \"team_…\".";
                _ = writeln!(text, "{line}\nsite = {}", quoted(&guess));
            }
            "netlify" => {
                _ = writeln!(text, "site = \"\"");
                open = Some("site, the site's id under Site configuration → General");
            }
            "database" => {
                let line = "# Which table holds what: take the \"# \" away where it is so, and correct the name.";
                _ = writeln!(text, "{line}");
                for (role, table, about) in TABLES {
                    _ = writeln!(text, "# {role} = {{ table = \"{table}\" }}   # {about}");
                }
            }
            _ => {}
        }
        (text, open)
    }

    fn n8n(&self) -> Option<String> {
        self.stack.n8n.as_ref().map(|host| format!("https://{host}"))
    }

    /// What a part that was not seen would look like, commented out.
    pub(super) fn suggestion(&self, part: Part) -> String {
        let kinds: Vec<&Access> = ACCESS.iter().filter(|access| access.part == part).collect();
        let Some(first) = kinds.first() else { return String::new() };
        let words: Vec<&str> = kinds.iter().map(|access| access.word).collect();
        let mut text = if words.len() > 1 {
            comment(&format!(
                "{}: none was seen. `launchready init {} --uses {}` (or {}) writes this table.",
                capital(part.words()),
                self.stack.domain,
                first.word,
                words.get(1..).unwrap_or_default().join(", ")
            ))
        } else {
            comment(&format!(
                "{}: not seen. `launchready init {} --uses {}` writes this table.",
                first.title, self.stack.domain, first.word
            ))
        };
        _ = writeln!(text, "# [project.{}]", part.table());
        for line in self.keys(first).0.lines() {
            _ = writeln!(text, "# {}", line.trim_start_matches("# "));
        }
        text
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
