//! `[[channel]]`: where messages go and what each takes.

use std::collections::{BTreeMap, HashSet};

use launchready_checks::contract::Age;

use super::reader::{Reader, read_label};
use crate::config::file::{ChannelTable, ChannelWord, UrlValue};
use crate::config::plan::{ChannelPlan, Route};
use crate::config::say::meant;
use crate::incident::{ChannelRule, Quiet};

/// The address of PagerDuty's Events API.
const PAGERDUTY: &str = "https://events.pagerduty.com";

impl Reader<'_> {
    /// The channels, in the order of the file.
    pub(super) fn channels(
        &mut self,
        tables: &[ChannelTable],
        projects: &[&str],
    ) -> Vec<ChannelPlan> {
        let mut channels = Vec::new();
        let mut seen = HashSet::new();
        for (index, table) in tables.iter().enumerate() {
            let key = format!("channel[{index}]");
            if let Err(message) = read_label(&table.name) {
                self.error(&format!("{key}.name"), message);
            } else if !seen.insert(table.name.as_str()) {
                let message =
                    format!("{:?} is used twice; give each channel its own name", table.name);
                self.error(&format!("{key}.name"), message);
            }
            self.known_projects(&table.projects, projects, &key);
            let rule = self.rule(table, &key);
            let most = Age::minutes(2);
            let timeout = self.within(&format!("{key}.timeout"), table.timeout, Age::secs(1), most);
            if let Some(route) = self.route(table, &key) {
                channels.push(ChannelPlan { rule, route, timeout });
            }
        }
        self.fallbacks(tables);
        channels
    }

    fn rule(&mut self, table: &ChannelTable, key: &str) -> ChannelRule {
        let quiet = table.quiet.as_deref().and_then(|text| {
            let hours = read_hours(text).map(|(from, to)| Quiet { from, to });
            if hours.is_none() {
                let message = format!("{text:?} are no hours; write such as \"22:00-07:00\"");
                self.error(&format!("{key}.quiet"), message);
            }
            hours
        });
        for (name, empty) in
            [("severities", table.severities.is_empty()), ("urgency", table.urgency.is_empty())]
        {
            if empty {
                let message = "the channel would take nothing; name at least one, or leave it out";
                self.error(&format!("{key}.{name}"), message);
            }
        }
        let ungrouped = matches!(table.kind, ChannelWord::PagerDuty | ChannelWord::Alertmanager);
        ChannelRule {
            name: table.name.clone(),
            severities: table.severities.clone(),
            urgencies: table.urgency.clone(),
            projects: table.projects.clone(),
            quiet,
            escalation: table.escalation,
            summary: table.summary.unwrap_or(table.kind == ChannelWord::Email),
            fallback: table.fallback.clone(),
            ungrouped,
        }
    }

    fn route(&mut self, table: &ChannelTable, key: &str) -> Option<Route> {
        let secret_url = match &table.url {
            Some(UrlValue::Secret(reference)) => self.named(Some(reference), &format!("{key}.url")),
            _ => None,
        };
        match table.kind {
            ChannelWord::Email => self.email(table, key),
            ChannelWord::Slack => Some(Route::Slack { url: secret_url? }),
            ChannelWord::Webhook => {
                let signing = self.named(table.key.as_ref(), &format!("{key}.key"));
                Some(Route::Webhook { url: secret_url?, key: signing })
            }
            ChannelWord::PagerDuty => {
                let routing = format!("{key}.routing_key");
                let api = match &table.api {
                    Some(text) => self.url(&format!("{key}.api"), text)?,
                    None => PAGERDUTY.to_owned(),
                };
                Some(Route::PagerDuty {
                    routing_key: self.named(table.routing_key.as_ref(), &routing)?,
                    api,
                })
            }
            ChannelWord::Alertmanager => {
                let Some(UrlValue::Plain(text)) = &table.url else { return None };
                let token = self.named(table.token.as_ref(), &format!("{key}.token"));
                Some(Route::Alertmanager { url: self.url(&format!("{key}.url"), text)?, token })
            }
        }
    }

    /// Names of projects that the file does not hold.
    pub(super) fn known_projects(&mut self, given: &[String], projects: &[&str], key: &str) {
        for (index, name) in given.iter().enumerate() {
            if !projects.contains(&name.as_str()) {
                let hint = match meant(name, projects.iter().copied()) {
                    Some(meant) => format!("did you mean {meant:?}?"),
                    None => "write the name of a [[project]]".to_owned(),
                };
                let message = format!("there is no project {name:?}; {hint}");
                self.error(&format!("{key}.projects[{index}]"), message);
            }
        }
    }

    /// A fallback has to be there, and must not lead back.
    fn fallbacks(&mut self, tables: &[ChannelTable]) {
        let next: BTreeMap<&str, Option<&str>> =
            tables.iter().map(|table| (table.name.as_str(), table.fallback.as_deref())).collect();
        for (index, table) in tables.iter().enumerate() {
            let Some(fallback) = table.fallback.as_deref() else { continue };
            let key = format!("channel[{index}].fallback");
            if !next.contains_key(fallback) {
                let hint = match meant(fallback, next.keys().copied()) {
                    Some(meant) => format!("did you mean {meant:?}?"),
                    None => "write the name of another [[channel]]".to_owned(),
                };
                self.error(&key, format!("there is no channel {fallback:?}; {hint}"));
                continue;
            }
            let mut path = vec![table.name.as_str()];
            let mut at = Some(fallback);
            while let Some(name) = at.filter(|_| path.len() <= tables.len()) {
                path.push(name);
                if name == table.name {
                    let message = format!(
                        "the fallbacks lead back to where they began: {}; let the last have none",
                        path.join(" → ")
                    );
                    self.error(&key, message);
                    break;
                }
                at = next.get(name).copied().flatten();
            }
        }
    }
}

