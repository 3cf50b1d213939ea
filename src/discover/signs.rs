//! The signs by which a service shows on a page, in an alias or in a TXT record, as one table.
//!
//! The addresses of scripts are those of the vendors' own install snippets; the alias targets and TXT
//! tokens those of their pages on custom domains. The file that says it stands with each.

use std::sync::LazyLock;

use launchready_checks::vendor::is_below;
use regex::bytes::RegexSet;

/// What a service is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Takes money.
    Payments,
    /// Knows the customers.
    Crm,
    /// Answers the customers.
    Support,
    /// Moves data between the others.
    Automation,
    /// Counts visitors, or shows what they do.
    Analytics,
    /// Hears of errors.
    Errors,
    /// Signs people in.
    SignIn,
    /// Asks for consent.
    Consent,
    /// Says whether the product is up.
    Status,
}

impl Kind {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Payments => "payments",
            Self::Crm => "CRM",
            Self::Support => "help desk",
            Self::Automation => "automation",
            Self::Analytics => "analytics",
            Self::Errors => "error tracking",
            Self::SignIn => "sign-in",
            Self::Consent => "consent",
            Self::Status => "status page",
        }
    }
}

/// A service and how it shows.
#[derive(Debug, Clone, Copy)]
pub struct Sign {
    /// The vendor's name.
    pub name: &'static str,
    /// What it is for.
    pub kind: Kind,
    /// The word of the system in [`super::ACCESS`], where launchready can read it.
    pub system: Option<&'static str>,
    /// Parts of addresses that stand in the page or its scripts.
    pub page: &'static [&'static str],
    /// Suffixes of alias targets.
    pub aliases: &'static [&'static str],
    /// Beginnings of TXT records of the domain.
    pub txt: &'static [&'static str],
    /// Names below the domain that hold a TXT record of it.
    pub txt_at: &'static [&'static str],
    /// Where the vendor says so.
    pub source: &'static str,
}

const fn read(name: &'static str, kind: Kind, system: &'static str, source: &'static str) -> Sign {
    Sign {
        name,
        kind,
        system: Some(system),
        page: &[],
        aliases: &[],
        txt: &[],
        txt_at: &[],
        source,
    }
}

const fn other(
    name: &'static str,
    kind: Kind,
    page: &'static [&'static str],
    source: &'static str,
) -> Sign {
    Sign { name, kind, system: None, page, aliases: &[], txt: &[], txt_at: &[], source }
}

