//! Errors that say the same of many places, told once with all of the places.

use super::document::{ConfigError, ConfigErrors};

/// What was said of some places, such as that a variable is not set.
struct Fact<'e> {
    what: &'e str,
    errors: Vec<&'e ConfigError>,
}

/// Facts with the same remedy.
struct Group<'e> {
    remedy: &'e str,
    facts: Vec<Fact<'e>>,
}

impl ConfigErrors {
    /// One line for each error as [`ConfigError`] shows it; where several have the same remedy it is told once, and
    /// below it what is wrong and where. The remedy of a message is what stands behind its first semicolon.
    pub fn together(&self) -> String {
        let mut lines = Vec::new();
        for group in groups(&self.0) {
            match (group.facts.as_slice(), group.remedy) {
                ([Fact { errors, .. }], _) if errors.len() == 1 => {
                    lines.extend(errors.iter().map(|error| format!("  {error}")));
                }
                (facts, "") => lines.extend(facts.iter().map(|fact| format!("  {}", fact.line()))),
                (facts, remedy) => {
                    lines.push(format!("  for each of these, {remedy}:"));
                    lines.extend(facts.iter().map(|fact| format!("    {}", fact.line())));
                }
            }
        }
        lines.join("\n")
    }
}

impl Fact<'_> {
    fn line(&self) -> String {
        let places: Vec<_> = self.errors.iter().map(|error| place(error)).collect();
        format!("{}: {}", self.what, places.join(", "))
    }
}

/// Where an error is, in words behind what it is.
fn place(error: &ConfigError) -> String {
    match (error.key.as_str(), error.line) {
        ("", 0) => "the whole file".to_owned(),
        ("", line) => format!("line {line}"),
        (key, 0) => key.to_owned(),
        (key, line) => format!("{key} (line {line})"),
    }
}

/// The errors by remedy and then by what is wrong, each in the order in which it came first.
fn groups(errors: &[ConfigError]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for error in errors {
        let (what, remedy) = error.message.split_once("; ").unwrap_or((error.message.as_str(), ""));
        let fact = Fact { what, errors: vec![error] };
        // Without a remedy there is nothing that could be told once, but of the very same defect.
        let known = groups.iter_mut().find(|group| {
            group.remedy == remedy
                && (!remedy.is_empty() || group.facts.iter().any(|fact| fact.what == what))
        });
        let Some(group) = known else {
            groups.push(Group { remedy, facts: vec![fact] });
            continue;
        };
        match group.facts.iter_mut().find(|known| known.what == what) {
            Some(known) => known.errors.push(error),
            None => group.facts.push(fact),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(line: usize, key: &str, message: &str) -> ConfigError {
        ConfigError { line, key: key.to_owned(), message: message.to_owned() }
    }

    #[test]
    fn what_has_one_remedy_is_one_message_with_all_of_the_places() {
        let unset = |name: &str| format!("the variable {name} is not set; set it before it starts");
        let errors = ConfigErrors(vec![
            error(4, "agent.auth.password", "the variable P is empty; set it to the secret"),
            error(12, "project[0].stripe.key", &unset("STRIPE")),
            error(15, "project[0].crm.token", &unset("CRM")),
            error(21, "channel[0].url", "cannot read gone: no such file"),
            error(28, "project[1].crm.token", &unset("CRM")),
            error(30, "channel[1].url", "cannot read gone: no such file"),
            error(0, "channel[2].url", "cannot read lost: no such file"),
        ]);
        assert_eq!(
            errors.together().lines().collect::<Vec<_>>(),
            [
                "  line 4: agent.auth.password: the variable P is empty; set it to the secret",
                "  for each of these, set it before it starts:",
                "    the variable STRIPE is not set: project[0].stripe.key (line 12)",
                "    the variable CRM is not set: project[0].crm.token (line 15), project[1].crm.token (line 28)",
                "  cannot read gone: no such file: channel[0].url (line 21), channel[1].url (line 30)",
                "  channel[2].url: cannot read lost: no such file",
            ]
        );
        assert_eq!(ConfigErrors(Vec::new()).together(), "");
    }
}
