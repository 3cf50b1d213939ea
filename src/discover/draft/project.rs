//! A whole project as it stands in a new config.

use std::fmt::Write as _;

use super::{Addition, Draft, comment, list, quoted};
use crate::discover::access::Part;

/// `[network]` as it was given on the command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkLines {
    /// Resolvers.
    pub resolvers: Vec<String>,
    /// PEM files.
    pub extra_roots: Vec<String>,
    /// Follow the product to private addresses.
    pub allow_private: bool,
    /// Pairs of from and to.
    pub connect_to: Vec<(String, String)>,
}

impl NetworkLines {
    /// The table, or nothing where all is at its default.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if *self == Self::default() {
            return text;
        }
        text += "[network]\n";
        if !self.resolvers.is_empty() {
            _ = writeln!(text, "resolvers = {}", list(&self.resolvers));
        }
        if !self.extra_roots.is_empty() {
            _ = writeln!(text, "extra_roots = {}", list(&self.extra_roots));
        }
        if self.allow_private {
            text += "allow_private = true\n";
        }
        let rule = |(from, to): &(String, String)| {
            format!("{{ from = {}, to = {} }}", quoted(from), quoted(to))
        };
        let rules: Vec<String> = self.connect_to.iter().map(rule).collect();
        if !rules.is_empty() {
            _ = writeln!(text, "connect_to = [{}]", rules.join(", "));
        }
        text
    }
}

/// What stands at the head of a new config.
const HEAD: &str = "\
# launchready: drafted by `launchready init` from what shows from outside.
#
# Every line is yours to change; a second run adds what is new and changes nothing that stands.
# A secret never stands here: { env = \"NAME\" } says which variable holds it, and .env.example lists
# them all. `launchready config check` says what is wrong or missing, `launchready config example`
# shows every setting there is.
";

impl Draft<'_> {
    /// A new config with this project.
    pub fn file(&self, network: &NetworkLines) -> String {
        let mut text = format!("{HEAD}\n{}", self.project());
        let network = network.text();
        if !network.is_empty() {
            _ = write!(text, "\n{network}");
        }
        text
    }

    /// The keys of the project itself that a second run adds where they are missing, each with its line.
    pub(super) fn own_keys(&self) -> Vec<(&'static str, String)> {
        let mut keys = Vec::new();
        let hosts = self.hosts();
        if !hosts.is_empty() {
            keys.push(("hosts", format!("hosts = {}\n", list(&hosts))));
        }
        keys.push(("ownership", format!("ownership = {}\n", quoted(&self.token))));
        keys
    }

    /// The hosts as the config names them: relative to the domain.
    fn hosts(&self) -> Vec<String> {
        let domain = format!(".{}", self.stack.domain);
        let relative = |name: &str| name.strip_suffix(&domain).unwrap_or(name).to_owned();
        self.stack.hosts.iter().map(|host| relative(&host.name)).collect()
    }

    /// The tables of the project: what was seen of its web site and mail, then a block a system.
    pub fn additions(&self) -> Vec<Addition> {
        let mut all = Vec::new();
        all.extend(self.web());
        all.extend(self.mail());
        all.extend(self.wanted().iter().map(|wanted| self.block(wanted)));
        all
    }

    /// The project with all its tables.
    pub(super) fn project(&self) -> String {
        let stack = self.stack;
        let mut text = String::new();
        _ = writeln!(text, "[[project]]");
        _ = writeln!(text, "name = {}", quoted(&self.name));
        _ = writeln!(text, "domain = {}", quoted(&stack.domain));
        for (key, line) in self.own_keys() {
            match key {
                "hosts" => {
                    text += "# Hosts of the product. Each must answer, and what is not named here is mentioned.\n";
                }
                _ => {
                    text += &comment(&format!(
                        "Active probes run only where the TXT record _launchready.{} proves that this token is \
                         yours; `launchready config check` prints the record. Keep the token as it is, and out of \
                         what strangers read.",
                        stack.domain
                    ));
                }
            }
            text += &line;
        }
        if !stack.other_names.is_empty() {
            text += &comment(&format!(
                "Also there, and not declared: {}. Add to hosts what customers use, and take away what nobody needs.",
                stack.other_names.join(", ")
            ));
        }
        text +=
            "# What it has to be ready for: launch, paid-traffic or handover.\ngoal = \"launch\"\n";
        text += &self.not_used();
        for addition in self.additions() {
            text.push('\n');
            text += &addition.text;
        }
        for part in self.unsettled() {
            text.push('\n');
            text += &self.suggestion(part);
        }
        text
    }

    /// Parts that the product does not have, and those of which nobody has said so.
    fn not_used(&self) -> String {
        let word = |part: &Part| part.table().to_owned();
        let takes = |part: &&Part| !matches!(part, Part::Edge | Part::Hosting | Part::Speed);
        let none: Vec<String> = self.answers.none.iter().filter(takes).map(word).collect();
        let mut open: Vec<String> = self.unsettled().iter().map(word).collect();
        if !self.stack.mail.is_used {
            open.insert(0, "mail".to_owned());
        }
        let mut text = String::new();
        if !none.is_empty() {
            _ = writeln!(
                text,
                "# Parts that the product does not have.\nnot_used = {}",
                list(&none)
            );
        }
        if !open.is_empty() {
            let all: Vec<String> = none.into_iter().chain(open).collect();
            text += "# Not seen from outside. Name here what you do not have, so that the verdict knows it is no oversight:\n";
            _ = writeln!(text, "# not_used = {}", list(&all));
        }
        text
    }

    fn web(&self) -> Option<Addition> {
        let stack = self.stack;
        let mut text = String::new();
        let mut add = |about: &str, key: &str, values: &[String]| {
            if !values.is_empty() {
                _ = writeln!(text, "# {about}\n{key} = {}", list(values));
            }
        };
        add("Answered where webhooks of Stripe usually arrive.", "webhook_paths", &stack.webhooks);
        add("Answered where sign-in usually sends browsers back.", "oauth_paths", &stack.callbacks);
        add("Linked from the home page.", "legal_pages", &stack.legal_pages);
        add(
            "Called by the page's scripts, or answered where checkouts usually are.",
            "functions",
            &stack.functions,
        );
        let text = Some(text).filter(|text| !text.is_empty())?;
        Some(Addition {
            table: "web",
            text: format!("[project.web]\n{text}"),
            open: None,
            wanted: None,
        })
    }

    fn mail(&self) -> Option<Addition> {
        let mail = &self.stack.mail;
        if mail.tools.is_empty() && mail.selectors.is_empty() {
            return None;
        }
        let mut text = String::new();
        for (word, sign) in &mail.tools {
            text += &comment(&format!("{word}: {sign}"));
        }
        text += "[project.mail]\n";
        if !mail.selectors.is_empty() {
            _ = writeln!(text, "selectors = {}", list(&mail.selectors));
        }
        let tools: Vec<String> = mail.tools.iter().map(|(word, _)| (*word).to_owned()).collect();
        if !tools.is_empty() {
            _ = writeln!(text, "tools = {}", list(&tools));
        }
        Some(Addition { table: "mail", text, open: None, wanted: None })
    }
}
