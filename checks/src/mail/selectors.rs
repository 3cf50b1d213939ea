//! DKIM selectors that are worth asking for although nobody named them.

use super::providers::{PROVIDERS, Provider};

/// Selectors that sending services use for everybody.
pub const USUAL_SELECTORS: [&str; 48] = [
    "google",
    "selector1",
    "selector2",
    "resend",
    "pm",
    "s1",
    "s2",
    "pdk1",
    "pdk2",
    "k1",
    "k2",
    "k3",
    "mx",
    "smtp",
    "mg",
    "mailo",
    "pic",
    "krs",
    "mte1",
    "mte2",
    "mandrill",
    "brevo1",
    "brevo2",
    "mail",
    "zmail",
    "zoho",
    "fm1",
    "fm2",
    "fm3",
    "protonmail",
    "protonmail2",
    "protonmail3",
    "hs1",
    "hs2",
    "kl",
    "kl2",
    "zendesk1",
    "zendesk2",
    "intercom",
    "strong1",
    "strong2",
    "default",
    "dkim",
    "sig1",
    "key1",
    "mailjet",
    "cf2024-1",
    "litesrv",
];

/// The one provider that is known to use this selector.
pub fn provider_of(selector: &str) -> Option<&'static Provider> {
    let mut users =
        PROVIDERS.iter().filter(|provider| provider.selectors.usual().contains(&selector));
    users.next().filter(|_| users.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_of_several_providers_names_none() {
        assert_eq!(provider_of("resend").map(|provider| provider.name), Some("Resend"));
        assert_eq!(provider_of("harbor2026"), None);
        let shared = PROVIDERS
            .iter()
            .flat_map(|provider| provider.selectors.usual())
            .find(|one| PROVIDERS.iter().filter(|p| p.selectors.usual().contains(one)).count() > 1);
        assert_eq!(shared.and_then(|selector| provider_of(selector)), None);
    }
}
