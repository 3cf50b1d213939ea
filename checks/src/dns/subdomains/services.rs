//! Services that product names are pointed at, and how each shows that nobody has claimed the name.
//!
//! Picked by hand from public lists of subdomain take-overs and the services' own error pages.

use crate::vendor::is_below;

/// How a service shows that a name belongs to none of its customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// The alias target does not exist.
    NoSuchName,
    /// The page holds this text.
    Page(&'static str),
}

/// One service.
#[derive(Debug, Clone, Copy)]
pub(super) struct Service {
    pub(super) name: &'static str,
    /// Suffixes of its alias targets; what follows a star may stand anywhere in one.
    pub(super) aliases: &'static [&'static str],
    pub(super) sign: Sign,
    /// Anybody with an account there can claim the name.
    pub(super) takeable: bool,
}

const fn takeable(name: &'static str, aliases: &'static [&'static str], sign: Sign) -> Service {
    Service { name, aliases, sign, takeable: true }
}

/// A service that asks for a proof of ownership before it serves a name, or that is disputed.
const fn guarded(
    name: &'static str,
    aliases: &'static [&'static str],
    text: &'static str,
) -> Service {
    Service { name, aliases, sign: Page(text), takeable: false }
}

use Sign::{NoSuchName, Page};

/// Every service that is recognised; the first that fits wins.
pub(super) const SERVICES: &[Service] = &[
    takeable("AWS Elastic Beanstalk", &["elasticbeanstalk.com"], NoSuchName),
    takeable(
        "Amazon S3",
        &["*.s3.", "*.s3-website", "*.s3-"],
        Page("The specified bucket does not exist"),
    ),
    takeable(
        "Microsoft Azure",
        &[
            "azurewebsites.net",
            "cloudapp.net",
            "cloudapp.azure.com",
            "blob.core.windows.net",
            "azureedge.net",
            "azure-api.net",
            "azurecontainer.io",
            "azurehdinsight.net",
            "database.windows.net",
            "redis.cache.windows.net",
            "search.windows.net",
            "servicebus.windows.net",
            "trafficmanager.net",
        ],
        NoSuchName,
    ),
    takeable("Discourse", &["trydiscourse.com"], NoSuchName),
    takeable("Bitbucket", &["bitbucket.io"], Page("Repository not found")),
    takeable("Ghost", &["ghost.io"], Page("Site unavailable")),
    takeable(
        "Help Scout",
        &["helpscoutdocs.com"],
        Page("No settings were found for this company:"),
    ),
    takeable("ngrok", &["ngrok.io"], Page("ngrok.io not found")),
    takeable("Pantheon", &["pantheonsite.io"], Page("404 error unknown site!")),
    takeable(
        "Readme.io",
        &["readme.io", "readmessl.com"],
        Page("The creators of this project are still working on making everything perfect!"),
    ),
    takeable(
        "Read the Docs",
        &["readthedocs.io"],
        Page("The link you have followed or the URL that you entered does not exist."),
    ),
    takeable("Strikingly", &["s.strikinglydns.com"], Page("PAGE NOT FOUND.")),
    takeable("Surge.sh", &["surge.sh"], Page("project not found")),
    takeable("Uptimerobot", &["stats.uptimerobot.com"], Page("page not found")),
    takeable("Wordpress.com", &["wordpress.com"], Page("Do you want to register")),
    takeable("Canny", &["cname.canny.io"], Page("Company Not Found")),
    takeable("Campaign Monitor", &["createsend.com"], Page("Trying to access your account?")),
    guarded(
        "Vercel",
        &["vercel-dns.com", "vercel.app", "now.sh", "*.vercel-dns-"],
        "DEPLOYMENT_NOT_FOUND",
    ),
    guarded(
        "Netlify",
        &["netlify.app", "netlify.com", "netlifyglobalcdn.com"],
        "Not Found - Request ID:",
    ),
    guarded("Heroku", &["herokudns.com", "herokuapp.com"], "No such app"),
    guarded("GitHub Pages", &["github.io"], "There isn't a GitHub Pages site here."),
    guarded("Shopify", &["myshopify.com"], "Sorry, this shop is currently unavailable."),
    guarded(
        "Webflow",
        &["proxy-ssl.webflow.com", "cdn.webflow.com", "webflow.io"],
        "The page you are looking for doesn't exist or has been moved.",
    ),
    guarded("Wix", &["wixdns.net"], "Looks Like This Domain Isn't Connected To A Website Yet!"),
    guarded("Tilda", &["tilda.ws"], "Please renew your subscription"),
    guarded("Intercom", &["custom.intercom.help"], "This page is reserved for artistic dogs."),
    guarded("Fastly", &["fastly.net"], "Fastly error: unknown domain"),
    guarded("Zendesk", &["zendesk.com"], "Help Center Closed"),
    guarded("Squarespace", &["squarespace.com"], "No Such Account"),
    guarded("HubSpot", &["hubspot.net", "hs-sites.com"], "Domain not found"),
    guarded("Unbounce", &["unbouncepages.com"], "The requested URL was not found on this server."),
];

