//! Usual addresses of webhooks, sign-in callbacks and legal pages, and what an answer says about them.

use launchready_checks::document::Document;
use url::Url;

/// Edge Functions that take Stripe's events, by the names in Supabase's and Stripe's examples.
pub const WEBHOOK_FUNCTIONS: [&str; 4] =
    ["stripe-webhook", "stripe-webhooks", "stripe_webhook", "webhook-stripe"];

/// Edge Functions that browsers call to pay, by the names in Supabase's and Stripe's examples.
pub const CHECKOUT_FUNCTIONS: [&str; 5] = [
    "checkout",
    "create-checkout",
    "create-checkout-session",
    "stripe-checkout",
    "create-payment-intent",
];

/// Where web frameworks' examples have Stripe's events sent.
pub const WEBHOOK_PATHS: [&str; 8] = [
    "/api/webhooks/stripe",
    "/api/webhook/stripe",
    "/api/stripe/webhook",
    "/api/stripe/webhooks",
    "/api/webhooks",
    "/api/webhook",
    "/webhooks/stripe",
    "/stripe/webhook",
];

/// Where examples have an identity provider send the browser back.
pub const OAUTH_PATHS: [&str; 4] =
    ["/auth/callback", "/api/auth/callback", "/oauth/callback", "/auth/confirm"];

/// Whether something is at an address, by its status and that of an address beside it that nobody made.
/// A host that answers everything alike says nothing.
pub const fn exists(status: u16, beside: u16) -> bool {
    beside == 404
        && matches!(status, 200..=299 | 301 | 302 | 303 | 307 | 308 | 400 | 401 | 403 | 405 | 422)
}

/// The legal pages that a page links to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LegalPages {
    /// Privacy, terms and refunds, in this order, as paths of the site's own or full addresses.
    pub pages: Vec<String>,
}

/// Words in the path of a legal page, by its subject. A site needs the first two.
const SUBJECTS: [&[&str]; 3] = [
    &["privacy", "datenschutz", "confidentialite", "privacidad"],
    &["terms", "agb", "conditions", "tos"],
    &["refund", "returns", "widerruf", "cancellation"],
];

impl LegalPages {
    /// Those of a home page. Where privacy or terms are missing nothing is said, so that the audit looks for
    /// the usual addresses itself.
    pub fn of_page(html: &str, url: &Url) -> Self {
        let document = Document::parse(html);
        let links: Vec<Url> = document
            .all("a")
            .filter_map(|link| url.join(link.attribute("href")?).ok())
            .filter(|link| link.host_str() == url.host_str() && link.path().len() <= 80)
            .collect();
        let of = |words: &[&str]| {
            let is_one = |link: &&Url| {
                let last = link.path().trim_end_matches('/').rsplit('/').next().unwrap_or_default();
                let last = last.to_ascii_lowercase();
                last.split(['-', '_', '.'])
                    .any(|part| words.iter().any(|word| part.starts_with(word)))
            };
            links.iter().find(is_one).map(|link| link.path().to_owned())
        };
        let found: Vec<Option<String>> = SUBJECTS.iter().map(|words| of(words)).collect();
        match found.as_slice() {
            [Some(_), Some(_), _] => Self { pages: found.into_iter().flatten().collect() },
            _ => Self::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_there_only_beside_one_that_is_not() {
        assert!(exists(405, 404) && exists(400, 404) && exists(204, 404));
        assert!(!exists(404, 404) && !exists(500, 404));
        assert!(!exists(200, 200) && !exists(302, 302));
    }

    #[test]
    fn legal_pages_are_read_from_links_of_the_site_itself() {
        let url = Url::parse("https://harbor.example/").unwrap();
        let of = |html: &str| LegalPages::of_page(html, &url).pages;
        let footer =
            "<a href=/legal/privacy-policy>P</a><a href='/terms'>T</a><a href=/refunds>R</a>";
        assert_eq!(of(footer), ["/legal/privacy-policy", "/terms", "/refunds"]);
        assert!(of("<a href=/privacy>P</a>").is_empty());
        assert!(of("<a href=https://other.example/privacy>P</a><a href=/terms>T</a>").is_empty());
    }
}
