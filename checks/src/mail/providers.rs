//! Mailbox providers and sending tools, and how they are recognised in DNS.
//!
//! The names are those of the vendors' own set-up pages. A tool that is missing here is treated as
//! unknown and never as a defect.

use crate::vendor::is_below;

/// What a provider does with the mail of a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It holds mailboxes and sends what people write there.
    Mailboxes,
    /// It sends for the product: receipts, newsletters, tickets.
    Sender,
    /// It only passes incoming mail on, so it needs neither SPF nor a DKIM key to send.
    Forwarder,
}

/// How a provider names its DKIM keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selectors {
    /// Always these, unless somebody chose others on purpose; one of them is enough.
    Fixed(&'static [&'static str]),
    /// Chosen per domain. The named ones are usual and worth a look, but prove nothing when absent.
    Chosen(&'static [&'static str]),
}

impl Selectors {
    /// The selectors worth asking for.
    pub const fn usual(self) -> &'static [&'static str] {
        match self {
            Self::Fixed(names) | Self::Chosen(names) => names,
        }
    }

    /// Whether the absence of every usual selector proves that there is no key.
    pub const fn are_fixed(self) -> bool {
        matches!(self, Self::Fixed(_))
    }
}

/// A mailbox provider or sending tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Provider {
    /// The vendor's name, as a founder knows it.
    pub name: &'static str,
    /// Lower-case words by which `mail.tools` may call it; the first is the usual one.
    pub aliases: &'static [&'static str],
    /// What it does.
    pub role: Role,
    /// Its DKIM selectors.
    pub selectors: Selectors,
    /// Where its pages show the DKIM records.
    pub selectors_at: &'static str,
    /// Suffixes of the alias targets of its DKIM keys.
    pub key_targets: &'static [&'static str],
    /// The provider alone decides how long the key is.
    pub fixes_key_size: bool,
    /// Names that an SPF record includes for it; the first is the one to write today.
    pub spf_includes: &'static [&'static str],
    /// First labels of the bounce host that it asks for below the domain; empty when the host is
    /// chosen or numbered.
    pub return_paths: &'static [&'static str],
    /// Suffixes of the alias and MX targets of that bounce host.
    pub return_path_targets: &'static [&'static str],
    /// Suffixes of its MX hosts.
    pub mx: &'static [&'static str],
}

const SENDER: Provider = Provider {
    name: "",
    aliases: &[],
    role: Role::Sender,
    selectors: Selectors::Chosen(&[]),
    selectors_at: "",
    key_targets: &[],
    fixes_key_size: false,
    spf_includes: &[],
    return_paths: &[],
    return_path_targets: &[],
    mx: &[],
};

const MAILBOXES: Provider = Provider { role: Role::Mailboxes, ..SENDER };

impl Provider {
    /// Whether its mail bounces to a host of its own or of the vendor, and not to the domain itself.
    pub const fn has_own_return_path(&self) -> bool {
        !self.return_paths.is_empty() || !self.return_path_targets.is_empty()
    }
}