/// `22:00-07:00` as minutes after midnight; 24:00 is midnight.
pub(super) fn read_hours(text: &str) -> Option<(u16, u16)> {
    let (from, to) = text.split_once('-')?;
    let minutes = |text: &str| -> Option<u16> {
        let (hour, minute) = text.trim().split_once(':')?;
        let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
        if !digits(hour) || !digits(minute) || hour.len() > 2 || minute.len() != 2 {
            return None;
        }
        let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
        match (hour, minute) {
            (24, 0) => Some(0),
            (0..=23, 0..=59) => Some(hour * 60 + minute),
            _ => None,
        }
    };
    let (from, to) = (minutes(from)?, minutes(to)?);
    (from != to).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, parse};
    use launchready_checks::contract::{Severity, Urgency};
    use std::path::Path;

    const MAIL: &str = "[[channel]]\nname = \"founder\"\nkind = \"email\"\n\
                        smtp = \"smtps://smtp.harbor.example\"\nfrom = \"a@harbor.example\"\n\
                        to = [\"b@harbor.example\"]\n";
    const SLACK: &str =
        "[[channel]]\nname = \"ops\"\nkind = \"slack\"\nurl = { env = \"NOT_SET\" }\n";

    fn read(text: &str) -> Config {
        parse(text, Path::new(".")).unwrap_or_else(|errors| panic!("{errors}"))
    }

    fn errors(text: &str) -> String {
        parse(text, Path::new(".")).unwrap_err().to_string()
    }

    #[test]
    fn a_channel_takes_what_is_worth_a_message_unless_it_says_otherwise() {
        let config =
            read(&format!("{MAIL}{SLACK}quiet = \"22:00-7:30\"\nfallback = \"founder\"\n"));
        let [mail, slack] = config.plan.channels.as_slice() else { panic!("two channels") };
        assert_eq!(mail.rule.severities, [Severity::Critical, Severity::Warning]);
        assert_eq!(mail.rule.urgencies, [Urgency::Now, Urgency::Day]);
        assert!(mail.rule.summary && !slack.rule.summary);
        assert!(!mail.rule.escalation && !mail.rule.ungrouped);
        assert_eq!(mail.timeout, Age::secs(20).0);
        assert_eq!(slack.rule.quiet, Some(Quiet { from: 22 * 60, to: 7 * 60 + 30 }));
        assert_eq!(slack.rule.fallback.as_deref(), Some("founder"));
        let pager = "[[channel]]\nname = \"pager\"\nkind = \"pagerduty\"\n\
                     routing_key = { file = \"key\" }\nescalation = true\nurgency = [\"now\"]\n";
        let pager = read(pager).plan.channels.remove(0);
        assert!(pager.rule.ungrouped && pager.rule.escalation && !pager.rule.summary);
        assert!(matches!(pager.route, Route::PagerDuty { api, .. } if api == PAGERDUTY));
    }

    #[test]
    fn hours_may_span_midnight_and_must_not_be_empty() {
        assert_eq!(read_hours("22:00-07:00"), Some((1320, 420)));
        assert_eq!(read_hours(" 9:05 - 24:00 "), Some((545, 0)));
        for bad in ["", "22-07", "22:00", "25:00-01:00", "22:60-01:00", "22:00-22:00", "+1:00-2:00"]
        {
            assert_eq!(read_hours(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_channel_is_said_with_its_line_and_remedy() {
        for (text, parts) in [
            ("[[channel]]\nname = \"a\"\n", "line 1: channel[0]: the key \"kind\" is missing"),
            ("[[channel]]\nname = \"a\"\nkind = \"slak\"\n", "line 3: channel[0].kind"),
            ("[[channel]]\nname = \"a\"\nkind = 1\n", "write text in quotes"),
            ("[[channel]]\nname = \"a\"\nkind = \"slack\"\n", "the key \"url\" is missing"),
            (
                &format!("{SLACK}to = [\"a@b.example\"]\n"),
                "line 5: channel[0].to: a slack channel takes no such key; it takes name,",
            ),
            (&format!("{SLACK}fallbak = \"ops\"\n"), "did you mean \"fallback\"?"),
            (
                &format!("{SLACK}fallback = \"opps\"\n"),
                "no channel \"opps\"; did you mean \"ops\"?",
            ),
            (&format!("{SLACK}fallback = \"ops\"\n"), "lead back to where they began: ops → ops"),
            (&format!("{SLACK}{SLACK}"), "line 6: channel[1].name: \"ops\" is used twice"),
            (&format!("{SLACK}quiet = \"night\"\n"), "line 5: channel[0].quiet: \"night\" are no"),
            (&format!("{SLACK}severities = []\n"), "would take nothing"),
            (&format!("{SLACK}urgency = [\"soon\"]\n"), "\"soon\" is none of now, day, digest"),
            (&format!("{SLACK}timeout = \"1h\"\n"), "write 1s to 2m"),
            (
                &format!(
                    "{SLACK}projects = [\"habor\"]\n[[project]]\nname = \"harbor\"\ndomain = \"harbor.example\"\n"
                ),
                "line 5: channel[0].projects[0]: there is no project \"habor\"; did you mean \"harbor\"?",
            ),
            (&MAIL.replace("b@harbor", "b harbor"), "line 6: channel[0].to[0]: \"b harbor"),
            (&MAIL.replace("[\"b@harbor.example\"]", "[]"), "write 1 to 50 addresses"),
            (&MAIL.replace("\"a@", "\"a\\n@"), "channel[0].from"),
            (
                &MAIL.replace("smtps://", "imap://"),
                "line 4: channel[0].smtp: this is no mail server",
            ),
            (&format!("{MAIL}user = \"me\"\n"), "a user needs a password"),
            (&format!("{MAIL}password = {{ env = \"P\" }}\n"), "a password needs a user"),
            (
                &format!(
                    "{}user = \"me\"\npassword = {{ env = \"P\" }}\n",
                    MAIL.replace("smtps", "smtp")
                ),
                "readable over the network",
            ),
            (
                "[[channel]]\nname = \"am\"\nkind = \"alertmanager\"\nurl = \"am.example\"\n",
                "line 4: channel[0].url: this is no web address",
            ),
            (
                "[[channel]]\nname = \"am\"\nkind = \"alertmanager\"\nurl = { env = \"AM\" }\n",
                "this is a table; write text in quotes",
            ),
        ] {
            let errors = errors(text);
            assert!(errors.contains(parts), "{text}\n{errors}");
        }
    }

    #[test]
    fn fallbacks_that_go_in_a_circle_are_found_and_a_chain_is_none() {
        let chain = |last: &str| {
            format!(
                "{}fallback = \"b\"\n{}fallback = \"c\"\n{}{last}",
                SLACK.replace("ops", "a"),
                SLACK.replace("ops", "b"),
                SLACK.replace("ops", "c")
            )
        };
        assert_eq!(read(&chain("")).plan.channels.len(), 3);
        let circle = errors(&chain("fallback = \"a\"\n"));
        assert!(circle.contains("a → b → c → a"), "{circle}");
        // One that leads into a circle is in none itself.
        let into = errors(&chain("fallback = \"b\"\n"));
        assert!(into.contains("b → c → b") && !into.contains("a →"), "{into}");
    }
}