/// Every service that is recognised.
pub const SIGNS: &[Sign] = &[
    Sign {
        page: &["js.stripe.com", "checkout.stripe.com", "buy.stripe.com", "pk_live_", "pk_test_"],
        aliases: &["stripecdn.com"],
        txt: &["stripe-verification="],
        ..read("Stripe", Kind::Payments, "stripe", "docs.stripe.com/js/including, /custom-domain")
    },
    Sign {
        page: &[
            "js.hs-scripts.com",
            "js-eu1.hs-scripts.com",
            "js.hsforms.net",
            "js-eu1.hsforms.net",
            "js.hs-analytics.net",
            "js.usemessages.com",
            "forms.hubspot.com",
            "api.hsforms.com",
        ],
        aliases: &["hubspot.net", "hs-sites.com", "hs-sites-eu1.com"],
        txt: &["hubspot-developer-verification=", "hubspot-domain-verification="],
        ..read(
            "HubSpot",
            Kind::Crm,
            "hubspot",
            "knowledge.hubspot.com, Install the HubSpot tracking code",
        )
    },
    Sign {
        page: &[
            "leadbooster-chat.pipedrive.com",
            "webforms.pipedrive.com",
            "cdn.us-east-1.pipedriveassets.com",
        ],
        ..read(
            "Pipedrive",
            Kind::Crm,
            "pipedrive",
            "support.pipedrive.com, LeadBooster and Web Forms",
        )
    },
    Sign {
        page: &["api.attio.com", "cdn.attio.com"],
        ..read("Attio", Kind::Crm, "attio", "docs.attio.com")
    },
    Sign {
        page: &["static.zdassets.com", "ekr.zdassets.com", ".zendesk.com/"],
        aliases: &["zendesk.com"],
        txt_at: &["zendeskverification"],
        ..read(
            "Zendesk",
            Kind::Support,
            "zendesk",
            "support.zendesk.com, Web Widget, host mapping and domain verification",
        )
    },
    Sign {
        page: &[
            "widget.intercom.io",
            "js.intercomcdn.com",
            "api-iam.intercom.io",
            "intercomSettings",
        ],
        aliases: &["intercom.help"],
        ..read("Intercom", Kind::Support, "intercom", "developers.intercom.com, Install Intercom")
    },
    Sign {
        page: &[
            "widget.freshworks.com",
            "wchat.freshchat.com",
            "assets.freshdesk.com",
            ".freshdesk.com/",
        ],
        aliases: &["freshdesk.com"],
        ..read("Freshdesk", Kind::Support, "freshdesk", "support.freshdesk.com, Help Widget")
    },
    Sign {
        page: &["beacon-v2.helpscout.net", "helpscoutdocs.com"],
        aliases: &["helpscoutdocs.com"],
        ..read("Help Scout", Kind::Support, "helpscout", "developer.helpscout.com/beacon-2")
    },
    Sign {
        page: &["chat-assets.frontapp.com", "chat.frontapp.com"],
        aliases: &["frontapp.com"],
        ..read("Front", Kind::Support, "front", "dev.frontapp.com, Front Chat SDK")
    },
    Sign {
        page: &[".app.n8n.cloud/webhook", "/webhook/n8n", "@n8n/chat"],
        aliases: &["n8n.cloud"],
        ..read("n8n", Kind::Automation, "n8n", "docs.n8n.io, Webhook node and Chat Trigger")
    },
    Sign {
        page: &["hook.eu1.make.com", "hook.eu2.make.com", "hook.us1.make.com", "hook.us2.make.com"],
        ..read("Make", Kind::Automation, "make", "help.make.com, Webhooks")
    },
    Sign {
        page: &["hooks.zapier.com/hooks/catch", "interfaces.zapier.com"],
        ..read("Zapier", Kind::Automation, "zapier", "help.zapier.com, Trigger Zaps from webhooks")
    },
    other(
        "Paddle",
        Kind::Payments,
        &["cdn.paddle.com/paddle"],
        "developer.paddle.com, Include Paddle.js",
    ),
    other(
        "Lemon Squeezy",
        Kind::Payments,
        &["app.lemonsqueezy.com/js"],
        "docs.lemonsqueezy.com, Lemon.js",
    ),
    other("PayPal", Kind::Payments, &["www.paypal.com/sdk/js"], "developer.paypal.com/sdk/js"),
    other("Crisp", Kind::Support, &["client.crisp.chat"], "docs.crisp.chat, Web Chat SDK"),
    other("tawk.to", Kind::Support, &["embed.tawk.to"], "help.tawk.to, Adding a widget"),
    other("LiveChat", Kind::Support, &["cdn.livechatinc.com"], "developers.livechat.com"),
    other(
        "Google Analytics or Tag Manager",
        Kind::Analytics,
        &[
            "www.googletagmanager.com/gtag",
            "www.googletagmanager.com/gtm",
            "www.google-analytics.com",
        ],
        "developers.google.com/tag-platform",
    ),
    other(
        "PostHog",
        Kind::Analytics,
        &["i.posthog.com", "app.posthog.com", "eu.posthog.com"],
        "posthog.com/docs/libraries/js",
    ),
    other("Plausible", Kind::Analytics, &["plausible.io/js"], "plausible.io/docs/plausible-script"),
    other("Fathom", Kind::Analytics, &["cdn.usefathom.com"], "usefathom.com/docs/script"),
    other("Segment", Kind::Analytics, &["cdn.segment.com"], "segment.com/docs, Analytics.js"),
    other(
        "Mixpanel",
        Kind::Analytics,
        &["cdn.mxpnl.com", "api-js.mixpanel.com"],
        "docs.mixpanel.com",
    ),
    other(
        "Amplitude",
        Kind::Analytics,
        &["cdn.amplitude.com", "api2.amplitude.com"],
        "amplitude.com/docs",
    ),
    other("Hotjar", Kind::Analytics, &["static.hotjar.com"], "help.hotjar.com, Tracking code"),
    other(
        "Microsoft Clarity",
        Kind::Analytics,
        &["www.clarity.ms/tag"],
        "learn.microsoft.com/clarity",
    ),
    other(
        "Meta pixel",
        Kind::Analytics,
        &["connect.facebook.net/en_US/fbevents.js"],
        "developers.facebook.com/docs/meta-pixel",
    ),
    other(
        "Vercel Analytics",
        Kind::Analytics,
        &["/_vercel/insights/script.js", "va.vercel-scripts.com"],
        "vercel.com/docs/analytics",
    ),
    other(
        "Sentry",
        Kind::Errors,
        &["ingest.sentry.io", "ingest.us.sentry.io", "ingest.de.sentry.io", "js.sentry-cdn.com"],
        "docs.sentry.io, DSN",
    ),
    other("LogRocket", Kind::Errors, &["cdn.logrocket.io", "cdn.lr-in.com"], "docs.logrocket.com"),
    other("Clerk", Kind::SignIn, &["clerk.accounts.dev", "clerk.browser.js"], "clerk.com/docs"),
    other("Auth0", Kind::SignIn, &["cdn.auth0.com", ".auth0.com/"], "auth0.com/docs"),
    other("Cookiebot", Kind::Consent, &["consent.cookiebot.com"], "support.cookiebot.com"),
    other("OneTrust", Kind::Consent, &["cdn.cookielaw.org"], "my.onetrust.com"),
    Sign {
        aliases: &[
            "statuspage.io",
            "stspg-customer.com",
            "instatus.com",
            "betteruptime.com",
            "hyperping.io",
        ],
        ..other("hosted status page", Kind::Status, &[], "the vendors' pages on custom domains")
    },
];