/// Every provider that is recognised.
pub const PROVIDERS: &[Provider] = &[
    Provider {
        name: "Google Workspace",
        aliases: &["google", "google-workspace", "gsuite", "gmail"],
        selectors: Selectors::Fixed(&["google"]),
        selectors_at: "admin.google.com, Apps › Google Workspace › Gmail › Authenticate email",
        spf_includes: &["_spf.google.com"],
        mx: &["google.com", "googlemail.com"],
        ..MAILBOXES
    },
    Provider {
        name: "Microsoft 365",
        aliases: &[
            "microsoft",
            "microsoft-365",
            "microsoft365",
            "office365",
            "outlook",
            "exchange",
        ],
        selectors: Selectors::Fixed(&["selector1", "selector2"]),
        selectors_at: "security.microsoft.com, Email & collaboration › Policies › DKIM",
        key_targets: &["onmicrosoft.com", "dkim.mail.microsoft"],
        fixes_key_size: true,
        spf_includes: &["spf.protection.outlook.com"],
        mx: &["mail.protection.outlook.com", "mx.microsoft"],
        ..MAILBOXES
    },
    Provider {
        name: "Zoho Mail",
        aliases: &["zoho", "zoho-mail"],
        selectors: Selectors::Chosen(&["zmail", "zoho"]),
        selectors_at: "the Zoho Mail admin console, Domains › Email Configuration › DKIM",
        spf_includes: &["zohomail.com", "one.zoho.com", "zoho.com", "zoho.eu", "zohomail.eu"],
        mx: &["zoho.com", "zoho.eu", "zoho.in", "zohomail.com", "zohomail.eu"],
        ..MAILBOXES
    },
    Provider {
        name: "Fastmail",
        aliases: &["fastmail"],
        selectors: Selectors::Fixed(&["fm1", "fm2", "fm3"]),
        selectors_at: "Fastmail, Settings › Domains",
        key_targets: &["dkim.fmhosted.com"],
        fixes_key_size: true,
        spf_includes: &["spf.messagingengine.com"],
        mx: &["messagingengine.com"],
        ..MAILBOXES
    },
    Provider {
        name: "Proton Mail",
        aliases: &["proton", "protonmail", "proton-mail"],
        selectors: Selectors::Fixed(&["protonmail", "protonmail2", "protonmail3"]),
        selectors_at: "Proton, Settings › Domain names › DKIM",
        key_targets: &["domains.proton.ch"],
        fixes_key_size: true,
        spf_includes: &["_spf.protonmail.ch"],
        mx: &["protonmail.ch"],
        ..MAILBOXES
    },
    Provider {
        name: "iCloud Mail",
        aliases: &["icloud", "apple"],
        selectors: Selectors::Fixed(&["sig1"]),
        selectors_at: "icloud.com, Account › Custom Email Domain",
        key_targets: &["at.icloudmailadmin.com"],
        fixes_key_size: true,
        spf_includes: &["icloud.com"],
        mx: &["mail.icloud.com"],
        ..MAILBOXES
    },
    Provider {
        name: "Resend",
        aliases: &["resend"],
        selectors: Selectors::Fixed(&["resend"]),
        selectors_at: "resend.com, Domains, the domain, “DKIM”",
        fixes_key_size: true,
        spf_includes: &["amazonses.com"],
        return_paths: &["send"],
        return_path_targets: &["amazonses.com"],
        ..SENDER
    },
    Provider {
        name: "Postmark",
        aliases: &["postmark"],
        selectors: Selectors::Chosen(&["pm"]),
        selectors_at: "postmarkapp.com, Sender Signatures, the domain, “DNS Settings”",
        fixes_key_size: true,
        spf_includes: &["spf.mtasv.net"],
        return_paths: &["pm-bounces"],
        return_path_targets: &["pm.mtasv.net"],
        ..SENDER
    },
    Provider {
        name: "SendGrid",
        aliases: &["sendgrid", "twilio-sendgrid"],
        selectors: Selectors::Fixed(&["s1", "s2"]),
        selectors_at: "app.sendgrid.com, Settings › Sender Authentication",
        key_targets: &["sendgrid.net"],
        fixes_key_size: true,
        spf_includes: &["sendgrid.net"],
        return_path_targets: &["sendgrid.net"],
        mx: &["mx.sendgrid.net"],
        ..SENDER
    },
    Provider {
        name: "Mailgun",
        aliases: &["mailgun"],
        selectors: Selectors::Chosen(&["pdk1", "pdk2", "k1", "mx", "smtp", "mg"]),
        selectors_at: "app.mailgun.com, Send › Domains, the domain, “DNS records”",
        key_targets: &["dkim1.mailgun.com", "dkim1.eu.mailgun.com", "mgsend.org"],
        spf_includes: &["mailgun.org"],
        return_paths: &["mg"],
        return_path_targets: &["mailgun.org"],
        mx: &["mailgun.org"],
        ..SENDER
    },
    Provider {
        name: "Amazon SES",
        aliases: &["ses", "amazon-ses", "amazonses", "aws-ses"],
        selectors: Selectors::Chosen(&[]),
        selectors_at: "the Amazon SES console, Identities, the domain, “Authentication”",
        key_targets: &["dkim.amazonses.com"],
        spf_includes: &["amazonses.com"],
        return_path_targets: &["amazonses.com"],
        mx: &["amazonaws.com"],
        ..SENDER
    },
    Provider {
        name: "Mailchimp",
        aliases: &["mailchimp"],
        selectors: Selectors::Fixed(&["k1", "k2", "k3"]),
        selectors_at: "mailchimp.com, Website › Domains",
        key_targets: &["mcsv.net"],
        fixes_key_size: true,
        spf_includes: &["servers.mcsv.net"],
        ..SENDER
    },
    Provider {
        name: "Mandrill",
        aliases: &["mandrill", "mailchimp-transactional"],
        selectors: Selectors::Fixed(&["mte1", "mte2", "mandrill"]),
        selectors_at: "mandrillapp.com, Settings › Domains",
        key_targets: &["mandrillapp.com"],
        fixes_key_size: true,
        spf_includes: &["spf.mandrillapp.com"],
        return_path_targets: &["mandrillapp.com"],
        ..SENDER
    },
    Provider {
        name: "Brevo",
        aliases: &["brevo", "sendinblue"],
        selectors: Selectors::Fixed(&["brevo1", "brevo2", "mail"]),
        selectors_at: "app.brevo.com, Senders, Domains & Dedicated IPs › Domains",
        key_targets: &["dkim.brevo.com"],
        fixes_key_size: true,
        spf_includes: &["spf.brevo.com", "spf.sendinblue.com"],
        ..SENDER
    },
    Provider {
        name: "HubSpot",
        aliases: &["hubspot"],
        // Some portals publish `hs1` and `hs2`, others `hs1-<portal number>`.
        selectors: Selectors::Chosen(&["hs1", "hs2"]),
        selectors_at: "HubSpot, Settings › Content › Domains & URLs",
        key_targets: &["hubspotemail.net", "hubspot.com"],
        fixes_key_size: true,
        spf_includes: &["_spf.hubspot.com", "hubspotemail.net"],
        ..SENDER
    },
    Provider {
        name: "Klaviyo",
        aliases: &["klaviyo"],
        selectors: Selectors::Fixed(&["kl", "kl2"]),
        selectors_at: "Klaviyo, Settings › Domains",
        fixes_key_size: true,
        spf_includes: &["send.klaviyo.com"],
        return_paths: &["send"],
        return_path_targets: &["klaviyo.com", "klaviyomail.com"],
        ..SENDER
    },
    Provider {
        name: "Zendesk",
        aliases: &["zendesk"],
        selectors: Selectors::Fixed(&["zendesk1", "zendesk2"]),
        selectors_at: "the Zendesk Admin Center, Channels › Talk and email › Email",
        key_targets: &["zendesk.com"],
        fixes_key_size: true,
        spf_includes: &["mail.zendesk.com"],
        return_path_targets: &["zendesk.com"],
        ..SENDER
    },
    Provider {
        name: "Intercom",
        aliases: &["intercom"],
        selectors: Selectors::Fixed(&["intercom"]),
        selectors_at: "Intercom, Settings › Channels › Email › Domains & addresses",
        key_targets: &["intercom.io", "intercom-mail.com"],
        fixes_key_size: true,
        spf_includes: &["intercom-mail.com"],
        return_path_targets: &["intercom-mail.com", "rp.intercom.io"],
        ..SENDER
    },
    Provider {
        name: "Help Scout",
        aliases: &["helpscout", "help-scout"],
        selectors: Selectors::Fixed(&["strong1", "strong2"]),
        selectors_at: "Help Scout, Manage › Inbox, Settings › Outgoing email",
        key_targets: &["helpscout.net", "helpscoutemail.com"],
        fixes_key_size: true,
        spf_includes: &["helpscoutemail.com"],
        ..SENDER
    },
    Provider {
        name: "Cloudflare Email Routing",
        aliases: &["cloudflare", "cloudflare-email-routing"],
        role: Role::Forwarder,
        selectors_at: "the Cloudflare dashboard, Email › Email Routing › Settings",
        spf_includes: &["_spf.mx.cloudflare.net"],
        mx: &["mx.cloudflare.net"],
        ..SENDER
    },
    Provider {
        name: "ImprovMX",
        aliases: &["improvmx"],
        role: Role::Forwarder,
        selectors_at: "app.improvmx.com, the domain, “DNS Settings”",
        spf_includes: &["spf.improvmx.com"],
        mx: &["improvmx.com"],
        ..SENDER
    },
];

