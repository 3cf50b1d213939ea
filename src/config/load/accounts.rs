//! The tables of a project's accounts: what the schema cannot see, and the facts that checks are given.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use launchready_checks::contract::{AccountFacts, StripeFacts, SupabaseFacts};
use launchready_checks::probe::TableRole;

use super::reader::Reader;
use crate::config::file::{AccountTables, AutomationKind, DatabaseTable, SupportKind};

/// The most characters of a name of a table or column; PostgreSQL keeps 63 bytes of each part.
const NAME_CHARS: usize = 200;

impl Reader<'_> {
    /// The facts of the accounts, for checks.
    pub(super) fn accounts(&mut self, tables: &AccountTables, key: &str) -> AccountFacts {
        self.addresses_of_accounts(tables, key);
        self.what_kinds_need(tables, key);
        if let Some(database) = &tables.database {
            self.mappings(database, &format!("{key}.database"));
        }
        AccountFacts {
            stripe: tables.stripe.as_ref().map(|table| StripeFacts {
                connect: table.connect,
                only: table.only.clone(),
                since: table.since.as_deref().and_then(|text| {
                    let since = read_since(text);
                    if since.is_none() {
                        let message =
                            format!("{text:?} is no day; write \"2026-11-01\" or a time in UTC");
                        self.error(&format!("{key}.stripe.since"), message);
                    }
                    since
                }),
            }),
            supabase: tables.supabase.as_ref().map(|table| SupabaseFacts {
                reference: table.reference.clone(),
                public_tables: table.public_tables.clone(),
                schemas: table.schemas.clone(),
            }),
            database: tables.database.is_some(),
            crm: tables.crm.as_ref().map(|table| word(&table.kind)),
            support: tables.support.as_ref().map(|table| word(&table.kind)),
            automation: tables.automation.as_ref().map(|table| word(&table.kind)),
            edge: tables.edge.as_ref().map(|table| word(&table.kind)),
            hosting: tables.hosting.as_ref().map(|table| word(&table.kind)),
        }
    }

    fn addresses_of_accounts(&mut self, tables: &AccountTables, key: &str) {
        let supabase = tables.supabase.as_ref();
        let addresses = [
            ("stripe.api", tables.stripe.as_ref().and_then(|table| table.api.as_ref())),
            ("supabase.api", supabase.and_then(|table| table.api.as_ref())),
            ("supabase.url", supabase.and_then(|table| table.url.as_ref())),
            ("crm.api", tables.crm.as_ref().and_then(|table| table.api.as_ref())),
            ("support.api", tables.support.as_ref().and_then(|table| table.api.as_ref())),
            ("automation.api", tables.automation.as_ref().and_then(|table| table.api.as_ref())),
            ("edge.api", tables.edge.as_ref().and_then(|table| table.api.as_ref())),
            ("hosting.api", tables.hosting.as_ref().and_then(|table| table.api.as_ref())),
            ("pagespeed.api", tables.pagespeed.as_ref().and_then(|table| table.api.as_ref())),
        ];
        for (name, address) in addresses {
            if let Some(address) = address {
                self.url(&format!("{key}.{name}"), address);
            }
        }
    }

    /// What only some kinds need.
    fn what_kinds_need(&mut self, tables: &AccountTables, key: &str) {
        if let Some(table) = &tables.supabase {
            let letters = table.reference.bytes().all(|byte| byte.is_ascii_lowercase());
            if table.reference.len() != 20 || !letters {
                let message = "this is no project of Supabase; copy the 20 letters after /project/ in the \
                               address of its dashboard";
                self.error(&format!("{key}.supabase.ref"), message);
            }
            if table.token.is_none() && table.public_key.is_none() {
                let message = "without a credential nothing can be seen; add token = { env = \
                               \"SUPABASE_TOKEN\" }, or public_key";
                self.error(&format!("{key}.supabase"), message);
            }
        }
        if let Some(table) = &tables.support {
            let named = matches!(table.kind, SupportKind::Zendesk | SupportKind::Freshdesk);
            if named && table.subdomain.is_none() && table.api.is_none() {
                let message = "add subdomain, the first part of the desk's address";
                self.error(&format!("{key}.support"), message);
            }
            if matches!(table.kind, SupportKind::HelpScout) && table.user.is_none() {
                let message = "add user, the App ID of the application in Help Scout";
                self.error(&format!("{key}.support"), message);
            }
        }
        if let Some(table) = &tables.automation
            && table.api.is_none()
            && matches!(table.kind, AutomationKind::N8n | AutomationKind::Make)
        {
            let message = "add api, the address of your n8n, or of Make's zone such as \
                           \"https://eu1.make.com\"";
            self.error(&format!("{key}.automation"), message);
        }
        if let Some(table) = &tables.automation
            && table.team.as_ref().is_none_or(String::is_empty)
            && table.kind == AutomationKind::Make
        {
            let message =
                "add team, the number after /team/ or /organization/…/team/ in Make's address";
            self.error(&format!("{key}.automation"), message);
        }
    }

    fn mappings(&mut self, table: &DatabaseTable, key: &str) {
        for role in TableRole::ALL {
            let Some(mapping) = table.mapping(role) else { continue };
            let key = format!("{key}.{}", role.as_str());
            if !mapping.contains_key("table") {
                let message = format!("say which table it is: table = \"{}\"", role.as_str());
                self.error(&key, message);
            }
            for (name, real) in mapping {
                let known = role.columns().iter().any(|(column, _)| column == name);
                let unit = role == TableRole::Orders && name == TableRole::AMOUNT_UNIT;
                if unit && !matches!(real.as_str(), "minor" | "major") {
                    let message = "write \"minor\" where amounts count cents, \"major\" where they count euros";
                    self.error(&format!("{key}.{name}"), message);
                }
                if name != "table" && !known && !unit {
                    let names: Vec<_> = role.columns().iter().map(|(column, _)| *column).collect();
                    let message =
                        format!("no such column is asked for; write {}", names.join(", "));
                    self.error(&format!("{key}.{name}"), message);
                }
                if real.trim().is_empty() || real.len() > NAME_CHARS || real.contains('\0') {
                    self.error(&format!("{key}.{name}"), "write the name as the database has it");
                }
            }
        }
    }
}

