//! Who holds the mailboxes of a domain and which tools send in its name, from MX, SPF and DKIM.

use launchready_checks::mail::providers::{
    PROVIDERS, Provider, Role, behind_include, behind_key, behind_mx,
};
use launchready_checks::mail::selectors::provider_of;
use launchready_checks::vendor::is_below;

/// Labels below the domain where tools have their bounces sent, as the vendors' set-up pages name them.
pub const BOUNCE_LABELS: [&str; 4] = ["send", "pm-bounces", "mg", "em"];

/// A DKIM key that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its selector.
    pub selector: String,
    /// The targets of its aliases, in order.
    pub aliases: Vec<String>,
}

/// What the DNS says about the mail of a domain.
#[derive(Debug, Clone, Default)]
pub struct MailRecords {
    /// The names of its mail servers.
    pub mx: Vec<String>,
    /// Its TXT records.
    pub txt: Vec<String>,
    /// The usual selectors that have a key.
    pub keys: Vec<Key>,
    /// The TXT records, mail servers and alias targets at the [`BOUNCE_LABELS`].
    pub bounces: Vec<String>,
}

/// What was recognised.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mail {
    /// The words of `mail.tools`, each with its sign.
    pub tools: Vec<(&'static str, String)>,
    /// The selectors of keys that are there.
    pub selectors: Vec<String>,
    /// Whether anything says that the domain has mail.
    pub is_used: bool,
}

/// Recognises mailbox providers and sending tools.
pub fn recognise_mail(records: &MailRecords) -> Mail {
    let mut found = Mail::default();
    let mut add = |provider: &'static Provider, sign: String| {
        let Some(word) = provider.aliases.first() else { return };
        if provider.role != Role::Forwarder && !found.tools.iter().any(|(known, _)| known == word) {
            found.tools.push((word, sign));
        }
    };
    for host in &records.mx {
        if let Some(provider) = behind_mx(host) {
            add(provider, format!("MX {host}"));
        }
    }
    for key in &records.keys {
        let by_alias = key.aliases.iter().find_map(|target| behind_key(target));
        if let Some(provider) = by_alias.or_else(|| provider_of(&key.selector)) {
            add(provider, format!("DKIM selector {}", key.selector));
        }
    }
    let spf = records.txt.iter().filter(|text| is_spf(text));
    for name in spf.flat_map(|text| includes(text)) {
        if let Some(provider) = behind_include(name) {
            add(provider, format!("SPF include:{name}"));
        }
    }
    // Resend and others send through Amazon SES: its bounce host names SES only where nobody else is known.
    let is_sender = |(word, _): &(&str, String)| {
        PROVIDERS.iter().any(|it| it.aliases.first() == Some(word) && it.role == Role::Sender)
    };
    let is_known = found.tools.iter().any(is_sender);
    for sign in records.bounces.iter().filter(|_| !is_known) {
        let provider = PROVIDERS
            .iter()
            .filter(|it| it.name != "Resend")
            .find(|it| it.return_path_targets.iter().any(|suffix| is_below(sign, suffix)));
        if let Some(word) = provider.and_then(|provider| provider.aliases.first())
            && !found.tools.iter().any(|(known, _)| known == word)
        {
            found.tools.push((word, format!("bounces to {sign}")));
        }
    }
    found.selectors = records.keys.iter().map(|key| key.selector.clone()).collect();
    let sends = records.txt.iter().any(|text| is_spf(text) && text.trim() != "v=spf1 -all");
    let receives = records.mx.iter().any(|host| !host.is_empty() && host != ".");
    found.is_used = receives || sends || !found.selectors.is_empty();
    found
}

fn is_spf(text: &str) -> bool {
    text.to_ascii_lowercase().starts_with("v=spf1")
}

fn includes(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace().filter_map(|term| term.split_once(':')).filter_map(|(word, name)| {
        word.trim_start_matches(['+', '?', '~', '-'])
            .eq_ignore_ascii_case("include")
            .then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(mail: &Mail) -> Vec<&str> {
        mail.tools.iter().map(|(word, _)| *word).collect()
    }

    fn key(selector: &str, alias: &str) -> Key {
        let aliases = Some(alias).filter(|it| !it.is_empty()).map(str::to_owned);
        Key { selector: selector.to_owned(), aliases: aliases.into_iter().collect() }
    }

    #[test]
    fn providers_and_tools_are_told_once_each_with_their_first_sign() {
        let mail = recognise_mail(&MailRecords {
            mx: vec!["aspmx.l.google.com".to_owned(), "alt1.aspmx.l.google.com".to_owned()],
            txt: vec!["v=spf1 include:_spf.google.com include:mail.zendesk.com ~all".to_owned()],
            keys: vec![
                key("google", ""),
                key("resend", ""),
                key("x1", "s1.domainkey.u1.wl.sendgrid.net"),
            ],
            bounces: vec!["feedback-smtp.us-east-1.amazonses.com".to_owned()],
        });
        assert_eq!(words(&mail), ["google", "resend", "sendgrid", "zendesk"]);
        assert_eq!(mail.tools[0].1, "MX aspmx.l.google.com");
        assert_eq!(mail.selectors, ["google", "resend", "x1"]);
        assert!(mail.is_used);
    }

    #[test]
    fn a_bounce_host_names_a_tool_where_nothing_else_does() {
        let bounces = vec!["feedback-smtp.eu-west-1.amazonses.com".to_owned()];
        let mail = recognise_mail(&MailRecords { bounces, ..MailRecords::default() });
        assert_eq!(words(&mail), ["ses"]);
    }

    #[test]
    fn a_domain_that_says_it_has_no_mail_has_none() {
        let none = MailRecords {
            mx: vec![String::new()],
            txt: vec!["v=spf1 -all".to_owned(), "google-site-verification=x".to_owned()],
            ..MailRecords::default()
        };
        assert!(!recognise_mail(&none).is_used);
        assert!(!recognise_mail(&MailRecords::default()).is_used);
    }

    #[test]
    fn forwarders_and_hostile_records_are_no_tools() {
        let mail = recognise_mail(&MailRecords {
            mx: vec!["route1.mx.cloudflare.net".to_owned()],
            txt: vec![
                "v=spf1 include: include:\u{ff}\u{0} exists:%{i}.x".to_owned(),
                "v=spf1".repeat(9000),
            ],
            ..MailRecords::default()
        });
        assert!(words(&mail).is_empty());
    }
}