/// The provider that `mail.tools` calls by this word, whatever its case, blanks or dashes.
pub fn named(word: &str) -> Option<&'static Provider> {
    let plain = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
    };
    let word = plain(word);
    PROVIDERS.iter().find(|provider| {
        plain(provider.name) == word || provider.aliases.iter().any(|alias| plain(alias) == word)
    })
}

/// The provider whose mail server this is.
pub fn behind_mx(host: &str) -> Option<&'static Provider> {
    PROVIDERS.iter().find(|provider| provider.mx.iter().any(|suffix| is_below(host, suffix)))
}

/// The provider for which an SPF record includes this name. Resend sends through Amazon SES, so the
/// include of SES says Amazon SES.
pub fn behind_include(name: &str) -> Option<&'static Provider> {
    PROVIDERS
        .iter()
        .filter(|provider| provider.name != "Resend")
        .find(|provider| provider.spf_includes.iter().any(|include| is_below(name, include)))
}

/// The provider to whose keys a selector's alias leads.
pub fn behind_key(target: &str) -> Option<&'static Provider> {
    PROVIDERS
        .iter()
        .find(|provider| provider.key_targets.iter().any(|suffix| is_below(target, suffix)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn providers_are_recognised_by_each_sign() {
        assert_eq!(named("Help Scout").unwrap().name, "Help Scout");
        assert_eq!(named("office365").unwrap().name, "Microsoft 365");
        assert!(named("carrier-pigeon").is_none());
        assert_eq!(behind_mx("aspmx.l.google.com").unwrap().name, "Google Workspace");
        assert_eq!(behind_mx("route1.mx.cloudflare.net").unwrap().role, Role::Forwarder);
        assert!(behind_mx("mail.notgoogle.com").is_none());
        assert_eq!(behind_include("amazonses.com").unwrap().name, "Amazon SES");
        assert_eq!(behind_include("eu.mailgun.org").unwrap().name, "Mailgun");
        assert_eq!(behind_key("a.dkim.amazonses.com").unwrap().name, "Amazon SES");
    }

    #[test]
    fn every_word_names_one_provider_and_every_provider_says_where_its_records_are() {
        let mut words = BTreeSet::new();
        for provider in PROVIDERS {
            assert!(!provider.selectors_at.is_empty(), "{}", provider.name);
            assert!(!provider.spf_includes.is_empty(), "{}", provider.name);
            for alias in provider.aliases {
                assert!(words.insert(alias), "{alias} names two providers");
                assert_eq!(named(alias).unwrap().name, provider.name);
            }
        }
    }
}
