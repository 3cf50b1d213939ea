//! `[[channel]]`: where messages go and what each takes.

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;

use launchready_checks::contract::Age;

use super::agent::read_host_port;
use super::reader::{Reader, read_label};
use crate::config::file::{ChannelTable, ChannelWord, UrlValue};
use crate::config::plan::{ChannelPlan, Named, Route};
use crate::config::walk::meant;
use crate::incident::{ChannelRule, Quiet};
use crate::notify::SmtpSecurity;

/// The address of PagerDuty's Events API.
const PAGERDUTY: &str = "https://events.pagerduty.com";

/// The most addresses of one channel: beyond it, a mailing list is the better tool.
const ADDRESSES: usize = 50;

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

    fn email(&mut self, table: &ChannelTable, key: &str) -> Option<Route> {
        let smtp = read_smtp(table.smtp.as_deref().unwrap_or_default());
        if let Err(message) = smtp {
            self.error(&format!("{key}.smtp"), message);
        }
        let from = table.from.clone().unwrap_or_default();
        self.address(&from, &format!("{key}.from"));
        for (index, to) in table.to.iter().enumerate() {
            self.address(to, &format!("{key}.to[{index}]"));
        }
        if table.to.is_empty() || table.to.len() > ADDRESSES {
            let message = format!("write 1 to {ADDRESSES} addresses");
            self.error(&format!("{key}.to"), message);
        }
        let password = self.named(table.password.as_ref(), &format!("{key}.password"));
        let login: Option<(String, Named)> = match (table.user.clone(), password) {
            (Some(user), Some(password)) => Some((user, password)),
            (Some(_), None) => {
                let message = "a user needs a password; add password = { env = \"SMTP_PASSWORD\" }";
                self.error(&format!("{key}.user"), message);
                None
            }
            (None, Some(_)) => {
                self.error(&format!("{key}.password"), "a password needs a user; add user = \"…\"");
                None
            }
            (None, None) => None,
        };
        let (security, host, port) = smtp.ok()?;
        if login.is_some() && security == SmtpSecurity::Plain && !is_near(&host) {
            let message = "smtp:// would send the password readable over the network; write \
                           smtps:// or smtp+starttls://";
            self.error(&format!("{key}.smtp"), message);
        }
        Some(Route::Email { host, port, security, login, from, to: table.to.clone() })
    }

    fn address(&mut self, text: &str, key: &str) {
        if text.parse::<lettre::Address>().is_err() {
            let message =
                format!("{text:?} is no mail address; write such as \"founder@shop.example\"");
            self.error(key, message);
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

/// `smtps://HOST`, `smtp+starttls://HOST` or `smtp://HOST`, each with a port or not. The text is never
/// quoted: people write passwords into such addresses.
fn read_smtp(text: &str) -> Result<(SmtpSecurity, String, u16), &'static str> {
    const WRITE: &str = "this is no mail server; write such as \"smtps://smtp.shop.example:465\", \
                         \"smtp+starttls://smtp.shop.example:587\" or \"smtp://127.0.0.1:25\"";
    let (scheme, rest) = text.split_once("://").ok_or(WRITE)?;
    let (security, usual) = match scheme {
        "smtps" => (SmtpSecurity::Tls, 465),
        "smtp+starttls" => (SmtpSecurity::StartTls, 587),
        "smtp" => (SmtpSecurity::Plain, 25),
        _ => return Err(WRITE),
    };
    if rest.contains('@') {
        return Err("the address of the mail server holds no user and password; \
                    write them as user = \"…\" and password = { env = \"SMTP_PASSWORD\" }");
    }
    let (host, port) = read_host_port(rest.strip_suffix('/').unwrap_or(rest)).ok_or(WRITE)?;
    Ok((security, host, port.unwrap_or(usual)))
}

/// Whether a server is this machine or in its own network.
fn is_near(host: &str) -> bool {
    match host.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        Ok(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unique_local(),
        Err(_) => host == "localhost",
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