impl DatabaseTable {
    /// What the config says about a table.
    pub fn mapping(&self, role: TableRole) -> Option<&BTreeMap<String, String>> {
        match role {
            TableRole::Orders => self.orders.as_ref(),
            TableRole::Events => self.events.as_ref(),
            TableRole::CrmSync => self.crm_sync.as_ref(),
            TableRole::Subscriptions => self.subscriptions.as_ref(),
            TableRole::Tickets => self.tickets.as_ref(),
            TableRole::Submissions => self.submissions.as_ref(),
        }
    }
}

/// The word of a kind, as the config has it.
fn word(kind: &impl serde::Serialize) -> String {
    let word = serde_json::to_value(kind).ok();
    word.as_ref().and_then(|word| word.as_str()).unwrap_or_default().to_owned()
}

/// A day, which begins in UTC, or a time.
fn read_since(text: &str) -> Option<Timestamp> {
    let day = || TimeZone::UTC.to_timestamp(text.parse::<Date>().ok()?.at(0, 0, 0, 0)).ok();
    text.parse().ok().or_else(day)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::parse;

    const PROJECT: &str = "[[project]]\nname = \"harbor\"\ndomain = \"harbor.example\"\n";

    fn errors(text: &str) -> String {
        parse(&format!("{PROJECT}{text}"), Path::new(".")).unwrap_err().to_string()
    }

    #[test]
    fn the_facts_of_accounts_hold_no_credential() {
        let text = "[project.stripe]\nkey = { env = \"KEY\" }\nconnect = \"direct\"\nsince = \"2026-11-01\"\n\
                    only = { metadata = [\"shop=harbor\"] }\n\
                    [project.supabase]\nref = \"abcdefghijklmnopqrst\"\ntoken = { env = \"KEY\" }\n\
                    [project.database]\nurl = { env = \"KEY\" }\norders = { table = \"orders\", amount = \"cents\" }\n\
                    [project.crm]\nkind = \"hubspot\"\ntoken = { env = \"KEY\" }\n";
        let config = parse(&format!("{PROJECT}{text}"), Path::new(".")).unwrap();
        let project = &config.projects[0];
        let facts = &project.target.accounts;
        assert_eq!(facts.configured(), ["stripe", "supabase", "database", "crm"]);
        let stripe = facts.stripe.as_ref().unwrap();
        assert_eq!(stripe.since.unwrap().to_string(), "2026-11-01T00:00:00Z");
        assert_eq!(
            (facts.crm.as_deref(), &stripe.only.metadata[..]),
            (Some("hubspot"), &["shop=harbor".to_owned()][..])
        );
        assert!(project.accounts.tables.database.is_some());
    }

    #[test]
    fn what_cannot_work_is_an_error_with_its_line() {
        for (text, part) in [
            ("[project.stripe]\nkey = \"rk_live_1234567890\"\n", "line 5"),
            ("[project.stripe]\nkey = { env = \"K\" }\nsince = \"soon\"\n", "line 6"),
            ("[project.stripe]\nkey = { env = \"K\" }\napi = \"stripe\"\n", "no web address"),
            ("[project.supabase]\nref = \"harbor\"\ntoken = { env = \"K\" }\n", "20 letters"),
            ("[project.supabase]\nref = \"abcdefghijklmnopqrst\"\n", "without a credential"),
            (
                "[project.database]\nurl = { env = \"K\" }\norders = { id = \"id\" }\n",
                "say which table",
            ),
            (
                "[project.database]\nurl = { env = \"K\" }\norders = { table = \"o\", amount_unit = \"cents\" }\n",
                "where they count euros",
            ),
            (
                "[project.database]\nurl = { env = \"K\" }\norders = { table = \"o\", amonut = \"x\" }\n",
                "no such column",
            ),
            ("[project.crm]\nkind = \"salesforce\"\ntoken = { env = \"K\" }\n", "hubspot"),
            ("[project.support]\nkind = \"zendesk\"\ntoken = { env = \"K\" }\n", "subdomain"),
            ("[project.automation]\nkind = \"n8n\"\ntoken = { env = \"K\" }\n", "add api"),
        ] {
            let errors = errors(text);
            assert!(errors.contains(part), "{text}: {errors}");
            assert!(!errors.contains("rk_live"), "{errors}");
        }
    }
}
