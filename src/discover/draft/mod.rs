//! The config that is drafted from a stack: a new project, or additions to one that stands.

mod blocks;
mod env;
mod merge;
mod project;
mod standing;

use std::collections::BTreeSet;

use launchready_checks::suffix;

use super::access::{ACCESS, Access, Part, named};
use super::stack::Stack;
pub use merge::{Merge, MergeError, merge};
pub use project::NetworkLines;
pub use standing::standing;

/// What the founder said, because it cannot be seen.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// Words of systems that the product uses.
    pub uses: Vec<&'static str>,
    /// Parts that it does not have.
    pub none: BTreeSet<Part>,
    /// The account at the help desk: the first part of its address.
    pub desk: Option<String>,
    /// The address of n8n.
    pub automation: Option<String>,
    /// Whose token that of the help desk is.
    pub user: Option<String>,
}

/// A system that gets a block of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// How it is read.
    pub access: &'static Access,
    /// Why it is there.
    pub sign: String,
}

/// One table of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addition {
    /// The key below the project, such as `stripe`.
    pub table: &'static str,
    /// The lines, each with its end.
    pub text: String,
    /// What has to be said before the lines mean anything; they are commented out until then.
    pub open: Option<&'static str>,
    /// The system, where it is one.
    pub wanted: Option<Wanted>,
}

/// A drafted project.
#[derive(Debug, Clone)]
pub struct Draft<'a> {
    /// What was seen.
    pub stack: &'a Stack,
    /// What was said.
    pub answers: &'a Answers,
    /// The project's name.
    pub name: String,
    /// The token that proves ownership.
    pub token: String,
}

impl<'a> Draft<'a> {
    /// A draft; the project is named after the domain unless it has a name already.
    pub fn new(stack: &'a Stack, answers: &'a Answers, name: Option<&str>, token: String) -> Self {
        let name = name.map_or_else(|| project_name(&stack.domain), str::to_owned);
        Self { stack, answers, name, token }
    }

    /// The systems that get a block, in the order of [`ACCESS`]: those that were named, then those that were
    /// seen, one for each part.
    pub fn wanted(&self) -> Vec<Wanted> {
        let mut wanted: Vec<Wanted> = Vec::new();
        let said = self.answers.uses.iter().filter_map(|word| named(word));
        let said = said.map(|access| (access, "you use it".to_owned()));
        let seen = self.stack.systems.iter();
        let seen = seen.filter_map(|it| Some((named(it.word)?, it.sign.clone())));
        let backend = self.stack.supabase.is_some();
        let implied = [
            (backend, "database", "Supabase keeps the product's data in PostgreSQL"),
            (true, "pagespeed", "any page can be measured, and the key costs nothing"),
        ];
        let implied = implied.into_iter().filter(|(so, _, _)| *so);
        let implied = implied.filter_map(|(_, word, why)| Some((named(word)?, why.to_owned())));
        for (access, sign) in said.chain(seen).chain(implied) {
            let has_part = wanted.iter().any(|one| one.access.part == access.part);
            if !has_part && !self.answers.none.contains(&access.part) {
                wanted.push(Wanted { access, sign });
            }
        }
        let place = |one: &Wanted| ACCESS.iter().position(|access| access == one.access);
        wanted.sort_by_key(place);
        wanted
    }

    /// The parts of which nothing is known, of those that `not_used` takes.
    pub fn unsettled(&self) -> Vec<Part> {
        let wanted = self.wanted();
        let parts = [
            Part::Payments,
            Part::Backend,
            Part::Database,
            Part::Crm,
            Part::Support,
            Part::Automation,
        ];
        let open = parts.into_iter().filter(|part| !self.answers.none.contains(part));
        open.filter(|part| !wanted.iter().any(|one| one.access.part == *part)).collect()
    }

    /// The name of the variable that holds a credential.
    pub fn variable(&self, suffix: &str) -> String {
        format!("{}_{suffix}", prefix(&self.name))
    }
}

/// A project's name out of its domain: `harbor` of `www.harbor.example`.
fn project_name(domain: &str) -> String {
    let own = suffix::registrable(domain).unwrap_or(domain);
    own.split('.').next().unwrap_or(own).to_owned()
}

/// The beginning of a project's variables: capitals, digits and underscores, and no digit in front.
fn prefix(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let word: String = name.chars().map(plain).collect();
    if word.starts_with(|c: char| c.is_ascii_digit()) { format!("P{word}") } else { word }
}

/// A text as TOML has it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A list of texts as TOML has it, in one line.
fn list(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", texts.join(", "))
}

/// Lines of a comment, wrapped.
fn comment(text: &str) -> String {
    let options = textwrap::Options::new(100).initial_indent("# ").subsequent_indent("# ");
    let options = options.break_words(false);
    textwrap::wrap(text, options).join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_variables_are_fit_for_a_shell() {
        assert_eq!(project_name("www.harbor.co.uk"), "harbor");
        assert_eq!(prefix("1password"), "P1PASSWORD");
        assert_eq!(prefix("xn--bcher-kva"), "XN__BCHER_KVA");
    }

    #[test]
    fn what_is_said_wins_over_what_is_seen_and_each_part_has_one_system() {
        let mut stack = Stack { domain: "harbor.example".to_owned(), ..Stack::default() };
        stack.note("intercom", "widget");
        stack.note("zendesk", "alias");
        stack.note("hubspot", "script");
        let answers =
            Answers { uses: vec!["pipedrive"], none: [Part::Support].into(), ..Answers::default() };
        let words = |answers: &Answers| -> Vec<&str> {
            let draft = Draft::new(&stack, answers, None, "lr-0".to_owned());
            draft.wanted().iter().map(|one| one.access.word).collect()
        };
        assert_eq!(words(&answers), ["pipedrive", "pagespeed"]);
        assert_eq!(words(&Answers::default()), ["hubspot", "intercom", "pagespeed"]);
        let draft = Draft::new(&stack, &answers, None, "lr-0".to_owned());
        let open = [Part::Payments, Part::Backend, Part::Database, Part::Automation];
        assert_eq!(draft.unsettled(), open);
    }
}