/// One pattern a needle, with the index of its sign.
struct Needles {
    set: RegexSet,
    owners: Vec<usize>,
}

static NEEDLES: LazyLock<Option<Needles>> = LazyLock::new(|| {
    let pairs = SIGNS.iter().enumerate();
    let pairs = pairs.flat_map(|(index, sign)| sign.page.iter().map(move |part| (index, *part)));
    let (owners, parts): (Vec<usize>, Vec<&str>) = pairs.unzip();
    let set =
        RegexSet::new(parts.iter().map(|part| format!("(?-u){}", regex::escape(part)))).ok()?;
    Some(Needles { set, owners })
});

impl Sign {
    /// The services that show in the bytes of a page or script, in the order of the table.
    pub fn in_bytes(bytes: &[u8]) -> Vec<&'static Self> {
        let Some(needles) = NEEDLES.as_ref() else { return Vec::new() };
        let mut found: Vec<&'static Self> = Vec::new();
        for index in &needles.set.matches(bytes) {
            let sign = needles.owners.get(index).and_then(|owner| SIGNS.get(*owner));
            if let Some(sign) = sign.filter(|sign| !found.iter().any(|one| one.name == sign.name)) {
                found.push(sign);
            }
        }
        found
    }

    /// The service to which an alias leads.
    pub fn of_alias(target: &str) -> Option<&'static Self> {
        SIGNS.iter().find(|sign| sign.aliases.iter().any(|suffix| is_below(target, suffix)))
    }

    /// The service of which a TXT record of the domain is a token.
    pub fn of_txt(text: &str) -> Option<&'static Self> {
        SIGNS.iter().find(|sign| sign.txt.iter().any(|start| text.starts_with(start)))
    }
}

/// The first label before a suffix, such as `harbor` of `harbor.zendesk.com` in any text.
pub(super) fn tenant(text: &str, suffix: &str) -> Option<String> {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(suffix) {
        let tail = before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '-').next();
        let tail = tail.unwrap_or_default().trim_matches('-').to_ascii_lowercase();
        let plain = ["www", "static", "support", "assets", "developer", "help", "api"];
        if (1..=63).contains(&tail.len()) && !plain.contains(&tail.as_str()) {
            return Some(tail);
        }
        rest = after;
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::discover::access::named;

    #[test]
    fn each_sign_alone_gives_its_service_away() {
        for sign in SIGNS {
            for part in sign.page {
                let page = format!("<script src=\"https://{part}/x.js\"></script>");
                let found = Sign::in_bytes(page.as_bytes());
                assert!(found.iter().any(|one| one.name == sign.name), "{part}");
            }
            for suffix in sign.aliases {
                assert_eq!(
                    Sign::of_alias(&format!("a.{suffix}")).map(|it| it.name),
                    Some(sign.name)
                );
                assert!(Sign::of_alias(&format!("not{suffix}")).is_none(), "{suffix}");
            }
            for start in sign.txt {
                assert_eq!(Sign::of_txt(&format!("{start}1")).map(|it| it.name), Some(sign.name));
            }
            assert!(!sign.source.is_empty(), "{}", sign.name);
        }
    }

    #[test]
    fn names_are_unique_and_what_can_be_read_is_a_system() {
        let mut names = BTreeSet::new();
        for sign in SIGNS {
            assert!(names.insert(sign.name), "{}", sign.name);
            assert!(sign.system.is_none_or(|word| named(word).is_some()), "{}", sign.name);
        }
    }

    #[test]
    fn a_plain_page_and_bytes_that_are_no_text_give_nothing_away() {
        assert!(Sign::in_bytes(b"<h1>We accept cards</h1>").is_empty());
        let mut bytes = vec![0xff; 1 << 20];
        assert!(Sign::in_bytes(&bytes).is_empty());
        bytes.extend(b"js.hs-scripts.com");
        assert_eq!(Sign::in_bytes(&bytes).first().map(|sign| sign.name), Some("HubSpot"));
    }

    #[test]
    fn the_account_is_the_label_before_the_vendors_name() {
        let page = "https://static.zendesk.com/ 'https://Harbor-Help.zendesk.com/hc'";
        assert_eq!(tenant(page, ".zendesk.com").as_deref(), Some("harbor-help"));
        assert_eq!(tenant("https://.zendesk.com", ".zendesk.com"), None);
        assert_eq!(tenant("nothing", ".zendesk.com"), None);
    }
}