/// Suffixes of further alias targets that a product uses on purpose: mail, support, sign-in, pay,
/// analytics. A name that leads there is no forgotten server.
const VENDORS: &[&str] = &[
    "outlook.com",
    "office.com",
    "office365.com",
    "lync.com",
    "microsoft.com",
    "microsoftonline.com",
    "google.com",
    "googlehosted.com",
    "sendgrid.net",
    "mtasv.net",
    "mailgun.org",
    "amazonses.com",
    "resend.com",
    "mcsv.net",
    "mandrillapp.com",
    "brevo.com",
    "klaviyomail.com",
    "klaviyo.com",
    "customeriomail.com",
    "messagingengine.com",
    "zoho.com",
    "intercom.help",
    "intercom.io",
    "freshdesk.com",
    "helpscout.net",
    "frontapp.com",
    "gitbook.io",
    "gitbook.com",
    "mintlify.app",
    "mintlify-dns.com",
    "notion.so",
    "notion.site",
    "super.so",
    "atlassian.net",
    "statuspage.io",
    "fly.dev",
    "onrender.com",
    "up.railway.app",
    "betteruptime.com",
    "betterstack.com",
    "instatus.com",
    "hyperping.io",
    "stripecdn.com",
    "stripe.com",
    "paddle.com",
    "clerk.services",
    "clerk.com",
    "auth0.com",
    "workos.com",
    "workos-dns.com",
    "posthog.com",
    "plausible.io",
    "usefathom.com",
    "segment.com",
    "branch.io",
    "bnc.lt",
    "linkly.com",
    "short.io",
    "dub.co",
    "calendly.com",
    "cal.com",
    "typeform.com",
    "carrd.co",
    "beehiiv.com",
    "substack-custom-domains.com",
    "convertkit.com",
    "kit.com",
    "n8n.cloud",
    "replit.app",
    "bubbleapps.io",
    "softr.io",
    "teachable.com",
    "kajabi.com",
    "memberstack.com",
    "circle.so",
];

/// The most characters of a text that may stand on a sound page as well.
const COMMON_TEXT: usize = 20;

/// Whether a page says that nobody has claimed the name. A short text counts on an error page only.
pub(super) fn says_unclaimed(page: &str, status: u16, text: &str) -> bool {
    (status >= 400 || text.len() > COMMON_TEXT) && page.contains(text)
}

/// The service that an alias target belongs to.
pub(super) fn of_alias(target: &str) -> Option<&'static Service> {
    SERVICES.iter().find(|service| {
        service.aliases.iter().any(|alias| match alias.strip_prefix('*') {
            // Only Amazon and Vercel put a varying part in the middle of the name.
            Some(part) => {
                let amazon = part.starts_with(".s3");
                target.contains(part) && (!amazon || is_below(target, "amazonaws.com"))
            }
            None => is_below(target, alias),
        })
    })
}

/// The service of this name.
pub(super) fn named(name: &str) -> Option<&'static Service> {
    SERVICES.iter().find(|service| service.name == name)
}

/// Whether an alias target belongs to a vendor that products use on purpose.
pub(super) fn is_vendor(target: &str) -> bool {
    of_alias(target).is_some() || VENDORS.iter().any(|suffix| is_below(target, suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_found_by_the_end_of_the_alias() {
        let name = |target| of_alias(target).map(|service| service.name);
        assert_eq!(name("shop.s3.eu-west-1.amazonaws.com"), Some("Amazon S3"));
        assert_eq!(name("shop.s3-website-us-east-1.amazonaws.com"), Some("Amazon S3"));
        assert_eq!(name("cname.vercel-dns.com"), Some("Vercel"));
        assert_eq!(name("0a1b.vercel-dns-017.com"), Some("Vercel"));
        assert_eq!(name("harbor.azurewebsites.net"), Some("Microsoft Azure"));
        assert_eq!(name("notsurge.sh"), None);
        assert!(is_vendor("autodiscover.outlook.com"));
        assert!(!is_vendor("box.hosting.test"));
    }

    #[test]
    fn names_are_unique() {
        for service in SERVICES {
            assert_eq!(SERVICES.iter().filter(|s| s.name == service.name).count(), 1);
            assert!(named(service.name).is_some());
        }
    }
}
